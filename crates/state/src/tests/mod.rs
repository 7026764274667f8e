//! Tables against a simple model, on every engine.

mod evolution;
mod in_place;
mod kinds;
mod model;
mod ttl;

use crate::*;
use headwater_data::run::{Merge, Run};
use headwater_env::{Env, SimulatedClock, SimulatedExecutor};
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use tempfile::TempDir;

const GROUPS: u32 = 8;

/// Checkpoint storage: the runs of every table, and the latest lists.
#[derive(Default, Clone)]
struct Checkpoint {
    runs: HashMap<String, Vec<Run>>,
    lists: Vec<ListSnapshot>,
}

impl Checkpoint {
    fn add(&mut self, snapshot: Snapshot) {
        for table in snapshot.tables {
            let name = table.descriptor.name.clone();
            let run = Run::of_bytes(name.clone(), table.into_run().unwrap()).unwrap();
            self.runs.entry(name).or_default().push(run);
        }
        self.lists = snapshot.lists;
    }

    fn entries(&self, table: &str) -> u64 {
        self.runs[table].iter().map(Run::entries).sum()
    }
}

struct FromCheckpoint {
    checkpoint: Checkpoint,
    groups: Range<u32>,
}

impl Restored for FromCheckpoint {
    fn table(&self, name: &str) -> Result<Option<RestoredTable>> {
        let Some(runs) = self.checkpoint.runs.get(name) else { return Ok(None) };
        let descriptor = TableDescriptor::from_header(runs.last().unwrap().header())?;
        let streams = runs.iter().map(|run| run.read(self.groups.clone())).collect();
        Ok(Some(RestoredTable { descriptor, entries: Box::new(Merge::live(streams)) }))
    }

    fn runs(&self, name: &str) -> Result<Option<Vec<RestoredRun>>> {
        let Some(runs) = self.checkpoint.runs.get(name) else { return Ok(None) };
        let restored = |run: &Run| {
            let descriptor = TableDescriptor::from_header(run.header())?;
            Ok(RestoredRun { descriptor, run: run.clone(), groups: vec![self.groups.clone()] })
        };
        runs.iter().map(restored).collect::<Result<_>>().map(Some)
    }

    fn list(&self, name: &str) -> Result<Vec<ListSnapshot>> {
        Ok(self.checkpoint.lists.iter().filter(|list| list.name == name).cloned().collect())
    }

    fn is_restored(&self) -> bool {
        true
    }
}

/// What makes contexts: an engine, a clock and a directory.
struct Fixture {
    env: Env,
    clock: Arc<SimulatedClock>,
    directory: TempDir,
    engine: std::cell::Cell<Engine>,
    opened: std::cell::Cell<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Engine {
    Memory,
    /// A disk engine with room for everything.
    Disk,
    /// A disk engine that must flush, evict and set aside all the time.
    TinyDisk,
}

const ENGINES: [Engine; 3] = [Engine::Memory, Engine::Disk, Engine::TinyDisk];

impl Fixture {
    fn new(engine: Engine) -> Self {
        let (env, clock) = Env::simulated(7, 1_000_000);
        Self { env, clock, directory: tempfile::tempdir().unwrap(), engine: engine.into(), opened: 0.into() }
    }

    fn empty(&self) -> StateContext {
        self.opened.set(self.opened.get() + 1);
        let directory = self.directory.path().join(self.opened.get().to_string());
        let engine = match self.engine.get() {
            Engine::Memory => EngineOptions::hash_map(),
            Engine::Disk => EngineOptions::disk(directory, 64 << 20, 16 << 20),
            Engine::TinyDisk => EngineOptions::disk(directory, 512, 128),
        };
        StateContext { engine, ..StateContext::empty(self.env.clone(), GROUPS) }
    }

    fn restored(&self, checkpoint: &Checkpoint, groups: Range<u32>) -> StateContext {
        let restored = Arc::new(FromCheckpoint { checkpoint: checkpoint.clone(), groups: groups.clone() });
        StateContext { owned_groups: groups, restored, ..self.empty() }
    }
}

fn column(name: &str, root: TypeRoot) -> Column {
    Column::new(name, LogicalType::from(root))
}

fn value_descriptor() -> TableDescriptor {
    TableDescriptor::value("values", vec![column("k", TypeRoot::Int)], vec![column("v", TypeRoot::Int)])
}

fn map_descriptor() -> TableDescriptor {
    let (key, map_key) = (vec![column("k", TypeRoot::Int)], vec![column("m", TypeRoot::Int)]);
    TableDescriptor::map("maps", key, map_key, vec![column("v", TypeRoot::Int)])
}
