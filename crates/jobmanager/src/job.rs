//! One job on the JobManager: its execution, its checkpoints, its connectors, who waits for it.
//!
//! Everything here runs on the JobManager's thread and decides nothing by itself: [`Execution`] and
//! [`headwater_checkpoint::Coordinator`] do. What blocks goes to I/O threads and comes back as a message.
//!
//! Order that matters:
//! * A checkpoint's manifest is written when the committables of the one before are committed, so that at most one
//!   checkpoint has something to commit again after a restore.
//! * A region is deployed again when nothing is being stored or committed.

mod autoscale;
mod checkpoints;
mod commits;
mod metrics;
mod observe;
mod placement;
mod recovery;
mod rescale;
mod shape;

pub(crate) use checkpoints::{Request, not_running};
pub use checkpoints::{RequestKind, Stored};
pub(crate) use placement::SLOT_REQUEST_TIMEOUT;
pub(crate) use shape::vertices;

use crate::autoscaler::Scaler;
use crate::execution::{Action, Execution};
use crate::guard::guarded;
use crate::ha::Records;
use crate::locate::Origin;
use crate::overview::History;
use crate::rescale::Policy;
use crate::service::Inbound;
use crate::sinks::Sinks;
use crate::splits::Splits;
use crate::state::{JobResult, JobState};
use crate::store::Store;
use crate::task_managers::{SessionId, TaskManagers};
use autoscale::Autoscaling;
use checkpoints::Checkpoints;
use commits::Commits;
use headwater_checkpoint::Settings;
use headwater_connector_api::Registry;
use headwater_env::{Env, StorageProvider};
use headwater_plan::JobGraph;
use headwater_runtime::OperatorSnapshot;
use headwater_taskmanager::{FromTaskManager, Outcome, SplitAnswer, TaskError, ToTaskManager};
use headwater_types::Result;
use headwater_types::error::Error;
use headwater_types::ids::{JobId, SubtaskId};
use metrics::Gathering;
use placement::Placement;
use rescale::Rescaling;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

/// Replies to whoever waits.
type Reply<T> = SyncSender<T>;

/// A job.
pub(crate) struct Job {
    id: JobId,
    graph: Arc<JobGraph>,
    plan: Vec<u8>,
    env: Env,
    registry: Registry,
    provider: Arc<dyn StorageProvider>,
    execution: Execution,
    splits: Splits,
    commits: Commits,
    checkpoints: Checkpoints,
    history: History,
    task_managers: Arc<TaskManagers>,
    placement: Placement,
    slot_timeout_ms: i64,
    inbox: SyncSender<Inbound>,
    /// What outlives the JobManager.
    records: Option<Records>,
    rescaling: Rescaling,
    /// `None` where its parallelism is nobody's business but its users'.
    autoscaling: Option<Autoscaling>,
    /// Regions that wait to be deployed, with their attempts.
    redeploys: Vec<(Vec<SubtaskId>, u32)>,
    /// All tasks have finished: the last commit is due.
    finishing: bool,
    /// The job failed or was cancelled: what it left is to be removed.
    aborting: bool,
    /// Counters of the tasks that have ended.
    ended: BTreeMap<SubtaskId, Vec<OperatorSnapshot>>,
    /// Waiting for the end.
    waiters: Vec<Reply<JobResult>>,
    /// Waiting for counters, by request number.
    gatherings: BTreeMap<u64, Gathering>,
    next_request: u64,
    /// Whether the result may be told: the state is final and everything is cleaned up.
    complete: bool,
}

/// A checkpoint that a job starts from.
pub(crate) enum Start {
    /// Its own last one, which an earlier JobManager saw complete.
    Own(Origin),
    /// Another job's, or a savepoint.
    Other(Origin),
}

