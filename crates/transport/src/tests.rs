//! Two processes' transports over loopback.

mod hostile;
mod secure;

use super::*;
use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use headwater_data::ChangeBatch;
use headwater_exchange::{Barrier, ChannelSender, Element, Gate};
use headwater_types::RowKind;
use std::io::{Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

const CAPACITY: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Told {
    broken: Mutex<Vec<(ChannelId, ChannelEnd, String)>>,
}

impl ChannelEvents for Told {
    fn broken(&self, channel: ChannelId, end: ChannelEnd, error: &Error) {
        lock(&self.broken).push((channel, end, error.to_string()));
    }
}

struct Pair {
    runtime: tokio::runtime::Runtime,
    producers: Transport,
    consumers: Option<Transport>,
    told: Arc<Told>,
}

impl Pair {
    fn new() -> Self {
        Self::of(Identity::new("a", "test"), Identity::new("b", "test"))
    }

    /// The producers' process and the consumers'.
    fn of(producers: Identity, consumers: Identity) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let told = Arc::new(Told::default());
        let start = |identity: Identity| {
            Transport::start(loopback(), identity, told.clone(), runtime.handle().clone()).unwrap()
        };
        let (producers, consumers) = (start(producers), Some(start(consumers)));
        Self { runtime, producers, consumers, told }
    }

    /// What goes through a channel arrives.
    fn assert_joined(&self, number: u32) {
        let (mut gate, endpoint, woken) = gate();
        self.consumers().receive(channel(number), endpoint);
        let mut sender = self.sender(channel(number));
        until(|| sender.has_room() || sender.is_closed());
        assert!(!sender.is_closed(), "{:?}", lock(&self.told.broken));
        let sent = batch(0, 3000);
        sender.send(sent.clone());
        assert_eq!(format!("{:?}", next(&mut gate, &woken)), format!("{sent:?}"));
    }

    fn consumers(&self) -> &Transport {
        self.consumers.as_ref().unwrap()
    }

    fn sender(&self, channel: ChannelId) -> RemoteSender {
        self.producers.sender(&self.consumers().address().to_string(), channel)
    }

    /// Waits until `n` ends were told that they are broken.
    fn broken(&self, n: usize) -> Vec<(ChannelId, ChannelEnd, String)> {
        until(|| lock(&self.told.broken).len() >= n);
        lock(&self.told.broken).clone()
    }
}

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn channel(edge: u32) -> ChannelId {
    ChannelId { job: JobId(7), attempt: 1, edge, producer: 0, consumer: 0 }
}

/// A gate with one channel and what wakes its consumer.
fn gate() -> (Gate, LocalSender, Receiver<()>) {
    let (mut gate, mut senders) = Gate::new(1, CAPACITY);
    let (wake, woken) = waker();
    gate.set_waker(wake);
    (gate, senders.remove(0), woken)
}

fn waker() -> (headwater_exchange::Waker, Receiver<()>) {
    let (send, receive): (SyncSender<()>, _) = sync_channel(1024);
    let wake = move || {
        let _ = send.try_send(());
    };
    (Arc::new(wake), receive)
}

#[allow(clippy::disallowed_methods, reason = "waits for another thread's work, with a bound")]
fn until(mut done: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "it did not come about");
        std::thread::yield_now();
    }
}

fn next(gate: &mut Gate, woken: &Receiver<()>) -> Element {
    loop {
        if let Some((0, element)) = gate.poll() {
            return element;
        }
        woken.recv_timeout(PATIENCE).expect("an element arrives");
    }
}

fn rows(from: i64, count: i64) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, false), Field::new("s", DataType::Utf8, true)]);
    let numbers = Int64Array::from_iter_values(from..from + count);
    let texts = StringArray::from_iter((from..from + count).map(|n| (n % 3 != 0).then(|| format!("text {n}"))));
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(numbers), Arc::new(texts)]).unwrap()
}

fn batch(from: i64, count: i64) -> Element {
    Element::Batch(ChangeBatch::append(rows(from, count)))
}

