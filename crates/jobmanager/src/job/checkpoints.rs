//! The checkpoints of a job: collects the parts, stores the manifests, keeps the chain of runs short.

mod merges;
mod requests;
mod term;

use super::commits::Commit;
use super::recovery::Point;
use super::{Job, NewJob, Start, vertices};
use crate::guard::guarded;
use crate::service::Inbound;
use crate::store::Store;
use crate::task_managers::SessionId;
use headwater_checkpoint::assemble::{Chain, Parts, SubtaskPart, assemble};
use headwater_checkpoint::coordinator::AckStatistics;
use headwater_checkpoint::garbage::Roots;
use headwater_checkpoint::layout::Vertex;
use headwater_checkpoint::restore::plan;
use headwater_checkpoint::{Action, Blob, ClaimMode, Coordinator, Kind, LocalRecovery, Manifest};
use headwater_connector_api::Split;
use headwater_runtime::{Alignment, Barrier, BarrierKind, StateEngine, StateOptions};
use headwater_taskmanager::ToTaskManager;
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::{Error, Result};
use merges::Merges;
pub(crate) use requests::{Request, not_running};
pub use requests::{RequestKind, Stored};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use term::Term;

/// The checkpoints of a job.
pub(crate) struct Checkpoints {
    pub(super) coordinator: Coordinator,
    /// The job's own directory.
    pub(super) store: Store,
    pub(super) vertices: Vec<Vertex>,
    /// The last completed checkpoint.
    pub(super) latest: Option<Arc<Manifest>>,
    /// The runs that the next one builds on.
    chain: Chain,
    /// Shared with whoever collects garbage, who must know of merges that began after it did.
    pub(super) roots: Arc<Mutex<Roots>>,
    /// What the job was started from, and what a region starts from before the first checkpoint.
    pub(super) origin: Option<Point>,
    pub(super) origin_path: String,
    /// Whether the origin is to be deleted when it is no longer needed.
    claimed: bool,
    /// Whether tasks read what they start from as they need it, and not when they start.
    reads_lazily: bool,
    /// Attempts that started from the origin.
    from_origin: BTreeSet<u32>,
    /// When copying the origin is to be tried again.
    pub(super) readopt_ms: Option<i64>,
    /// The origin with its runs in the job's own directory.
    copied: Option<Chain>,
    collecting: BTreeMap<u64, Collecting>,
    to_store: VecDeque<ToStore>,
    pub(super) storing: bool,
    /// Whether the origin's runs are being copied.
    pub(super) adopting: bool,
    /// Source subtasks that wait for a split until their part has arrived.
    pub(super) deferred: Vec<SubtaskId>,
    requests: VecDeque<Request>,
    merges: Merges,
    /// Savepoints that stop the job and have ended, of which tasks may not have heard.
    pub(super) unheard: BTreeMap<u64, Unheard>,
    /// The savepoint that ended the job.
    pub(super) stopped_with: Option<String>,
    pub(super) drained: bool,
}

/// The end of a savepoint that stops the job, which tasks must hear of.
pub(super) struct Unheard {
    /// Complete, or given up.
    completed: bool,
    /// When to tell it again.
    pub(super) again_ms: i64,
    /// The TaskManagers that may not have heard.
    sessions: BTreeSet<SessionId>,
}

/// The parts of a checkpoint that have arrived.
#[derive(Default)]
struct Collecting {
    parts: BTreeMap<SubtaskId, SubtaskPart>,
    enumerators: BTreeMap<VertexId, Blob>,
    request: Option<Request>,
}

/// A checkpoint whose parts are complete.
struct ToStore {
    checkpoint: u64,
    kind: Kind,
    triggered_ms: i64,
    finished: BTreeSet<SubtaskId>,
}

