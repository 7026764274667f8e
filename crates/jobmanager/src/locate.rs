//! Finding the checkpoint that a job is to start from.
//!
//! A path may be a checkpoint's or savepoint's directory, its manifest, or a directory above: of a job, or of many
//! jobs. Above, the newest complete checkpoint is meant. One that is damaged is never skipped silently: the error
//! names it, and the next older one that could be used.

use crate::store::Store;
use headwater_checkpoint::layout::{MANIFEST, manifest_file};
use headwater_checkpoint::manifest::decode;
use headwater_checkpoint::{ClaimMode, Manifest};
use headwater_env::StorageProvider;
use headwater_storage::{join, parent};
use headwater_types::config::Configuration;
use headwater_types::{Error, ErrorKind, Result};
use std::sync::Arc;

/// A checkpoint to start from.
#[derive(Clone)]
pub struct Origin {
    /// What it holds.
    pub manifest: Arc<Manifest>,
    /// URI of the directory that its files are relative to.
    pub root: String,
    /// URI of its own directory.
    pub path: String,
    /// What to do when its files turn out to be damaged.
    pub advice: String,
    /// Whose the files are.
    pub claim: ClaimMode,
}

/// Finds and reads the checkpoint at `path`.
///
/// # Errors
/// `User` when there is none; `Corruption` when it is damaged, cut short or has lost files, with the next older one
/// that could be used.
pub fn locate(provider: &dyn StorageProvider, path: &str, config: &Configuration) -> Result<Origin> {
    let finder = Finder { provider, config };
    let path = path.trim().trim_end_matches('/');
    let directory = match parent(path) {
        Some((above, MANIFEST)) => above,
        _ => path,
    };
    match finder.open(directory)?.storage.get(MANIFEST)? {
        Some(content) => finder.at(directory, &content),
        None => finder.below(directory),
    }
}

struct Finder<'a> {
    provider: &'a dyn StorageProvider,
    config: &'a Configuration,
}

/// A manifest that was found below a directory.
struct Candidate {
    /// URI of its directory.
    path: String,
    /// Number of the checkpoint, for `chk-` directories.
    number: Option<u64>,
}

