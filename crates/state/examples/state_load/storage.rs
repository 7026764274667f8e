//! A directory of runs in the place of checkpoint storage.

use headwater_data::run::{Merge, Run};
use headwater_state::{ListSnapshot, Restored, RestoredRun, RestoredTable, TableDelta, TableDescriptor};
use headwater_types::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Encodes changes into a run file, a part at a time; its size.
pub fn write(path: &Path, mut delta: TableDelta) -> Result<u64> {
    let failed = |e: std::io::Error| Error::internal(format!("'{}': {e}", path.display()));
    let mut file = File::create(path).map_err(failed)?;
    delta.write_run(&mut |part| file.write_all(part).map_err(failed))?;
    file.sync_all().map_err(failed)?;
    Ok(file.metadata().map_err(failed)?.len())
}

/// The runs of a directory: a base and the changes after it.
pub struct Runs {
    directory: PathBuf,
}

impl Runs {
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// Paths of the runs, oldest first.
    pub fn paths(&self) -> Result<Vec<PathBuf>> {
        let failed = |e: std::io::Error| Error::internal(format!("'{}': {e}", self.directory.display()));
        let files = std::fs::read_dir(&self.directory).map_err(failed)?;
        let mut paths: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
        paths.sort();
        Ok(paths)
    }
}

fn open(path: &Path) -> Result<Run> {
    let failed = |e: std::io::Error| Error::internal(format!("a run cannot be read: {e}"));
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let read = move |range: Range<u64>| {
        let mut bytes = vec![0; (range.end - range.start) as usize];
        file.read_exact_at(&mut bytes, range.start).map_err(failed)?;
        Ok(bytes)
    };
    Run::open(path.display().to_string(), bytes, Arc::new(read))
}

impl Restored for Runs {
    fn table(&self, _name: &str) -> Result<Option<RestoredTable>> {
        let runs = self.paths()?.iter().map(|path| open(path)).collect::<Result<Vec<_>>>()?;
        let Some(last) = runs.last() else { return Ok(None) };
        let descriptor = TableDescriptor::from_header(last.header())?;
        let streams = runs.iter().map(Run::read_all).collect();
        Ok(Some(RestoredTable { descriptor, entries: Box::new(Merge::live(streams)) }))
    }

    fn runs(&self, _name: &str) -> Result<Option<Vec<RestoredRun>>> {
        let restored = |path: &PathBuf| {
            let run = open(path)?;
            let groups = std::iter::once(0..u32::MAX).collect();
            Ok(RestoredRun { descriptor: TableDescriptor::from_header(run.header())?, run, groups })
        };
        self.paths()?.iter().map(restored).collect::<Result<_>>().map(Some)
    }

    fn list(&self, _name: &str) -> Result<Vec<ListSnapshot>> {
        Ok(vec![])
    }

    fn is_restored(&self) -> bool {
        true
    }
}
