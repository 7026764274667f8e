//! The client's side: what it has of a stream, and what it may hand out. Pure: somebody carries requests and answers.

use super::{ANSWER_BYTES_MAX, Answer, Request};
use headwater_data::{ChangeBatch, ipc};
use headwater_types::{Error, ErrorKind, Result};
use std::collections::VecDeque;

/// Bytes of rows that wait for their checkpoint.
pub const HELD_BYTES_MAX: usize = 256 << 20;

/// What a restart of the query means for its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// The query takes checkpoints: rows are handed out when they are part of a completed one, or when the query has
    /// finished, each exactly once.
    ExactlyOnce,
    /// Rows are handed out at once; some come again behind a restart.
    AtLeastOnce,
    /// There are no checkpoints: rows are handed out at once, and a restart behind that is an error.
    NoRestart,
}

/// What a client has of one subtask's rows.
pub struct Fetcher {
    guarantee: Guarantee,
    version: u64,
    stable: u64,
    /// It has all batches below this number; those from `handed` on are held.
    received: u64,
    handed: u64,
    held: VecDeque<ChangeBatch>,
    held_bytes: usize,
}

impl Fetcher {
    /// One that has nothing yet.
    pub fn new(guarantee: Guarantee) -> Self {
        Self { guarantee, version: 0, stable: 0, received: 0, handed: 0, held: VecDeque::new(), held_bytes: 0 }
    }

    /// What to ask for next; without `takes` only to say that somebody is there.
    pub fn request(&self, takes: bool) -> Request {
        let bytes_max = if takes { ANSWER_BYTES_MAX } else { 0 };
        Request { version: self.version, received: self.received, bytes_max }
    }

    /// Takes an answer; whether it brought something new.
    ///
    /// # Errors
    /// When the answer is damaged, when rows that were handed out would come again, or when more rows wait for a
    /// checkpoint than memory is given to.
    pub fn take(&mut self, answer: &Answer) -> Result<bool> {
        if answer.version != self.version {
            self.restarted(answer)?;
            return Ok(true);
        }
        let advanced = answer.stable > self.stable;
        self.stable = self.stable.max(answer.stable);
        let batches = ipc::decode(&answer.rows)?;
        let is_new = advanced || !batches.is_empty();
        for batch in batches {
            self.received += 1;
            self.held_bytes += batch.bytes();
            self.held.push_back(batch);
        }
        if self.guarantee == Guarantee::ExactlyOnce && self.held_bytes > HELD_BYTES_MAX {
            return Err(too_much_held());
        }
        Ok(is_new)
    }

    /// The next batch that may be handed out.
    pub fn next_ready(&mut self) -> Option<ChangeBatch> {
        let limit = match self.guarantee {
            Guarantee::ExactlyOnce => self.stable.min(self.received),
            Guarantee::AtLeastOnce | Guarantee::NoRestart => self.received,
        };
        if self.handed >= limit { None } else { self.hand_out() }
    }

    /// The query has finished: the next batch, whichever it is.
    pub fn next_finished(&mut self) -> Option<ChangeBatch> {
        self.hand_out()
    }

    fn hand_out(&mut self) -> Option<ChangeBatch> {
        let batch = self.held.pop_front()?;
        self.handed += 1;
        self.held_bytes = self.held_bytes.saturating_sub(batch.bytes());
        Some(batch)
    }

    /// The task runs anew: what it may write differently is forgotten.
    fn restarted(&mut self, answer: &Answer) -> Result<()> {
        let from = self.received.min(answer.common.unwrap_or(self.stable));
        if from < answer.first {
            return Err(rows_lost());
        }
        if from < self.handed {
            if self.guarantee != Guarantee::AtLeastOnce {
                return Err(rows_would_repeat());
            }
            self.handed = from;
            self.held.clear();
        }
        self.held.truncate(usize::try_from(from - self.handed).unwrap_or(usize::MAX));
        self.held_bytes = self.held.iter().map(ChangeBatch::bytes).sum();
        (self.version, self.stable, self.received) = (answer.version, answer.stable, from);
        Ok(())
    }
}

pub(crate) fn rows_would_repeat() -> Error {
    let message = "the query was restarted when rows of it had been shown already, and would show them again: set \
                   'execution.checkpointing.interval', and rows are shown once they are in a checkpoint";
    Error::new(ErrorKind::User, "query-restarted", message)
}

/// The writer keeps what its client may ask for: this is for a client that was away for too many restarts.
fn rows_lost() -> Error {
    let message = "rows of the query are lost: it was restarted too often while its client was away; run it again";
    Error::new(ErrorKind::User, "query-rows-lost", message)
}

fn too_much_held() -> Error {
    let message = format!(
        "more than {} MB of rows wait for a checkpoint to complete: lower 'execution.checkpointing.interval', set \
         'execution.checkpointing.mode' to AT_LEAST_ONCE to see rows at once, or write them to a table by INSERT INTO",
        HELD_BYTES_MAX >> 20
    );
    Error::new(ErrorKind::User, "too-many-rows-held", message)
}
