//! What a job has written: files that appear when they are committed.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Rows with how often each is there.
pub type Rows = BTreeMap<String, i64>;

/// When the rows of a committed file were made, at the latest, milliseconds since the epoch; 0 where nothing is said.
pub type MadeMs = fn(&Path) -> Result<i64>;

/// Watches committed files appear. Each is looked into once: they never change.
pub struct Watcher {
    directory: PathBuf,
    made_ms: MadeMs,
    seen: BTreeSet<PathBuf>,
    newest_ms: i64,
}

impl Watcher {
    /// Watches a directory.
    pub fn new(directory: &Path, made_ms: MadeMs) -> Self {
        Self { directory: directory.to_path_buf(), made_ms, seen: BTreeSet::new(), newest_ms: 0 }
    }

    /// When the newest row was made that is committed by now, milliseconds since the epoch.
    pub fn newest_ms(&mut self) -> Result<i64> {
        let (seen, made_ms, newest_ms) = (&mut self.seen, self.made_ms, &mut self.newest_ms);
        for_each_file(&self.directory, &mut |path| {
            if seen.insert(path.clone()) {
                *newest_ms = (*newest_ms).max(made_ms(&path)?);
            }
            Ok(())
        })?;
        Ok(self.newest_ms)
    }
}

/// When a file was written last: before it was committed, which gives it another name only.
pub fn written_ms(file: &Path) -> Result<i64> {
    let written = std::fs::metadata(file)?.modified()?;
    Ok(i64::try_from(written.duration_since(UNIX_EPOCH)?.as_millis())?)
}

/// The rows that the changes in a directory leave.
///
/// # Errors
/// When a change takes back a row that is not there.
pub fn rows(directory: &Path) -> Result<Rows> {
    let mut rows = Rows::new();
    for_each_record(directory, &mut |record| {
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

/// Calls `visit` with every record of the committed files in a directory.
pub fn for_each_record(directory: &Path, visit: &mut dyn FnMut(Value) -> Result<()>) -> Result<()> {
    for_each_file(directory, &mut |path| for_each_record_of(&path, visit))
}

/// Calls `visit` with every record of a file.
pub fn for_each_record_of(file: &Path, visit: &mut dyn FnMut(Value) -> Result<()>) -> Result<()> {
    let text = std::fs::read_to_string(file)?;
    text.lines().try_for_each(|line| visit(serde_json::from_str(line).with_context(|| format!("no record: {line}"))?))
}

/// Committed files only: those that are being written are hidden.
fn for_each_file(directory: &Path, visit: &mut dyn FnMut(PathBuf) -> Result<()>) -> Result<()> {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(['.', '_']) {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => for_each_file(&entry.path(), visit)?,
            false => visit(entry.path())?,
        }
    }
    Ok(())
}
