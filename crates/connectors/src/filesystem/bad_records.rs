//! What happens to records that cannot be decoded: the option `errors.mode`.
//!
//! `fail` ends the job with the place and the reason; `skip` counts and goes on; `dead-letter` also appends a
//! JSON line `{time, source, line, offset, reason, raw}` to a file of the subtask, which has a hidden name until
//! the reader is done with it.

use base64::Engine;
use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_env::Env;
use headwater_formats::BadRecord;
use headwater_formats::json::quoted;
use headwater_formats::text::display;
use headwater_formats::text::temporal::TimestampStandard;
use headwater_types::{Error, ErrorKind, Result};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of a bad record that are kept.
const RAW_BYTES_MAX: usize = 64 << 10;
/// Bytes of a bad record that an error message shows.
const SHOWN_BYTES_MAX: usize = 120;

/// The mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ErrorMode {
    Fail,
    Skip,
    DeadLetter(PathBuf),
}

impl ErrorMode {
    pub(super) fn from_options(options: Options<'_>) -> Result<Self> {
        let path = options.get("errors.dead-letter.path");
        match options.choice("errors.mode", 0, &[("fail", 0), ("skip", 1), ("dead-letter", 2)])? {
            0 => Ok(Self::Fail),
            1 => Ok(Self::Skip),
            _ => {
                let missing =
                    || bad_option("errors.mode", "dead-letter", "the option 'errors.dead-letter.path' beside it");
                Ok(Self::DeadLetter(super::local_path(path.ok_or_else(missing)?)?))
            }
        }
    }
}

/// Where a bad record stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position<'a> {
    pub(super) path: &'a Path,
    /// Counted from 1.
    pub(super) line: u64,
    /// Byte of its first character in the file.
    pub(super) offset: u64,
}

/// Applies the mode for one subtask.
pub(super) struct BadRecords {
    mode: ErrorMode,
    subtask: u32,
    env: Env,
    count: Arc<dyn Fn() + Send + Sync>,
    letters: Option<Letters>,
}

impl BadRecords {
    pub(super) fn new(mode: ErrorMode, subtask: u32, env: Env, count: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { mode, subtask, env, count, letters: None }
    }

    /// Whether the line number of a bad record is shown to anybody.
    pub(super) fn needs_line(&self) -> bool {
        self.mode != ErrorMode::Skip
    }

    pub(super) fn handle(&mut self, record: &BadRecord<'_>, position: Position<'_>) -> Result<()> {
        match &self.mode {
            _ if record.ignored => {}
            ErrorMode::Fail => return Err(failure(record, position)),
            ErrorMode::Skip => {}
            ErrorMode::DeadLetter(directory) => {
                let letters = match &mut self.letters {
                    Some(letters) => letters,
                    None => self.letters.insert(Letters::create(directory, self.subtask, &self.env)?),
                };
                letters.append(record, position, self.env.now_ms())?;
            }
        }
        (self.count)();
        Ok(())
    }

    /// Makes the dead letters written so far visible.
    pub(super) fn publish(&mut self) -> Result<()> {
        self.letters.take().map_or(Ok(()), Letters::publish)
    }
}

impl Drop for BadRecords {
    /// The letters of a reader that failed or was cancelled are worth reading, too.
    fn drop(&mut self) {
        drop(self.publish());
    }
}

fn failure(record: &BadRecord<'_>, position: Position<'_>) -> Error {
    let shown = String::from_utf8_lossy(&record.raw[..record.raw.len().min(SHOWN_BYTES_MAX)]);
    let more = if record.raw.len() > SHOWN_BYTES_MAX { "..." } else { "" };
    let message = format!(
        "bad record in '{}', line {}, byte {} of the line (byte {} of the file): {}; the record is: {shown}{more}; \
         set 'errors.mode' to 'skip' or 'dead-letter' to go on without such records",
        position.path.display(),
        position.line,
        record.position + 1,
        position.offset + record.position as u64,
        record.reason,
    );
    Error::user("bad-record", message)
}

/// The dead-letter file of a subtask.
struct Letters {
    file: BufWriter<File>,
    staged: PathBuf,
    target: PathBuf,
}

impl Letters {
    fn create(directory: &Path, subtask: u32, env: &Env) -> Result<Self> {
        let name = format!("dead-letter-{:016x}-{subtask}.jsonl", env.random_u64());
        let staged = directory.join(format!(".{name}.inprogress"));
        std::fs::create_dir_all(directory).map_err(|e| cannot_write(directory, e))?;
        let file = File::create(&staged).map_err(|e| cannot_write(&staged, e))?;
        Ok(Self { file: BufWriter::new(file), staged, target: directory.join(name) })
    }

    fn append(&mut self, record: &BadRecord<'_>, position: Position<'_>, now_ms: i64) -> Result<()> {
        let mut time = vec![];
        display::timestamp(&mut time, now_ms, 1_000, TimestampStandard::Iso8601, 3, true);
        let raw = &record.raw[..record.raw.len().min(RAW_BYTES_MAX)];
        let raw_field = match std::str::from_utf8(raw) {
            Ok(text) => format!("\"raw\":{}", quoted(text)),
            Err(_) => format!("\"rawBase64\":\"{}\"", base64::engine::general_purpose::STANDARD.encode(raw)),
        };
        writeln!(
            self.file,
            "{{\"time\":\"{}\",\"source\":{},\"line\":{},\"offset\":{},\"reason\":{},{raw_field}}}",
            String::from_utf8_lossy(&time),
            quoted(&position.path.to_string_lossy()),
            position.line,
            position.offset,
            quoted(&record.reason),
        )
        .map_err(|e| cannot_write(&self.staged, e))
    }

    fn publish(mut self) -> Result<()> {
        let renamed = self.file.flush().and_then(|()| std::fs::rename(&self.staged, &self.target));
        renamed.map_err(|e| cannot_write(&self.target, e))
    }
}

/// The error of a path that cannot be written.
pub(super) fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    let (kind, code) = match error.kind() {
        std::io::ErrorKind::StorageFull => (ErrorKind::User, "disk-full"),
        _ => (ErrorKind::User, "cannot-write"),
    };
    Error::new(kind, code, format!("cannot write '{}': {error}", path.display())).with_source(error)
}
