//! Prints what table accesses cost: `cargo run --release -p headwater-state --example table_bench [keys] [disk]`.

#![allow(clippy::print_stdout, reason = "a report for people")]

use headwater_data::key_codec::EncodedKeys;
use headwater_env::Env;
use headwater_state::{
    Column, EngineOptions, MapTable, Snapshot, StateContext, TableDescriptor, ValueTable, memory::MemoryBudget,
};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::ops::{Bound, ControlFlow};

const VALUE_BYTES: usize = 24;

struct Bench {
    env: Env,
    keys: u64,
}

impl Bench {
    fn run(&self, name: &str, count: u64, mut access: impl FnMut(u64) -> Result<()>) -> Result<()> {
        let (start, start_cpu) = (self.env.clock().monotonic_ns(), thread_cpu_ns());
        (0..count).try_for_each(&mut access)?;
        let (ns, cpu) = (self.env.clock().monotonic_ns() - start, thread_cpu_ns() - start_cpu);
        println!("{name:<40} {:>8} ns {:>8} ns of this thread's CPU", ns / count.max(1), cpu / count.max(1));
        Ok(())
    }

    /// A key in an order that no cache likes.
    fn key(&self, i: u64) -> [u8; 9] {
        let mut key = [1; 9];
        key[1..].copy_from_slice(&(i.wrapping_mul(0x9E37_79B9_7F4A_7C15) % self.keys).to_be_bytes());
        key
    }
}

/// CPU time of this thread; 0 where the system does not tell.
fn thread_cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let keys = arguments.first().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let bench = Bench { env: Env::real(), keys };
    let memory = MemoryBudget::unlimited();
    let mut context = StateContext { memory: memory.clone(), ..StateContext::empty(bench.env.clone(), 128) };
    if arguments.get(1).is_some_and(|engine| engine == "disk") {
        let directory = std::env::temp_dir().join(format!("headwater-table-bench-{}", std::process::id()));
        context.engine = EngineOptions::disk(directory, 64 << 20, 16 << 20);
    }
    let column = |name: &str| vec![Column::new(name, LogicalType::from(TypeRoot::BigInt))];
    let values = context.value_table(TableDescriptor::value("values", column("k"), column("v")))?;
    values_bench(&bench, values)?;
    let maps = context.map_table(TableDescriptor::map("maps", column("k"), column("m"), column("v")))?;
    maps_bench(&bench, maps)
}

fn values_bench(bench: &Bench, mut table: ValueTable) -> Result<()> {
    let n = bench.keys;
    println!("values, {n} keys");
    bench.run("put new", n, |i| table.put(&bench.key(i), &[i as u8; VALUE_BYTES]))?;
    println!("{:<40} {:>8} bytes", "memory of an entry", table.memory_bytes() as u64 / n);
    bench.run("snapshot of all, an entry", 1, |_| snapshot(&mut table, n))?;
    bench.run("get", n, |i| table.get(&bench.key(i)).map(drop))?;
    bench.run("get and overwrite", n, |i| {
        let key = bench.key(i);
        let count = table.get(&key)?.map_or(0, |value| value[0]);
        table.put(&key, &[count.wrapping_add(1); VALUE_BYTES])
    })?;
    let start = bench.env.clock().monotonic_ns();
    let mut changes = Snapshot::new();
    table.snapshot(&mut changes);
    let took = bench.env.clock().monotonic_ns() - start;
    println!("{:<40} {:>8} ns", "snapshot, a changed entry", took / n);
    let start = bench.env.clock().monotonic_ns();
    let bytes: usize = changes.tables.into_iter().map(|t| t.into_run().map(|run| run.len())).sum::<Result<usize>>()?;
    let took = bench.env.clock().monotonic_ns() - start;
    println!("{:<40} {:>8} ns, {} bytes", "sort and encode, an entry", took / n, bytes as u64 / n);
    bench.run("delete", n, |i| table.delete(&bench.key(i)))
}

fn snapshot(table: &mut ValueTable, entries: u64) -> Result<()> {
    let mut changes = Snapshot::new();
    table.snapshot(&mut changes);
    assert!(changes.tables[0].len() as u64 >= entries / 2, "most entries changed");
    Ok(())
}

fn maps_bench(bench: &Bench, mut table: MapTable) -> Result<()> {
    let n = bench.keys;
    for per_key in [1u64, 8, 1000] {
        let keys = (n / per_key).max(1);
        let place = |i: u64| {
            let mixed = i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 8;
            ((mixed % keys).to_be_bytes(), (mixed / keys % per_key).to_be_bytes())
        };
        println!("maps, {keys} keys of up to {per_key} entries");
        bench.run("put", n, |i| {
            let (key, map_key) = place(i);
            table.put(&key, &map_key, &[i as u8; VALUE_BYTES])
        })?;
        bench.run("get", n, |i| {
            let (key, map_key) = place(i);
            table.get(&key, &map_key).map(drop)
        })?;
        bench.run("first entry", n, |i| {
            let all = (Bound::Unbounded, Bound::Unbounded);
            table.scan(&place(i).0, all, false, &mut |_, _| ControlFlow::Break(()))
        })?;
        bench.run("scan, a key", keys.min(100_000), |i| table.scan_all(&place(i).0, &mut |_, _| {}))?;
        table.snapshot(&mut Snapshot::new());
        bench.run("delete", n, |i| {
            let (key, map_key) = place(i);
            table.delete(&key, &map_key)
        })?;
        table.prefetch(&EncodedKeys::new())?;
    }
    Ok(())
}
