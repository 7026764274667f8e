//! Where operators keep their state.

use super::ProcessMemory;
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_state::EngineOptions;
use headwater_state::memory::MemoryBudget;
use headwater_types::config::{Configuration, Key, parse_memory_bytes};
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, Result};
use std::path::{Path, PathBuf};

/// `state.backend.type`: `hashmap` keeps state in memory, `rocksdb` on local disk.
pub const STATE_BACKEND: Key = Key { name: "state.backend.type", default: "hashmap" };
/// `state.backend.rocksdb.localdir`: directory for state on disk; by default [`TMP_DIRS`].
pub const STATE_DIRECTORY: Key = Key { name: "state.backend.rocksdb.localdir", default: "" };
/// `io.tmp.dirs`: directory for temporary files; by default the system's.
pub const TMP_DIRS: Key = Key { name: "io.tmp.dirs", default: "" };
/// `state.backend.rocksdb.memory.fixed-per-slot`: memory of a job for state on disk; by default
/// [`MANAGED_MEMORY`].
pub const STATE_MEMORY: Key = Key { name: "state.backend.rocksdb.memory.fixed-per-slot", default: "" };
/// `taskmanager.memory.managed.size`: memory that operators may use to cache.
pub const MANAGED_MEMORY: Key = Key { name: "taskmanager.memory.managed.size", default: "512 mb" };

/// Share of an operator's memory for changes that are not on disk yet: a half, as
/// `state.backend.rocksdb.memory.write-buffer-ratio` has it.
const WRITE_BUFFER_SHARE: u64 = 2;
/// An operator instance gets this at least.
const CACHE_BYTES_MIN: u64 = 1 << 20;

/// Where the operators of a job keep their state in this process.
#[derive(Debug, Clone)]
pub struct StateOptions {
    /// Which engine.
    pub engine: StateEngine,
    /// The memory that all tables count their use against.
    pub memory: MemoryBudget,
}

/// The engine of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum StateEngine {
    /// Everything in memory.
    #[default]
    HashMap,
    /// State on local disk.
    Disk {
        /// Directory of the process, below which each operator instance has its own.
        directory: PathBuf,
        /// Memory of all operator instances of the job together.
        cache_bytes: u64,
    },
}

impl Default for StateOptions {
    fn default() -> Self {
        Self { engine: StateEngine::default(), memory: MemoryBudget::unlimited() }
    }
}

impl StateOptions {
    /// What the job's configuration sets, with memory that only it uses.
    ///
    /// # Errors
    /// When a value cannot be understood.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        let engine = match config.text(STATE_BACKEND) {
            text if text.eq_ignore_ascii_case("hashmap") => StateEngine::HashMap,
            text if text.eq_ignore_ascii_case("rocksdb") => StateEngine::disk(config)?,
            text => return Err(bad_value(STATE_BACKEND, text, "'hashmap' or 'rocksdb'")),
        };
        Ok(Self { engine, memory: MemoryBudget::unlimited() })
    }

    /// The same options within the memory of the process: state that can only be in memory must not take what is
    /// there to cache that of other jobs.
    #[must_use]
    pub fn within(self, process: &ProcessMemory) -> Self {
        match self.engine {
            StateEngine::HashMap => Self { memory: process.heap.clone(), ..self },
            StateEngine::Disk { directory, cache_bytes } => {
                let cache_bytes = cache_bytes.min(process.cache.limit_bytes());
                Self { engine: StateEngine::Disk { directory, cache_bytes }, memory: process.cache.clone() }
            }
        }
    }

    /// The engine of the operator at a chain position of a subtask.
    pub(crate) fn engine_of(
        &self,
        graph: &JobGraph,
        execution: &str,
        subtask: SubtaskId,
        position: usize,
    ) -> EngineOptions {
        match &self.engine {
            StateEngine::HashMap => EngineOptions::hash_map(),
            StateEngine::Disk { directory, cache_bytes } => {
                let instance = format!("{}-{}-{position}", subtask.vertex.0, subtask.index);
                let own_bytes = (cache_bytes / stateful_instances(graph).max(1)).max(CACHE_BYTES_MIN);
                let directory = directory.join(execution).join(instance);
                EngineOptions::disk(directory, own_bytes, own_bytes / WRITE_BUFFER_SHARE)
            }
        }
    }
}

impl StateEngine {
    fn disk(config: &Configuration) -> Result<Self> {
        let named = [STATE_DIRECTORY, TMP_DIRS].map(|key| config.text(key)).into_iter().find(|text| !text.is_empty());
        // Of several directories the first is used.
        let first = named.and_then(|text| text.split([',', '|']).next());
        let directory = first.map_or_else(std::env::temp_dir, |text| Path::new(text.trim()).to_path_buf());
        Ok(Self::Disk { directory: directory.join("headwater-state"), cache_bytes: cache_bytes(config)? })
    }
}

fn cache_bytes(config: &Configuration) -> Result<u64> {
    let key = if config.text(STATE_MEMORY).is_empty() { MANAGED_MEMORY } else { STATE_MEMORY };
    size(config, key)
}

pub(super) fn size(config: &Configuration, key: Key) -> Result<u64> {
    let text = config.text(key);
    parse_memory_bytes(text).ok_or_else(|| bad_value(key, text, "a size such as '512 mb'"))
}

/// Operator instances that may have tables.
fn stateful_instances(graph: &JobGraph) -> u64 {
    let stateful = |spec: &OperatorSpec| {
        !matches!(
            spec,
            OperatorSpec::Source(_)
                | OperatorSpec::Sink(_)
                | OperatorSpec::Values(_)
                | OperatorSpec::Calc(_)
                | OperatorSpec::Expand(_)
                | OperatorSpec::Unnest(_)
                | OperatorSpec::WatermarkAssigner(_)
                | OperatorSpec::DropUpdateBefore(_)
                | OperatorSpec::ToChangelog(_)
                | OperatorSpec::FromChangelog(_)
        )
    };
    let of_vertex = |vertex: &headwater_plan::Vertex| {
        vertex.chain.iter().filter(|node| stateful(&node.spec)).count() as u64 * u64::from(vertex.parallelism)
    };
    graph.vertices.iter().map(of_vertex).sum()
}

pub(super) fn bad_value(key: Key, text: &str, expected: &str) -> Error {
    Error::user("bad-config-value", format!("'{text}' is not a valid value of '{}': expected {expected}", key.name))
}
