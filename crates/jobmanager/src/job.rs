//! One job on the JobManager: its execution, its checkpoints, its connectors, who waits for it.
//!
//! Everything here runs on the JobManager's thread and decides nothing by itself: [`Execution`] and
//! [`headwater_checkpoint::Coordinator`] do. What blocks goes to I/O threads and comes back as a message.
//!
//! Order that matters:
//! * A checkpoint's manifest is written when the committables of the one before are committed, so that at most one
//!   checkpoint has something to commit again after a restore.
//! * A region is deployed again when nothing is being stored or committed.

mod checkpoints;
mod commits;
mod recovery;
mod shape;

pub(crate) use checkpoints::Request;
pub use checkpoints::{RequestKind, Stored};
pub(crate) use shape::vertices;

use crate::execution::{Action, Execution};
use crate::guard::guarded;
use crate::link::TaskManagerLink;
use crate::locate::Origin;
use crate::service::Inbound;
use crate::sinks::Sinks;
use crate::splits::Splits;
use crate::state::{JobResult, JobStatus, TaskState};
use crate::store::Store;
use checkpoints::Checkpoints;
use commits::Commits;
use headwater_checkpoint::{Settings, Statistics};
use headwater_connector_api::Registry;
use headwater_env::{Env, StorageProvider};
use headwater_plan::JobGraph;
use headwater_runtime::OperatorSnapshot;
use headwater_taskmanager::{FromTaskManager, Outcome, SplitAnswer, TaskError, ToTaskManager};
use headwater_types::Result;
use headwater_types::error::Error;
use headwater_types::ids::{JobId, SubtaskId};
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
    task_manager: Arc<TaskManagerLink>,
    inbox: SyncSender<Inbound>,
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
    metrics_requests: BTreeMap<u64, Reply<Vec<OperatorSnapshot>>>,
    next_request: u64,
    /// Whether the result may be told: the state is final and everything is cleaned up.
    complete: bool,
}

/// The parts a new job is made of.
pub(crate) struct NewJob {
    pub(crate) id: JobId,
    pub(crate) graph: JobGraph,
    pub(crate) plan: Vec<u8>,
    pub(crate) execution: Execution,
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) origin: Option<Origin>,
    pub(crate) splits: Splits,
    pub(crate) sinks: Sinks,
    pub(crate) env: Env,
    pub(crate) registry: Registry,
    pub(crate) provider: Arc<dyn StorageProvider>,
    pub(crate) task_manager: Arc<TaskManagerLink>,
    pub(crate) inbox: SyncSender<Inbound>,
}

