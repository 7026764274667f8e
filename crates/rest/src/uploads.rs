//! SQL scripts that were uploaded, where Flink has jars. In memory, bounded, gone with the process.

use crate::answer::ApiError;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Scripts that are kept; another one displaces the oldest.
const SCRIPTS_MAX: usize = 64;
/// Largest script.
const SCRIPT_BYTES_MAX: usize = 1 << 20;
/// Longest name.
const NAME_CHARS_MAX: usize = 100;

/// A script.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// Its id: random digits and its name.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// When it came, milliseconds since the epoch.
    pub(crate) uploaded_ms: i64,
    /// Its statements.
    pub(crate) text: String,
}

/// The scripts, oldest first.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<VecDeque<Arc<Script>>>);

impl Uploads {
    /// Keeps a script.
    ///
    /// # Errors
    /// When it is none, or too large.
    pub(crate) fn add(&self, name: &str, content: &[u8], random: u128, now_ms: i64) -> Result<Arc<Script>, ApiError> {
        let name = plain(name);
        if !name.to_ascii_lowercase().ends_with(".sql") {
            let message =
                "Only SQL scripts are allowed: the name of the file must end with .sql. There is no JVM to run jars.";
            return Err(ApiError::bad_request(message));
        }
        if content.len() > SCRIPT_BYTES_MAX {
            return Err(ApiError::bad_request(format!("The script is larger than {SCRIPT_BYTES_MAX} bytes.")));
        }
        let text = std::str::from_utf8(content).map_err(|_| ApiError::bad_request("The script is not UTF-8 text."))?;
        let id = format!("{random:032x}_{name}");
        let script = Arc::new(Script { id, name, uploaded_ms: now_ms, text: text.to_owned() });
        let mut scripts = self.lock();
        scripts.push_back(script.clone());
        if scripts.len() > SCRIPTS_MAX {
            scripts.pop_front();
        }
        Ok(script)
    }

    /// The script of this id.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(&self, id: &str) -> Result<Arc<Script>, ApiError> {
        self.lock().iter().find(|script| script.id == id).cloned().ok_or_else(|| unknown(id))
    }

    /// Forgets the script of this id.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn remove(&self, id: &str) -> Result<(), ApiError> {
        let mut scripts = self.lock();
        let at = scripts.iter().position(|script| script.id == id).ok_or_else(|| unknown(id))?;
        scripts.remove(at);
        Ok(())
    }

    /// All of them, latest first.
    pub(crate) fn list(&self) -> Vec<Arc<Script>> {
        self.lock().iter().rev().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Script>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(id: &str) -> ApiError {
    let id: String = id.chars().take(2 * NAME_CHARS_MAX).collect();
    ApiError::not_found(format_args!("Jar file {id} does not exist"))
}

/// The last part of a path, of letters that need no care in a path or a page.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let legible = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let skipped = last.chars().count().saturating_sub(NAME_CHARS_MAX);
    last.chars().skip(skipped).map(legible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_harmless() {
        for (name, expected) in [
            ("job.sql", "job.sql"),
            ("../../etc/a b.sql", "a_b.sql"),
            ("C:\\x\\<script>.sql", "_script_.sql"),
            ("", ""),
        ] {
            assert_eq!(plain(name), expected);
        }
        assert_eq!(plain(&format!("{}.sql", "a".repeat(1000))).len(), NAME_CHARS_MAX);
    }

    #[test]
    fn scripts_are_kept_found_and_displaced() {
        let uploads = Uploads::default();
        let first = uploads.add("a.sql", b"SELECT 1", 7, 5).expect("a script");
        assert_eq!(uploads.find(&first.id).expect("it is there").text, "SELECT 1");
        for number in 0..SCRIPTS_MAX as u128 {
            uploads.add("b.sql", b"", number, 0).expect("a script");
        }
        assert!(uploads.find(&first.id).is_err());
        let latest = uploads.list().first().expect("there are some").id.clone();
        uploads.remove(&latest).expect("it is there");
        assert!(uploads.remove(&latest).is_err());
    }

    #[test]
    fn only_scripts_are_kept() {
        let uploads = Uploads::default();
        let large = vec![b' '; SCRIPT_BYTES_MAX + 1];
        for (name, content) in [("a.jar", &b"PK"[..]), ("a.sql", &b"\xff"[..]), ("a.sql", large.as_slice())] {
            assert!(uploads.add(name, content, 0, 0).is_err());
        }
        assert!(uploads.list().is_empty());
    }
}