/// The parts a new job is made of.
pub(crate) struct NewJob {
    pub(crate) id: JobId,
    pub(crate) graph: JobGraph,
    pub(crate) plan: Vec<u8>,
    pub(crate) execution: Execution,
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) from: Option<Start>,
    pub(crate) records: Option<Records>,
    pub(crate) policy: Policy,
    /// Where its slots were under an earlier JobManager, by the names of the TaskManagers.
    pub(crate) places: Vec<(u32, String)>,
    /// When the job was submitted, whoever led then.
    pub(crate) submitted_ms: i64,
    pub(crate) autoscaler: Option<Scaler>,
    pub(crate) splits: Splits,
    pub(crate) sinks: Sinks,
    pub(crate) env: Env,
    pub(crate) registry: Registry,
    pub(crate) provider: Arc<dyn StorageProvider>,
    pub(crate) task_managers: Arc<TaskManagers>,
    pub(crate) slot_timeout_ms: i64,
    pub(crate) inbox: SyncSender<Inbound>,
}

impl Job {
    /// Deploys a new job, from its origin when it has one.
    pub(crate) fn start(new: NewJob) -> Self {
        let subtasks: Vec<SubtaskId> = new.execution.tasks().keys().copied().collect();
        let checkpoints = Checkpoints::new(&new, &subtasks);
        let planned = new.graph.vertices.iter().map(|vertex| vertex.parallelism).collect();
        let rescaling = Rescaling::new(new.policy, planned);
        let placement = Placement::after(new.places, new.env.now_ms());
        let mut job = Self {
            id: new.id,
            graph: Arc::new(new.graph),
            plan: new.plan,
            env: new.env,
            registry: new.registry,
            provider: new.provider,
            execution: new.execution,
            splits: new.splits,
            commits: Commits::new(new.sinks),
            checkpoints,
            history: History::since(new.submitted_ms),
            task_managers: new.task_managers,
            placement,
            slot_timeout_ms: new.slot_timeout_ms,
            inbox: new.inbox,
            records: new.records,
            rescaling,
            autoscaling: new.autoscaler.map(Autoscaling::new),
            redeploys: vec![],
            finishing: false,
            aborting: false,
            ended: BTreeMap::new(),
            waiters: vec![],
            gatherings: BTreeMap::new(),
            next_request: 0,
            complete: false,
        };
        job.observe();
        job.execution.deployed();
        job.begin(subtasks);
        job.pump();
        job.observe();
        job
    }

    /// Whether the job takes checkpoints.
    pub(crate) fn is_checkpointed(&self) -> bool {
        self.checkpoints.coordinator.settings().interval_ms.is_some()
    }

    /// Whether the job has ended and its result is known.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Takes a report of a TaskManager. Those of earlier attempts are dropped.
    pub(crate) fn report(&mut self, message: FromTaskManager) {
        if let Some((subtask, attempt)) = sender(&message)
            && !self.execution.is_current(subtask, attempt)
        {
            return;
        }
        let now_ms = self.env.now_ms();
        self.history.report(&message, now_ms);
        let actions = match message {
            FromTaskManager::DeployFailed { attempt, subtasks, error, .. } => {
                self.deploy_failed(attempt, &subtasks, error)
            }
            FromTaskManager::Running { subtask, .. } => {
                self.execution.task_running(subtask);
                self.checkpoints.coordinator.task_running(subtask);
                vec![]
            }
            FromTaskManager::SplitRequest { subtask, .. } => self.assign_split(subtask),
            FromTaskManager::Committables { subtask, committables, .. } => self.stage(subtask, committables),
            FromTaskManager::CheckpointAck { subtask, checkpoint, part, statistics, .. } => {
                self.checkpoint_ack(checkpoint, subtask, *part, statistics);
                vec![]
            }
            FromTaskManager::CheckpointDeclined { subtask, checkpoint, reason, .. } => {
                let coordinator = &mut self.checkpoints.coordinator;
                let actions = coordinator.decline(checkpoint, subtask, reason.message(), now_ms);
                self.act_on_checkpoints(actions);
                vec![]
            }
            FromTaskManager::AwaitsCheckpoint { subtask, .. } => {
                self.checkpoints.coordinator.task_awaits(subtask);
                vec![]
            }
            FromTaskManager::Finished { subtask, outcome, last_checkpoint, metrics, .. } => {
                self.task_ended(subtask, outcome, last_checkpoint, metrics)
            }
            FromTaskManager::CheckpointAborted { checkpoint, session, .. } => {
                self.checkpoints.heard(checkpoint, SessionId(session));
                vec![]
            }
            FromTaskManager::Merged { request, outcome, .. } => {
                self.merged(request, outcome);
                vec![]
            }
            FromTaskManager::Metrics { request, session, metrics, .. } => {
                self.gather_metrics(request, SessionId(session), metrics);
                vec![]
            }
        };
        self.act(actions);
        self.pump();
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self) {
        self.pump();
    }

