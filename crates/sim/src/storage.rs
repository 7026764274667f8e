//! The simulated object store: objects outlive processes, calls fail as seeds say.
//!
//! A call may fail before it did anything, or after it had done it: a write whose answer got lost has been made.

use crate::process::{Life, lock};
use crate::trace::Trace;
use headwater_checkpoint::layout::MANIFEST;
use headwater_checkpoint::manifest::decode;
use headwater_env::{Clock, MemoryStorage, ObjectMeta, SimulatedClock, Storage, StorageProvider};
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Where the simulated store is.
pub(crate) const ROOT: &str = "sim://store";

/// The store of a simulation.
pub(crate) struct ObjectStore {
    objects: MemoryStorage,
    clock: Arc<SimulatedClock>,
    faults: Mutex<Faults>,
    /// Number of the newest checkpoint that ever was there, savepoints of jobs that went on apart.
    newest_manifest: AtomicU64,
    trace: Arc<Trace>,
}

struct Faults {
    random: StdRng,
    /// Of 1000 calls, how many fail.
    failing: u32,
    /// No call works before this time.
    down_until_ms: i64,
}

/// How a call goes.
enum Fate {
    Works,
    FailsBefore,
    FailsAfter,
}

impl ObjectStore {
    pub(crate) fn new(seed: u64, failing: u32, clock: &Arc<SimulatedClock>, trace: &Arc<Trace>) -> Arc<Self> {
        let faults = Faults { random: StdRng::seed_from_u64(seed), failing, down_until_ms: i64::MIN };
        let objects = MemoryStorage::new();
        Arc::new(Self {
            objects,
            clock: clock.clone(),
            faults: Mutex::new(faults),
            newest_manifest: AtomicU64::new(0),
            trace: trace.clone(),
        })
    }

    /// What is really there.
    pub(crate) fn objects(&self) -> &MemoryStorage {
        &self.objects
    }

    /// Number of the newest checkpoint that ever was there.
    pub(crate) fn newest_manifest(&self) -> u64 {
        self.newest_manifest.load(Ordering::Relaxed)
    }

    fn note_manifest(&self, path: &str, content: &[u8]) {
        if !path.starts_with("savepoints/")
            && path.ends_with(MANIFEST)
            && let Ok(manifest) = decode(path, content)
        {
            self.newest_manifest.fetch_max(manifest.checkpoint, Ordering::Relaxed);
        }
    }

    /// No call works for a while.
    pub(crate) fn go_down(&self, for_ms: i64) {
        lock(&self.faults).down_until_ms = self.clock.now_ms() + for_ms;
    }

    /// Every call works from now on.
    pub(crate) fn heal(&self) {
        let mut faults = lock(&self.faults);
        faults.failing = 0;
        faults.down_until_ms = i64::MIN;
    }

    fn fate(&self) -> Fate {
        let now_ms = self.clock.now_ms();
        let mut faults = lock(&self.faults);
        let failing = faults.failing;
        if now_ms < faults.down_until_ms {
            return Fate::FailsBefore;
        }
        match faults.random.random_range(0..1000) {
            drawn if drawn >= failing => Fate::Works,
            drawn if drawn % 2 == 0 => Fate::FailsBefore,
            _ => Fate::FailsAfter,
        }
    }
}

/// The store as a process sees it, below a prefix.
pub(crate) struct View {
    store: Arc<ObjectStore>,
    life: Arc<Life>,
    prefix: String,
}

impl View {
    pub(crate) fn new(store: &Arc<ObjectStore>, life: &Arc<Life>, uri: &str) -> Self {
        let path = uri.strip_prefix(ROOT).unwrap_or(uri).trim_matches('/').replace("://", "/");
        let prefix = if path.is_empty() { path } else { path + "/" };
        Self { store: store.clone(), life: life.clone(), prefix }
    }

    fn call<T>(&self, what: &str, path: &str, act: impl FnOnce(&MemoryStorage, &str) -> Result<T>) -> Result<T> {
        self.life.call()?;
        let path = format!("{}{path}", self.prefix);
        let fate = self.store.fate();
        let failure = || Error::retryable("storage-unavailable", format!("the simulated store failed: {what} {path}"));
        if let Fate::FailsBefore = fate {
            self.store.trace.line(|| format!("store: {what} {path} fails before"));
            return Err(failure());
        }
        let done = act(&self.store.objects, &path)?;
        let failed = matches!(fate, Fate::FailsAfter);
        self.store.trace.line(|| format!("store: {what} {path}{}", if failed { " fails after" } else { "" }));
        if failed { Err(failure()) } else { Ok(done) }
    }
}

impl Storage for View {
    fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        self.store.trace.bytes(content);
        self.call("put", path, |objects, path| objects.put(path, content))
    }

    fn put_if_absent(&self, path: &str, content: &[u8]) -> Result<bool> {
        self.store.trace.bytes(content);
        self.call("put-if-absent", path, |objects, path| {
            self.store.note_manifest(path, content);
            objects.put_if_absent(path, content)
        })
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.call("get", path, |objects, path| objects.get(path))
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>> {
        self.call("get-range", path, |objects, path| objects.get_range(path, range))
    }

    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        let below = |object: ObjectMeta| {
            let path = object.path.strip_prefix(&self.prefix).unwrap_or_default().to_owned();
            ObjectMeta { path, bytes: object.bytes }
        };
        let found = self.call("list", prefix, |objects, path| objects.list(path))?;
        Ok(found.into_iter().map(below).collect())
    }

    fn delete(&self, path: &str) -> Result<()> {
        self.call("delete", path, |objects, path| objects.delete(path))
    }
}

/// Opens views for one process.
pub(crate) struct Provider {
    pub(crate) store: Arc<ObjectStore>,
    pub(crate) life: Arc<Life>,
}

impl StorageProvider for Provider {
    fn open(&self, uri: &str, _config: &Configuration) -> Result<Arc<dyn Storage>> {
        Ok(Arc::new(View::new(&self.store, &self.life, uri)))
    }
}
