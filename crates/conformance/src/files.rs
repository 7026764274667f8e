//! Finding case files.

use crate::Error;
use std::path::{Path, PathBuf};

/// How deep directories are searched.
const DEPTH_MAX: usize = 16;

/// The case files of these paths: files as they are, of directories all `*.jsonl` and `*.q` in order of their names.
pub fn case_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = vec![];
    for path in paths {
        let before = files.len();
        let metadata = std::fs::metadata(path).map_err(|source| Error::Unreadable { path: path.clone(), source })?;
        match metadata.is_dir() {
            true => search(path, 0, &mut files)?,
            false => files.push(path.clone()),
        }
        if files.len() == before {
            return Err(Error::NoCases(path.clone()));
        }
    }
    Ok(files)
}

fn search(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if depth > DEPTH_MAX {
        return Ok(());
    }
    let unreadable = |source| Error::Unreadable { path: directory.to_path_buf(), source };
    let entries = std::fs::read_dir(directory).map_err(unreadable)?;
    let mut paths = entries.map(|entry| entry.map(|e| e.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            search(&path, depth + 1, files)?;
        } else if is_script(&path) || path.extension().is_some_and(|extension| extension == "jsonl") {
            files.push(path);
        }
    }
    Ok(())
}

/// Whether the file is a script of statements with what they print.
pub(crate) fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "q")
}
