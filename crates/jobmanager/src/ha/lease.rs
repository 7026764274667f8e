//! Who leads: a lease, and its implementation by conditional writes to object storage.
//!
//! A generation belongs to whoever creates its object: create-if-absent is exact. The object is never changed; the
//! highest generation leads. Its owner rewrites a second object, the beat, which nobody else writes; whoever sees the
//! same beat for too long may create the next generation. No clocks are compared: everybody measures with its own.
//!
//! Objects of earlier generations are deleted by later leaders. A contender that slept through all of that may create one
//! of them again: it finds the higher one when it looks, and has won nothing.

use headwater_env::Storage;
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A JobManager that would lead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its name, unique.
    pub name: String,
    /// Where TaskManagers and clients reach it, host and port.
    pub address: String,
    /// Where its REST port is, host and port, if it has one.
    pub rest: Option<String>,
}

/// A JobManager that leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Number of its term; a later one is higher.
    pub generation: u64,
    /// Where TaskManagers and clients reach it, host and port.
    pub address: String,
    /// Where its REST port is, host and port, if it has one.
    pub rest: Option<String>,
    /// Its last sign of life, which changes as long as it lives; `None` when it has given up the lease.
    pub beat: Option<u64>,
}

/// The one who leads. All methods may block.
pub trait Lease: Send + Sync {
    /// Who holds the lease; `None` when nobody ever did.
    ///
    /// # Errors
    /// When nobody can say.
    fn look(&self) -> Result<Option<Holder>>;

    /// The highest generation; 0 when there is none.
    ///
    /// # Errors
    /// When nobody can say.
    fn generation(&self) -> Result<u64>;

    /// Tries to become the holder of a generation that nobody has yet; whether that worked.
    ///
    /// # Errors
    /// When it is not known whether it worked.
    fn acquire(&self, generation: u64, candidate: &Candidate) -> Result<bool>;

    /// Shows that the holder of a generation lives; whether it still is the holder.
    ///
    /// # Errors
    /// When nobody can say.
    fn renew(&self, generation: u64, beat: u64) -> Result<bool>;

    /// Gives up a generation that the caller holds: others need not wait.
    ///
    /// # Errors
    /// When that could not be told; then others wait as if the holder had died.
    fn release(&self, generation: u64) -> Result<()>;
}

/// Code of the error of a leader that is none any more.
pub(crate) const DEPOSED: &str = "jobmanager-deposed";

/// What a leader that is none any more is told.
pub(crate) fn deposed(own: u64, found: u64) -> Error {
    let message = format!("this JobManager led in term {own}; another one leads in term {found}");
    Error::new(ErrorKind::Fenced, DEPOSED, message)
}

/// A lease in object storage.
pub struct StorageLease {
    storage: Arc<dyn Storage>,
}

/// Content of the beat of a leader that gave up.
const RELEASED: &[u8] = b"released";
const LEADERS: &str = "leader/";
const BEATS: &str = "beat/";

impl StorageLease {
    /// The lease of the cluster that this storage is of.
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage }
    }

    /// The generations whose objects are there, in rising order.
    fn generations(&self) -> Result<Vec<u64>> {
        let objects = self.storage.list(LEADERS)?;
        let mut all: Vec<u64> =
            objects.iter().filter_map(|object| object.path.strip_prefix(LEADERS)?.parse().ok()).collect();
        all.sort_unstable();
        Ok(all)
    }

    /// Deletes what earlier leaders left behind.
    fn forget_before(&self, generation: u64) -> Result<()> {
        for earlier in self.generations()?.into_iter().filter(|earlier| *earlier < generation) {
            self.storage.delete(&beat_file(earlier))?;
            self.storage.delete(&leader_file(earlier))?;
        }
        Ok(())
    }
}

impl Lease for StorageLease {
    fn look(&self) -> Result<Option<Holder>> {
        let Some(generation) = self.generations()?.pop() else { return Ok(None) };
        // Deleted meanwhile by a later leader, which is found by looking again.
        let Some(content) = self.storage.get(&leader_file(generation))? else {
            return Err(Error::retryable("lease-changed", "the lease changed hands at this moment"));
        };
        let candidate: Candidate = serde_json::from_slice(&content).map_err(|e| {
            let message = format!("the lease '{}' cannot be read", leader_file(generation));
            Error::new(ErrorKind::Corruption, "lease-corrupt", message).with_source(e)
        })?;
        let beat = self.storage.get(&beat_file(generation))?;
        let beat = match beat.as_deref() {
            Some(RELEASED) => None,
            Some(beat) => Some(std::str::from_utf8(beat).ok().and_then(|beat| beat.parse().ok()).unwrap_or(0)),
            None => Some(0),
        };
        Ok(Some(Holder { generation, address: candidate.address, rest: candidate.rest, beat }))
    }

    fn generation(&self) -> Result<u64> {
        Ok(self.generations()?.pop().unwrap_or(0))
    }

    fn acquire(&self, generation: u64, candidate: &Candidate) -> Result<bool> {
        let content = serde_json::to_vec(candidate)
            .map_err(|e| Error::internal("a candidate cannot be encoded").with_source(e))?;
        let file = leader_file(generation);
        // The answer to a write may get lost: what counts is what is there. Names are unique.
        let written = self.storage.put_if_absent(&file, &content);
        let there = self.storage.get(&file)?;
        if there.as_deref() != Some(&content) {
            return written.map(|_| false);
        }
        if self.generation()? != generation {
            return Ok(false);
        }
        self.forget_before(generation)?;
        Ok(true)
    }

    fn renew(&self, generation: u64, beat: u64) -> Result<bool> {
        self.storage.put(&beat_file(generation), beat.to_string().as_bytes())?;
        Ok(self.generation()? == generation)
    }

    fn release(&self, generation: u64) -> Result<()> {
        self.storage.put(&beat_file(generation), RELEASED)
    }
}

/// Numbers are padded so that listings are in order for people, too.
fn leader_file(generation: u64) -> String {
    format!("{LEADERS}{generation:020}")
}

fn beat_file(generation: u64) -> String {
    format!("{BEATS}{generation:020}")
}
