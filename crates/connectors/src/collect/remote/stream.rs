//! The writer's side: batches that wait to be fetched. Pure: knows no clock, no task and no network.

use super::{Answer, Request, of_bytes, to_bytes};
use crate::collect::CHANNEL_BYTES_MAX;
use headwater_data::{ChangeBatch, ipc};
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Bytes of a batch from which on it is cut into halves, so that answers stay small.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Earlier versions that are remembered: a client that slept through more restarts starts from what it knows.
const VERSIONS_MAX: usize = 64;

/// The batches of one subtask that are not fetched yet.
pub struct Stream {
    shape: Shape,
    version: u64,
    /// Number of the first batch that is held.
    first: u64,
    batches: VecDeque<ChangeBatch>,
    bytes: usize,
    stable: u64,
    /// Checkpoints that are not known to be complete, with the number behind the last batch before their barrier.
    barriers: VecDeque<(u64, u64)>,
    /// Earlier versions that this one goes on from, latest last, with the number below which the batches are the same.
    history: Vec<(u64, u64)>,
}

/// Whose stream it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Names the query.
    pub id: String,
    /// Index of the subtask.
    pub subtask: u32,
    /// Parallelism of the sink.
    pub parallelism: u32,
}

/// What a checkpoint holds of a stream.
#[derive(Serialize, Deserialize)]
struct Stored {
    shape: Shape,
    version: u64,
    history: Vec<(u64, u64)>,
    first: u64,
    rows: Vec<u8>,
}

impl Stream {
    /// An empty stream. The version is not 0 and differs from those of earlier executions.
    pub fn new(version: u64, shape: Shape) -> Self {
        let (batches, barriers) = (VecDeque::new(), VecDeque::new());
        Self { shape, version, first: 0, batches, bytes: 0, stable: 0, barriers, history: vec![] }
    }

    /// The stream as a checkpoint has it. What another query left there comes first in this one: its client has not
    /// fetched it.
    ///
    /// # Errors
    /// When the state is damaged, or was that of another subtask of the same query: rows that a client fetches from one
    /// subtask cannot go on with another.
    pub fn restore(version: u64, shape: Shape, restored: &[Vec<u8>]) -> Result<Self> {
        let mut stream = Self::new(version, shape);
        for stored in restored {
            let stored: Stored = of_bytes(stored)?;
            if stored.shape.id == stream.shape.id {
                if stored.shape != stream.shape {
                    return Err(reshaped());
                }
                stream.first = stored.first;
                stream.history = stored.history;
                // Its limit follows when the batches are known.
                stream.history.push((stored.version, u64::MAX));
            }
            stream.batches.extend(ipc::decode(&stored.rows)?);
        }
        stream.bytes = stream.batches.iter().map(ChangeBatch::bytes).sum();
        stream.stable = stream.next();
        stream.history.iter_mut().for_each(|(_, limit)| *limit = (*limit).min(stream.stable));
        let forgotten = stream.history.len().saturating_sub(VERSIONS_MAX);
        stream.history.drain(..forgotten);
        Ok(stream)
    }

    /// Whether there is room for more.
    pub fn is_ready(&self) -> bool {
        self.bytes < CHANNEL_BYTES_MAX
    }

    /// Whether all batches were fetched.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Adds a batch.
    pub fn write(&mut self, batch: ChangeBatch) {
        let rows = batch.num_rows();
        if batch.bytes() > BATCH_BYTES_MAX && rows > 1 {
            self.write(batch.slice(0, rows / 2));
            return self.write(batch.slice(rows / 2, rows - rows / 2));
        }
        self.bytes += batch.bytes();
        self.batches.push_back(batch);
    }

    /// A barrier passes: the batches before it are in the checkpoint.
    pub fn barrier(&mut self, checkpoint: u64) {
        self.barriers.push_back((checkpoint, self.next()));
    }

    /// The checkpoint is complete, and with it those before it that are not known to be.
    pub fn complete(&mut self, checkpoint: u64) {
        while let Some((_, next)) = self.barriers.pop_front_if(|(barrier, _)| *barrier <= checkpoint) {
            self.stable = next;
        }
    }

    /// What a checkpoint has to hold.
    ///
    /// # Errors
    /// When a batch cannot be encoded.
    pub fn snapshot(&self) -> Result<Vec<u8>> {
        let rows = ipc::encode(&self.batches)?;
        let (shape, history) = (self.shape.clone(), self.history.clone());
        to_bytes(&Stored { shape, version: self.version, history, first: self.first, rows })
    }

    /// Forgets what the client has, and gives it more.
    ///
    /// # Errors
    /// When a batch cannot be encoded.
    pub fn answer(&mut self, request: Request) -> Result<Answer> {
        if request.version != self.version {
            let common = self.history.iter().find(|(version, _)| *version == request.version).map(|(_, limit)| *limit);
            return Ok(Answer { common, ..self.empty_answer() });
        }
        while self.first < request.received
            && let Some(batch) = self.batches.pop_front()
        {
            self.first += 1;
            self.bytes = self.bytes.saturating_sub(batch.bytes());
        }
        let mut room = usize::try_from(request.bytes_max).unwrap_or(usize::MAX);
        let fits = |batch: &&ChangeBatch| {
            let has_room = room > 0;
            room = room.saturating_sub(batch.bytes());
            has_room
        };
        let rows = ipc::encode(self.batches.iter().take_while(fits))?;
        Ok(Answer { rows, ..self.empty_answer() })
    }

    fn empty_answer(&self) -> Answer {
        Answer { version: self.version, stable: self.stable, first: self.first, common: None, rows: vec![] }
    }

    fn next(&self) -> u64 {
        self.first + self.batches.len() as u64
    }
}

fn reshaped() -> Error {
    let message = "the parallelism of a query was changed while its rows were being fetched: run it again, or write its \
                   rows to a table by INSERT INTO";
    // Of a kind that no restart can help.
    Error::new(ErrorKind::Fenced, "query-rescaled", message)
}