    /// When [`Job::tick`] has something to do.
    pub(crate) fn wake_ms(&self) -> Option<i64> {
        if self.complete {
            return None;
        }
        let checkpoints = match self.takes_checkpoints() {
            true => [self.checkpoints.coordinator.wake_ms(), self.checkpoints.readopt_ms],
            false => [None; 2],
        };
        let unheard = self.checkpoints.unheard.values().map(|unheard| unheard.again_ms).min();
        let others = [
            self.execution.wake_ms(),
            self.commits.again_ms,
            unheard,
            self.placement.wake_ms(),
            self.rescaling.wake_ms(),
            self.autoscaling.as_ref().map(Autoscaling::wake_ms),
        ];
        others.into_iter().chain(checkpoints).flatten().min()
    }

    /// Ends the job without output.
    pub(crate) fn cancel(&mut self) {
        let actions = self.execution.cancel(self.env.now_ms());
        self.act(actions);
        self.pump();
    }

    /// Ends the sources of the job.
    pub(crate) fn stop(&mut self) {
        let actions = self.execution.stop();
        self.act(actions);
        self.pump();
    }

    /// Replies when the job has ended.
    pub(crate) fn wait(&mut self, reply: Reply<JobResult>) {
        if self.complete {
            let _ = reply.try_send(self.result());
        } else {
            self.waiters.push(reply);
        }
    }

    /// Does what has become possible: triggers, stores, commits, deploys, ends.
    fn pump(&mut self) {
        if self.complete {
            return;
        }
        let now_ms = self.env.now_ms();
        self.autoscale_next(now_ms);
        self.rescale_next(now_ms);
        if !self.rescaling.goes_down() {
            let actions = self.execution.tick(now_ms);
            self.act(actions);
        }
        self.repeat_unheard(now_ms);
        self.expire_wait(now_ms);
        if self.takes_checkpoints() {
            self.try_requests();
            let actions = self.checkpoints.coordinator.tick(now_ms);
            self.act_on_checkpoints(actions);
        }
        self.commit_next();
        self.store_next();
        self.redeploy_ready();
        self.answer_deferred();
        self.finish_ready();
        self.abort_ready();
    }

    /// Behind the savepoint that ends the job there are none: tasks that end for its sake would count as finished.
    fn takes_checkpoints(&self) -> bool {
        let running = self.execution.state() == JobState::Running;
        running && !self.finishing && self.checkpoints.stopped_with.is_none()
    }

    fn result(&self) -> JobResult {
        JobResult {
            job: self.id,
            name: self.graph.name.clone(),
            state: self.execution.state(),
            error: self.execution.failure().cloned().map(Error::from),
            operators: self.ended.values().flatten().cloned().collect(),
        }
    }

    fn task_ended(
        &mut self,
        subtask: SubtaskId,
        outcome: Outcome,
        last_checkpoint: u64,
        metrics: Vec<OperatorSnapshot>,
    ) -> Vec<Action> {
        self.ended.insert(subtask, metrics);
        if outcome == Outcome::Cancelled {
            let actions = self.hand_over_cancelled(subtask);
            self.act(actions);
        }
        self.placement.ended(subtask);
        let now_ms = self.env.now_ms();
        if outcome == Outcome::Finished {
            let actions = self.checkpoints.coordinator.task_finished(subtask, last_checkpoint, now_ms);
            self.act_on_checkpoints(actions);
        }
        if let (Outcome::Failed(error), Some(path)) = (&outcome, &self.checkpoints.stopped_with) {
            let error =
                Error::from(error.clone()).context(format_args!("the savepoint '{path}' is complete, start from it"));
            let mut actions = self.execution.fail_for_good(TaskError::from(&error), now_ms);
            actions.extend(self.execution.task_ended(subtask, outcome, now_ms, 0));
            return actions;
        }
        self.execution.task_ended(subtask, outcome, now_ms, self.env.random_u64())
    }

