//! Comma-separated values, with a header line. NULL is the empty field, the empty string is `""`.

use super::cells::rows;
use super::{ResultWriter, Shape};
use headwater_data::ChangeBatch;
use std::io::{self, Write};

/// Writes CSV.
pub struct CsvWriter {
    shape: Shape,
    started: bool,
}

impl CsvWriter {
    /// A writer of this shape.
    pub fn new(shape: Shape) -> Self {
        Self { shape, started: false }
    }

    fn start(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        let op = self.shape.show_op.then_some("op");
        let names = op.into_iter().chain(self.shape.columns.iter().map(|(name, _)| name.as_str()));
        line(out, names.map(|name| Some(name.to_string())))
    }
}

impl ResultWriter for CsvWriter {
    fn batch(&mut self, out: &mut dyn Write, batch: &ChangeBatch) -> io::Result<()> {
        self.start(out)?;
        for row in rows(&self.shape, batch)? {
            line(out, row.into_iter())?;
        }
        out.flush()
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.start(out)?;
        out.flush()
    }
}

/// Writes one record.
pub fn line(out: &mut dyn Write, cells: impl Iterator<Item = Option<String>>) -> io::Result<()> {
    for (i, cell) in cells.enumerate() {
        if i > 0 {
            out.write_all(b",")?;
        }
        if let Some(cell) = cell {
            field(out, &cell)?;
        }
    }
    out.write_all(b"\n")
}

fn field(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let is_plain = !text.is_empty() && !text.contains([',', '"', '\n', '\r']);
    match is_plain {
        true => out.write_all(text.as_bytes()),
        false => write!(out, "\"{}\"", text.replace('"', "\"\"")),
    }
}
