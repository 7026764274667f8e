//! What happens to records that cannot be decoded: the option `errors.mode`.

use headwater_connector_api::Options;
use headwater_types::{Error, Result};
use std::sync::Arc;

/// Bytes of a bad record that an error message shows.
const SHOWN_BYTES_MAX: usize = 120;

/// The mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorMode {
    Fail,
    Skip,
}

impl ErrorMode {
    pub(crate) fn from_options(options: Options<'_>) -> Result<Self> {
        options.choice("errors.mode", Self::Fail, &[("fail", Self::Fail), ("skip", Self::Skip)])
    }
}

/// Where a record stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
}

/// Applies the mode for one subtask.
pub(crate) struct BadRecords {
    mode: ErrorMode,
    count: Arc<dyn Fn() + Send + Sync>,
}

impl BadRecords {
    pub(crate) fn new(mode: ErrorMode, count: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { mode, count }
    }

    /// Fails, or counts and goes on.
    pub(crate) fn handle(&self, part: &str, raw: &[u8], reason: &str, ignored: bool, at: Position<'_>) -> Result<()> {
        if self.mode == ErrorMode::Fail && !ignored {
            return Err(failure(part, raw, reason, at));
        }
        (self.count)();
        Ok(())
    }
}

fn failure(part: &str, raw: &[u8], reason: &str, at: Position<'_>) -> Error {
    let shown = String::from_utf8_lossy(&raw[..raw.len().min(SHOWN_BYTES_MAX)]);
    let more = if raw.len() > SHOWN_BYTES_MAX { "..." } else { "" };
    let Position { topic, partition, offset } = at;
    let message = format!(
        "bad record in the topic '{topic}', partition {partition}, offset {offset}: its {part} cannot be read: {reason}; \
         the {part} is: {shown}{more}; set 'errors.mode' to 'skip' to go on without such records"
    );
    Error::user("bad-record", message)
}
