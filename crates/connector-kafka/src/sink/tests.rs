use super::committable::{Header, Stage, Staged};
use super::frame::{Frames, Record};
use super::marker::Marker;
use headwater_connector_api::Committable;
use proptest::prelude::*;

/// A record that owns its bytes.
type Owned = (Option<Vec<u8>>, Option<Vec<u8>>, Option<i64>, Vec<(String, Option<Vec<u8>>)>);

fn borrow((key, value, timestamp, headers): &Owned) -> Record<'_> {
    Record {
        key: key.as_deref(),
        value: value.as_deref(),
        timestamp: *timestamp,
        headers: headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect(),
    }
}

fn owned() -> impl Strategy<Value = Owned> {
    let bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300));
    let header = ("[a-z]{0,5}", bytes());
    (bytes(), bytes(), proptest::option::of(any::<i64>()), proptest::collection::vec(header, 0..3))
}

proptest! {
    #[test]
    fn records_survive_staging(records in proptest::collection::vec(owned(), 1..40)) {
        let mut stage = Stage::default();
        for record in &records {
            stage.add(&borrow(record)).unwrap();
        }
        let committable = stage.take(1, 2, 3).unwrap().unwrap();
        let staged = Staged::open(&committable).unwrap();
        prop_assert_eq!(staged.header, Header { writer: 1, sequence: 2, subtask: 3, records: records.len() as u64 });
        let mut at = 0;
        staged.each(|record| {
            assert_eq!(*record, borrow(&records[at]));
            at += 1;
            Ok(())
        }).unwrap();
        prop_assert_eq!(at, records.len());
        prop_assert!(stage.take(1, 3, 3).unwrap().is_none());
    }

    #[test]
    fn any_bytes_are_frames_or_told(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for record in Frames::new(&bytes) {
            drop(record);
        }
        drop(Staged::open(&Committable(bytes)));
    }

    #[test]
    fn a_damaged_byte_is_found(at in 0usize..200, flip in 1u8..=255) {
        let mut stage = Stage::default();
        stage.add(&Record { value: Some(&[7; 100]), ..Record::default() }).unwrap();
        let mut committable = stage.take(1, 0, 0).unwrap().unwrap();
        let at = at % committable.0.len();
        committable.0[at] ^= flip;
        prop_assert!(Staged::open(&committable).is_err());
    }
}

fn header(writer: u64, sequence: u64) -> Header {
    Header { writer, sequence, subtask: 0, records: 1 }
}

#[test]
fn markers_remember_what_was_touched_last() {
    let mut marker = Marker::default();
    assert_eq!(Marker::parse("").unwrap(), marker);
    for sequence in 0..3 {
        marker.check_follows(&header(0xab, sequence)).unwrap();
        marker.add(&header(0xab, sequence));
    }
    assert_eq!(marker.text(), "1;ab:2");
    assert!(marker.holds(&header(0xab, 1)) && marker.holds(&header(0xab, 2)) && !marker.holds(&header(0xab, 3)));
    assert!(marker.check_follows(&header(0xab, 4)).is_err());
    marker.check_follows(&header(0xcd, 9)).unwrap();
    // The oldest go, and the text fits into what a broker takes.
    for writer in 1..=200 {
        marker.add(&header(u64::MAX - writer, u64::MAX));
    }
    assert!(!marker.holds(&header(0xab, 2)));
    assert!(marker.text().len() <= 4096, "{}", marker.text().len());
    assert_eq!(Marker::parse(&marker.text()).unwrap(), marker);
    for foreign in ["2;ab:1", "hello", "1;x:1", "1;ab"] {
        assert_eq!(Marker::parse(foreign).unwrap_err().code(), "kafka-foreign-marker");
    }
}