impl Checkpoints {
    pub(super) fn new(new: &NewJob, subtasks: &[SubtaskId]) -> Self {
        let (own, other) = match &new.from {
            None => (None, None),
            Some(Start::Own(own)) => (Some(own), None),
            Some(Start::Other(other)) => (None, Some(other)),
        };
        let start = own.or(other);
        let first = start.map_or(1, |start| start.manifest.checkpoint + 1);
        let latest = own.map(|own| own.manifest.clone());
        let roots: Arc<Mutex<Roots>> = Arc::default();
        latest.iter().for_each(|latest| lock(&roots).retain(latest));
        let origin = other.and_then(|origin| {
            let storage = new.provider.open(&origin.root, &new.graph.config).ok()?;
            let store = Store { uri: origin.root.clone(), storage };
            Some(Point { manifest: origin.manifest.clone(), store, advice: origin.advice.clone() })
        });
        Self {
            coordinator: Coordinator::new(new.settings.clone(), subtasks.iter().copied(), first),
            store: new.store.clone(),
            vertices: vertices(&new.graph),
            chain: latest.as_deref().map(Chain::of).unwrap_or_default(),
            latest,
            roots,
            origin,
            origin_path: start.map(|start| start.path.clone()).unwrap_or_default(),
            claimed: other.is_some_and(|origin| origin.claim == ClaimMode::Claim),
            reads_lazily: StateOptions::from_config(&new.graph.config)
                .is_ok_and(|state| state.engine != StateEngine::HashMap),
            from_origin: BTreeSet::new(),
            readopt_ms: None,
            copied: None,
            collecting: BTreeMap::new(),
            to_store: VecDeque::new(),
            storing: false,
            adopting: false,
            deferred: vec![],
            requests: VecDeque::new(),
            merges: Merges::default(),
            unheard: BTreeMap::new(),
            stopped_with: None,
            drained: false,
        }
    }

    /// Whether a manifest is being written or waits for it.
    pub(super) fn is_storing(&self) -> bool {
        self.storing || !self.to_store.is_empty()
    }

    /// The origin's runs are in the job's own directory.
    pub(super) fn adopted(&mut self, manifest: Manifest) {
        let chain = Chain::of(&manifest);
        self.copied = Some(chain.clone());
        if self.latest.is_none() {
            self.chain = chain;
        }
    }

    /// The tasks of an attempt start from a checkpoint, and may read its files as long as they run.
    pub(super) fn pin(&mut self, attempt: u32, point: &Point) {
        if point.store.uri == self.store.uri {
            lock(&self.roots).pin(attempt, &point.manifest);
        } else {
            self.from_origin.insert(attempt);
        }
    }

    /// Takes the origin if it is to be deleted now: the job's own first checkpoint has replaced it, and no task that
    /// `runs` reads it any more.
    pub(super) fn take_claimed(&mut self, runs: impl Fn(u32) -> bool) -> Option<Point> {
        let is_read = self.reads_lazily && self.from_origin.iter().any(|attempt| runs(*attempt));
        if self.latest.is_none() || is_read || !std::mem::take(&mut self.claimed) {
            return None;
        }
        self.origin.clone()
    }

    /// A TaskManager has heard how a savepoint ended.
    pub(super) fn heard(&mut self, checkpoint: u64, session: SessionId) {
        if let Some(unheard) = self.unheard.get_mut(&checkpoint) {
            unheard.sessions.remove(&session);
        }
        self.unheard.retain(|_, unheard| !unheard.sessions.is_empty());
    }

    /// A TaskManager will hear nothing any more, nor answer.
    pub(super) fn session_lost(&mut self, session: SessionId) {
        for unheard in self.unheard.values_mut() {
            unheard.sessions.remove(&session);
        }
        self.unheard.retain(|_, unheard| !unheard.sessions.is_empty());
        self.merges.session_lost(session, &mut lock(&self.roots));
    }

    /// The job's tasks have ended.
    pub(super) fn unpin_all(&self) {
        lock(&self.roots).unpin(|_| false);
    }

    /// A region restarts: what tasks reported since the last completed checkpoint does not count.
    pub(super) fn rewind(&mut self) {
        self.chain = match &self.latest {
            Some(latest) => Chain::of(latest),
            None => self.copied.clone().unwrap_or_default(),
        };
        self.merges.forget(&mut lock(&self.roots));
    }
}

impl Job {
    /// Keeps the part of a subtask.
    pub(super) fn checkpoint_ack(
        &mut self,
        checkpoint: u64,
        subtask: SubtaskId,
        part: SubtaskPart,
        statistics: AckStatistics,
    ) {
        if let Some(collecting) = self.checkpoints.collecting.get_mut(&checkpoint) {
            collecting.parts.insert(subtask, part);
        }
        let actions = self.checkpoints.coordinator.ack(checkpoint, subtask, statistics, self.env.now_ms());
        self.act_on_checkpoints(actions);
    }

