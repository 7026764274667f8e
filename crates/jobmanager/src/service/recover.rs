//! The jobs of earlier JobManagers of the cluster: they go on from their last checkpoints.
//!
//! A job is never dropped for a reason that may pass: what cannot be read or located now is tried again.

use super::submit::Submission;
use super::{Core, Inbound};
use crate::archive::{Archive, EndedJob};
use crate::guard::guarded;
use crate::ha::{JobRecord, Records};
use crate::state::JobResult;
use headwater_types::ids::JobId;
use headwater_types::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::SyncSender;

/// Pause until recovery is tried again.
const AGAIN_MS: i64 = 1_000;

/// What is known of jobs of earlier JobManagers.
#[derive(Default)]
pub(super) struct Earlier {
    /// The ones that had ended.
    pub(super) ended: BTreeMap<JobId, EndedJob>,
    /// The ones that are about to go on, with those who wait for their ends.
    expected: BTreeMap<JobId, Vec<SyncSender<JobResult>>>,
    /// Those who ask before the records were read.
    early: Vec<(JobId, SyncSender<JobResult>)>,
    reading: bool,
    /// When to read the records again.
    read_ms: Option<i64>,
    /// Jobs that could not be started, and when to try again.
    again: Vec<(i64, JobRecord)>,
}

impl Earlier {
    /// When something is to be tried again.
    pub(super) fn again_ms(&self) -> Option<i64> {
        self.again.iter().map(|(again_ms, _)| *again_ms).chain(self.read_ms).min()
    }
}

/// Those who asked before there was room for more.
const EARLY_MAX: usize = 1024;

impl Core {
    /// The jobs that run or will; `None` while that is not known.
    pub(super) fn active_jobs(&self) -> Option<BTreeSet<JobId>> {
        if self.earlier.reading {
            return None;
        }
        let running = self.jobs.iter().filter(|(_, job)| !job.is_complete()).map(|(id, _)| *id);
        let failed = self.earlier.again.iter().map(|(_, record)| record.job);
        Some(running.chain(self.earlier.expected.keys().copied()).chain(failed).collect())
    }

    /// Reads the records of the cluster, if there are any.
    pub fn recover(&mut self) {
        let Some(records) = self.options.records.clone() else { return };
        self.earlier.reading = true;
        let inbox = self.inbox.clone();
        self.options.env.spawn_blocking("recover", move || {
            let outcome = guarded(|| records.read());
            let ended = outcome.as_ref().ok().map(|(_, ended)| ended.clone());
            let _ = inbox.send(Inbound::Recovered { outcome });
            // Jobs that go on come first: nobody's output waits for the past.
            let Some(ended) = ended else { return };
            for job in ended {
                let read = guarded(|| Ok(records.read_ended(job))).unwrap_or_default();
                if let Some((archive, plan)) = read {
                    let _ = inbox.send(Inbound::Remembered { ended: Some((job, Box::new(archive), plan)) });
                }
            }
            let _ = inbox.send(Inbound::Remembered { ended: None });
        });
    }

    /// A job that had ended was read.
    pub(super) fn remembered(&mut self, job: JobId, archive: Archive, plan: &[u8]) {
        match headwater_plan::decode(plan) {
            Ok(graph) => drop(self.earlier.ended.insert(job, archive.open(job, graph))),
            Err(error) => tracing::warn!(%job, error = error.message(), "the plan of a job that has ended is no plan"),
        }
    }

    /// All jobs that had ended were read.
    pub(super) fn all_remembered(&mut self) {
        self.earlier.reading = false;
        self.bound_history();
        let sessions: Vec<_> = self.task_managers.list().iter().map(|status| status.session).collect();
        sessions.into_iter().for_each(|session| self.tell_jobs(session));
        for (job, reply) in std::mem::take(&mut self.earlier.early) {
            self.wait_for(job, reply);
        }
    }

    /// The records were read, or could not be.
    pub(super) fn recovered(&mut self, outcome: Result<(Vec<JobRecord>, Vec<JobId>)>) {
        let now_ms = self.options.env.now_ms();
        match outcome {
            Ok((jobs, _)) => {
                tracing::info!(jobs = jobs.len(), "recovering the jobs of the cluster");
                jobs.into_iter().for_each(|record| self.go_on(record));
            }
            Err(error) => {
                tracing::error!(error = error.message(), "the jobs of the cluster cannot be read, trying again");
                self.earlier.read_ms = Some(now_ms.saturating_add(AGAIN_MS));
            }
        }
    }

    /// Tries again what did not work.
    pub(super) fn recover_again(&mut self, now_ms: i64) {
        if self.earlier.read_ms.take_if(|again_ms| *again_ms <= now_ms).is_some() {
            self.recover();
        }
        let due: Vec<JobRecord> =
            self.earlier.again.extract_if(.., |(again_ms, _)| *again_ms <= now_ms).map(|(_, record)| record).collect();
        due.into_iter().for_each(|record| self.go_on(record));
    }

    /// Starts a job of an earlier JobManager.
    fn go_on(&mut self, record: JobRecord) {
        if self.jobs.contains_key(&record.job) {
            return;
        }
        self.earlier.expected.entry(record.job).or_default();
        match Submission::of(self, &record) {
            Ok(submission) => self.locate(submission),
            Err(error) => self.not_recovered(record, &error),
        }
    }

    /// A job of an earlier JobManager was started, or could not be.
    pub(super) fn gone_on(&mut self, record: JobRecord, started: Result<JobId>) {
        match started {
            Ok(job) => {
                let waiting = self.earlier.expected.remove(&job).unwrap_or_default();
                waiting.into_iter().for_each(|reply| self.with_job(job, |job| job.wait(reply)));
            }
            Err(error) => self.not_recovered(record, &error),
        }
    }

    /// What may pass is tried again; a job that cannot go on stays in the records, for whoever repairs it.
    fn not_recovered(&mut self, record: JobRecord, error: &Error) {
        tracing::error!(job = %record.job, error = error.message(), "the job could not be recovered");
        if matches!(error.kind(), ErrorKind::Retryable | ErrorKind::Internal) {
            let again_ms = self.options.env.now_ms().saturating_add(AGAIN_MS);
            self.earlier.again.push((again_ms, record));
        }
    }

    /// Replies when a job has ended, also one that an earlier JobManager ran.
    pub(super) fn wait_for(&mut self, job: JobId, reply: SyncSender<JobResult>) {
        if self.jobs.contains_key(&job) {
            return self.with_job(job, |job| job.wait(reply));
        }
        if let Some(ended) = self.earlier.ended.get(&job) {
            let _ = reply.try_send(ended.result.clone());
        } else if let Some(waiting) = self.earlier.expected.get_mut(&job) {
            waiting.push(reply);
        } else if self.earlier.reading && self.earlier.early.len() < EARLY_MAX {
            self.earlier.early.push((job, reply));
        }
    }

    /// Removes a job from the records: one that was accepted and could not be started, or the oldest that has ended.
    pub(super) fn forget(&self, job: JobId) {
        let Some(records) = self.options.records.clone() else { return };
        self.options.env.spawn_blocking("forget", move || forget(&records, job));
    }
}

fn forget(records: &Records, job: JobId) {
    if let Err(error) = records.forget(job) {
        tracing::warn!(%job, error = error.message(), "the record of a job was left behind");
    }
}
