//! What the two processes do.

use crate::storage::{self, Runs};
use headwater_data::key_codec::EncodedKeys;
use headwater_env::Env;
use headwater_state::memory::MemoryBudget;
use headwater_state::{Column, EngineOptions, Snapshot, StateContext, TableDescriptor, ValueTable};
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

const KEY_BYTES: usize = 9;
const VALUE_BYTES: usize = 200;
/// Keys of a batch of rows.
const BATCH_KEYS: u64 = 1024;
/// One in so many accesses goes to a key that is there, anywhere.
const UPDATE_SHARE: u64 = 4;
/// Part of the budget for the engine's cache; the rest is for the tree and for changes that are encoded.
const CACHE_SHARE: u64 = 3;
/// Part of the cache for changes that are not on disk yet.
const WRITE_BUFFER_SHARE: u64 = 8;
/// Reads after a restore.
const READS: u64 = 100_000;

/// Fills state, with checkpoints.
pub fn fill(directory: &Path, state_bytes: u64, budget_bytes: u64, interval_s: u64) -> Result<()> {
    let runs = directory.join("runs");
    std::fs::create_dir_all(&runs).map_err(|e| Error::internal(e.to_string()))?;
    let env = Env::real();
    let context = context(&env, directory, budget_bytes);
    let mut table = context.value_table(descriptor())?;
    let keys = state_bytes / (KEY_BYTES + VALUE_BYTES) as u64;
    let start = env.clock().monotonic_ns();
    let mut checkpoints = Checkpoints { env: env.clone(), taken: vec![], late: 0, written: Arc::default() };
    let (mut next, mut accesses, mut due) = (0, 0, start + interval_s * 1_000_000_000);
    let mut longest_batch_ns = 0;
    while next < keys {
        let before = env.clock().monotonic_ns();
        accesses += batch(&env, &mut table, &mut next)?;
        let now = env.clock().monotonic_ns();
        longest_batch_ns = longest_batch_ns.max(now - before);
        if now >= due {
            due = now + interval_s * 1_000_000_000;
            checkpoints.take(&mut table, &runs);
        }
    }
    let filled_ns = env.clock().monotonic_ns() - start;
    checkpoints.wait();
    checkpoints.take(&mut table, &runs);
    checkpoints.wait();
    println!("{:<42} {:>10}", "keys", keys);
    println!("{:<42} {:>10}", "read-modify-writes", accesses);
    println!("{:<42} {:>10.1} s", "time", filled_ns as f64 / 1e9);
    println!("{:<42} {:>10.0} /s", "throughput", accesses as f64 / (filled_ns as f64 / 1e9));
    println!("{:<42} {:>10.1} ms", format!("longest batch of {BATCH_KEYS}"), longest_batch_ns as f64 / 1e6);
    checkpoints.report()
}

/// Reads, changes and writes the values of a batch of keys: new ones, and some that are there.
fn batch(env: &Env, table: &mut ValueTable, next: &mut u64) -> Result<u64> {
    let (mut keys, mut numbers) = (EncodedKeys::new(), vec![]);
    for i in 0..BATCH_KEYS {
        let number = match *next > 0 && i % UPDATE_SHARE == 0 {
            true => env.random_u64() % *next,
            false => {
                *next += 1;
                *next - 1
            }
        };
        keys.push(&key(number));
        numbers.push(number);
    }
    table.prefetch(&keys)?;
    let mut value = [0; VALUE_BYTES];
    for (key, number) in keys.iter().zip(&numbers) {
        let count = table.get(key)?.and_then(|value| value[8..].first_chunk().copied()).map_or(0, u64::from_le_bytes);
        fill_value(&mut value, *number, count + 1);
        table.put(key, &value)?;
    }
    Ok(BATCH_KEYS)
}

/// Number, count, and text that compresses to about half.
fn fill_value(value: &mut [u8; VALUE_BYTES], number: u64, count: u64) {
    value[..8].copy_from_slice(&number.to_le_bytes());
    value[8..16].copy_from_slice(&count.to_le_bytes());
    let mut mixed = number;
    for chunk in value[16..].chunks_mut(16) {
        mixed = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(17);
        let length = chunk.len().min(8);
        chunk[..length].copy_from_slice(&mixed.to_le_bytes()[..length]);
    }
}

/// Keys in an order that no cache likes: a bijection of the numbers.
fn key(number: u64) -> [u8; KEY_BYTES] {
    let mut key = [1; KEY_BYTES];
    key[1..].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
    key
}

