//! Moves changes from an overlay to the tree, off the lane.
//!
//! ```text
//! overlay ── a few entries at each look ──> collected ── full ──> in flight ── sorted, written ──> tree
//! ```
//!
//! The lane only copies entries; another thread sorts them and writes them as sorted files. One batch is in flight
//! at a time. Invariant: the overlay keeps what the tree does not hold ([`Overlay::depart`], [`Overlay::land`]),
//! so reads need not know of batches. A lane waits only when the disk has fallen two write buffers behind.

use super::store::TableWriter;
use super::table::Table;
use headwater_data::run::{Entries, EntryRef};
use headwater_env::Env;
use headwater_types::Result;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Entries collected at one look.
const COLLECT_ENTRIES: usize = 128;
/// Entries marked as written at one look.
const LAND_ENTRIES: usize = 512;
/// The part of the write buffer that a batch is: one is collected, one is being written, more waits in the overlay.
const BATCH_SHARE: u64 = 5;
/// Size of a batch: least and most.
const BATCH_BYTES: Range<u64> = 4 << 10..32 << 20;

/// Entries in memory in front of the tree.
pub(crate) trait Overlay {
    /// Number of entries the tree has not seen; some may count twice.
    fn unflushed(&self) -> usize;
    /// Number of entries.
    fn count(&self) -> usize;
    /// Memory of a changed entry with its key, bytes.
    fn change_bytes(&self) -> usize;
    /// Memory of an entry, bytes.
    fn average_bytes(&self) -> usize;
    /// Takes the oldest entry that the tree has not seen into the batch that is collected.
    fn take_unflushed(&mut self) -> Option<EntryRef<'_>>;
    /// The collected batch is being written.
    fn depart(&mut self);
    /// The batch is written: notes it for at most `limit` entries; whether that were all.
    fn land(&mut self, limit: usize) -> bool;
}

/// The part of a batch that is worth a file when memory is short.
const HURRY_SHARE: u64 = 4;

/// The way from an overlay to a table of the tree.
pub(crate) struct Flusher {
    writer: TableWriter,
    env: Env,
    batch_bytes: u64,
    collected: Entries,
    collected_bytes: u64,
    in_flight: Option<Arc<Batch>>,
    in_flight_bytes: u64,
    /// The last batch is written, and the overlay does not know of all its entries yet.
    landing: bool,
}

impl Flusher {
    pub fn new(table: &Table, env: &Env) -> Self {
        Self {
            writer: table.writer(),
            env: env.clone(),
            batch_bytes: (table.store.write_buffer_bytes() / BATCH_SHARE).clamp(BATCH_BYTES.start, BATCH_BYTES.end),
            collected: Entries::new(),
            collected_bytes: 0,
            in_flight: None,
            in_flight_bytes: 0,
            landing: false,
        }
    }

    /// Memory of batches, bytes.
    pub fn bytes(&self) -> usize {
        (self.collected_bytes + self.in_flight_bytes) as usize
    }

    /// Does a little of what is to be done. `hurry` is for when memory is short: small batches go as well.
    pub fn step(&mut self, overlay: &mut impl Overlay, hurry: bool) -> Result<()> {
        if self.in_flight.as_ref().is_some_and(|batch| batch.is_done()) {
            self.wait()?;
        }
        self.land(overlay, LAND_ENTRIES);
        let waiting = (overlay.unflushed() * overlay.average_bytes()) as u64;
        let full = self.collected_bytes >= self.batch_bytes;
        // While little waits, memory is short because of what is cached, which can be evicted.
        let hurry = hurry && waiting + self.collected_bytes > self.batch_bytes / HURRY_SHARE;
        if !full && (hurry || waiting > self.batch_bytes) {
            self.collect(overlay, COLLECT_ENTRIES);
        }
        if full && waiting > 3 * self.batch_bytes {
            self.wait()?;
            self.land(overlay, usize::MAX);
        }
        // Without entries in sight that could fill the batch, a small one must do.
        let small = hurry && overlay.unflushed() == 0 && !self.collected.is_empty();
        if (full || small) && self.in_flight.is_none() && !self.landing {
            self.depart(overlay);
        }
        Ok(())
    }

    /// Writes everything, and waits for it.
    pub fn finish(&mut self, overlay: &mut impl Overlay) -> Result<()> {
        self.collect(overlay, usize::MAX);
        self.wait()?;
        self.land(overlay, usize::MAX);
        self.depart(overlay);
        self.wait()?;
        self.land(overlay, usize::MAX);
        Ok(())
    }

    fn collect(&mut self, overlay: &mut impl Overlay, limit: usize) {
        if self.collected.is_empty() {
            // As it will become, and not twice that: what is not used is not in memory.
            let waiting = overlay.unflushed() * overlay.average_bytes();
            self.collected.reserve(0, waiting.min(self.batch_bytes as usize));
        }
        for _ in 0..limit {
            let Some(entry) = overlay.take_unflushed() else { break };
            self.collected.push(entry);
        }
        self.collected_bytes = self.collected.bytes() as u64;
    }

    fn depart(&mut self, overlay: &mut impl Overlay) {
        let collected = std::mem::take(&mut self.collected);
        self.in_flight_bytes = collected.sorting_bytes() as u64;
        self.collected_bytes = 0;
        let state = State::Waiting(collected, self.writer.clone());
        let batch = Arc::new(Batch { state: Mutex::new(state), done: AtomicBool::new(false) });
        overlay.depart();
        self.in_flight = Some(batch.clone());
        self.env.spawn_blocking("state-flush", move || batch.write());
    }

    fn wait(&mut self) -> Result<()> {
        let Some(batch) = self.in_flight.take() else { return Ok(()) };
        self.in_flight_bytes = 0;
        self.landing = true;
        batch.write();
        batch.take_result()
    }

    fn land(&mut self, overlay: &mut impl Overlay, limit: usize) {
        self.landing = self.landing && !overlay.land(limit);
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        // Nothing may be written to the directory once its owner is gone.
        if let Some(batch) = self.in_flight.take() {
            batch.cancel();
        }
    }
}

/// A batch on its way. Who first wants it written writes it; others wait for that.
struct Batch {
    state: Mutex<State>,
    done: AtomicBool,
}

enum State {
    Waiting(Entries, TableWriter),
    Done(Result<()>),
}

impl Batch {
    fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    fn write(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Waiting(entries, writer) = &mut *state {
            let result = writer.write(std::mem::take(entries));
            // Drops the writer: who saw the batch done may remove the directory.
            *state = State::Done(result);
        }
        self.done.store(true, Ordering::Release);
    }

    fn take_result(&self) -> Result<()> {
        match &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Done(result) => std::mem::replace(result, Ok(())),
            State::Waiting(..) => Ok(()),
        }
    }

    fn cancel(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::Done(Ok(()));
    }
}
