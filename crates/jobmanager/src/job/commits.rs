//! Committing what sinks staged, one checkpoint after the other, and the job's end.

use super::Job;
use super::checkpoints::delete_claimed;
use super::recovery::Point;
use crate::archive::Archive;
use crate::guard::guarded;
use crate::ha::{DEPOSED, Records};
use crate::service::Inbound;
use crate::sinks::Sinks;
use crate::state::JobState;
use crate::store::Store;
use headwater_checkpoint::Retention;
use headwater_checkpoint::garbage::Roots;
use headwater_checkpoint::manifest::Committables;
use headwater_connector_api::Committable;
use headwater_taskmanager::TaskError;
use headwater_types::ids::{JobId, SubtaskId, VertexId};
use headwater_types::{Error, Result};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

/// What is to be committed for a checkpoint.
pub(crate) struct Commit {
    /// The checkpoint.
    pub(super) checkpoint: u64,
    /// What was staged, by sink, in rising order of the checkpoints it was staged for.
    pub(super) staged: BTreeMap<VertexId, Vec<Committables>>,
    /// Where its large values are.
    pub(super) store: Store,
}

/// The commits of a job.
pub(crate) struct Commits {
    /// Away while a thread commits or aborts.
    sinks: Option<Sinks>,
    waiting: VecDeque<Commit>,
    /// Everything staged for checkpoints up to this one is committed.
    through: Option<u64>,
    /// When a commit that failed may be tried again.
    pub(super) again_ms: Option<i64>,
}

/// Milliseconds until a commit that failed is tried again.
const COMMIT_AGAIN_MS: i64 = 200;

impl Commits {
    pub(super) fn new(sinks: Sinks) -> Self {
        Self { sinks: Some(sinks), waiting: VecDeque::new(), through: None, again_ms: None }
    }

    /// Whether nothing is being committed or waits for it.
    pub(super) fn is_idle(&self) -> bool {
        self.sinks.is_some() && self.waiting.is_empty()
    }

    /// Adds a checkpoint, unless it is committed already.
    pub(super) fn push(&mut self, commit: Commit) {
        let known = self.through.is_some_and(|through| commit.checkpoint <= through);
        let waits = self.waiting.iter().any(|other| other.checkpoint == commit.checkpoint);
        if !known && !waits {
            self.waiting.push_back(commit);
        }
    }

    /// Forgets what waits: the job restarts from a checkpoint and commits that one again.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(super) fn stage(&mut self, subtask: SubtaskId, committables: Vec<Vec<u8>>) -> Result<()> {
        self.sinks.as_mut().map_or(Ok(()), |sinks| sinks.stage(subtask, committables))
    }

    pub(super) fn unstage(&mut self, subtasks: &[SubtaskId]) {
        if let Some(sinks) = &mut self.sinks {
            sinks.unstage(subtasks);
        }
    }
}

impl Job {
    /// Starts the next commit when none is under way.
    pub(super) fn commit_next(&mut self) {
        let early = self.commits.again_ms.is_some_and(|again_ms| again_ms > self.env.now_ms());
        if self.commits.waiting.is_empty() || early {
            return;
        }
        self.commits.again_ms = None;
        let Some(mut sinks) = self.commits.sinks.take() else { return };
        let Some(commit) = self.commits.waiting.pop_front() else { return };
        let (job, inbox, through) = (self.id, self.inbox.clone(), self.commits.through);
        let records = self.records.clone();
        self.env.spawn_blocking("commit", move || {
            let outcome = guarded(|| match check(records.as_ref()) {
                Ok(()) => commit_checkpoint(&mut sinks, &commit, through),
                Err(error) => Err(error),
            });
            if let Some(deposed) = deposed(&outcome) {
                return drop(inbox.send(deposed));
            }
            let _ = inbox.send(Inbound::Committed { job, checkpoint: commit.checkpoint, sinks, outcome });
        });
    }

    /// A thread has committed a checkpoint, or could not.
    pub(crate) fn committed(&mut self, checkpoint: u64, sinks: Sinks, outcome: Result<()>) {
        self.commits.sinks = Some(sinks);
        match outcome {
            Ok(()) => self.commits.through = Some(checkpoint),
            Err(error) => {
                tracing::error!(job = %self.id, checkpoint, %error, "commit failed");
                // A connector that panicked may be left in any state.
                let fresh = guarded(|| Sinks::new(self.id, &self.graph, &self.registry, &self.env));
                self.commits.sinks = Some(fresh.unwrap_or_else(|_| Sinks::none(&self.env)));
                let actions = match self.checkpoints.stopped_with.clone() {
                    Some(path) => {
                        let error = error.context(format_args!("the savepoint '{path}' is complete, start from it"));
                        self.execution.fail_for_good(TaskError::from(&error), self.env.now_ms())
                    }
                    None => self.fail(&error),
                };
                self.finishing = false;
                self.act(actions);
                self.commit_again();
            }
        }
        self.pump();
    }

    /// Sees to it that a job that goes on commits what it starts from, also when it was restarting already: what a
    /// commit leaves out is lost, because later checkpoints do not hold it.
    fn commit_again(&mut self) {
        if !self.execution.state().is_active() {
            return;
        }
        self.commits.again_ms = Some(self.env.now_ms().saturating_add(COMMIT_AGAIN_MS));
        if let Some(point) = self.checkpoints.point() {
            self.commit_point(&point);
        }
    }

