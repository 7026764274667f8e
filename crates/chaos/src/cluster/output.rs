//! What the query has written: Debezium records in files.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Rows with how often each is there.
pub type Rows = BTreeMap<String, i64>;

/// The rows that the changes in a directory leave.
///
/// # Errors
/// When a change takes back a row that is not there.
pub fn rows(directory: &Path) -> Result<Rows> {
    let mut rows = Rows::new();
    for_each_line(directory, &mut |line| {
        let record: Value = serde_json::from_str(line).with_context(|| format!("no record: {line}"))?;
        for (field, change) in [("before", -1), ("after", 1)] {
            if !record[field].is_null() {
                *rows.entry(record[field].to_string()).or_default() += change;
            }
        }
        Ok(())
    })?;
    rows.retain(|_, count| *count != 0);
    // Files are read in any order: only the sum tells.
    ensure!(rows.values().all(|count| *count > 0), "a row was taken back that was never there: {rows:?}");
    Ok(rows)
}

/// How many changes are there.
pub fn changes(directory: &Path) -> usize {
    let mut count = 0;
    let counted = for_each_line(directory, &mut |_| {
        count += 1;
        Ok(())
    });
    counted.map_or(0, |()| count)
}

/// Committed files only: those that are being written are hidden.
fn for_each_line(directory: &Path, f: &mut impl FnMut(&str) -> Result<()>) -> Result<()> {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with(['.', '_']) {
            continue;
        }
        if path.is_dir() {
            for_each_line(&path, f)?;
            continue;
        }
        std::fs::read_to_string(&path)?.lines().try_for_each(&mut *f)?;
    }
    Ok(())
}
