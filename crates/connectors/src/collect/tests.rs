use super::{CHANNEL_BYTES_MAX, Collect, Received, Receiver};
use crate::test_support::{table, write_spec, writer_context};
use arrow::array::{ArrayRef, BinaryArray, RecordBatch};
use headwater_connector_api::{Connector, WriterContext};
use headwater_data::ChangeBatch;
use headwater_types::TypeRoot;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn batch(bytes: usize) -> ChangeBatch {
    let column: ArrayRef = Arc::new(BinaryArray::from_vec(vec![&vec![0; bytes]]));
    ChangeBatch::append(RecordBatch::try_from_iter([("c", column)]).unwrap())
}

#[test]
fn batches_arrive_and_a_full_channel_holds_writers_back() {
    let receiver = Receiver::open("back-pressure");
    let columns = [("c", TypeRoot::VarBinary(9).into())];
    let spec = write_spec(table(&columns, &[("collect-id", receiver.id())]));
    let woken = Arc::new(AtomicU32::new(0));
    let count = woken.clone();
    let waker = Arc::new(move || {
        count.fetch_add(1, Ordering::SeqCst);
    });
    let context = WriterContext { waker, ..writer_context(0, 1) };
    let mut writer = Collect.sink(&spec).unwrap().unwrap().writer(context).unwrap();
    assert!(writer.is_ready());
    writer.write(batch(CHANNEL_BYTES_MAX)).unwrap();
    assert!(!writer.is_ready());
    assert!(matches!(receiver.receive(Duration::ZERO), Received::Batch(_)));
    assert_eq!(woken.load(Ordering::SeqCst), 1);
    assert!(writer.is_ready());
    assert!(matches!(receiver.receive(Duration::ZERO), Received::Timeout));
    writer.write(batch(1)).unwrap();
    writer.take_committables(0, true).unwrap();
    assert!(matches!(receiver.receive(Duration::ZERO), Received::Batch(_)));
    assert!(matches!(receiver.receive(Duration::ZERO), Received::End));
}

#[test]
fn a_receiver_that_went_away_ends_the_writers() {
    let receiver = Receiver::open("gone");
    let spec = write_spec(table(&[], &[("collect-id", "gone")]));
    let sink = Collect.sink(&spec).unwrap().unwrap();
    let mut writer = sink.writer(writer_context(0, 1)).unwrap();
    drop(receiver);
    assert!(writer.is_ready());
    assert_eq!(writer.write(batch(1)).unwrap_err().code(), "receiver-gone");
    assert_eq!(sink.writer(writer_context(0, 1)).err().unwrap().code(), "receiver-gone");
}

#[test]
fn a_query_that_runs_anew_takes_back_what_nobody_has_and_ends_where_somebody_has() {
    let receiver = Receiver::open_once("anew");
    let columns = [("c", TypeRoot::VarBinary(9).into())];
    let spec = write_spec(table(&columns, &[("collect-id", receiver.id())]));
    let sink = Collect.sink(&spec).unwrap().unwrap();
    let writer = |subtask| sink.writer(writer_context(subtask, 2));
    let sizes = |receiver: &Receiver| {
        std::iter::from_fn(|| match receiver.receive(Duration::ZERO) {
            Received::Batch(batch) => Some(batch.bytes()),
            _ => None,
        })
        .count()
    };
    let (mut first, mut other) = (writer(0).unwrap(), writer(1).unwrap());
    first.write(batch(1)).unwrap();
    first.take_committables(0, true).unwrap();
    other.write(batch(2)).unwrap();
    other.take_committables(0, true).unwrap();
    let mut again = writer(0).unwrap();
    again.write(batch(3)).unwrap();
    assert_eq!(sizes(&receiver), 2, "the other subtask's batch, and the new one");
    assert!(matches!(receiver.receive(Duration::ZERO), Received::Timeout), "it has not ended again");
    assert!(receiver.failure().is_none());
    let mut twice = writer(0).unwrap();
    assert!(matches!(receiver.receive(Duration::ZERO), Received::End));
    assert_eq!(receiver.failure().map(|error| error.code()), Some("query-restarted"));
    assert!(twice.write(batch(4)).is_err());
}

#[test]
fn rows_may_come_again_where_that_is_agreed() {
    let receiver = Receiver::open("again");
    let columns = [("c", TypeRoot::VarBinary(9).into())];
    let sink = Collect.sink(&write_spec(table(&columns, &[("collect-id", receiver.id())]))).unwrap().unwrap();
    for _ in 0..2 {
        let mut writer = sink.writer(writer_context(0, 1)).unwrap();
        writer.write(batch(1)).unwrap();
        assert!(matches!(receiver.receive(Duration::ZERO), Received::Batch(_)));
    }
}
