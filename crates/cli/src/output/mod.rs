//! Results on the terminal and in pipes.
//!
//! A [`ResultWriter`] takes the batches of a query in one of the formats. Writers never buffer without a bound,
//! and report a closed pipe as an error that [`is_closed_pipe`] recognises, so that the caller ends quietly.

mod cells;
mod csv;
mod json;
mod statement;
pub mod tableau;
mod terminal;

#[cfg(test)]
mod tests;

pub use statement::write_rows;
pub use terminal::Terminal;

use crate::args::Format;
use chrono_tz::Tz;
use headwater_data::ChangeBatch;
use headwater_types::LogicalType;
use std::io::{self, Write};

/// What is known about a result before its first row.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Names and types of the columns.
    pub columns: Vec<(String, LogicalType)>,
    /// Whether rows carry an `op`.
    pub show_op: bool,
    /// Zone in which TIMESTAMP_LTZ is shown.
    pub zone: Tz,
    /// Widest column of variable width.
    pub column_width_max: usize,
}

/// Writes the rows of a query.
pub trait ResultWriter {
    /// Writes what can be written of a batch and makes it visible.
    fn batch(&mut self, out: &mut dyn Write, batch: &ChangeBatch) -> io::Result<()>;
    /// Writes the rest and the footer.
    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// The writer of a format.
pub fn writer(format: Format, shape: Shape) -> Box<dyn ResultWriter> {
    match format {
        Format::Table | Format::Changelog => tableau::writer(shape),
        Format::Csv => Box::new(csv::CsvWriter::new(shape)),
        Format::Json => Box::new(json::JsonWriter::new(shape)),
    }
}

/// Whether the reader of the output went away, which is no error of ours.
pub fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}
