//! Splits: ranges of key groups of one table.

use headwater_connector_api::Split;
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Entries of a table in a range of key groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StateSplit {
    /// The directory of the checkpoint: the same one for all readers, whatever is newest by then.
    pub(crate) path: String,
    /// Key of the operator.
    pub(crate) operator: String,
    /// Name of the table.
    pub(crate) state: String,
    /// The first key group.
    pub(crate) start: u32,
    /// Behind the last key group.
    pub(crate) end: u32,
    /// Entries that have been read.
    pub(crate) done: u64,
}

impl StateSplit {
    pub(crate) fn encode(&self) -> Result<Split> {
        let bytes = postcard::to_allocvec(self);
        bytes.map(Split).map_err(|e| Error::internal(format!("a savepoint split cannot be written: {e}")))
    }

    pub(crate) fn decode(split: &Split) -> Result<Self> {
        postcard::from_bytes(&split.0).map_err(|e| {
            Error::new(ErrorKind::Corruption, "bad-split", format!("a savepoint split cannot be read: {e}"))
        })
    }
}