    /// Ends the job when all tasks have finished and everything staged for checkpoints is committed.
    pub(super) fn finish_ready(&mut self) {
        if !self.finishing || self.checkpoints.is_storing() || self.checkpoints.adopting || !self.commits.is_idle() {
            return;
        }
        let Some(mut sinks) = self.commits.sinks.take() else { return };
        self.finishing = false;
        let (job, inbox, store) = (self.id, self.inbox.clone(), self.checkpoints.store.clone());
        let staged = self.checkpoints.coordinator.settings().interval_ms.is_none();
        // Behind a savepoint without drain the job will go on.
        let ended = self.checkpoints.stopped_with.is_none() || self.checkpoints.drained;
        let claimed = self.checkpoints.take_claimed(|_| false);
        let (record, records) = (self.last_record(JobState::Finished), self.records.clone());
        self.env.spawn_blocking("finish", move || {
            let outcome = guarded(|| {
                check(records.as_ref())?;
                sinks.finish(staged, ended)?;
                // Before the checkpoints go: else the job would be started again, from nothing.
                record.write()
            });
            if let Some(deposed) = deposed(&outcome) {
                return drop(inbox.send(deposed));
            }
            if outcome.is_ok() {
                clean_up(&store, None, claimed);
            }
            let _ = inbox.send(Inbound::Finished { job, sinks, outcome });
        });
    }

    /// A thread has made the last commit, or could not.
    pub(crate) fn finished(&mut self, sinks: Sinks, outcome: Result<()>) {
        self.commits.sinks = Some(sinks);
        let actions = self.execution.committed(outcome.map_err(|error| TaskError::from(&error)));
        self.act(actions);
    }

    /// Removes what the sinks staged, and the checkpoints, unless they are to be kept; when nobody writes any more.
    pub(super) fn abort_ready(&mut self) {
        let busy = self.checkpoints.storing || self.checkpoints.adopting || self.commits.sinks.is_none();
        if !self.aborting || busy {
            return;
        }
        self.aborting = false;
        let retained = self.checkpoints.latest.is_some() && self.retains();
        self.checkpoints.unpin_all();
        let claimed = self.checkpoints.take_claimed(|_| false);
        let roots = retained.then(|| self.checkpoints.roots.clone());
        let stopped = self.checkpoints.stopped_with.is_some();
        let sinks = self.commits.sinks.take();
        let (job, inbox, store) = (self.id, self.inbox.clone(), self.checkpoints.store.clone());
        let record = self.last_record(self.execution.state());
        self.env.spawn_blocking("abort", move || {
            let recorded = guarded(|| record.write());
            if let Some(deposed) = deposed(&recorded) {
                return drop(inbox.send(deposed));
            }
            if let Err(error) = recorded {
                tracing::error!(%job, %error, "the end of the job could not be recorded: the next JobManager starts it");
            }
            // What a retained checkpoint or the savepoint that ended the job staged must stay. Litter that cannot be removed does not change how the job
            // ended.
            if let (false, Some(mut sinks)) = (retained || stopped, sinks) {
                let _ = guarded(|| sinks.abort());
            }
            clean_up(&store, roots, claimed);
            let _ = inbox.send(Inbound::Aborted { job });
        });
    }

    /// What the cluster remembers of the job when it ends in this state.
    fn last_record(&self, state: JobState) -> LastRecord {
        LastRecord(self.records.clone().map(|records| (records, self.id, self.ending(state).archive())))
    }

    /// Whether checkpoints outlive the job as it ends.
    fn retains(&self) -> bool {
        match (self.checkpoints.coordinator.settings().retention, self.execution.state()) {
            (Retention::Delete, _) | (_, JobState::Finished) => false,
            (Retention::DeleteOnCancellation, state) => state == JobState::Failed,
            (Retention::RetainOnCancellation, _) => true,
        }
    }
}

/// What the cluster remembers of a job; nothing where jobs end with their JobManager.
struct LastRecord(Option<(Records, JobId, Archive)>);

impl LastRecord {
    fn write(&self) -> Result<()> {
        self.0.as_ref().map_or(Ok(()), |(records, job, archive)| records.ended(*job, archive))
    }
}

/// Fails when another JobManager leads: then this one must change nothing that others see.
fn check(records: Option<&Records>) -> Result<()> {
    records.map_or(Ok(()), Records::check)
}

/// What to tell the JobManager that leads no more, if that is what went wrong.
fn deposed(outcome: &Result<()>) -> Option<Inbound> {
    let error = outcome.as_ref().err().filter(|error| error.code() == DEPOSED)?;
    Some(Inbound::Deposed(error.clone()))
}

/// Deletes the files of a job that has ended, but those of retained checkpoints.
fn clean_up(store: &Store, roots: Option<Arc<Mutex<Roots>>>, claimed: Option<Point>) {
    // The origin first: alone, it would be taken for the newest checkpoint, and its rows would be written twice.
    let deleted = delete_claimed(claimed);
    let collected = store.collect_garbage(&roots.unwrap_or_default(), u64::MAX).map(drop);
    if let Err(error) = deleted.and(collected) {
        tracing::warn!(uri = %store.uri, %error, "checkpoint files were left behind");
    }
}

/// Commits what was staged for a checkpoint and, with it, for earlier ones that did not complete.
fn commit_checkpoint(sinks: &mut Sinks, commit: &Commit, through: Option<u64>) -> Result<()> {
    for (sink, staged) in &commit.staged {
        let mut by_checkpoint: BTreeMap<u64, Vec<Committable>> = BTreeMap::new();
        for part in staged.iter().filter(|part| through.is_none_or(|through| part.checkpoint > through)) {
            let items = commit.store.read_blobs(&part.items)?.into_iter().map(Committable);
            by_checkpoint.entry(part.checkpoint).or_default().extend(items);
        }
        for (checkpoint, items) in by_checkpoint {
            sinks.commit_checkpoint(*sink, checkpoint, &items)?;
        }
    }
    Ok::<(), Error>(())
}
