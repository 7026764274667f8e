//! The marker: which committables are in the topic.
//!
//! A transaction writes the records of committables and, atomically with them, an offset of a consumer group that
//! nobody consumes with. The offset's metadata lists how far each writer was committed; who has to commit again reads
//! it first and passes over what is there.
//!
//! ```text
//! group    = <prefix> "-" <topic> "-" bucket          one for every 64 subtasks
//! offset   = number of the checkpoint, on partition 0 of the topic
//! metadata = "1" (";" writer:hex ":" sequence:hex)*   oldest first
//! ```
//!
//! Brokers take 4096 bytes of metadata by default, so the list is bounded: what was not touched for longest goes first.
//! An entry is needed as long as its writer's last checkpoint may be restored, and those of the writers of now are
//! always kept.

use super::committable::Header;
use headwater_types::{Error, ErrorKind, Result};

/// Subtasks that share a group.
pub(super) const BUCKET_SUBTASKS: u32 = 64;
/// Entries of a list: at most 34 bytes each.
const ENTRIES_MAX: usize = 118;

/// How far the writers of a bucket were committed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marker {
    /// Writer and the sequence number of its last committable, the last touched at the end.
    entries: Vec<(u64, u64)>,
}

impl Marker {
    /// Reads the metadata of the offset.
    pub(super) fn parse(metadata: &str) -> Result<Self> {
        let mut parts = metadata.split(';');
        let version = parts.next().unwrap_or_default();
        if version.is_empty() {
            return Ok(Self::default());
        }
        let unreadable = || {
            let message = format!(
                "the consumer group of an exactly-once sink holds '{metadata}', which no sink wrote: \
                 'sink.transactional-id-prefix' is the name of something else"
            );
            Error::new(ErrorKind::User, "kafka-foreign-marker", message)
        };
        let entry = |text: &str| {
            let (writer, sequence) = text.split_once(':')?;
            Some((u64::from_str_radix(writer, 16).ok()?, u64::from_str_radix(sequence, 16).ok()?))
        };
        let entries = parts.map(entry).collect::<Option<_>>().filter(|_| version == "1").ok_or_else(unreadable)?;
        Ok(Self { entries })
    }

    /// The metadata to write.
    pub(super) fn text(&self) -> String {
        let mut text = "1".to_string();
        for (writer, sequence) in &self.entries {
            text.push_str(&format!(";{writer:x}:{sequence:x}"));
        }
        text
    }

    /// Whether a committable is in the topic.
    pub(super) fn holds(&self, header: &Header) -> bool {
        self.entries.iter().any(|(writer, sequence)| *writer == header.writer && *sequence >= header.sequence)
    }

    /// Checks that no committable of the writer was left out before this one.
    pub(super) fn check_follows(&self, header: &Header) -> Result<()> {
        let last = self.entries.iter().find(|(writer, _)| *writer == header.writer).map(|(_, sequence)| *sequence);
        match last {
            Some(last) if header.sequence > last + 1 => Err(Error::new(
                ErrorKind::Corruption,
                "committable-lost",
                format!(
                    "subtask {} of an exactly-once Kafka sink staged records for {} checkpoints that were not handed over for \
                     commit: their records are missing",
                    header.subtask,
                    header.sequence - last - 1
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Notes a committable as committed.
    pub(super) fn add(&mut self, header: &Header) {
        self.entries.retain(|(writer, _)| *writer != header.writer);
        self.entries.push((header.writer, header.sequence));
        let surplus = self.entries.len().saturating_sub(ENTRIES_MAX);
        self.entries.drain(..surplus);
    }
}
