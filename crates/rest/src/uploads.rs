//! SQL scripts and job plans that were uploaded, where Flink has jars. In memory, bounded, gone with the process.
//!
//! A plan is what a job is once it is compiled: the encoded graph that `headwater info --output` writes. It holds no
//! code, so that nothing of it runs but the operators of this process.

use crate::answer::ApiError;
use headwater_plan::JobGraph;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Uploads that are kept; another one displaces the oldest.
const UPLOADS_MAX: usize = 64;
/// Bytes of all of them; the oldest go.
const ALL_BYTES_MAX: usize = 64 << 20;
/// Largest script.
const SCRIPT_BYTES_MAX: usize = 1 << 20;
/// Largest plan.
const PLAN_BYTES_MAX: usize = 16 << 20;
/// Longest name.
const NAME_CHARS_MAX: usize = 100;

/// A script or a plan.
#[derive(Debug)]
pub(crate) struct Upload {
    /// Its id: random digits and its name.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// When it came, milliseconds since the epoch.
    pub(crate) uploaded_ms: i64,
    /// What it is.
    pub(crate) content: Content,
    bytes: usize,
}

/// What was uploaded.
#[derive(Debug)]
pub(crate) enum Content {
    /// The statements of a script.
    Script(String),
    /// The plan of one job.
    Plan(Arc<JobGraph>),
}

impl Content {
    /// By the name of the file.
    fn of(name: &str, bytes: &[u8]) -> Result<Self, ApiError> {
        let is_named = |ending: &str| name.to_ascii_lowercase().ends_with(ending);
        match (is_named(".sql"), is_named(".plan")) {
            (true, _) => {
                bounded("script", bytes, SCRIPT_BYTES_MAX)?;
                let text = std::str::from_utf8(bytes);
                let text = text.map_err(|_| ApiError::bad_request("The script is not UTF-8 text."))?;
                Ok(Self::Script(text.to_owned()))
            }
            (_, true) => {
                bounded("plan", bytes, PLAN_BYTES_MAX)?;
                let graph = headwater_plan::codec::decode_on_thread(bytes);
                let graph = graph.map_err(|error| ApiError::bad_request(error.message().to_owned()))?;
                Ok(Self::Plan(Arc::new(graph)))
            }
            _ => Err(ApiError::bad_request(
                "Only SQL scripts and job plans are allowed: the name of the file must end with .sql or .plan. There is \
                 no JVM to run jars.",
            )),
        }
    }
}

fn bounded(what: &str, bytes: &[u8], max: usize) -> Result<(), ApiError> {
    match bytes.len() > max {
        true => Err(ApiError::bad_request(format!("The {what} is larger than {max} bytes."))),
        false => Ok(()),
    }
}

/// The uploads, oldest first.
#[derive(Default)]
pub(crate) struct Uploads(Mutex<VecDeque<Arc<Upload>>>);

impl Uploads {
    /// Keeps a script or a plan.
    ///
    /// # Errors
    /// When it is neither, or too large.
    pub(crate) fn add(&self, name: &str, bytes: &[u8], random: u128, now_ms: i64) -> Result<Arc<Upload>, ApiError> {
        let name = plain(name);
        let content = Content::of(&name, bytes)?;
        let id = format!("{random:032x}_{name}");
        let upload = Arc::new(Upload { id, name, uploaded_ms: now_ms, content, bytes: bytes.len() });
        let mut uploads = self.lock();
        uploads.push_back(upload.clone());
        let is_over = |uploads: &VecDeque<Arc<Upload>>| {
            uploads.len() > UPLOADS_MAX || uploads.iter().map(|upload| upload.bytes).sum::<usize>() > ALL_BYTES_MAX
        };
        while is_over(&uploads) {
            uploads.pop_front();
        }
        Ok(upload)
    }

    /// The upload of this id.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn find(&self, id: &str) -> Result<Arc<Upload>, ApiError> {
        self.lock().iter().find(|upload| upload.id == id).cloned().ok_or_else(|| unknown(id))
    }

    /// Forgets the upload of this id.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn remove(&self, id: &str) -> Result<(), ApiError> {
        let mut uploads = self.lock();
        let at = uploads.iter().position(|upload| upload.id == id).ok_or_else(|| unknown(id))?;
        uploads.remove(at);
        Ok(())
    }

    /// All of them, latest first.
    pub(crate) fn list(&self) -> Vec<Arc<Upload>> {
        self.lock().iter().rev().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Upload>>> {
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
        let found = uploads.find(&first.id).expect("it is there");
        assert!(matches!(&found.content, Content::Script(text) if text == "SELECT 1"));
        for number in 0..UPLOADS_MAX as u128 {
            uploads.add("b.sql", b"", number, 0).expect("a script");
        }
        assert!(uploads.find(&first.id).is_err());
        let latest = uploads.list().first().expect("there are some").id.clone();
        uploads.remove(&latest).expect("it is there");
        assert!(uploads.remove(&latest).is_err());
    }

    #[test]
    fn only_scripts_and_plans_are_kept() {
        let uploads = Uploads::default();
        let large = vec![b' '; SCRIPT_BYTES_MAX + 1];
        for (name, content) in [
            ("a.jar", &b"PK"[..]),
            ("a.sql", &b"\xff"[..]),
            ("a.sql", large.as_slice()),
            ("a.plan", &b"PK"[..]),
            ("a.plan", &b"HEADWATER-PLAN 99\n{}"[..]),
        ] {
            assert!(uploads.add(name, content, 0, 0).is_err());
        }
        assert!(uploads.list().is_empty());
    }
}
