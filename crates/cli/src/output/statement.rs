//! The small tables that SHOW, DESCRIBE and EXPLAIN answer.

use super::tableau::{Columns, row_term};
use crate::args::Format;
use headwater_sql::session::Rows;
use headwater_types::TypeRoot;
use serde_json::{Map, Value};
use std::io::{self, Write};

/// Writes the result of a statement that ran without a job.
pub fn write_rows(out: &mut dyn Write, format: Format, rows: &Rows) -> io::Result<()> {
    match format {
        Format::Table | Format::Changelog => table(out, rows)?,
        Format::Csv => {
            super::csv::line(out, rows.columns.iter().map(|(name, _)| Some(name.clone())))?;
            rows.rows.iter().try_for_each(|row| super::csv::line(out, row.iter().cloned()))?;
        }
        Format::Json => json(out, rows)?,
    }
    out.flush()
}

/// NULL is empty, and nothing is shortened; a text of several lines (EXPLAIN, SHOW CREATE) is as wide as all of them in
/// one, as in Flink's client.
fn table(out: &mut dyn Write, rows: &Rows) -> io::Result<()> {
    if rows.rows.is_empty() {
        return writeln!(out, "Empty set");
    }
    let names = rows.columns.iter().map(|(name, _)| name.clone()).collect();
    let cells: Vec<Vec<String>> =
        rows.rows.iter().map(|row| row.iter().map(|cell| cell.clone().unwrap_or_default()).collect()).collect();
    let columns = Columns::from_values(names, &cells, usize::MAX);
    columns.header(out)?;
    cells.iter().try_for_each(|row| columns.row(out, row))?;
    columns.border(out)?;
    writeln!(out, "{} {} in set", cells.len(), row_term(cells.len()))
}

fn json(out: &mut dyn Write, rows: &Rows) -> io::Result<()> {
    for row in &rows.rows {
        let entries = rows.columns.iter().zip(row).map(|((name, ty), cell)| {
            let value = match cell {
                None => Value::Null,
                Some(text) if ty.root == TypeRoot::Boolean => Value::Bool(text == "TRUE"),
                Some(text) => Value::String(text.clone()),
            };
            (name.clone(), value)
        });
        serde_json::to_writer(&mut *out, &entries.collect::<Map<_, _>>())?;
        out.write_all(b"\n")?;
    }
    Ok(())
}
