//! Fills gigabytes of keyed state on the disk engine with a checkpoint every few seconds, or restores them.
//! `cargo xtask bench state` runs both, each in a process of its own:
//!
//! ```text
//! state_load fill <directory> <gb> <budget mb> <interval s>
//! state_load restore <directory> <budget mb>
//! ```
//!
//! A checkpoint is what it is in a task: the table's changes are taken between two batches, and encoded into a run
//! in the storage directory by another thread. One is written at a time; when the next is due before, it is late.

#![allow(clippy::print_stdout, reason = "a report for people")]

mod storage;
mod work;

use headwater_types::{Error, Result};
use std::path::PathBuf;

/// As in the `headwater` binary.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |position: usize| -> Result<u64> {
        let text = arguments.get(position).map_or("", String::as_str);
        text.parse().map_err(|_| usage(&format!("expected a number, found '{text}'")))
    };
    let directory = PathBuf::from(arguments.get(1).ok_or_else(|| usage("no directory"))?);
    match arguments[0].as_str() {
        "fill" => work::fill(&directory, number(2)? << 30, number(3)? << 20, number(4)?)?,
        "restore" => work::restore(&directory, number(2)? << 20)?,
        other => return Err(usage(&format!("'{other}' is neither 'fill' nor 'restore'"))),
    }
    println!("{:<42} {:>10} MiB", "peak resident memory", peak_memory_mb());
    Ok(())
}

fn usage(problem: &str) -> Error {
    let usage = "state_load fill <directory> <gb> <budget mb> <interval s> | restore <directory> <budget mb>";
    Error::user("bench-usage", format!("{problem}; usage: {usage}"))
}

/// Peak resident memory of this process; 0 where the system does not tell.
fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
