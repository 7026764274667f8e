//! Questions about jobs, of which some have ended under an earlier JobManager.

use super::Core;
use crate::archive::EndedJob;
use crate::job::{Job, Request, not_running};
use crate::overview::{JobDetails, JobSummary, ListedJob};
use headwater_runtime::OperatorSnapshot;
use headwater_types::config::Key;
use headwater_types::ids::JobId;
use std::sync::mpsc::SyncSender;

/// Ended jobs that are remembered.
pub(super) const JOBSTORE_MAX: Key = Key { name: "jobstore.max-capacity", default: "64" };
/// More are never remembered.
const CAPACITY_MAX: i64 = 4096;

impl Core {
    /// How many ended jobs are remembered. A value that is none counts as the default.
    pub(super) fn jobs_kept(&self) -> usize {
        let asked = self.options.config.integer(JOBSTORE_MAX).ok();
        let kept = asked.or_else(|| JOBSTORE_MAX.default.parse().ok()).unwrap_or(1);
        usize::try_from(kept.clamp(1, CAPACITY_MAX)).unwrap_or(1)
    }

    /// Replies about a job: as it is, or as it was when it ended. Without a reply its asker sees that there is none.
    pub(super) fn answer<T>(
        &mut self,
        id: JobId,
        reply: &SyncSender<T>,
        present: impl FnOnce(&mut Job) -> T,
        past: impl FnOnce(&EndedJob) -> T,
    ) {
        if self.jobs.contains_key(&id) {
            return self.with_job(id, |job| drop(reply.try_send(present(job))));
        }
        if let Some(ended) = self.earlier.ended.get(&id) {
            let _ = reply.try_send(past(ended));
        }
    }

    /// All jobs, with those of earlier JobManagers that have ended.
    pub(super) fn summaries(&self) -> Vec<JobSummary> {
        let ended = self.earlier.ended.values().filter(|ended| !self.jobs.contains_key(&ended.result.job));
        self.jobs.values().map(Job::summary).chain(ended.map(|ended| ended.details.summary.clone())).collect()
    }

    /// The same as clients list them, in the order in which they were submitted.
    pub(super) fn listed(&self) -> Vec<ListedJob> {
        let mut listed: Vec<_> = self.summaries().iter().map(ListedJob::from).collect();
        listed.sort_by_key(|job| job.started_ms);
        listed
    }

    /// All that is known of a job.
    pub(super) fn details(&self, id: JobId) -> Option<JobDetails> {
        match self.jobs.get(&id) {
            Some(job) => Some(job.details()),
            None => self.earlier.ended.get(&id).map(|ended| ended.details.clone()),
        }
    }

    /// Replies with the counters of a job.
    pub(super) fn metrics(&mut self, id: JobId, reply: SyncSender<Vec<OperatorSnapshot>>) {
        if self.jobs.contains_key(&id) {
            self.with_job(id, |job| job.metrics(reply));
        } else if let Some(ended) = self.earlier.ended.get(&id) {
            let _ = reply.try_send(ended.result.operators.clone());
        }
    }

    /// Somebody asks for a checkpoint.
    pub(super) fn take_checkpoint(&mut self, id: JobId, request: Request) {
        if self.jobs.contains_key(&id) {
            self.with_job(id, |job| job.request(request));
        } else if self.earlier.ended.contains_key(&id) {
            let _ = request.reply.try_send(Err(not_running()));
        }
    }

    /// Adds a job that has just ended to the history, and forgets the oldest ones beyond its bound.
    pub(super) fn remember(&mut self, id: JobId) {
        if !self.jobs.get(&id).is_some_and(Job::is_complete) {
            return;
        }
        self.history.push_back(id);
        self.bound_history();
    }

    /// Forgets the oldest jobs beyond the bound, those of earlier JobManagers first.
    pub(super) fn bound_history(&mut self) {
        let kept = self.jobs_kept();
        while self.history.len() + self.earlier.ended.len() > kept {
            let oldest = self.earlier.ended.iter().min_by_key(|(_, ended)| ended.ended_ms()).map(|(id, _)| *id);
            let Some(id) = oldest.or_else(|| self.history.pop_front()) else { return };
            self.earlier.ended.remove(&id);
            self.jobs.remove(&id);
            self.forget(id);
        }
    }
}