impl Job {
    /// Deploys a new job, from its origin when it has one.
    pub(crate) fn start(new: NewJob) -> Self {
        let subtasks: Vec<SubtaskId> = new.execution.tasks().keys().copied().collect();
        let checkpoints = Checkpoints::new(&new, &subtasks);
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
            task_manager: new.task_manager,
            inbox: new.inbox,
            redeploys: vec![],
            finishing: false,
            aborting: false,
            ended: BTreeMap::new(),
            waiters: vec![],
            metrics_requests: BTreeMap::new(),
            next_request: 0,
            complete: false,
        };
        job.execution.deployed();
        job.begin(subtasks);
        job.pump();
        job
    }

    /// Whether the job has ended and its result is known.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// The job at this moment.
    pub(crate) fn status(&self) -> JobStatus {
        JobStatus {
            job: self.id,
            name: self.graph.name.clone(),
            state: self.execution.state(),
            tasks: self.execution.tasks().clone(),
            restarts: self.execution.restarts(),
            restart_cause: self.execution.restart_cause().cloned().map(Error::from),
            restart_delay_ms: self.execution.restart_delay_ms(),
        }
    }

    /// The job's checkpoints.
    pub(crate) fn statistics(&self) -> Statistics {
        self.checkpoints.coordinator.statistics(self.env.now_ms())
    }

    /// Takes a report of the TaskManager. Those of earlier attempts are dropped.
    pub(crate) fn report(&mut self, message: FromTaskManager) {
        if let Some((subtask, attempt)) = sender(&message)
            && !self.execution.is_current(subtask, attempt)
        {
            return;
        }
        let now_ms = self.env.now_ms();
        let actions = match message {
            FromTaskManager::DeployFailed { attempt, error, .. } => {
                self.execution.deploy_failed(attempt, error, now_ms, self.env.random_u64())
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
            FromTaskManager::CheckpointAborted { checkpoint, .. } => {
                self.checkpoints.unheard.remove(&checkpoint);
                vec![]
            }
            FromTaskManager::Merged { request, outcome, .. } => {
                self.merged(request, outcome);
                vec![]
            }
            FromTaskManager::Metrics { request, metrics, .. } => {
                self.reply_metrics(request, metrics);
                vec![]
            }
        };
        self.act(actions);
        self.pump();
    }

    /// The TaskManager is gone, and with it all tasks.
    pub(crate) fn task_manager_lost(&mut self) {
        self.checkpoints.unheard.clear();
        let lost = Error::retryable("taskmanager-lost", "the TaskManager that ran the task is gone");
        let alive = |(subtask, task): (&SubtaskId, &TaskState)| (!task.is_final()).then_some(*subtask);
        let alive: Vec<SubtaskId> = self.execution.tasks().iter().filter_map(alive).collect();
        for subtask in alive {
            let actions = self.task_ended(subtask, Outcome::Failed(TaskError::from(&lost)), 0, vec![]);
            self.act(actions);
        }
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
        let others = [self.execution.wake_ms(), self.commits.again_ms, unheard];
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

    /// Replies with the counters: the final ones, or those the TaskManager reports.
    pub(crate) fn metrics(&mut self, reply: Reply<Vec<OperatorSnapshot>>) {
        let request = self.next_request;
        self.next_request += 1;
        let report = ToTaskManager::ReportMetrics { job: self.id, request };
        if self.complete || self.task_manager.send(report).is_err() {
            let _ = reply.try_send(self.ended.values().flatten().cloned().collect());
        } else {
            self.metrics_requests.insert(request, reply);
        }
    }

    /// Does what has become possible: triggers, stores, commits, deploys, ends.
    fn pump(&mut self) {
        if self.complete {
            return;
        }
        let now_ms = self.env.now_ms();
        let actions = self.execution.tick(now_ms);
        self.act(actions);
        self.repeat_unheard(now_ms);
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
        let running = self.execution.state() == crate::state::JobState::Running;
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

    fn reply_metrics(&mut self, request: u64, metrics: Vec<OperatorSnapshot>) {
        if let Some(reply) = self.metrics_requests.remove(&request) {
            let _ = reply.try_send(metrics);
        }
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

    fn send_split(&self, subtask: SubtaskId, answer: SplitAnswer) -> Result<()> {
        self.task_manager.send(ToTaskManager::AssignSplit { job: self.id, subtask, answer })
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
                Action::CancelTasks(subtasks) => self.tell(ToTaskManager::Cancel { job: self.id, subtasks }),
                Action::StopSources => self.tell(ToTaskManager::Stop { job: self.id }),
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

    /// A TaskManager that cannot be reached has no tasks either.
    fn tell(&self, message: ToTaskManager) {
        let _ = self.task_manager.send(message);
    }

    pub(crate) fn complete(&mut self) {
        self.complete = true;
        self.tell(ToTaskManager::Release { job: self.id });
        self.provider.close(&self.checkpoints.store.uri);
        self.refuse_requests();
        let result = self.result();
        for waiter in self.waiters.drain(..) {
            let _ = waiter.try_send(result.clone());
        }
        for (_, reply) in std::mem::take(&mut self.metrics_requests) {
            let _ = reply.try_send(result.operators.clone());
        }
    }
}

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
