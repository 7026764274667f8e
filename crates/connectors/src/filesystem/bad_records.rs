//! What happens to records of files that cannot be decoded: see [`headwater_formats::bad_records`].

use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_env::Env;
use headwater_formats::BadRecord;
use headwater_formats::bad_records::{Counter, ErrorMode, LetterFile, letter, shown};
use headwater_formats::json::quoted;
use headwater_types::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The mode of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadRecordPolicy {
    mode: ErrorMode,
    /// Where dead letters go.
    directory: Option<PathBuf>,
}

impl BadRecordPolicy {
    pub(super) fn from_options(options: Options<'_>) -> Result<Self> {
        let (mode, name) = (ErrorMode::from_options(options)?, "errors.dead-letter.path");
        let directory = match options.get(name) {
            Some(path) if path.contains("://") && !path.starts_with("file:") => {
                return Err(bad_option(name, path, "a directory of the machine; dead letters are local files"));
            }
            Some(path) => Some(super::local_path(path)?),
            None if mode == ErrorMode::DeadLetter => {
                let expected = "the option 'errors.dead-letter.path' beside it";
                return Err(bad_option("errors.mode", "dead-letter", expected));
            }
            None => None,
        };
        Ok(Self { mode, directory })
    }

    /// Whether the line number of a bad record is shown to anybody.
    pub(super) fn needs_line(&self) -> bool {
        self.mode != ErrorMode::Skip
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

/// Takes bad records with their positions; an error ends decoding.
pub(super) type OnBad<'a> = &'a mut dyn FnMut(&BadRecord<'_>, Position<'_>) -> Result<()>;

/// Applies the mode for one subtask.
pub(super) struct BadRecords {
    policy: BadRecordPolicy,
    subtask: u32,
    env: Env,
    counter: Counter,
    letters: Option<LetterFile>,
}

impl BadRecords {
    pub(super) fn new(policy: BadRecordPolicy, subtask: u32, env: Env, count: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { policy, subtask, env, counter: Counter::new(count), letters: None }
    }

    pub(super) fn handle(&mut self, record: &BadRecord<'_>, position: Position<'_>) -> Result<()> {
        if !record.ignored {
            match self.policy.mode {
                ErrorMode::Fail => return Err(failure(record, position)),
                ErrorMode::Skip => {}
                ErrorMode::DeadLetter => self.keep(record, position)?,
            }
        }
        let place = || format!("{} byte {}", position.path.display(), position.offset);
        self.counter.add(place, &record.reason);
        Ok(())
    }

    fn keep(&mut self, record: &BadRecord<'_>, position: Position<'_>) -> Result<()> {
        let letters = match (&mut self.letters, &self.policy.directory) {
            (Some(letters), _) => letters,
            (none, Some(directory)) => none.insert(LetterFile::create(directory, self.subtask, &self.env)?),
            (None, None) => return Ok(()),
        };
        let (source, Position { line, offset, .. }) = (quoted(&position.path.to_string_lossy()), position);
        let place = format!("\"source\":{source},\"line\":{line},\"offset\":{offset}");
        letters.append(&letter(self.env.now_ms(), &place, &record.reason, record.raw))
    }

    /// Makes the dead letters written so far durable and visible.
    pub(super) fn publish(&mut self) -> Result<()> {
        self.letters.take().map_or(Ok(()), LetterFile::publish)
    }
}

fn failure(record: &BadRecord<'_>, position: Position<'_>) -> Error {
    let message = format!(
        "bad record in '{}', line {}, byte {} of the line (byte {} of the file): {}; the record is: {}; \
         set 'errors.mode' to 'skip' or 'dead-letter' to go on without such records",
        position.path.display(),
        position.line,
        record.position + 1,
        position.offset + record.position as u64,
        record.reason,
        shown(record.raw),
    );
    Error::user("bad-record", message)
}

/// The error of a path that cannot be written.
pub(super) fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    let (kind, code) = match error.kind() {
        std::io::ErrorKind::StorageFull => (ErrorKind::User, "disk-full"),
        _ => (ErrorKind::User, "cannot-write"),
    };
    Error::new(kind, code, format!("cannot write '{}': {error}", path.display())).with_source(error)
}
