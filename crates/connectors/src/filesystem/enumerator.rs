//! Handing out file ranges.
//!
//! When there are at most as many files as readers, each file is taken for a stream of its own: a reader keeps to
//! one file and takes its ranges in order, and readers without a file help where most is left. Otherwise the
//! files are taken for one sequence, handed out in the order of their paths. Either way a reader sees ascending
//! positions, so event time does not run backwards under it.

use super::listing::{Found, Place};
use super::split::FileSplit;
use headwater_connector_api::{SplitAssignment, SplitEnumerator};
use headwater_env::Env;
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

/// Bytes of a range of a splittable file.
pub(super) const SPLIT_BYTES: u64 = 64 << 20;

/// Pause between two looks at a listing that is being made.
const LISTING_PAUSE_MS: u64 = 20;

/// A file with the position of its next range.
#[derive(Serialize, Deserialize)]
struct Pending {
    file: Found,
    next: u64,
    /// Whether the (possibly empty) file was handed out whole.
    taken: bool,
}

impl Pending {
    fn left(&self) -> u64 {
        if self.taken { 0 } else { (self.file.size - self.next).max(1) }
    }
}

/// How files are cut into ranges and looked for.
#[derive(Clone)]
pub(super) struct Listing {
    pub(super) place: Place,
    /// How often to look for new files; once without.
    pub(super) monitor: Option<Duration>,
    /// Whether a file may be read in ranges.
    pub(super) is_splittable: fn(&std::path::Path) -> bool,
    pub(super) splittable_format: bool,
}

/// What is kept of an enumerator in checkpoints.
#[derive(Serialize, Deserialize)]
struct State {
    files: Vec<Pending>,
    /// Whether files were listed at all.
    listed: bool,
    seen: Vec<PathBuf>,
}

pub(super) struct FileEnumerator {
    listing: Listing,
    env: Env,
    files: Vec<Pending>,
    /// Files at the front that are handed out.
    done: usize,
    /// Files are read once, whatever happens to them afterwards.
    seen: HashSet<PathBuf>,
    next_listing_ms: i64,
    /// A listing that another thread makes, of a store that may be slow.
    listing_now: Option<Receiver<Result<Vec<Found>>>>,
}

impl FileEnumerator {
    pub(super) fn new(listing: Listing, env: Env) -> Result<Self> {
        let mut enumerator = Self::empty(listing, env);
        enumerator.discover()?;
        Ok(enumerator)
    }

    fn empty(listing: Listing, env: Env) -> Self {
        Self { listing, env, files: vec![], done: 0, seen: HashSet::new(), next_listing_ms: 0, listing_now: None }
    }

    /// The enumerator as it was when `state` was taken.
    pub(super) fn restore(listing: Listing, env: Env, state: &[u8]) -> Result<Self> {
        let state: State = postcard::from_bytes(state).map_err(|e| {
            Error::new(ErrorKind::Corruption, "bad-split", format!("the stored list of files cannot be read: {e}"))
        })?;
        let mut enumerator = Self::empty(listing, env);
        enumerator.seen = state.seen.into_iter().collect();
        enumerator.files = state.files;
        if !state.listed {
            enumerator.discover()?;
        }
        Ok(enumerator)
    }

    fn discover(&mut self) -> Result<()> {
        let (place, may_be_absent) = (self.listing.place.clone(), self.listing.monitor.is_some());
        if !place.is_remote() {
            self.add(place.list(may_be_absent)?);
            return Ok(());
        }
        let (sender, receiver) = sync_channel(1);
        headwater_storage::background(move || drop(sender.send(place.list(may_be_absent))));
        self.listing_now = Some(receiver);
        Ok(())
    }

    /// Takes the listing that another thread has made; whether one is still being made.
    fn is_listing(&mut self) -> Result<bool> {
        let Some(listing) = &self.listing_now else { return Ok(false) };
        let found = match listing.try_recv() {
            Err(TryRecvError::Empty) => return Ok(true),
            Err(TryRecvError::Disconnected) => Err(Error::internal("the listing of a store ended early")),
            Ok(found) => found,
        };
        self.listing_now = None;
        self.add(found?);
        Ok(false)
    }

    fn add(&mut self, found: Vec<Found>) {
        self.files.retain(|f| f.left() > 0);
        self.done = 0;
        let new = found.into_iter().filter(|f| self.seen.insert(f.path.clone()));
        self.files.extend(new.map(|file| Pending { file, next: 0, taken: false }));
        if let Some(interval) = self.listing.monitor {
            self.next_listing_ms = self.env.now_ms() + interval.as_millis() as i64;
        }
    }

    /// The file whose next range this reader should take.
    fn choose(&self, subtask: u32, parallelism: u32) -> Option<usize> {
        let left = |i: &usize| self.files[*i].left() > 0;
        if self.files.len() > parallelism as usize {
            return (self.done..self.files.len()).find(left);
        }
        let own = (0..self.files.len()).filter(|i| *i as u32 == subtask).find(left);
        own.or_else(|| (0..self.files.len()).filter(left).max_by_key(|i| self.files[*i].left()))
    }

    fn take(&mut self, index: usize) -> FileSplit {
        let splittable = self.listing.splittable_format && (self.listing.is_splittable)(&self.files[index].file.path);
        let pending = &mut self.files[index];
        let file = pending.file.clone();
        let start = pending.next;
        // A short remainder joins the last range.
        let end = match splittable && file.size - start >= SPLIT_BYTES + SPLIT_BYTES / 4 {
            true => start + SPLIT_BYTES,
            false => file.size,
        };
        pending.next = end;
        pending.taken = end == file.size;
        while self.files.get(self.done).is_some_and(|f| f.left() == 0) {
            self.done += 1;
        }
        FileSplit { path: file.path, start, end, size: file.size, modified_ms: file.modified_ms, resume: None }
    }
}

impl SplitEnumerator for FileEnumerator {
    fn next_split(&mut self, subtask: u32, parallelism: u32) -> Result<SplitAssignment> {
        if self.is_listing()? {
            return Ok(SplitAssignment::Wait(LISTING_PAUSE_MS));
        }
        let chosen = match self.choose(subtask, parallelism) {
            None if self.listing.monitor.is_some() && self.env.now_ms() >= self.next_listing_ms => {
                self.discover()?;
                if self.listing_now.is_some() {
                    return Ok(SplitAssignment::Wait(LISTING_PAUSE_MS));
                }
                self.choose(subtask, parallelism)
            }
            chosen => chosen,
        };
        match chosen {
            Some(index) => Ok(SplitAssignment::Split(self.take(index).encode()?)),
            None if self.listing.monitor.is_some() => {
                Ok(SplitAssignment::Wait((self.next_listing_ms - self.env.now_ms()).max(1) as u64))
            }
            None => Ok(SplitAssignment::NoMoreSplits),
        }
    }

    fn snapshot(&mut self) -> Result<Vec<u8>> {
        self.files.retain(|f| f.left() > 0);
        self.done = 0;
        // Files are looked for again only where they are monitored.
        let seen = if self.listing.monitor.is_some() { self.seen.iter().cloned().collect() } else { vec![] };
        // A monitored place is listed again anyway.
        let listed = self.listing_now.is_none() || self.listing.monitor.is_some();
        let state = State { files: std::mem::take(&mut self.files), listed, seen };
        let bytes = postcard::to_allocvec(&state);
        self.files = state.files;
        bytes.map_err(|e| Error::user("bad-path", format!("a path is not UTF-8: {e}")))
    }
}
