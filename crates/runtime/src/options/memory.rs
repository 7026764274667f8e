//! The memory of a process: one number, divided.
//!
//! ```text
//! process size ─┬─ managed: caches of state on disk   a share, or a size of its own
//!               ├─ checkpoints on their way           a share: half for uploads, half for merges and restores
//!               ├─ the program, queues                a share
//!               └─ state that is kept in memory       the rest
//! ```
//!
//! What the disk engine has handed to a checkpoint counts as its cache until it is uploaded.
//! Caches shrink when their part is full; state that can only be in memory fails its job there, before the operating
//! system ends the process. A process whose size is not configured has only the limit of its caches.

use super::state::{MANAGED_MEMORY, STATE_MEMORY, bad_value, size};
use headwater_state::memory::{MemoryBudget, WorkMemory};
use headwater_types::Result;
use headwater_types::config::{Configuration, Key};

/// `taskmanager.memory.process.size`: what a TaskManager may use in all; without, nobody looks.
pub const PROCESS_MEMORY: Key = Key { name: "taskmanager.memory.process.size", default: "" };
/// `taskmanager.memory.managed.fraction`: the share of [`PROCESS_MEMORY`] that [`MANAGED_MEMORY`] is by default.
pub const MANAGED_FRACTION: Key = Key { name: "taskmanager.memory.managed.fraction", default: "0.4" };

/// The part of the process size that is not for state: the program, queues between subtasks, batches in operators.
const PROGRAM_PERCENT: u64 = 20;
/// The part for checkpoints on their way to storage and back; and how much they may take where no size is configured.
const CHECKPOINTS_PERCENT: u64 = 10;
const CHECKPOINTS_UNSIZED: u64 = 256 << 20;

/// The memory of the state of all jobs of a process.
#[derive(Debug, Clone)]
pub struct ProcessMemory {
    /// What caches of state on disk may use.
    pub cache: MemoryBudget,
    /// What state that is kept in memory may use.
    pub heap: MemoryBudget,
    /// What checkpoints on their way may use.
    pub checkpoints: CheckpointMemory,
}

/// The memory of checkpoints on their way to storage and back.
#[derive(Debug, Clone)]
pub struct CheckpointMemory {
    /// Counts all of it: also what tables in memory have handed over, which nobody can wait for.
    pub budget: MemoryBudget,
    /// Work to upload what subtasks handed over.
    pub uploads: WorkMemory,
    /// Work to merge runs.
    pub merges: WorkMemory,
}

impl Default for ProcessMemory {
    fn default() -> Self {
        let (cache, heap) = (MemoryBudget::unlimited(), MemoryBudget::unlimited());
        Self { cache, heap, checkpoints: CheckpointMemory::new(CHECKPOINTS_UNSIZED) }
    }
}

impl CheckpointMemory {
    /// So many bytes.
    pub fn new(bytes: u64) -> Self {
        let budget = MemoryBudget::new(bytes);
        let half = || WorkMemory::new(budget.clone(), bytes / 2);
        Self { uploads: half(), merges: half(), budget }
    }
}

impl ProcessMemory {
    /// What the configuration of a process says.
    ///
    /// # Errors
    /// When a value cannot be understood, or the parts are more than the whole.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        let sized = [STATE_MEMORY, MANAGED_MEMORY].into_iter().find(|key| config.get(key.name).is_some());
        if config.text(PROCESS_MEMORY).is_empty() {
            let cache = MemoryBudget::new(size(config, sized.unwrap_or(MANAGED_MEMORY))?);
            return Ok(Self { cache, ..Self::default() });
        }
        let process = size(config, PROCESS_MEMORY)?;
        let managed = match sized {
            Some(key) => size(config, key)?,
            None => (process as f64 * fraction(config)?) as u64,
        };
        let reserved = process / 100 * (PROGRAM_PERCENT + CHECKPOINTS_PERCENT);
        let Some(heap) = process.checked_sub(reserved).and_then(|rest| rest.checked_sub(managed)) else {
            let expected = format!("at least {} MiB with {} MiB for caches", (managed * 10 / 7) >> 20, managed >> 20);
            return Err(bad_value(PROCESS_MEMORY, config.text(PROCESS_MEMORY), &expected));
        };
        let checkpoints = CheckpointMemory::new(process / 100 * CHECKPOINTS_PERCENT);
        Ok(Self { cache: MemoryBudget::new(managed), heap: MemoryBudget::new(heap), checkpoints })
    }
}

fn fraction(config: &Configuration) -> Result<f64> {
    let text = config.text(MANAGED_FRACTION);
    let fraction = text.trim().parse().ok().filter(|fraction| (0.0..=0.7).contains(fraction));
    fraction.ok_or_else(|| bad_value(MANAGED_FRACTION, text, "a number from 0 to 0.7"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_parts_are_no_more_than_the_whole() {
        let mib = |settings: &[(&str, &str)]| {
            let mut config = Configuration::new();
            settings.iter().for_each(|(key, value)| config.set(*key, *value));
            let memory = ProcessMemory::from_config(&config).map_err(|error| error.message().to_owned())?;
            let parts = [memory.cache, memory.heap].map(|part| part.limit_bytes());
            Ok::<_, String>(parts.map(|bytes| if bytes == u64::MAX { None } else { Some(bytes >> 20) }))
        };
        let (process, managed) = ("taskmanager.memory.process.size", "taskmanager.memory.managed.size");
        assert_eq!(mib(&[]).unwrap(), [Some(512), None]);
        assert_eq!(mib(&[(managed, "64 mb")]).unwrap(), [Some(64), None]);
        assert_eq!(mib(&[(process, "1000 mb")]).unwrap(), [Some(400), Some(300)]);
        assert_eq!(mib(&[(process, "1000 mb"), (managed, "100 mb")]).unwrap(), [Some(100), Some(600)]);
        assert_eq!(
            mib(&[(process, "1000 mb"), ("taskmanager.memory.managed.fraction", "0")]).unwrap(),
            [Some(0), Some(700)]
        );
        let checkpoints = |settings: &[(&str, &str)]| {
            let mut config = Configuration::new();
            settings.iter().for_each(|(key, value)| config.set(*key, *value));
            let CheckpointMemory { budget, uploads, merges } = ProcessMemory::from_config(&config).unwrap().checkpoints;
            [budget.limit_bytes(), uploads.limit_bytes(), merges.limit_bytes()].map(|bytes| bytes >> 20)
        };
        assert_eq!(checkpoints(&[]), [256, 128, 128]);
        assert_eq!(checkpoints(&[(process, "1000 mb")]), [100, 50, 50]);
        for (settings, expected) in [
            ([(process, "1000 mb"), (managed, "900 mb")], "at least 1285 MiB"),
            ([(process, "much"), (managed, "900 mb")], "a size"),
            ([(process, "1 gb"), ("taskmanager.memory.managed.fraction", "1.5")], "from 0 to 0.7"),
        ] {
            let error = mib(&settings).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
