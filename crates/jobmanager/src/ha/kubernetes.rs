//! Leader election by a Lease of Kubernetes (`coordination.k8s.io/v1`).
//!
//! ```text
//! Lease <cluster id>-leader
//!     spec.holderIdentity          the name of the JobManager that leads; empty when it has given up
//!     spec.leaseTransitions        number of its term
//!     spec.renewTime               rewritten by it while it lives
//!     annotations headwater.io/..  how it is reached, and a beat that changes with every renewal
//! ```
//!
//! The API server decides who of several writes: every write names the version that it replaces. So it settles who may
//! lead and when, and nothing more: a term counts when its generation was created in storage as well, by the same
//! conditional write as without Kubernetes ([`StorageLease`]). What a job commits is fenced by that, and so neither a
//! lease that somebody deletes, nor answers that get lost or are late, nor a server that was restored from a backup can
//! make two leaders commit. TaskManagers and clients look into storage, and need no rights in Kubernetes.
//!
//! No clocks are compared: `renewTime` is for people, and others measure by their own clocks how long it stays the same.

mod api;
mod document;
mod options;

#[cfg(test)]
mod tests;

use super::lease::{Candidate, Holder, Lease, StorageLease};
use api::{Api, Written};
use document::Document;
use headwater_env::Env;
use headwater_types::{Error, Result};
pub use options::KubernetesOptions;
use std::sync::{Mutex, PoisonError};

/// A lease that Kubernetes keeps, fenced by storage.
pub struct KubernetesLease {
    api: Api,
    fence: StorageLease,
    env: Env,
    seconds: u64,
    /// The candidate that acquired it here.
    own: Mutex<Option<Candidate>>,
}

impl KubernetesLease {
    /// The lease of a cluster. A leader of `seconds` without renewal is taken for dead, as people read it.
    ///
    /// # Errors
    /// When the API server cannot be named.
    pub fn new(options: &KubernetesOptions, fence: StorageLease, env: Env, seconds: u64) -> Result<Self> {
        let seconds = seconds.max(1);
        Ok(Self { api: Api::new(options)?, fence, env, seconds, own: Mutex::default() })
    }

    fn own(&self) -> Option<Candidate> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes what a holder says, over the version that was read, or anew.
    fn write(&self, read: Option<&Document>, generation: u64, candidate: &Candidate, beat: u64) -> Result<Written> {
        let next = Document::held(read, generation, candidate, beat, self.env.now_ms(), self.seconds)?;
        match read {
            None => self.api.create(next),
            Some(_) => self.api.replace(next),
        }
    }

    /// Whether Kubernetes has this candidate lead in this term.
    fn is_held(&self, generation: u64, candidate: &Candidate) -> Result<bool> {
        Ok(self.api.get()?.is_some_and(|found| found.is_of(generation, &candidate.name)))
    }

    /// Gives the lease up in Kubernetes, if it is held.
    fn give_up(&self, generation: u64, candidate: &Candidate) -> Result<()> {
        match self.api.get()? {
            Some(found) if found.is_of(generation, &candidate.name) => {
                self.api.replace(found.released(self.env.now_ms())).map(drop)
            }
            _ => Ok(()),
        }
    }
}

impl Lease for KubernetesLease {
    fn look(&self) -> Result<Option<Holder>> {
        // A lease may be deleted, terms that have begun may not.
        let begun = self.fence.generation()?;
        let Some(found) = self.api.get()? else {
            let nobody = Holder { generation: begun, address: String::new(), rest: None, beat: None };
            return Ok((begun > 0).then_some(nobody));
        };
        Ok(Some(Holder { generation: found.generation().max(begun), ..found.holder() }))
    }

    fn generation(&self) -> Result<u64> {
        self.fence.generation()
    }

    fn acquire(&self, generation: u64, candidate: &Candidate) -> Result<bool> {
        let there = self.api.get()?;
        match there.as_ref().map(Document::generation) {
            Some(found) if found >= generation => match there.is_some_and(|it| it.is_of(generation, &candidate.name)) {
                // The answer to an earlier attempt got lost.
                true => {}
                false => return Ok(false),
            },
            _ => match self.write(there.as_ref(), generation, candidate, 0) {
                Ok(Written::Yes) => {}
                Ok(Written::TooLate) => return Ok(false),
                // What counts is what is there: names are unique.
                Err(error) => match self.is_held(generation, candidate) {
                    Ok(true) => {}
                    Ok(false) | Err(_) => return Err(error),
                },
            },
        }
        let begun = self.fence.acquire(generation, candidate);
        if !matches!(begun, Ok(true)) {
            // Nobody leads in this term; others need not wait for it to expire.
            let given_up = self.give_up(generation, candidate);
            return begun.and_then(|won| given_up.map(|()| won));
        }
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = Some(candidate.clone());
        Ok(true)
    }

    fn renew(&self, generation: u64, beat: u64) -> Result<bool> {
        let own = self.own().ok_or_else(|| Error::internal("a lease is renewed that was not acquired"))?;
        for _ in 0..2 {
            let found = self.api.get()?;
            let Some(found) = found.filter(|found| found.is_of(generation, &own.name)) else { return Ok(false) };
            if matches!(self.write(Some(&found), generation, &own, beat)?, Written::Yes) {
                return Ok(true);
            }
            // Somebody has written meanwhile: a person who adds a label, or the next leader.
        }
        Err(Error::retryable("lease-changed", "the lease changes whenever it is renewed"))
    }

    fn release(&self, generation: u64) -> Result<()> {
        let own = self.own();
        let given_up = own.map_or(Ok(()), |own| self.give_up(generation, &own));
        given_up.and(self.fence.release(generation))
    }
}
