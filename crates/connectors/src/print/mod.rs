//! `print`: writes every row to the standard output or error, in the text form of Flink's rows.
//!
//! Lines are collected and written by [`SinkWriter::flush`] or when enough have come together, each batch by
//! one call, so that subtasks do not tear each other's lines.

#[cfg(test)]
mod tests;

use crate::simple::table_identity;
use crate::throttle::{self, rows_per_second, throttled};
use headwater_connector_api::{
    ChangelogMode, Committable, Committer, Connector, DatasetIdentity, OptionSpec, Options, Sink, SinkWriter, Source,
    WriterContext,
};
use headwater_data::ChangeBatch;
use headwater_formats::text::java;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::{Error, ErrorKind, Result};
use std::io::Write;
use std::sync::Arc;

/// Bytes collected before they are written without a flush.
const BUFFER_BYTES: usize = 64 << 10;

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::optional("print-identifier", "Text in front of every line."),
    OptionSpec::with_default("standard-error", "false", "Whether to write to the standard error instead."),
    OptionSpec::optional("sink.parallelism", "Parallelism of the sink."),
    throttle::OPTION,
];

/// The connector.
pub struct Print;

impl Connector for Print {
    fn name(&self) -> &'static str {
        "print"
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        OPTIONS.to_vec()
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        Ok(table_identity("print", table))
    }

    fn supports_partitions(&self) -> bool {
        true
    }

    fn sink_mode(&self, _table: &TableSpec) -> Result<ChangelogMode> {
        Ok(ChangelogMode::Retract)
    }

    fn source(&self, _scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        Ok(None)
    }

    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        let options = Options(&write.table.options);
        options.validate("print", OPTIONS, &[])?;
        options.integer("sink.parallelism")?;
        Ok(Some(Box::new(PrintSink {
            identifier: options.get("print-identifier").unwrap_or_default().to_string(),
            to_error: options.boolean("standard-error", false)?,
            rate: rows_per_second(options)?,
        })))
    }
}

struct PrintSink {
    identifier: String,
    to_error: bool,
    rate: Option<u64>,
}

impl Sink for PrintSink {
    fn writer(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>> {
        let writer = PrintWriter {
            prefix: prefix(&self.identifier, &context).into_bytes(),
            to_error: self.to_error,
            buffer: vec![],
            on_bytes: context.on_bytes.clone(),
        };
        Ok(throttled(Box::new(writer), self.rate, &context))
    }

    fn committer(&self) -> Result<Option<Box<dyn Committer>>> {
        Ok(None)
    }
}

/// What stands before a row: the identifier, and the subtask (counted from 1) when there are several.
fn prefix(identifier: &str, context: &WriterContext) -> String {
    let subtask = context.subtask + 1;
    match (identifier, context.parallelism > 1) {
        ("", false) => String::new(),
        ("", true) => format!("{subtask}> "),
        (name, false) => format!("{name}> "),
        (name, true) => format!("{name}:{subtask}> "),
    }
}

struct PrintWriter {
    prefix: Vec<u8>,
    to_error: bool,
    buffer: Vec<u8>,
    on_bytes: Arc<dyn Fn(u64) + Send + Sync>,
}

impl SinkWriter for PrintWriter {
    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        for row in 0..batch.num_rows() {
            self.buffer.extend_from_slice(&self.prefix);
            java::row(&mut self.buffer, &batch, row);
            self.buffer.push(b'\n');
            if self.buffer.len() >= BUFFER_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = if self.to_error {
            std::io::stderr().lock().write_all(&self.buffer)
        } else {
            let mut out = std::io::stdout().lock();
            out.write_all(&self.buffer).and_then(|()| out.flush())
        };
        (self.on_bytes)(self.buffer.len() as u64);
        self.buffer.clear();
        written.map_err(terminal_error)
    }

    fn take_committables(&mut self, _checkpoint: u64, _end: bool) -> Result<Vec<Committable>> {
        self.flush()?;
        Ok(vec![])
    }
}

/// A reader that went away (`| head`) ends the job like a cancellation; everything else is a failure.
fn terminal_error(error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::BrokenPipe {
        return Error::new(ErrorKind::Cancelled, "broken-pipe", "the reader of the output went away")
            .with_source(error);
    }
    Error::retryable("output-failed", format!("cannot write rows to the terminal: {error}")).with_source(error)
}
