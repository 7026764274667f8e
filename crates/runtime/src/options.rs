//! Sizes and delays of the runtime.

mod memory;
mod state;

pub use memory::{CheckpointMemory, MANAGED_FRACTION, PROCESS_MEMORY, ProcessMemory};
pub use state::{MANAGED_MEMORY, STATE_BACKEND, STATE_DIRECTORY, STATE_MEMORY, StateEngine, StateOptions, TMP_DIRS};

use headwater_exchange::OutputOptions;
use headwater_types::config::{BUFFER_TIMEOUT, CHECKPOINTING_INTERVAL, Configuration, Key, parse_memory_bytes};
use headwater_types::{Error, Result};

/// `headwater.exchange.channel-size`: bytes that a channel holds before its producer waits.
pub const CHANNEL_BYTES: Key = Key { name: "headwater.exchange.channel-size", default: "1 mb" };

/// Rows that a source or operator should put in a batch.
pub const BATCH_ROWS_DEFAULT: usize = 8192;
/// Bytes that a channel holds before its producer waits.
pub const CHANNEL_BYTES_DEFAULT: usize = 1 << 20;

/// Sizes and delays of the subtasks of a job.
#[derive(Debug, Clone)]
pub struct RuntimeOptions {
    /// Rows that a source or operator should put in a batch.
    pub batch_rows: usize,
    /// Bytes that a channel holds before its producer waits.
    pub channel_bytes: usize,
    /// How outputs coalesce small batches.
    pub output: OutputOptions,
    /// Whether the job takes checkpoints: then sinks commit with them, and a sink subtask whose input ended waits
    /// for a last one.
    pub checkpointing: bool,
    /// Where operators keep their state.
    pub state: StateOptions,
}

impl Default for RuntimeOptions {
    fn default() -> Self {
        Self {
            batch_rows: BATCH_ROWS_DEFAULT,
            channel_bytes: CHANNEL_BYTES_DEFAULT,
            output: OutputOptions { buffer_timeout_ms: 100, ..OutputOptions::default() },
            checkpointing: false,
            state: StateOptions::default(),
        }
    }
}

impl RuntimeOptions {
    /// The defaults, with what the job's configuration sets.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        let defaults = Self::default();
        let buffer_timeout_ms = config.duration(BUFFER_TIMEOUT)?.as_millis() as i64;
        Ok(Self {
            channel_bytes: channel_bytes(config)?,
            output: OutputOptions { buffer_timeout_ms, ..defaults.output },
            state: StateOptions::from_config(config)?,
            checkpointing: !config.duration(CHECKPOINTING_INTERVAL)?.is_zero(),
            ..defaults
        })
    }
}

fn channel_bytes(config: &Configuration) -> Result<usize> {
    let text = config.text(CHANNEL_BYTES);
    parse_memory_bytes(text).and_then(|bytes| usize::try_from(bytes).ok()).ok_or_else(|| {
        let message =
            format!("'{text}' is not a valid value of '{}': expected a size such as '1 mb'", CHANNEL_BYTES.name);
        Error::user("bad-config-value", message)
    })
}
