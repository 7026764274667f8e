//! Two processes that exchange Arrow batches, or plain bytes, over loopback. `cargo xtask bench exchange` runs them,
//! each on a core of its own:
//!
//! ```text
//! exchange_load consume <channels> <stalled>
//! exchange_load produce <address> <channels> <stalled> <rows> <mib> <mib a second; 0 for all it can>
//! exchange_load plain-receive <rows>
//! exchange_load plain-send <address> <rows> <mib>
//! ```
//!
//! A process prints where it listens, if it does, and at its end its figures, `key=value` behind each other. A
//! producer sends on its channels in turn, what a task does whose rows go round; behind them stand `stalled` channels
//! on the same connection, which it fills first and which nobody reads. The plain side copies buffers of the size that
//! a batch has, without frames, checksums, credit or rows.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints its results")]
#![allow(clippy::disallowed_methods, reason = "a measurement reads the real clock and waits for it")]

mod consume;
mod figures;
mod plain;
mod produce;
mod rows;

use headwater_transport::{ChannelEnd, ChannelEvents, ChannelId};
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// As in the `headwater` binary.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Bytes that a gate holds per channel, as by default in a TaskManager.
const CHANNEL_BYTES: usize = 1 << 20;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let text = |position: usize| arguments.get(position).map_or("", String::as_str);
    let number = |position: usize| -> Result<u64> {
        text(position).parse().map_err(|_| usage(&format!("expected a number, found '{}'", text(position))))
    };
    match text(0) {
        "consume" => consume::run(number(1)? as u32, number(2)? as u32),
        "produce" => produce::run(&produce::Load {
            address: text(1).to_owned(),
            channels: number(2)? as u32,
            stalled: number(3)? as u32,
            rows: number(4)? as usize,
            bytes: number(5)? << 20,
            bytes_per_second: number(6)? << 20,
        }),
        "plain-receive" => plain::receive(number(1)? as usize),
        "plain-send" => plain::send(text(1), number(2)? as usize, number(3)? << 20),
        other => Err(usage(&format!("'{other}' is none of its parts"))),
    }
}

fn usage(problem: &str) -> Error {
    Error::user("bench-usage", format!("{problem}; the usage stands at the top of the program"))
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn channel(index: u32) -> ChannelId {
    ChannelId { job: JobId(1), attempt: 0, edge: 0, producer: index, consumer: 0 }
}

/// The I/O threads of a process: as many as it has cores.
fn runtime() -> Result<tokio::runtime::Runtime> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(cores).enable_all().build();
    built.map_err(|e| Error::internal("no I/O threads").with_source(e))
}

/// A channel that breaks before the end spoils the measurement.
#[derive(Default)]
struct Fatal {
    /// Everything was measured.
    is_over: AtomicBool,
}

impl ChannelEvents for Fatal {
    fn broken(&self, channel: ChannelId, end: ChannelEnd, error: &Error) {
        if self.is_over.load(Ordering::Acquire) {
            return;
        }
        eprintln!("the {end:?}'s end of {channel} broke: {error}");
        std::process::exit(1);
    }
}

/// Wakes this thread.
fn waker() -> headwater_exchange::Waker {
    let thread = std::thread::current();
    Arc::new(move || thread.unpark())
}