#[test]
fn elements_arrive_as_they_were_sent() {
    let pair = Pair::new();
    let (mut gate, endpoint, woken) = gate();
    pair.consumers().receive(channel(0), endpoint);
    let mut sender = pair.sender(channel(0));
    let kinds = [RowKind::UpdateBefore, RowKind::UpdateAfter, RowKind::Delete];
    let mixed = ChangeBatch::from_kinds(rows(5, 3), kinds);
    let sent = [
        batch(0, 5),
        Element::Watermark(17),
        Element::Batch(mixed.clone()),
        // A slice: only its rows travel.
        Element::Batch(ChangeBatch::append(rows(0, 1000)).slice(990, 10)),
        Element::Barrier(Barrier::aligned(3, 99)),
        Element::Idle(true),
        Element::End,
    ];
    sent.iter().for_each(|element| sender.send(element.clone()));
    for expected in sent {
        let element = next(&mut gate, &woken);
        assert_eq!(format!("{element:?}"), format!("{expected:?}"));
    }
    until(|| sender.await_drained());
}

#[test]
fn rows_without_columns_are_counted_on_the_other_side() {
    for compression in [Codec::None, Codec::Zstd] {
        let pair = Pair::of(Identity { compression, ..Identity::new("a", "test") }, Identity::new("b", "test"));
        let (mut gate, endpoint, woken) = gate();
        pair.consumers().receive(channel(0), endpoint);
        let mut sender = pair.sender(channel(0));
        let bare = |count: usize| rows(0, count as i64).project(&[]).unwrap();
        let kinds = [RowKind::Insert, RowKind::Delete, RowKind::Insert];
        sender.send(Element::Batch(ChangeBatch::append(bare(1000))));
        sender.send(Element::Batch(ChangeBatch::from_kinds(bare(3), kinds)));
        sender.send(Element::Batch(ChangeBatch::append(bare(1))));
        sender.send(Element::End);
        let mut counts = vec![];
        while let Element::Batch(batch) = next(&mut gate, &woken) {
            counts.push((batch.num_rows(), batch.kind(0)));
        }
        assert_eq!(counts, [(1000, RowKind::Insert), (3, RowKind::Insert), (1, RowKind::Insert)]);
    }
}

#[test]
fn a_producer_may_come_before_its_consumer() {
    let pair = Pair::new();
    let mut sender = pair.sender(channel(0));
    let (wake, woken) = waker();
    sender.set_waker(wake);
    assert!(!sender.await_room(), "nobody has asked for rows");
    sender.send(Element::Watermark(1));
    let (mut gate, endpoint, arrived) = gate();
    pair.consumers().receive(channel(0), endpoint);
    until(|| sender.await_room() || woken.recv_timeout(PATIENCE).is_err());
    sender.send(batch(0, 2));
    assert!(matches!(next(&mut gate, &arrived), Element::Watermark(1)));
    assert!(matches!(next(&mut gate, &arrived), Element::Batch(_)));
}

#[test]
fn a_slow_consumer_bounds_its_producer_and_holds_up_nobody_else() {
    let pair = Pair::new();
    let (mut slow, endpoint, slow_woken) = gate();
    pair.consumers().receive(channel(0), endpoint);
    let (mut quick, endpoint, quick_woken) = gate();
    pair.consumers().receive(channel(1), endpoint);
    let (mut to_slow, mut to_quick) = (pair.sender(channel(0)), pair.sender(channel(1)));
    let (wake, room) = waker();
    to_slow.set_waker(wake);
    until(|| to_slow.has_room() && to_quick.has_room());
    let mut sent = 0;
    while to_slow.await_room() {
        to_slow.send(batch(sent, 100));
        sent += 100;
    }
    assert!(slow.queued_bytes(0) <= 2 * CAPACITY + CAPACITY / 2, "{}", slow.queued_bytes(0));
    for n in 0..1000 {
        until(|| to_quick.has_room());
        to_quick.send(batch(n, 10));
        assert!(matches!(next(&mut quick, &quick_woken), Element::Batch(_)));
    }
    assert!(room.try_recv().is_err() && !to_slow.has_room(), "nothing was taken");
    let mut taken = 0;
    while taken < sent {
        if let Element::Batch(batch) = next(&mut slow, &slow_woken) {
            taken += batch.num_rows() as i64;
        }
    }
    room.recv_timeout(PATIENCE).expect("the producer is woken");
    assert!(to_slow.has_room());
    until(|| to_slow.await_drained());
}