fn descriptor() -> TableDescriptor {
    let column = |name: &str, root| vec![Column::new(name, LogicalType::from(root))];
    TableDescriptor::value("values", column("k", TypeRoot::BigInt), column("v", TypeRoot::BigInt))
}

fn context(env: &Env, directory: &Path, budget_bytes: u64) -> StateContext {
    let cache_bytes = budget_bytes / CACHE_SHARE;
    let engine = EngineOptions::disk(directory.join("tree"), cache_bytes, cache_bytes / WRITE_BUFFER_SHARE);
    StateContext { engine, memory: MemoryBudget::new(budget_bytes), ..StateContext::empty(env.clone(), 128) }
}

/// Checkpoints taken, and what they cost.
struct Checkpoints {
    env: Env,
    /// Time on the lane, ns.
    taken: Vec<u64>,
    late: u64,
    written: Arc<Mutex<Written>>,
}

#[derive(Default)]
struct Written {
    running: bool,
    failed: Option<Error>,
    /// From the barrier to the end of the file, ns.
    took: Vec<u64>,
    bytes: u64,
}

impl Checkpoints {
    fn take(&mut self, table: &mut ValueTable, runs: &Path) {
        if std::mem::replace(&mut self.lock().running, true) {
            self.late += 1;
            return;
        }
        let start = self.env.clock().monotonic_ns();
        let mut snapshot = Snapshot::new();
        table.snapshot(&mut snapshot);
        self.taken.push(self.env.clock().monotonic_ns() - start);
        let path = runs.join(format!("{:06}.run", self.taken.len()));
        let (written, env) = (self.written.clone(), self.env.clone());
        self.env.spawn_blocking("checkpoint", move || {
            let bytes = snapshot.tables.into_iter().map(|delta| storage::write(&path, delta)).sum::<Result<u64>>();
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            written.running = false;
            written.took.push(env.clock().monotonic_ns() - start);
            match bytes {
                Ok(bytes) => written.bytes += bytes,
                Err(e) => written.failed = Some(e),
            }
        });
    }

    /// Waits for the one that is being written. Only at the end, when nothing else is to be done.
    fn wait(&self) {
        while self.lock().running {
            std::thread::yield_now();
        }
    }

    fn report(&self) -> Result<()> {
        let mut written = self.lock();
        if let Some(e) = written.failed.take() {
            return Err(e);
        }
        println!("{:<42} {:>10} ({} late)", "checkpoints", self.taken.len(), self.late);
        println!("{:<42} {:>10} MiB", "written by checkpoints", written.bytes >> 20);
        percentiles("on the lane, snapshot", &self.taken);
        percentiles("from barrier to stored run", &written.took);
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn percentiles(name: &str, ns: &[u64]) {
    let mut sorted = ns.to_vec();
    sorted.sort_unstable();
    for (percent, label) in [(50, "p50"), (99, "p99"), (100, "max")] {
        let position = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        let ms = sorted.get(position).map_or(f64::NAN, |ns| *ns as f64 / 1e6);
        println!("{:<42} {ms:>10.1} ms", format!("{name}, {label}"));
    }
}

/// Restores what was filled, and reads some of it.
pub fn restore(directory: &Path, budget_bytes: u64) -> Result<()> {
    let env = Env::real();
    let start = env.clock().monotonic_ns();
    let since = |start: u64| (env.clock().monotonic_ns() - start) as f64 / 1e9;
    let runs = Runs::new(&directory.join("runs"));
    println!("{:<42} {:>10}", "runs", runs.paths()?.len());
    let context = StateContext { restored: Arc::new(runs), ..context(&env, directory, budget_bytes) };
    let mut table = context.value_table(descriptor())?;
    println!("{:<42} {:>10.1} s", "restored after", since(start));
    let mut found = 0;
    for number in 0..READS {
        if let Some(value) = table.get(&key(number))? {
            found += 1;
            check(number, value)?;
        }
        if number == 0 {
            println!("{:<42} {:>10.1} s", "first read after", since(start));
        }
    }
    println!("{:<42} {:>10.1} s ({found} found)", format!("last of {READS} reads after"), since(start));
    Ok(())
}

fn check(number: u64, value: &[u8]) -> Result<()> {
    match value.first_chunk().map(|bytes| u64::from_le_bytes(*bytes)) == Some(number) {
        true => Ok(()),
        false => Err(Error::internal(format!("key {number} came back with the value of another"))),
    }
}
