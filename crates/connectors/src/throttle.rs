//! A bound on the rows that a sink takes per second, to stand for a slow system or to spare one.

use headwater_connector_api::{Committable, OptionSpec, Options, SinkWriter, WriterContext};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_types::{Error, Result};

/// The option of sinks that can be slowed down.
pub(crate) const OPTION: OptionSpec =
    OptionSpec::optional("sink.rows-per-second", "Most rows per second that all writers together take.");

/// The rows per second that the options allow, if they say so.
///
/// # Errors
/// When it is not a positive number.
pub(crate) fn rows_per_second(options: Options<'_>) -> Result<Option<u64>> {
    match options.integer(OPTION.name)? {
        None => Ok(None),
        Some(rate) if rate > 0 => Ok(Some(rate.unsigned_abs())),
        Some(rate) => {
            let message = format!("'{rate}' is not a valid value of '{}': expected a positive number", OPTION.name);
            Err(Error::user("bad-option", message))
        }
    }
}

/// The writer, made as slow as it is to be.
pub(crate) fn throttled(
    writer: Box<dyn SinkWriter>,
    rate: Option<u64>,
    context: &WriterContext,
) -> Box<dyn SinkWriter> {
    let Some(rate) = rate else { return writer };
    let (env, writers) = (context.env.clone(), u64::from(context.parallelism.max(1)));
    Box::new(Throttled { writer, env, us_per_row: (1_000_000 * writers / rate).max(1), ready_us: i64::MIN })
}

struct Throttled {
    writer: Box<dyn SinkWriter>,
    env: Env,
    us_per_row: u64,
    /// When the rows written so far are paid for, microseconds since the epoch.
    ready_us: i64,
}

impl Throttled {
    fn now_us(&self) -> i64 {
        self.env.now_ms().saturating_mul(1000)
    }
}

impl SinkWriter for Throttled {
    fn is_ready(&mut self) -> bool {
        self.ready_us <= self.now_us() && self.writer.is_ready()
    }

    fn ready_at_ms(&self) -> Option<i64> {
        match self.ready_us > self.now_us() {
            true => Some(self.ready_us / 1000 + 1),
            false => self.writer.ready_at_ms(),
        }
    }

    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        let cost_us = self.us_per_row.saturating_mul(batch.num_rows() as u64);
        self.ready_us = self.ready_us.max(self.now_us()).saturating_add_unsigned(cost_us);
        self.writer.write(batch)
    }

    fn flush(&mut self) -> Result<()> {
        self.writer.flush()
    }

    fn may_end(&mut self) -> Result<bool> {
        self.writer.may_end()
    }

    fn checkpoint_complete(&mut self, checkpoint: u64) {
        self.writer.checkpoint_complete(checkpoint);
    }

    fn is_flushed(&mut self) -> Result<bool> {
        self.writer.is_flushed()
    }

    fn take_committables(&mut self, checkpoint: u64, end: bool) -> Result<Vec<Committable>> {
        self.writer.take_committables(checkpoint, end)
    }

    fn snapshot(&mut self) -> Result<Vec<Vec<u8>>> {
        self.writer.snapshot()
    }
}

#[cfg(test)]
mod tests;