    /// Answers a split request, unless a checkpoint is on its way to the source: its splits and the enumerator's
    /// must not overlap.
    fn assign_split(&mut self, subtask: SubtaskId) -> Vec<Action> {
        if self.checkpoints.coordinator.awaits(subtask) {
            self.checkpoints.deferred.push(subtask);
            return vec![];
        }
        match guarded(|| self.splits.next(subtask)).and_then(|answer| self.send_split(subtask, answer)) {
            Ok(()) => vec![],
            Err(error) => self.fail(&error),
        }
    }

    fn answer_deferred(&mut self) {
        for subtask in std::mem::take(&mut self.checkpoints.deferred) {
            let actions = self.assign_split(subtask);
            self.act(actions);
        }
    }

    /// The split of a task that is lost meanwhile comes back when its region restarts.
    fn send_split(&self, subtask: SubtaskId, answer: SplitAnswer) -> Result<()> {
        let Some(session) = self.placement.of(subtask) else { return Ok(()) };
        let sent = self.task_managers.send(session, ToTaskManager::AssignSplit { job: self.id, subtask, answer });
        sent.or_else(|error| if error.code() == CONNECTION_CLOSED { Ok(()) } else { Err(error) })
    }

    /// Tasks could not be deployed: none of them runs.
    fn deploy_failed(&mut self, attempt: u32, subtasks: &[SubtaskId], error: TaskError) -> Vec<Action> {
        if subtasks.iter().all(|subtask| self.execution.is_current(*subtask, attempt)) {
            subtasks.iter().for_each(|subtask| self.placement.ended(*subtask));
        }
        self.execution.deploy_failed(attempt, subtasks, error, self.env.now_ms(), self.env.random_u64())
    }

    fn stage(&mut self, subtask: SubtaskId, committables: Vec<Vec<u8>>) -> Vec<Action> {
        match self.commits.stage(subtask, committables) {
            Ok(()) => vec![],
            Err(error) => self.fail(&error),
        }
    }

    /// The job cannot go on as it is.
    fn fail(&mut self, error: &Error) -> Vec<Action> {
        self.execution.fail_job(TaskError::from(error), self.env.now_ms(), self.env.random_u64())
    }

    fn act(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::CancelTasks(subtasks) => self.cancel_tasks(subtasks),
                Action::StopSources => self.tell(&ToTaskManager::Stop { job: self.id }),
                Action::Restarting(subtasks) => self.restarting(&subtasks),
                Action::Redeploy { subtasks, attempt } => self.redeploys.push((subtasks, attempt)),
                Action::Commit => {
                    self.finishing = true;
                    self.checkpoints.unheard.clear();
                }
                Action::Abort => {
                    self.aborting = true;
                    self.abort_ready();
                    // Told when everything is cleaned up.
                    return;
                }
                Action::Complete => self.complete(),
            }
        }
    }

    pub(crate) fn complete(&mut self) {
        self.complete = true;
        self.tell(&ToTaskManager::Release { job: self.id });
        self.task_managers.release(self.id);
        self.provider.close(&self.checkpoints.store.uri);
        self.refuse_requests();
        let result = self.result();
        for waiter in self.waiters.drain(..) {
            let _ = waiter.try_send(result.clone());
        }
        self.finish_metrics();
    }
}

/// What a gateway says when the connection has ended: that the TaskManager is lost is about to be told.
const CONNECTION_CLOSED: &str = "connection-closed";

/// Who sent a message about a subtask, and in which attempt.
fn sender(message: &FromTaskManager) -> Option<(SubtaskId, u32)> {
    match message {
        FromTaskManager::Running { subtask, attempt, .. }
        | FromTaskManager::SplitRequest { subtask, attempt, .. }
        | FromTaskManager::Committables { subtask, attempt, .. }
        | FromTaskManager::CheckpointAck { subtask, attempt, .. }
        | FromTaskManager::CheckpointDeclined { subtask, attempt, .. }
        | FromTaskManager::AwaitsCheckpoint { subtask, attempt, .. }
        | FromTaskManager::Finished { subtask, attempt, .. } => Some((*subtask, *attempt)),
        FromTaskManager::DeployFailed { .. }
        | FromTaskManager::CheckpointAborted { .. }
        | FromTaskManager::Merged { .. }
        | FromTaskManager::Metrics { .. } => None,
    }
}
