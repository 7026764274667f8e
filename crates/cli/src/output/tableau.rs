//! Tables with borders, as Flink's SQL client draws them.
//!
//! Of a stream the widths come from the types, so that every row can be written when it comes; of a batch
//! result they come from the values. Batch results longer than [`INFERRED_ROWS_MAX`] take the widths of their
//! first rows. Numbers and text alike are aligned to the right; what is too wide ends in `...`.

use super::cells::{NULL_TEXT, rows};
use super::{ResultWriter, Shape};
use headwater_data::ChangeBatch;
use headwater_types::{LogicalType, TypeRoot};
use std::io::{self, Write};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How many rows are held back to find the widths of columns.
pub const INFERRED_ROWS_MAX: usize = 10_000;
/// What marks a shortened value.
const ELLIPSIS: &str = "...";

/// Column names with their widths.
#[derive(Debug, Clone)]
pub struct Columns {
    names: Vec<String>,
    widths: Vec<usize>,
}

impl Columns {
    /// Widths from names and values; no column is wider than `width_max`.
    pub fn from_values(names: Vec<String>, rows: &[Vec<String>], width_max: usize) -> Self {
        let mut widths: Vec<usize> = names.iter().map(|name| name.width()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(display_width(cell));
            }
        }
        let widths = widths.into_iter().map(|width| width.min(width_max)).collect();
        Self { names, widths }
    }

    /// Widths from names and types.
    fn from_types(shape: &Shape) -> Self {
        let op = shape.show_op.then(|| ("op".to_string(), 2));
        let columns = shape.columns.iter().map(|(name, ty)| {
            let width = type_width(ty, shape.column_width_max).max(NULL_TEXT.len());
            (name.clone(), width.max(name.width()))
        });
        let (names, widths) = op.into_iter().chain(columns).unzip();
        Self { names, widths }
    }

    /// `+----+----+`
    pub fn border(&self, out: &mut dyn Write) -> io::Result<()> {
        for width in &self.widths {
            write!(out, "+-{}-", "-".repeat(*width))?;
        }
        writeln!(out, "+")
    }

    /// Border, names, border.
    pub fn header(&self, out: &mut dyn Write) -> io::Result<()> {
        self.border(out)?;
        self.row(out, &self.names)?;
        self.border(out)
    }

    /// `| a | b |`
    pub fn row(&self, out: &mut dyn Write, cells: &[String]) -> io::Result<()> {
        for (width, cell) in self.widths.iter().zip(cells) {
            write!(out, "| {} ", fitted(cell, *width))?;
        }
        writeln!(out, "|")
    }
}

/// The width that holds every value of a type.
fn type_width(ty: &LogicalType, width_max: usize) -> usize {
    let fraction = |p: u8, base: usize| if p == 0 { base } else { base + 1 + usize::from(p) };
    match ty.root {
        TypeRoot::TinyInt => 4,
        TypeRoot::SmallInt => 6,
        TypeRoot::Int => 11,
        TypeRoot::BigInt => 20,
        TypeRoot::Decimal(precision, _) => usize::from(precision) + 2,
        TypeRoot::Boolean => 5,
        TypeRoot::Date => 10,
        TypeRoot::Time(p) => fraction(p, 8),
        TypeRoot::Timestamp(p, _) | TypeRoot::TimestampLtz(p, _) => fraction(p, 19),
        _ => width_max,
    }
}

/// Columns a text takes on a terminal; control characters such as line ends count as one.
fn display_width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(1)).sum()
}

/// The text in exactly `width` columns: padded on the left, or shortened.
fn fitted(text: &str, width: usize) -> String {
    let actual = display_width(text);
    if actual <= width {
        return format!("{}{text}", " ".repeat(width - actual));
    }
    let room = width.saturating_sub(ELLIPSIS.len());
    let mut used = 0;
    let kept: String = text
        .chars()
        .take_while(|c| {
            used += c.width().unwrap_or(1);
            used <= room
        })
        .collect();
    let padding = " ".repeat(room - display_width(&kept));
    format!("{kept}{padding}{ELLIPSIS}")
}

/// The writer for a stream or a batch result.
pub fn writer(shape: Shape) -> Box<dyn ResultWriter> {
    match shape.show_op {
        true => Box::new(StreamWriter { columns: Columns::from_types(&shape), shape, count: 0, started: false }),
        false => Box::new(BatchWriter { shape, held: vec![], columns: None, count: 0 }),
    }
}

/// Writes rows as they come.
struct StreamWriter {
    shape: Shape,
    columns: Columns,
    count: usize,
    started: bool,
}

impl StreamWriter {
    fn start(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if !std::mem::replace(&mut self.started, true) {
            self.columns.header(out)?;
        }
        Ok(())
    }
}

impl ResultWriter for StreamWriter {
    fn batch(&mut self, out: &mut dyn Write, batch: &ChangeBatch) -> io::Result<()> {
        self.start(out)?;
        for row in rows(&self.shape, batch)? {
            self.columns.row(out, &with_null_text(row))?;
            self.count += 1;
        }
        out.flush()
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        self.start(out)?;
        if self.count > 0 {
            self.columns.border(out)?;
        }
        writeln!(out, "Received a total of {} {}", self.count, row_term(self.count))?;
        out.flush()
    }
}

/// Holds rows back until the widths are known.
struct BatchWriter {
    shape: Shape,
    held: Vec<Vec<String>>,
    columns: Option<Columns>,
    count: usize,
}

impl BatchWriter {
    fn release(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let names = self.shape.columns.iter().map(|(name, _)| name.clone()).collect();
        let columns =
            self.columns.get_or_insert_with(|| Columns::from_values(names, &self.held, self.shape.column_width_max));
        columns.header(out)?;
        self.held.drain(..).try_for_each(|row| columns.row(out, &row))
    }
}

impl ResultWriter for BatchWriter {
    fn batch(&mut self, out: &mut dyn Write, batch: &ChangeBatch) -> io::Result<()> {
        for row in rows(&self.shape, batch)? {
            self.count += 1;
            let row = with_null_text(row);
            match &self.columns {
                Some(columns) => columns.row(out, &row)?,
                None => self.held.push(row),
            }
        }
        if self.columns.is_none() && self.held.len() >= INFERRED_ROWS_MAX {
            self.release(out)?;
        }
        out.flush()
    }

    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.count == 0 {
            writeln!(out, "Empty set")?;
            return out.flush();
        }
        if self.columns.is_none() {
            self.release(out)?;
        }
        if let Some(columns) = &self.columns {
            columns.border(out)?;
        }
        writeln!(out, "{} {} in set", self.count, row_term(self.count))?;
        out.flush()
    }
}

/// "row" or "rows", as Flink counts: none and one are "row".
pub fn row_term(count: usize) -> &'static str {
    if count > 1 { "rows" } else { "row" }
}

fn with_null_text(row: Vec<Option<String>>) -> Vec<String> {
    row.into_iter().map(|cell| cell.unwrap_or_else(|| NULL_TEXT.to_string())).collect()
}
