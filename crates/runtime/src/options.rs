//! Sizes and delays of the runtime.

use headwater_exchange::OutputOptions;
use headwater_types::Result;
use headwater_types::config::{BUFFER_TIMEOUT, Configuration};

/// Rows that a source or operator should put in a batch.
pub const BATCH_ROWS_DEFAULT: usize = 8192;
/// Bytes that a channel holds before its producer waits.
pub const CHANNEL_BYTES_DEFAULT: usize = 1 << 20;

/// Sizes and delays of the subtasks of a job.
#[derive(Debug, Clone, Copy)]
pub struct RuntimeOptions {
    /// Rows that a source or operator should put in a batch.
    pub batch_rows: usize,
    /// Bytes that a channel holds before its producer waits.
    pub channel_bytes: usize,
    /// How outputs coalesce small batches.
    pub output: OutputOptions,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            batch_rows: BATCH_ROWS_DEFAULT,
            channel_bytes: CHANNEL_BYTES_DEFAULT,
            output: OutputOptions { buffer_timeout_ms: 100, ..OutputOptions::default() },
        }
    }
}

impl RuntimeOptions {
    /// The defaults, with what the job's configuration sets.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        let mut options = Self::default();
        options.output.buffer_timeout_ms = config.duration(BUFFER_TIMEOUT)?.as_millis() as i64;
        Ok(options)
    }
}
