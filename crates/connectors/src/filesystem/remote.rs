//! Splits of files that are slow to read: decoded on a thread of their own, so that no lane waits for a store.
//!
//! The thread stays at most two batches ahead. What it has read and the reader has not taken is read again after a
//! restore.

use super::bad_records::{OnBad, Position};
use super::records::SplitRecords;
use super::split::FileSplit;
use headwater_formats::{BadRecord, Decoded};
use headwater_types::{Error, Result};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

/// Batches that wait to be taken.
const BATCHES_AHEAD: usize = 2;

/// A bad record with its own bytes.
struct OwnedBad {
    raw: Vec<u8>,
    position: usize,
    reason: String,
    ignored: bool,
    path: PathBuf,
    line: u64,
    offset: u64,
}

/// What one step of the thread gave.
struct Step {
    rows: Option<Decoded>,
    bad: Vec<OwnedBad>,
    bytes: u64,
    /// What is left of the split behind it.
    remaining: Option<FileSplit>,
}

/// Makes the records that the thread reads.
pub(super) type MakeRecords = Arc<dyn Fn() -> Result<Box<dyn SplitRecords>> + Send + Sync>;

/// Records that another thread decodes.
pub(super) struct RemoteRecords {
    make: MakeRecords,
    waker: Arc<dyn Fn() + Send + Sync>,
    batch_rows: usize,
    open: Option<(FileSplit, Receiver<Result<Step>>)>,
    waiting: bool,
}

impl RemoteRecords {
    pub(super) fn new(make: MakeRecords, batch_rows: usize, waker: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { make, waker, batch_rows, open: None, waiting: false }
    }
}

impl SplitRecords for RemoteRecords {
    fn open(&mut self, split: FileSplit) -> Result<()> {
        let (sender, receiver) = sync_channel(BATCHES_AHEAD);
        let thread = Thread { sender, waker: self.waker.clone(), batch_rows: self.batch_rows };
        let (make, first) = (self.make.clone(), split.clone());
        headwater_storage::background(move || thread.run(&make, first));
        self.open = Some((split, receiver));
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.open.is_some()
    }

    fn is_waiting(&self) -> bool {
        self.waiting
    }

    fn next(&mut self, _rows_max: usize, bad: OnBad<'_>, on_bytes: &dyn Fn(u64)) -> Result<Option<Decoded>> {
        self.waiting = false;
        let Some((split, receiver)) = &mut self.open else { return Ok(None) };
        let step = match receiver.try_recv() {
            Ok(step) => step?,
            Err(TryRecvError::Empty) => {
                self.waiting = true;
                return Ok(None);
            }
            Err(TryRecvError::Disconnected) => {
                return Err(Error::internal(format!("the reader of '{}' ended early", split.path.display())));
            }
        };
        on_bytes(step.bytes);
        for OwnedBad { raw, position, reason, ignored, path, line, offset } in step.bad {
            let record = BadRecord { raw: &raw, start: 0, line: 0, position, reason, ignored };
            bad(&record, Position { path: &path, line, offset })?;
        }
        match step.remaining {
            Some(remaining) => *split = remaining,
            None => self.open = None,
        }
        Ok(step.rows)
    }

    fn remaining(&self) -> Option<FileSplit> {
        self.open.as_ref().map(|(split, _)| split.clone())
    }
}

/// The other side.
struct Thread {
    sender: SyncSender<Result<Step>>,
    waker: Arc<dyn Fn() + Send + Sync>,
    batch_rows: usize,
}

impl Thread {
    /// Reads the split until its end, an error, or until nobody takes what it sends.
    fn run(&self, make: &MakeRecords, split: FileSplit) {
        let opened = make().and_then(|mut records| records.open(split).map(|()| records));
        match opened {
            Ok(mut records) => while records.is_open() && self.send(self.step(records.as_mut())) {},
            Err(error) => drop(self.send(Err(error))),
        }
    }

    fn step(&self, records: &mut dyn SplitRecords) -> Result<Step> {
        let (mut bad, bytes) = (vec![], std::cell::Cell::new(0));
        let mut keep = |record: &BadRecord<'_>, position: Position<'_>| {
            bad.push(OwnedBad {
                raw: record.raw.to_vec(),
                position: record.position,
                reason: record.reason.clone(),
                ignored: record.ignored,
                path: position.path.to_path_buf(),
                line: position.line,
                offset: position.offset,
            });
            Ok(())
        };
        let rows = records.next(self.batch_rows, &mut keep, &|read| bytes.set(bytes.get() + read))?;
        Ok(Step { rows, bad, bytes: bytes.get(), remaining: records.remaining() })
    }

    /// Whether to go on.
    fn send(&self, step: Result<Step>) -> bool {
        let failed = step.is_err();
        let sent = self.sender.send(step).is_ok();
        (self.waker)();
        sent && !failed
    }
}
