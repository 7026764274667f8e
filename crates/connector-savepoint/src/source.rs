//! The source and its enumerator.
//!
//! The enumerator finds the checkpoint when the job starts, so that what does not match is told whoever submits it,
//! and hands out ranges of its key groups. It reads the manifest and lists files then, on the thread that sets the
//! job up.

use crate::columns::produced;
use crate::lookup::find;
use crate::options::Wanted;
use crate::reader::StateReader;
use crate::split::StateSplit;
use headwater_connector_api::{Boundedness, ReaderContext, Source, SourceReader, SplitAssignment, SplitEnumerator};
use headwater_env::Env;
use headwater_jobmanager::locate::locate;
use headwater_plan::SourceSpec;
use headwater_storage::Provider;
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Splits that a reader gets, so that one with fewer entries is done earlier and takes another.
const SPLITS_PER_READER: u32 = 4;

/// A scan of a table of state.
pub(crate) struct Scan {
    pub(crate) wanted: Wanted,
    pub(crate) spec: SourceSpec,
}

pub(crate) struct StateSource {
    scan: Arc<Scan>,
}

impl StateSource {
    pub(crate) fn new(scan: &SourceSpec, config: &headwater_types::config::Configuration) -> Result<Self> {
        Ok(Self { scan: Arc::new(Scan { wanted: Wanted::of(&scan.table, config)?, spec: scan.clone() }) })
    }
}

impl Source for StateSource {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn enumerator(&self, _env: &Env) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(Ranges::new(&self.scan)?))
    }

    fn restore_enumerator(&self, _env: &Env, state: &[u8]) -> Result<Box<dyn SplitEnumerator>> {
        let corrupt = |e| {
            Error::new(
                ErrorKind::Corruption,
                "bad-split",
                format!("the stored splits of a savepoint cannot be read: {e}"),
            )
        };
        Ok(Box::new(postcard::from_bytes::<Ranges>(state).map_err(corrupt)?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(StateReader::new(self.scan.clone(), context)))
    }
}

/// Hands out ranges of key groups.
#[derive(Serialize, Deserialize)]
struct Ranges {
    path: String,
    operator: String,
    state: String,
    /// Number of key groups.
    groups: u32,
    /// The first that is not handed out.
    next: u32,
}

impl Ranges {
    /// Finds the table and checks the declared columns against it.
    fn new(scan: &Scan) -> Result<Self> {
        let Wanted { path, operator, state, config } = &scan.wanted;
        let origin = locate(&Provider, path, config)?;
        let (operator, table) = find(&origin.manifest, &origin.path, operator.as_deref(), state.as_deref())?;
        produced(&scan.spec, &table.descriptor)?;
        Ok(Self {
            path: origin.path,
            operator: operator.key.clone(),
            state: table.descriptor.name.clone(),
            groups: origin.manifest.max_parallelism,
            next: 0,
        })
    }
}

impl SplitEnumerator for Ranges {
    fn next_split(&mut self, _subtask: u32, parallelism: u32) -> Result<SplitAssignment> {
        if self.next >= self.groups {
            return Ok(SplitAssignment::NoMoreSplits);
        }
        let size = self.groups.div_ceil(parallelism.max(1).saturating_mul(SPLITS_PER_READER)).max(1);
        let start = self.next;
        self.next = start.saturating_add(size).min(self.groups);
        let (path, operator, state) = (self.path.clone(), self.operator.clone(), self.state.clone());
        let split = StateSplit { path, operator, state, start, end: self.next, done: 0 };
        split.encode().map(SplitAssignment::Split)
    }

    fn snapshot(&mut self) -> Result<Vec<u8>> {
        postcard::to_allocvec(self).map_err(|e| Error::internal(format!("a savepoint's splits cannot be written: {e}")))
    }
}
