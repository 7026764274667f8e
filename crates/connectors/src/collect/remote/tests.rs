use super::{Answer, Fetcher, Guarantee, Request, Shape, Stream, target, to_bytes};
use crate::collect::{CHANNEL_BYTES_MAX, Collect, FETCH_TIMEOUT_MS};
use crate::test_support::{table, write_spec, writer_context};
use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use headwater_connector_api::{Connector, SinkWriter, WriterContext, coordination};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_types::TypeRoot;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn batch(values: impl IntoIterator<Item = i64>) -> ChangeBatch {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
    ChangeBatch::append(RecordBatch::try_from_iter([("c", column)]).unwrap())
}

fn values(batch: &ChangeBatch) -> Vec<i64> {
    batch.rows().column(0).as_primitive::<Int64Type>().values().to_vec()
}

fn shape() -> Shape {
    Shape { id: "q".to_owned(), subtask: 0, parallelism: 1 }
}

/// Asks and takes the answer.
fn fetch(fetcher: &mut Fetcher, stream: &mut Stream) -> headwater_types::Result<bool> {
    let answer = stream.answer(fetcher.request(true)).unwrap();
    fetcher.take(&answer)
}

fn handed(fetcher: &mut Fetcher) -> Vec<i64> {
    std::iter::from_fn(|| fetcher.next_ready()).flat_map(|batch| values(&batch)).collect()
}

#[test]
fn rows_come_once_whatever_happens_to_answers() {
    let (mut stream, mut fetcher) = (Stream::new(7, shape()), Fetcher::new(Guarantee::NoRestart));
    stream.write(batch([1, 2]));
    assert!(fetch(&mut fetcher, &mut stream).unwrap(), "the first answer tells the version");
    let lost = stream.answer(fetcher.request(true)).unwrap();
    assert!(!lost.rows.is_empty());
    assert!(fetch(&mut fetcher, &mut stream).unwrap());
    assert!(!stream.is_empty(), "the stream does not know yet that its rows have arrived");
    stream.write(batch([3]));
    assert!(fetch(&mut fetcher, &mut stream).unwrap());
    assert!(!fetch(&mut fetcher, &mut stream).unwrap());
    assert!(stream.is_empty());
    assert_eq!(handed(&mut fetcher), [1, 2, 3]);
}

#[test]
fn a_client_that_takes_nothing_is_only_heard() {
    let (mut stream, mut fetcher) = (Stream::new(7, shape()), Fetcher::new(Guarantee::NoRestart));
    fetch(&mut fetcher, &mut stream).unwrap();
    stream.write(batch([1]));
    let answer = stream.answer(fetcher.request(false)).unwrap();
    assert_eq!(answer, Answer { version: 7, stable: 0, first: 0, common: None, rows: vec![] });
}

#[test]
fn a_large_batch_is_cut_and_answers_are_bounded() {
    let mut stream = Stream::new(7, shape());
    stream.write(batch(0..1_000_000));
    assert!(!stream.is_ready(), "8 MB are more than {CHANNEL_BYTES_MAX}");
    let request = Request { version: 7, received: 0, bytes_max: 1 };
    let rows = stream.answer(request).unwrap().rows;
    assert!((500_000..1_200_000).contains(&rows.len()), "{}", rows.len());
}

#[test]
fn rows_that_were_shown_do_not_come_again() {
    let (mut stream, mut fetcher) = (Stream::new(7, shape()), Fetcher::new(Guarantee::NoRestart));
    stream.write(batch([1]));
    fetch(&mut fetcher, &mut stream).unwrap();
    fetch(&mut fetcher, &mut stream).unwrap();
    let mut again = Stream::new(8, shape());
    let unseen = fetcher.take(&again.answer(fetcher.request(true)).unwrap());
    assert!(unseen.unwrap(), "nothing was shown: the query may start again");
    again.write(batch([1]));
    fetch(&mut fetcher, &mut again).unwrap();
    assert_eq!(handed(&mut fetcher), [1]);
    let error = fetch(&mut fetcher, &mut Stream::new(9, shape())).unwrap_err();
    assert_eq!(error.code(), "query-restarted");
}

#[test]
fn a_stream_of_another_shape_or_query() {
    let mut stream = Stream::new(7, shape());
    stream.write(batch([1]));
    stream.answer(Request { version: 7, received: 1, bytes_max: 0 }).unwrap();
    stream.write(batch([2]));
    let stored = [stream.snapshot().unwrap()];
    let other = Shape { subtask: 1, parallelism: 2, ..shape() };
    assert_eq!(Stream::restore(8, other, &stored).err().unwrap().code(), "query-rescaled");
    let (mut next, mut fetcher) = (
        Stream::restore(8, Shape { id: "r".to_owned(), ..shape() }, &stored).unwrap(),
        Fetcher::new(Guarantee::NoRestart),
    );
    fetch(&mut fetcher, &mut next).unwrap();
    fetch(&mut fetcher, &mut next).unwrap();
    assert_eq!(handed(&mut fetcher), [2], "what nobody fetched from the savepoint comes first");
    assert!(Stream::restore(8, shape(), &[vec![255]]).is_err());
}

/// A query of numbered rows that fails at any moment, against what its client shows.
#[derive(Debug, Clone)]
enum Step {
    Write(u8),
    Fetch,
    LoseAnswer,
    Barrier,
    Complete,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u8..4).prop_map(Step::Write),
        4 => Just(Step::Fetch),
        1 => Just(Step::LoseAnswer),
        2 => Just(Step::Barrier),
        2 => Just(Step::Complete),
        1 => Just(Step::Crash),
    ]
}

