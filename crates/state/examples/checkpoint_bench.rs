//! Prints what checkpoints of a table in memory cost: `cargo run --release -p headwater-state --example
//! checkpoint_bench [directory] [keys] [sorted]`.
//!
//! Tables are filled, then some of their keys change in each of a few epochs. Bytes must follow the keys that
//! changed, not those there are. Costs are CPU time an entry: of the change itself, of taking it on the lane, of
//! encoding it, and of encoding and writing it to a file of the directory. With `sorted` changes are encoded as sorted
//! runs, to compare.

#![allow(clippy::print_stdout, reason = "a report for people")]

use headwater_data::run::WritePart;
use headwater_env::Env;
use headwater_state::{Column, MapTable, Snapshot, StateContext, TableDescriptor, ValueTable, memory::MemoryBudget};
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// As in the `headwater` binary.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const VALUE_BYTES: usize = 24;
const EPOCHS: u64 = 5;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let directory = arguments.first().map_or_else(std::env::temp_dir, PathBuf::from);
    let keys = arguments.get(1).and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    println!(
        "| table | keys | changed an epoch | bytes | bytes a change | change ns | take ns | encode ns | write ns |\n\
         |---|---|---|---|---|---|---|---|---|"
    );
    for percent in [1, 10, 100] {
        let mut values = Values(context()?.value_table(TableDescriptor::value("v", column("k"), column("v")))?);
        measure(&mut values, &directory, keys, keys * percent / 100, false)?;
    }
    for percent in [1, 10, 100] {
        let descriptor = TableDescriptor::map("m", column("k"), column("m"), column("v"));
        let mut maps = Maps { table: context()?.map_table(descriptor)?, keys: keys / 100 };
        measure(&mut maps, &directory, keys, keys * percent / 100, false)?;
    }
    let descriptor = TableDescriptor::map("m", column("k"), column("m"), column("v"));
    let mut maps = Maps { table: context()?.map_table(descriptor)?, keys: keys / 20 };
    measure(&mut maps, &directory, keys, keys / 2, true)
}

fn context() -> Result<StateContext> {
    let memory = MemoryBudget::unlimited();
    Ok(StateContext { memory, ..StateContext::empty(Env::real(), 128) })
}

fn column(name: &str) -> Vec<Column> {
    vec![Column::new(name, LogicalType::from(TypeRoot::BigInt))]
}

/// A table with numbered entries.
trait Table {
    fn name(&self) -> &'static str;
    fn put(&mut self, entry: u64, value: &[u8]) -> Result<()>;
    fn snapshot(&mut self, snapshot: &mut Snapshot);
}

struct Values(ValueTable);

impl Table for Values {
    fn name(&self) -> &'static str {
        "values"
    }

    fn put(&mut self, entry: u64, value: &[u8]) -> Result<()> {
        self.0.put(&key(entry), value)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.0.snapshot(snapshot);
    }
}

/// A map of a few entries a key.
struct Maps {
    table: MapTable,
    keys: u64,
}

impl Table for Maps {
    fn name(&self) -> &'static str {
        "maps"
    }

    fn put(&mut self, entry: u64, value: &[u8]) -> Result<()> {
        self.table.put(&key(entry % self.keys), &key(entry / self.keys), value)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.table.snapshot(snapshot);
    }
}

/// A key as the key codec writes it.
fn key(number: u64) -> [u8; 9] {
    let mut key = [1; 9];
    key[1..].copy_from_slice(&number.to_be_bytes());
    key
}

/// CPU time of this thread; 0 where the system does not tell.
fn thread_cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

/// CPU time that a piece of work takes.
fn timed<T>(ns: &mut u64, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let start = thread_cpu_ns();
    let done = work()?;
    *ns += thread_cpu_ns() - start;
    Ok(done)
}

/// Fills a table and changes `changed` entries in each epoch: some of those there are, or new ones.
fn measure(table: &mut dyn Table, directory: &Path, keys: u64, changed: u64, append: bool) -> Result<()> {
    (0..keys).try_for_each(|entry| table.put(entry, &[1; VALUE_BYTES]))?;
    table.snapshot(&mut Snapshot::new());
    let sorted = std::env::args().nth(3).is_some_and(|argument| argument == "sorted");
    let (mut change, mut take, mut encode, mut write, mut bytes) = (0, 0, 0, 0, 0);
    for epoch in 0..EPOCHS {
        timed(&mut change, || {
            (0..changed).try_for_each(|n| {
                let scattered = (n + epoch * changed).wrapping_mul(0x9E37_79B1) % keys;
                let entry = if append { keys + epoch * changed + n } else { scattered };
                table.put(entry, &[epoch as u8 + 2; VALUE_BYTES])
            })
        })?;
        let mut snapshot = Snapshot::new();
        timed(&mut take, || {
            table.snapshot(&mut snapshot);
            Ok(())
        })?;
        let mut delta = snapshot.tables.pop().ok_or_else(|| Error::internal("a table has a delta"))?;
        if sorted {
            let run = timed(&mut encode, || delta.into_sorted_run())?;
            timed(&mut write, || store(directory, &mut |out| out(&run)))?;
            bytes += run.len() as u64;
        } else {
            let mut count = |part: &[u8]| {
                bytes += part.len() as u64;
                Ok(())
            };
            timed(&mut encode, || delta.write_run(&mut count))?;
            timed(&mut write, || store(directory, &mut |out| delta.write_run(out)))?;
        }
    }
    let changes = EPOCHS * changed;
    let [change, take, encode, write] = [change, take, encode, write].map(|ns| ns / changes.max(1));
    println!(
        "| {}{} | {keys} | {changed} | {} | {:.1} | {change} | {take} | {encode} | {write} |",
        table.name(),
        if append { ", new entries" } else { "" },
        bytes / EPOCHS,
        bytes as f64 / changes as f64,
    );
    Ok(())
}

fn store(directory: &Path, write: &mut dyn FnMut(WritePart<'_>) -> Result<()>) -> Result<()> {
    let path = directory.join(format!("headwater-checkpoint-bench-{}", std::process::id()));
    let failed = |e: std::io::Error| Error::internal(format!("'{}': {e}", path.display()));
    let mut file = File::create(&path).map_err(failed)?;
    write(&mut |part| file.write_all(part).map_err(failed))?;
    file.sync_all().map_err(failed)?;
    std::fs::remove_file(&path).map_err(failed)
}
