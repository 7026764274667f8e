//! An object that grows: its bytes leave in parts while it is written, and nothing is visible before the commit.
//!
//! Parts are uploaded by threads that may wait; the writer asks how many are on their way and waits for them before a
//! barrier. The bytes behind the last part stay with the writer: they go into the checkpoint, and the committer
//! uploads them. An object that is smaller than a part never meets the store before its commit.

use headwater_storage::{Bucket, background};
use headwater_types::{Error, Result};
use serde::{Deserialize, Serialize};
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a part.
pub(super) const PART_BYTES: usize = 8 << 20;
/// Parts of an object at most: stores take ten thousand.
pub(super) const PARTS_MAX: u64 = 9_000;

/// What there is of an object before it is visible.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parts {
    /// The upload that the parts belong to; none where there are no parts.
    pub(super) upload: Option<String>,
    /// What the store calls them.
    pub(super) names: Vec<String>,
    /// Bytes in them.
    pub(super) bytes: u64,
    /// The bytes behind them.
    pub(super) tail: Vec<u8>,
}

/// The side of an object that the store knows.
pub(super) struct Shared {
    bucket: Arc<Bucket>,
    key: String,
    waker: Arc<dyn Fn() + Send + Sync>,
    /// Held while the upload is started.
    upload: Mutex<Option<String>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    names: Vec<Option<String>>,
    in_flight: usize,
    error: Option<Error>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    /// Parts on their way; an error when one was refused.
    pub(super) fn in_flight(&self) -> Result<usize> {
        let state = locked(&self.state);
        state.error.clone().map_or(Ok(state.in_flight), Err)
    }

    /// Sends a part.
    fn send(self: &Arc<Self>, number: usize, content: Vec<u8>) {
        let mut state = locked(&self.state);
        let count = state.names.len().max(number + 1);
        state.names.resize(count, None);
        state.in_flight += 1;
        drop(state);
        let shared = self.clone();
        background(move || {
            let sent = shared.upload_part(number, content);
            let mut state = locked(&shared.state);
            state.in_flight -= 1;
            match sent {
                Ok(name) => state.names[number] = Some(name),
                Err(error) => state.error = Some(error),
            }
            drop(state);
            (shared.waker)();
        });
    }

    fn upload_part(&self, number: usize, content: Vec<u8>) -> Result<String> {
        let mut upload = locked(&self.upload);
        let id = match &*upload {
            Some(id) => id.clone(),
            None => upload.insert(self.bucket.start_upload(&self.key)?).clone(),
        };
        drop(upload);
        self.bucket.upload_part(&self.key, &id, number, content)
    }

    /// Gives up what was uploaded, when there is time.
    pub(super) fn abandon(self: &Arc<Self>) {
        let shared = self.clone();
        background(move || {
            let upload = locked(&shared.upload).take();
            if let Some(id) = upload {
                // A store that does not answer keeps parts until its own rule for incomplete uploads ends them.
                drop(shared.bucket.abort_upload(&shared.key, &id));
            }
        });
    }

    /// The names of all parts, none of which may be on its way.
    fn names(&self) -> Result<Vec<String>> {
        let state = locked(&self.state);
        if let Some(error) = &state.error {
            return Err(error.clone());
        }
        let names: Option<Vec<_>> = state.names.iter().cloned().collect();
        names.ok_or_else(|| Error::internal("a file was handed over while parts of it were on their way"))
    }
}

/// Writes an object.
pub(super) struct Upload {
    pub(super) shared: Arc<Shared>,
    parts: usize,
    tail: Vec<u8>,
}

impl Upload {
    /// Starts, or goes on behind the parts of a checkpoint.
    pub(super) fn new(bucket: Arc<Bucket>, key: String, waker: Arc<dyn Fn() + Send + Sync>, from: Parts) -> Self {
        let parts = from.names.len();
        let names = from.names.into_iter().map(Some).collect();
        let state = Mutex::new(State { names, ..State::default() });
        let shared = Shared { bucket, key, waker, upload: Mutex::new(from.upload), state };
        Self { shared: Arc::new(shared), parts, tail: from.tail }
    }

    /// What there is now; no part may be on its way.
    pub(super) fn parts(&self) -> Result<Parts> {
        let names = self.shared.names()?;
        let upload = locked(&self.shared.upload).clone();
        Ok(Parts { upload, names, bytes: (self.parts * PART_BYTES) as u64, tail: self.tail.clone() })
    }
}

impl Write for Upload {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.tail.extend_from_slice(bytes);
        while self.tail.len() >= PART_BYTES {
            let rest = self.tail.split_off(PART_BYTES);
            self.shared.send(self.parts, std::mem::replace(&mut self.tail, rest));
            self.parts += 1;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
