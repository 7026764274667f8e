//! Dead letters: bad records as JSON lines.

use crate::json::quoted;
use crate::text::display;
use crate::text::temporal::TimestampStandard;
use base64::Engine;
use headwater_env::Env;
use headwater_types::{Error, Result};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Bytes of a bad record that are kept.
const RAW_BYTES_MAX: usize = 64 << 10;

/// The JSON object of a bad record, without a line end. `place` holds its members that say where the record stands,
/// as JSON: `"topic":"t","partition":0,"offset":7`.
///
/// Bytes that are no text are written in base64 as `rawBase64` instead of `raw`; of very long records the beginning.
pub fn letter(now_ms: i64, place: &str, reason: &str, raw: &[u8]) -> String {
    let mut time = vec![];
    display::timestamp(&mut time, now_ms, 1_000, TimestampStandard::Iso8601, 3, true);
    let cut = &raw[..raw.len().min(RAW_BYTES_MAX)];
    let raw_field = match std::str::from_utf8(cut) {
        Ok(text) => format!("\"raw\":{}", quoted(text)),
        Err(_) => format!("\"rawBase64\":\"{}\"", base64::engine::general_purpose::STANDARD.encode(cut)),
    };
    let size = if cut.len() < raw.len() { format!(",\"rawBytes\":{}", raw.len()) } else { String::new() };
    let time = String::from_utf8_lossy(&time);
    format!("{{\"time\":\"{time}\",{place},\"reason\":{},{raw_field}{size}}}", quoted(reason))
}

/// A file of dead letters. It has a hidden name until it is published; letters of a file that is dropped before are
/// published as far as that is possible.
pub struct LetterFile {
    file: Option<BufWriter<File>>,
    staged: PathBuf,
    target: PathBuf,
}

impl LetterFile {
    /// Starts a file of a subtask in a directory.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create(directory: &Path, subtask: u32, env: &Env) -> Result<Self> {
        let name = format!("dead-letter-{:016x}-{subtask}.jsonl", env.random_u64());
        let staged = directory.join(format!(".{name}.inprogress"));
        std::fs::create_dir_all(directory).map_err(|e| cannot_write(directory, e))?;
        let file = File::create(&staged).map_err(|e| cannot_write(&staged, e))?;
        Ok(Self { file: Some(BufWriter::new(file)), staged, target: directory.join(name) })
    }

    /// Appends a letter.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn append(&mut self, letter: &str) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        writeln!(file, "{letter}").map_err(|e| cannot_write(&self.staged, e))
    }

    /// Makes the letters durable and visible.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn publish(mut self) -> Result<()> {
        self.show(true)
    }

    fn show(&mut self, durably: bool) -> Result<()> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        let mut written = file.flush();
        if durably {
            written = written.and_then(|()| file.get_ref().sync_all());
        }
        let renamed = written.and_then(|()| std::fs::rename(&self.staged, &self.target));
        renamed.map_err(|e| cannot_write(&self.target, e))
    }
}

impl Drop for LetterFile {
    /// The letters of a reader that failed or was cancelled are worth reading, too.
    fn drop(&mut self) {
        drop(self.show(false));
    }
}

fn cannot_write(path: &Path, error: io::Error) -> Error {
    let code = if error.kind() == io::ErrorKind::StorageFull { "disk-full" } else { "cannot-write" };
    Error::user(code, format!("the dead letters '{}' cannot be written: {error}", path.display())).with_source(error)
}
