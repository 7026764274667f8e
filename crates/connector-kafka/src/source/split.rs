//! A split: a partition from its next record to where reading ends.

use headwater_connector_api::Split;
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// A partition of a topic.
pub(crate) type TopicPartition = (String, i32);

/// What is to be read of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KafkaSplit {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    /// Offset of the next record to emit.
    pub(crate) next: i64,
    /// Offset of the first record not to emit; `None` reads on for ever.
    pub(crate) stop: Option<i64>,
}

/// Version of the encoding; the first byte.
const VERSION: u8 = 1;

impl KafkaSplit {
    /// The partition.
    pub(crate) fn topic_partition(&self) -> TopicPartition {
        (self.topic.clone(), self.partition)
    }

    /// Whether nothing is left to read.
    pub(crate) fn is_finished(&self) -> bool {
        self.stop.is_some_and(|stop| self.next >= stop)
    }

    pub(crate) fn encode(&self) -> Result<Split> {
        encode(self).map(Split)
    }

    pub(crate) fn decode(split: &Split) -> Result<Self> {
        decode(&split.0, "split of a topic")
    }
}

/// Bytes of a persisted value.
pub(crate) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    let bytes = postcard::to_extend(value, vec![VERSION]);
    bytes.map_err(|e| Error::internal(format!("the state of a Kafka source cannot be encoded: {e}")))
}

/// A persisted value from its bytes.
pub(crate) fn decode<T: for<'de> Deserialize<'de>>(bytes: &[u8], what: &str) -> Result<T> {
    let corrupt =
        |why: String| Error::new(ErrorKind::Corruption, "bad-source-state", format!("a {what} cannot be read: {why}"));
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).map_err(|e| corrupt(e.to_string())),
        Some((version, _)) => Err(corrupt(format!("its version is {version}, expected {VERSION}"))),
        None => Err(corrupt("it is empty".into())),
    }
}