#[test]
fn a_consumer_that_needs_no_more_closes_the_channel() {
    let pair = Pair::new();
    let (gate, endpoint, _woken) = gate();
    pair.consumers().receive(channel(0), endpoint);
    let mut sender = pair.sender(channel(0));
    let (wake, woken) = waker();
    sender.set_waker(wake);
    until(|| sender.has_room());
    while sender.await_room() {
        sender.send(batch(0, 500));
    }
    drop(gate);
    woken.recv_timeout(PATIENCE).expect("the producer is woken");
    until(|| sender.is_closed());
    assert!(lock(&pair.told.broken).is_empty(), "an end is no failure");
}

#[test]
fn late_channels_of_an_attempt_that_is_over_are_refused() {
    let pair = Pair::new();
    let (_gate, endpoint, _woken) = gate();
    pair.consumers().receive(channel(0), endpoint);
    pair.consumers().release(JobId(7), 1);
    let _sender = pair.sender(channel(0));
    let broken = pair.broken(1);
    assert_eq!((broken[0].0, broken[0].1), (channel(0), ChannelEnd::Producer));
    assert!(broken[0].2.contains("the attempt is over"), "{}", broken[0].2);
}

#[test]
fn a_producer_that_ends_without_an_end_breaks_the_channel() {
    let pair = Pair::new();
    let (_gate, endpoint, _woken) = gate();
    pair.consumers().receive(channel(0), endpoint);
    let sender = pair.sender(channel(0));
    until(|| sender.has_room());
    drop(sender);
    assert_eq!(pair.broken(1)[0].1, ChannelEnd::Consumer);
}

#[test]
fn both_ends_hear_of_a_connection_that_breaks() {
    let mut pair = Pair::new();
    let (_gate, endpoint, _woken) = gate();
    pair.consumers().receive(channel(0), endpoint);
    let sender = pair.sender(channel(0));
    until(|| sender.has_room());
    drop(std::mem::replace(&mut pair.producers, Pair::new().producers));
    let broken = pair.broken(2);
    let ends: Vec<ChannelEnd> = broken.iter().map(|(_, end, _)| *end).collect();
    assert!(ends.contains(&ChannelEnd::Producer) && ends.contains(&ChannelEnd::Consumer), "{broken:?}");
    assert!(sender.is_closed());
}

#[test]
fn nobody_listens() {
    let pair = Pair::new();
    let free = std::net::TcpListener::bind(loopback()).unwrap().local_addr().unwrap();
    let sender = pair.producers.sender(&free.to_string(), channel(0));
    let broken = pair.broken(1);
    assert!(broken[0].2.contains("cannot be reached"), "{}", broken[0].2);
    assert!(sender.is_closed());
}

/// What a stranger says, and whether it is answered with a greeting.
#[test]
fn strangers_are_refused_and_harm_nobody() {
    let pair = Pair::new();
    let address = pair.consumers().address();
    let hello = |cluster: &str| {
        let bytes = postcard::to_stdvec(&("stranger", cluster)).unwrap();
        let frame = Frame::of_bytes(Kind::Hello, 0, bytes);
        [&frame.encode_header().unwrap()[..], &frame.payload[0]].concat()
    };
    let mut wrong_version = hello("test");
    wrong_version[5] = 9;
    let mut damaged = hello("test");
    *damaged.last_mut().unwrap() ^= 1;
    let mut endless = hello("test");
    endless[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    let early_rows = [hello("test"), {
        let frame = Frame::empty(Kind::Batch, 4, 0);
        frame.encode_header().unwrap().to_vec()
    }]
    .concat();
    for bytes in
        [b"GET / HTTP/1.1\r\n\r\n".repeat(4), vec![0; 64], hello("other"), wrong_version, damaged, endless, early_rows]
    {
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let _ = stream.write_all(&bytes);
        let mut answer = vec![];
        // It hangs up, with or without a reset.
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.len() < 256, "{} bytes", answer.len());
    }
    pair.assert_joined(0);
}