/// The world around a stream: checkpoints hold its state and the position of the source.
struct World {
    stream: Stream,
    version: u64,
    position: i64,
    checkpoint: u64,
    /// Not known to be complete.
    pending: BTreeMap<u64, (Vec<u8>, i64)>,
    completed: Option<(Vec<u8>, i64)>,
}

impl World {
    fn new() -> Self {
        let (stream, pending) = (Stream::new(1, shape()), BTreeMap::new());
        Self { stream, version: 1, position: 0, checkpoint: 0, pending, completed: None }
    }

    fn step(&mut self, step: &Step, fetcher: &mut Fetcher) -> headwater_types::Result<()> {
        match step {
            Step::Write(rows) => {
                let end = self.position + i64::from(*rows);
                self.stream.write(batch(self.position..end));
                self.position = end;
            }
            Step::Fetch => _ = fetch(fetcher, &mut self.stream)?,
            Step::LoseAnswer => drop(self.stream.answer(fetcher.request(true))?),
            Step::Barrier => {
                self.checkpoint += 1;
                self.stream.barrier(self.checkpoint);
                self.pending.insert(self.checkpoint, (self.stream.snapshot()?, self.position));
            }
            Step::Complete => {
                if let Some((checkpoint, state)) = self.pending.pop_last() {
                    self.pending.clear();
                    self.stream.complete(checkpoint);
                    self.completed = Some(state);
                }
            }
            Step::Crash => self.crash()?,
        }
        Ok(())
    }

    fn crash(&mut self) -> headwater_types::Result<()> {
        self.version += 1;
        let restored = self.completed.iter().map(|(state, _)| state.clone()).collect::<Vec<_>>();
        self.stream = Stream::restore(self.version, shape(), &restored)?;
        self.position = self.completed.as_ref().map_or(0, |(_, position)| *position);
        self.pending.clear();
        Ok(())
    }
}

proptest! {
    #[test]
    fn with_checkpoints_every_row_is_shown_once(steps in proptest::collection::vec(step(), 0..80)) {
        let mut world = World::new();
        let mut fetcher = Fetcher::new(Guarantee::ExactlyOnce);
        let mut shown = vec![];
        for step in &steps {
            world.step(step, &mut fetcher).unwrap();
            shown.extend(handed(&mut fetcher));
        }
        while fetch(&mut fetcher, &mut world.stream).unwrap() {}
        shown.extend(std::iter::from_fn(|| fetcher.next_finished()).flat_map(|batch| values(&batch)));
        prop_assert!(world.stream.is_empty());
        prop_assert_eq!(shown, (0..world.position).collect::<Vec<_>>());
    }
}

fn writer(env: &Env, id: &str, wakes: &Arc<AtomicU32>) -> Box<dyn SinkWriter> {
    let columns = [("c", TypeRoot::BigInt.into())];
    let spec = write_spec(table(&columns, &[("collect-id", id), (FETCH_TIMEOUT_MS, "1000")]));
    let count = wakes.clone();
    let waker = Arc::new(move || _ = count.fetch_add(1, Ordering::SeqCst));
    let context = WriterContext { waker, env: env.clone(), ..writer_context(0, 1) };
    Collect.sink(&spec).unwrap().unwrap().writer(context).unwrap()
}

#[test]
fn a_writer_waits_for_its_client_and_wakes_behind_it() {
    let (env, _clock) = Env::simulated(1, 0);
    let wakes = Arc::new(AtomicU32::new(0));
    let mut writer = writer(&env, "waits", &wakes);
    writer.write(batch(0..600_000)).unwrap();
    assert!(!writer.is_ready() && !writer.may_end().unwrap());
    let mut fetcher = Fetcher::new(Guarantee::NoRestart);
    let ask = |fetcher: &mut Fetcher| {
        let request = to_bytes(&fetcher.request(true)).unwrap();
        let answer = coordination::ask(&target("waits", 0), &request).unwrap();
        fetcher.take(&super::of_bytes(&answer).unwrap()).unwrap()
    };
    while ask(&mut fetcher) {}
    assert!(wakes.load(Ordering::SeqCst) > 0);
    assert!(writer.is_ready() && writer.may_end().unwrap());
    assert_eq!(handed(&mut fetcher).len(), 600_000);
    drop(writer);
    assert_eq!(coordination::ask(&target("waits", 0), b""), None);
}

#[test]
fn a_writer_whose_client_is_silent_ends_for_good() {
    let (env, clock) = Env::simulated(1, 0);
    let mut writer = writer(&env, "silent", &Arc::default());
    assert_eq!(writer.next_tick_ms(), Some(1000));
    clock.advance_ms(900);
    let request = to_bytes(&Fetcher::new(Guarantee::NoRestart).request(false)).unwrap();
    assert!(coordination::ask(&target("silent", 0), &request).is_some());
    assert_eq!(coordination::ask(&target("silent", 0), b"x"), None, "garbage is no question");
    writer.tick(1000).unwrap();
    assert_eq!(writer.next_tick_ms(), Some(1900));
    clock.advance_ms(1000);
    assert_eq!(writer.tick(1900).unwrap_err().code(), "receiver-gone");
}

/// A case that the property has found: the client has rows of an execution that left no checkpoint behind.
#[test]
fn rows_of_an_execution_without_a_checkpoint_are_forgotten() {
    use Step::{Barrier, Complete, Crash, Fetch, Write};
    let (mut world, mut fetcher) = (World::new(), Fetcher::new(Guarantee::ExactlyOnce));
    for step in [Fetch, Write(1), Fetch, Crash, Write(2), Barrier, Complete] {
        world.step(&step, &mut fetcher).unwrap();
    }
    while fetch(&mut fetcher, &mut world.stream).unwrap() {}
    assert_eq!(handed(&mut fetcher), [0, 1]);
}