    pub(super) fn act_on_checkpoints(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Trigger { checkpoint, kind } => self.trigger(checkpoint, kind),
                Action::Store { checkpoint, kind, triggered_ms, finished } => {
                    self.checkpoints.to_store.push_back(ToStore { checkpoint, kind, triggered_ms, finished });
                }
                Action::Abort { checkpoint, kind, reason } => self.checkpoint_aborted(checkpoint, kind, &reason),
                Action::Complete { .. } => {}
                Action::Fail { reason } => {
                    let message = format!("too many checkpoints failed; the last one: {reason}");
                    let actions = self.fail(&Error::retryable("checkpoints-failed", message));
                    self.act(actions);
                }
            }
        }
    }

    /// Takes the enumerators' part and asks the tasks for theirs.
    fn trigger(&mut self, checkpoint: u64, kind: Kind) {
        match guarded(|| self.splits.snapshot()) {
            Ok(enumerators) => {
                let enumerators = enumerators.into_iter().map(|(id, state)| (id, Blob::Inline(state))).collect();
                self.checkpoints.collecting.entry(checkpoint).or_default().enumerators = enumerators;
            }
            Err(error) => {
                let reason = format!("a source cannot be checkpointed: {error}");
                let actions = self.checkpoints.coordinator.give_up(checkpoint, &reason, self.env.now_ms());
                return self.act_on_checkpoints(actions);
            }
        }
        let barrier = self.barrier(checkpoint, kind);
        if let Err(error) = self.tell_surely(&ToTaskManager::TriggerCheckpoint { job: self.id, barrier }) {
            let now_ms = self.env.now_ms();
            let actions = self.checkpoints.coordinator.give_up(checkpoint, error.message(), now_ms);
            self.act_on_checkpoints(actions);
        }
    }

    fn barrier(&self, checkpoint: u64, kind: Kind) -> Barrier {
        let settings = self.checkpoints.coordinator.settings();
        let alignment = match settings.unaligned_after_ms {
            _ if kind.is_savepoint() => Alignment::Aligned,
            _ if settings.at_least_once => Alignment::AtLeastOnce,
            None => Alignment::Aligned,
            Some(0) => Alignment::Unaligned,
            Some(after_ms) => Alignment::Timeout(after_ms),
        };
        let kind = match kind {
            Kind::Periodic | Kind::Manual => BarrierKind::Checkpoint,
            Kind::Savepoint => BarrierKind::Savepoint,
            Kind::Stop { drain } => BarrierKind::Stop { drain },
        };
        Barrier { checkpoint, triggered_at_ms: self.env.now_ms(), alignment, kind }
    }

    fn checkpoint_aborted(&mut self, checkpoint: u64, kind: Kind, reason: &str) {
        tracing::warn!(job = %self.id, checkpoint, reason, "checkpoint failed");
        for session in self.placement.sessions() {
            let abort = ToTaskManager::AbortCheckpoint { job: self.id, checkpoint, session: session.0 };
            let _ = self.task_managers.send(*session, abort);
        }
        if matches!(kind, Kind::Stop { .. }) {
            self.unheard(checkpoint, false);
        }
        let request = self.checkpoints.collecting.remove(&checkpoint).and_then(|collecting| collecting.request);
        if let Some(request) = request {
            let message = format!("checkpoint {checkpoint} failed: {reason}");
            let _ = request.reply.try_send(Err(Error::retryable("checkpoint-failed", message)));
        }
    }

    /// All TaskManagers must hear how a savepoint that stops the job has ended.
    fn unheard(&mut self, checkpoint: u64, completed: bool) {
        let sessions = self.placement.sessions().clone();
        if !sessions.is_empty() {
            self.checkpoints.unheard.insert(checkpoint, Unheard::new(completed, self.env.now_ms(), sessions));
        }
    }

    /// Tells TaskManagers again how a savepoint that stops the job has ended: tasks stand still behind it until they
    /// hear of it. Given up: until it answers. Complete: until its tasks have ended.
    pub(super) fn repeat_unheard(&mut self, now_ms: i64) {
        let job = self.id;
        for (checkpoint, unheard) in &mut self.checkpoints.unheard {
            if unheard.again_ms > now_ms {
                continue;
            }
            for session in &unheard.sessions {
                let message = match unheard.completed {
                    true => ToTaskManager::CompleteCheckpoint { job, checkpoint: *checkpoint },
                    false => ToTaskManager::AbortCheckpoint { job, checkpoint: *checkpoint, session: session.0 },
                };
                // One that cannot be reached now is told next time, or is lost with its tasks.
                let _ = self.task_managers.send(*session, message);
            }
            unheard.again_ms = now_ms.saturating_add(TELL_AGAIN_MS);
        }
    }

    /// Writes the next manifest, once what the one before committed is committed.
    pub(super) fn store_next(&mut self) {
        if self.checkpoints.storing || !self.commits.is_idle() {
            return;
        }
        let Some(next) = self.checkpoints.to_store.pop_front() else { return };
        let Some(collecting) = self.checkpoints.collecting.remove(&next.checkpoint) else { return };
        let request = collecting.request;
        let kind = request.as_ref().map(|request| request.kind.clone());
        let target = kind.map_or(Ok(None), |kind| self.target_of(&kind, self.env.random_u64()));
        let mut manifest = assemble(Parts {
            job: self.id,
            job_name: &self.graph.name,
            checkpoint: next.checkpoint,
            savepoint: next.kind.is_savepoint(),
            triggered_ms: next.triggered_ms,
            completed_ms: self.env.now_ms(),
            max_parallelism: self.graph.max_parallelism,
            vertices: &self.checkpoints.vertices,
            parts: collecting.parts,
            finished: next.finished,
            enumerators: collecting.enumerators,
            chain: &self.checkpoints.chain,
        });
        self.checkpoints.storing = true;
        let (job, inbox, store, checkpoint) =
            (self.id, self.inbox.clone(), self.checkpoints.store.clone(), next.checkpoint);
        let (places, is_final) = (self.placement.names(), matches!(next.kind, Kind::Stop { .. }));
        let term = Term { records: self.records.clone(), job, places, is_final };
        self.env.spawn_blocking("store", move || {
            let own = manifest.clone();
            let outcome = guarded(|| match target? {
                None => term.write_checkpoint(&store, &manifest),
                Some(target) => term.write_savepoint(&store, &mut manifest, &target),
            });
            let outcome = outcome.map(|path| (Box::new(own), path));
            let _ = inbox.send(Inbound::Stored { job, checkpoint, request, kind: next.kind, outcome });
        });
    }

    /// A thread has written a manifest, or could not.
    pub(crate) fn stored(
        &mut self,
        checkpoint: u64,
        kind: Kind,
        request: Option<Request>,
        outcome: Result<(Box<Manifest>, String)>,
    ) {
        self.checkpoints.storing = false;
        let (outcome, told) = match outcome {
            Ok((manifest, path)) => {
                let told = Ok(Stored { checkpoint, path: path.clone() });
                let bytes = manifest.state_bytes();
                self.checkpoint_complete(*manifest, kind, &path);
                (Ok((bytes, path)), told)
            }
            Err(error) => (Err(error.clone()), Err(error)),
        };
        self.checkpoints.apply_late_merges();
        let actions = self.checkpoints.coordinator.stored(checkpoint, outcome, self.env.now_ms());
        self.act_on_checkpoints(actions);
        if let Some(request) = request {
            let _ = request.reply.try_send(told);
        }
        self.pump();
    }

    /// A checkpoint exists: commits, notifies, forgets what is no longer needed. A savepoint is the user's; the job
    /// goes on as if it had not been, unless it ends with it.
    fn checkpoint_complete(&mut self, manifest: Manifest, kind: Kind, path: &str) {
        if kind == Kind::Savepoint {
            return;
        }
        let checkpoint = manifest.checkpoint;
        let staged = plan(&manifest, &self.checkpoints.vertices, self.graph.max_parallelism).committables;
        self.commits.push(Commit { checkpoint, staged, store: self.checkpoints.store.clone() });
        self.tell(&ToTaskManager::CompleteCheckpoint { job: self.id, checkpoint });
        self.notify_enumerators(&manifest);
        if let Kind::Stop { drain } = kind {
            self.checkpoints.stopped_with = Some(path.to_owned());
            self.checkpoints.drained = drain;
            self.unheard(checkpoint, true);
            return self.end_behind_savepoint(path);
        }
        self.checkpoints.chain = Chain::of(&manifest);
        let keep = self.checkpoints.coordinator.settings().retained;
        let mut roots = lock(&self.checkpoints.roots);
        roots.unpin(|attempt| self.execution.is_running(attempt));
        roots.retain(&manifest);
        roots.release(keep);
        drop(roots);
        self.checkpoints.latest = Some(Arc::new(manifest));
        self.collect_garbage(checkpoint);
        self.start_merges();
        self.keep_copies(checkpoint);
    }

    /// Tells TaskManagers which of their copies they need no more. Merges that have just begun write some that they do.
    fn keep_copies(&self, checkpoint: u64) {
        if LocalRecovery::from_config(&self.graph.config).is_ok_and(|local| local.keeps) {
            let needed = lock(&self.checkpoints.roots).newest();
            self.tell(&ToTaskManager::KeepCopies { job: self.id, checkpoint, needed });
        }
    }

    /// Tasks that began to restart while the savepoint was written must not go on behind it.
    fn end_behind_savepoint(&mut self, path: &str) {
        if self.execution.state() != crate::state::JobState::Restarting && self.redeploys.is_empty() {
            return;
        }
        let cause = self.execution.restart_cause().cloned().map(Error::from);
        let error = cause.unwrap_or_else(|| Error::internal("the job restarts"));
        let error = error.context(format_args!("the savepoint '{path}' is complete, start from it"));
        let actions = self.execution.fail_for_good(headwater_taskmanager::TaskError::from(&error), self.env.now_ms());
        self.act(actions);
    }

    fn notify_enumerators(&mut self, manifest: &Manifest) {
        for vertex in &self.checkpoints.vertices {
            let Some(head) = vertex.operators.first().filter(|operator| operator.source) else { continue };
            let Some(state) = manifest.operator(&head.key) else { continue };
            let items = state.splits.iter().flat_map(|part| &part.items);
            let splits: Vec<Split> = items.filter_map(inline).map(Split).collect();
            let told = guarded(|| self.splits.complete(vertex.id, manifest.checkpoint, &splits));
            if let Err(error) = told {
                // Offsets that could not be committed back are for other people's eyes only.
                tracing::warn!(job = %self.id, checkpoint = manifest.checkpoint, %error, "source was not notified");
            }
        }
    }

    fn collect_garbage(&mut self, latest: u64) {
        let (store, roots, job) = (self.checkpoints.store.clone(), self.checkpoints.roots.clone(), self.id);
        let execution = &self.execution;
        let claimed = self.checkpoints.take_claimed(|attempt| execution.is_running(attempt));
        self.env.spawn_blocking("collect-garbage", move || {
            let outcome = store.collect_garbage(&roots, latest).map(drop);
            if let Err(error) = outcome.and(delete_claimed(claimed)) {
                tracing::warn!(%job, %error, "checkpoint files that are no longer needed were left behind");
            }
        });
    }
}

/// Deletes the origin, if it is time.
pub(super) fn delete_claimed(claimed: Option<Point>) -> Result<()> {
    claimed.map_or(Ok(()), |origin| origin.store.delete_claimed(&origin.manifest))
}

/// Milliseconds until the TaskManager is told again how a stopping savepoint has ended.
const TELL_AGAIN_MS: i64 = 1_000;

impl Unheard {
    fn new(completed: bool, now_ms: i64, sessions: BTreeSet<SessionId>) -> Self {
        Self { completed, again_ms: now_ms.saturating_add(TELL_AGAIN_MS), sessions }
    }
}

/// The roots, which are consistent whatever happened to who held them.
fn lock(roots: &Mutex<Roots>) -> MutexGuard<'_, Roots> {
    roots.lock().unwrap_or_else(PoisonError::into_inner)
}

fn inline(blob: &Blob) -> Option<Vec<u8>> {
    match blob {
        Blob::Inline(bytes) => Some(bytes.clone()),
        Blob::Stored(_) => None,
    }
}