impl Finder<'_> {
    fn open(&self, uri: &str) -> Result<Store> {
        Ok(Store { uri: uri.to_owned(), storage: self.provider.open(uri, self.config)? })
    }

    /// The checkpoint in a directory, with advice about its siblings.
    fn at(&self, directory: &str, content: &[u8]) -> Result<Origin> {
        let siblings = || match parent(directory) {
            Some((above, own)) if number_of(own).is_some() => self.candidates(above, number_of(own)),
            _ => Ok(vec![]),
        };
        match self.read(directory, content) {
            Ok(origin) => {
                let advice = self.advice_on_files(&origin, &siblings().unwrap_or_default());
                Ok(Origin { advice, ..origin })
            }
            Err(error) => Err(self.advise(error, &siblings().unwrap_or_default())),
        }
    }

    /// The newest checkpoint below a directory.
    fn below(&self, directory: &str) -> Result<Origin> {
        let candidates = self.candidates(directory, None)?;
        let Some((first, older)) = candidates.split_first() else {
            let message = format!(
                "there is no checkpoint at '{directory}': expected the directory of a checkpoint or savepoint, which \
                 holds a file {MANIFEST}, or one above"
            );
            return Err(Error::user("checkpoint-missing", message));
        };
        match self.read_candidate(first) {
            Ok(origin) => {
                let advice = self.advice_on_files(&origin, older);
                Ok(Origin { advice, ..origin })
            }
            Err(error) => Err(self.advise(error, older)),
        }
    }

    fn read_candidate(&self, candidate: &Candidate) -> Result<Origin> {
        let content = self.open(&candidate.path)?.storage.get(MANIFEST)?.unwrap_or_default();
        self.read(&candidate.path, &content)
    }

    fn read(&self, directory: &str, content: &[u8]) -> Result<Origin> {
        let manifest = decode(&join(directory, MANIFEST), content)?;
        let root = match parent(directory) {
            Some((above, _)) if !manifest.savepoint => above,
            _ => directory,
        };
        self.open(root)?.verify(&manifest)?;
        let (root, path, advice) = (root.to_owned(), directory.to_owned(), String::new());
        Ok(Origin { manifest: Arc::new(manifest), root, path, advice, claim: ClaimMode::NoClaim })
    }

    /// Checkpoints of a job's directory, or of the jobs below a directory, newest first; older than `before`.
    fn candidates(&self, directory: &str, before: Option<u64>) -> Result<Vec<Candidate>> {
        let objects = self.open(directory)?.storage.list("")?;
        let mut found = vec![];
        for object in objects.iter().filter(|object| object.path.ends_with(MANIFEST)) {
            let Some(below) = object.path.strip_suffix(MANIFEST).map(|path| path.trim_end_matches('/')) else {
                continue;
            };
            let own = below.rsplit('/').next().unwrap_or_default();
            let depth = below.split('/').count();
            let number = number_of(own);
            let is_older = before.is_none_or(|before| number.is_some_and(|number| number < before));
            if depth <= 2 && is_older {
                found.push(Candidate { path: join(directory, below), number });
            }
        }
        self.newest_first(&mut found);
        Ok(found)
    }

    /// Orders checkpoints: within a job by number, of several jobs by the time they were taken.
    fn newest_first(&self, found: &mut [Candidate]) {
        let one_job = found
            .iter()
            .all(|c| c.number.is_some() && parent(&c.path).map(|p| p.0) == parent(&found[0].path).map(|p| p.0));
        if one_job {
            found.sort_by_key(|candidate| std::cmp::Reverse(candidate.number));
            return;
        }
        let taken_ms = |candidate: &Candidate| {
            let read = || self.open(&candidate.path).ok()?.storage.get(MANIFEST).ok()?;
            // What cannot be read counts as newest, so that it is reported.
            read().and_then(|content| decode("", &content).ok()).map_or(i64::MAX, |manifest| manifest.completed_ms)
        };
        found.sort_by_cached_key(|candidate| std::cmp::Reverse((taken_ms(candidate), candidate.number)));
    }

    /// Those that can be used, read one after the other.
    fn usable(&self, candidates: &[Candidate]) -> impl Iterator<Item = Origin> {
        candidates.iter().filter_map(|candidate| self.read_candidate(candidate).ok())
    }

    /// Names the next older checkpoint that could be used.
    fn advice(&self, older: &[Candidate]) -> String {
        instead(self.usable(older).next().as_ref())
    }

    /// What to do when a file of a checkpoint turns out to be damaged. Checkpoints share files, so the next older one
    /// may need the same.
    fn advice_on_files(&self, origin: &Origin, older: &[Candidate]) -> String {
        let mut usable = self.usable(older);
        let next = usable.next();
        let advice = format!("the file is of '{}'; {}", origin.path, instead(next.as_ref()));
        let own = origin.manifest.files();
        let shares = |origin: &Origin| !origin.manifest.files().is_disjoint(&own);
        if !next.as_ref().is_some_and(shares) {
            return advice;
        }
        match usable.find(|origin| !shares(origin)) {
            Some(without) => format!("{advice}, and if that names the same file, '{}' shares none", without.path),
            None => format!("{advice}, and if that names the same file, the newest savepoint is left"),
        }
    }

    fn advise(&self, error: Error, older: &[Candidate]) -> Error {
        if error.kind() != ErrorKind::Corruption {
            return error;
        }
        Error::new(error.kind(), error.code(), format!("{}; {}", error.message(), self.advice(older)))
    }
}

/// Names the checkpoint to use instead of a damaged one.
fn instead(next: Option<&Origin>) -> String {
    match next {
        Some(usable) => format!("the next older checkpoint that is complete is '{}'", usable.path),
        None => "there is no older checkpoint beside it that could be used".to_owned(),
    }
}

fn number_of(directory: &str) -> Option<u64> {
    directory.strip_prefix("chk-")?.parse().ok()
}

/// The manifest of a checkpoint of a job, by number.
pub fn path_of(root: &str, checkpoint: u64) -> String {
    join(root, manifest_file(checkpoint).trim_end_matches(MANIFEST).trim_end_matches('/'))
}

#[cfg(test)]
mod tests;
