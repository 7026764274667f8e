//! Finding the files of a table.
//!
//! Names that start with `_` or `.` below the given path are hidden: they belong to writers at work.

use super::files::Files;
use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_types::config::nearest;
use headwater_types::{Error, Result};
use regex::Regex;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Directories nested deeper than this are a cycle or a mistake.
const DEPTH_MAX: usize = 64;

/// A file of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) modified_ms: i64,
}

/// Where to look.
#[derive(Debug, Clone)]
pub(super) struct Place {
    files: Files,
    path: PathBuf,
    is_pattern: bool,
    regex: Option<Regex>,
}

impl Place {
    pub(super) fn new(options: Options<'_>, files: Files, path: PathBuf) -> Result<Self> {
        let name = "source.path.regex-pattern";
        let regex = options
            .get(name)
            .map(|text| {
                Regex::new(&format!("^(?:{text})$"))
                    .map_err(|e| bad_option(name, text, &format!("a regular expression ({e})")))
            })
            .transpose()?;
        let is_pattern =
            matches!(files, Files::Local) && !path.exists() && path.to_string_lossy().contains(['*', '?', '[']);
        Ok(Self { files, path, is_pattern, regex })
    }

    /// Whether listing waits for a store.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self.files, Files::Bucket(_))
    }

    /// All files, ordered by path. An absent path is an error unless the source waits for files.
    pub(super) fn list(&self, may_be_absent: bool) -> Result<Vec<Found>> {
        let mut files = match &self.files {
            Files::Bucket(bucket) => super::listing_remote::list(bucket, &self.path, may_be_absent)?,
            Files::Local => self.list_local()?,
        };
        if let Some(regex) = &self.regex {
            files.retain(|f| regex.is_match(&f.path.to_string_lossy()));
        }
        let is_local = !self.is_remote();
        if files.is_empty() && !may_be_absent && is_local && (self.is_pattern || !self.path.exists()) {
            return Err(self.not_found());
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        files.dedup_by(|a, b| a.path == b.path);
        Ok(files)
    }

    fn list_local(&self) -> Result<Vec<Found>> {
        let mut files = vec![];
        for root in self.roots()? {
            visit(&root, 0, &mut files)?;
        }
        Ok(files)
    }

    fn roots(&self) -> Result<Vec<PathBuf>> {
        if !self.is_pattern {
            return Ok(if self.path.exists() { vec![self.path.clone()] } else { vec![] });
        }
        let pattern = self.path.to_string_lossy();
        let paths =
            glob::glob(&pattern).map_err(|e| bad_option("path", &pattern, &format!("a path or pattern ({e})")))?;
        // A wildcard does not match hidden names; one that the pattern spells out may be read.
        let is_visible = |path: &PathBuf| {
            let mut pairs = path.components().rev().zip(self.path.components().rev());
            pairs.all(|(found, wanted)| found == wanted || !is_hidden(&found.as_os_str().to_string_lossy()))
        };
        Ok(paths.filter_map(std::result::Result::ok).filter(is_visible).collect())
    }

    /// The error of a path without files; names what is there instead.
    fn not_found(&self) -> Error {
        let shown = self.path.display();
        let existing = self.path.ancestors().skip(1).find(|a| a.as_os_str().is_empty() || a.is_dir());
        let parent = existing.filter(|a| !a.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut names: Vec<String> = fs::read_dir(parent)
            .map(|entries| entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        names.sort();
        let below = existing.and_then(|e| self.path.strip_prefix(e).ok()).unwrap_or(&self.path);
        let wanted = below.components().next();
        let wanted = wanted.map(|c| c.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
        let hint = match nearest(&wanted, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean '{}'?", parent.join(near).display()),
            None if names.is_empty() => format!("'{}' is empty", parent.display()),
            None => format!("'{}' holds: {}", parent.display(), names[..names.len().min(10)].join(", ")),
        };
        Error::user("path-not-found", format!("no file matches the path '{shown}'; {hint}"))
    }
}

pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

fn visit(path: &Path, depth: usize, files: &mut Vec<Found>) -> Result<()> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        // A file that a writer renamed or removed between listing and looking.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(cannot_read(path, e)),
    };
    if metadata.is_dir() {
        if depth >= DEPTH_MAX {
            let message = format!("directories below '{}' are nested more than {DEPTH_MAX} deep", path.display());
            return Err(Error::user("path-too-deep", message));
        }
        for entry in fs::read_dir(path).map_err(|e| cannot_read(path, e))? {
            let entry = entry.map_err(|e| cannot_read(path, e))?;
            if !is_hidden(&entry.file_name().to_string_lossy()) {
                visit(&entry.path(), depth + 1, files)?;
            }
        }
        return Ok(());
    }
    let modified = metadata.modified().ok().and_then(|t| t.duration_since(UNIX_EPOCH).ok());
    let modified_ms = modified.map_or(0, |d| d.as_millis() as i64);
    files.push(Found { path: path.to_path_buf(), size: metadata.len(), modified_ms });
    Ok(())
}

/// The error of a path that cannot be read.
pub(super) fn cannot_read(path: &Path, error: std::io::Error) -> Error {
    // What a store says names the object and what to do.
    if let Some(store) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        return store.clone();
    }
    Error::user("cannot-read", format!("cannot read '{}': {error}", path.display())).with_source(error)
}
