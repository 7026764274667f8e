//! What a JobManager does with what arrives.

use super::leaving::Leaving;
use super::recover::Earlier;
use super::{Handle, Inbound, Options};
use crate::job::{Job, not_running};
use crate::task_managers::{SessionId, TaskManagerInfo, TaskManagers};
use headwater_taskmanager::{FromTaskManager, TaskManagerGateway, ToTaskManager};
use headwater_types::Error;
use headwater_types::ids::JobId;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Messages that may wait for the JobManager. It never waits for others, so senders wait for a moment only.
const INBOX_MESSAGES: usize = 512;
/// Longest time until the clock is looked at again while something is due.
const TICK_MS_MAX: u64 = 50;

/// A JobManager without a thread: whoever owns it lets it handle what has arrived, and tells it when time has passed.
pub struct Core {
    pub(super) options: Options,
    pub(super) inbox: SyncSender<Inbound>,
    messages: Receiver<Inbound>,
    pub(super) task_managers: Arc<TaskManagers>,
    sessions: Arc<AtomicU64>,
    pub(super) jobs: BTreeMap<JobId, Job>,
    /// Ended jobs, oldest first.
    pub(super) history: VecDeque<JobId>,
    pub(super) leaving: Vec<Leaving>,
    /// Jobs of earlier JobManagers that have ended, and those that are about to be started again.
    pub(super) earlier: Earlier,
}

impl Core {
    /// A JobManager that has no jobs and knows no TaskManager.
    pub fn new(options: Options) -> Self {
        let (inbox, messages) = sync_channel(INBOX_MESSAGES);
        let (task_managers, sessions) = (Arc::default(), Arc::default());
        let (jobs, history, leaving) = (BTreeMap::new(), VecDeque::new(), vec![]);
        let earlier = Earlier::default();
        Self { options, inbox, messages, task_managers, sessions, jobs, history, leaving, earlier }
    }

    /// A handle to submit jobs by.
    pub fn handle(&self) -> Handle {
        Handle { inbox: self.inbox.clone(), sessions: self.sessions.clone() }
    }

    /// Handles a message that has arrived; whether there was one.
    pub fn handle_next(&mut self) -> bool {
        let message = self.messages.try_recv();
        message.is_ok_and(|message| self.receive(message))
    }

    /// Runs until it is told to end.
    pub(super) fn run(mut self) {
        loop {
            let message = match self.wait() {
                None => self.messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => self.messages.recv_timeout(wait),
            };
            let goes_on = match message {
                Ok(message) => self.receive(message),
                Err(error) => error == RecvTimeoutError::Timeout,
            };
            if !goes_on {
                return;
            }
            self.tick();
        }
    }

    /// When [`Core::tick`] has something to do next.
    pub fn wake_ms(&self) -> Option<i64> {
        let jobs = self.jobs.values().filter_map(Job::wake_ms);
        jobs.chain(self.leaving.iter().map(|leaving| leaving.look_ms)).chain(self.earlier.again_ms()).min()
    }

    /// How long to wait for messages at most; for ever when nothing is due.
    fn wait(&self) -> Option<Duration> {
        let wake_ms = self.wake_ms()?;
        let wait_ms = wake_ms.saturating_sub(self.options.env.now_ms()).max(0).unsigned_abs();
        // A simulated clock moves by leaps: it is looked at again soon.
        Some(Duration::from_millis(wait_ms.clamp(1, TICK_MS_MAX)))
    }

    /// Lets the jobs do what is due.
    pub fn tick(&mut self) {
        let now_ms = self.options.env.now_ms();
        let is_due = |job: &Job| job.wake_ms().is_some_and(|wake_ms| wake_ms <= now_ms);
        let due: Vec<JobId> = self.jobs.iter().filter(|(_, job)| is_due(job)).map(|(id, _)| *id).collect();
        due.into_iter().for_each(|id| self.with_job(id, Job::tick));
        self.let_go(now_ms);
        self.recover_again(now_ms);
    }

    /// Handles a message; whether others may follow.
    fn receive(&mut self, message: Inbound) -> bool {
        match message {
            Inbound::Register { session, info, gateway } => self.register(session, info, gateway),
            Inbound::TaskManagerLost { session, reason } => self.task_manager_lost(session, &reason),
            Inbound::TaskManagerLeaves { session } => self.task_manager_leaves(session),
            Inbound::TaskManagers { reply } => drop(reply.try_send(self.task_managers.list())),
            Inbound::Inspect { task_manager, what, reply } => self.task_managers.inspect(&task_manager, what, reply),
            Inbound::Coordinate { job, subtask, target, request, reply } => {
                self.with_job(job, |job| job.coordinate(subtask, target, request, reply));
            }
            Inbound::Submit { plan, reply } => self.submit(&plan, reply),
            Inbound::Requirements { job, reply } => self.answer(job, &reply, |job| job.requirements(), |_| None),
            Inbound::SetRequirements { job, asked, reply } => {
                self.answer(job, &reply, |job| job.set_requirements(asked), |_| Err(not_running()));
            }
            Inbound::Rescales { job, reply } => {
                self.answer(job, &reply, |job| job.rescales(), |ended| ended.rescales.clone());
            }
            Inbound::Recovered { outcome } => self.recovered(outcome),
            Inbound::Remembered { ended: Some((job, archive, plan)) } => self.remembered(job, *archive, &plan),
            Inbound::Remembered { ended: None } => self.all_remembered(),
            Inbound::Accepted { submission, outcome } => self.accepted(*submission, outcome),
            Inbound::Deposed(error) => {
                tracing::error!(error = error.message(), "this JobManager leads no more");
                return false;
            }
            Inbound::Located { submission, outcome } => self.located(*submission, outcome),
            Inbound::Cancel(job) => self.with_job(job, Job::cancel),
            Inbound::Stop(job) => self.with_job(job, Job::stop),
            Inbound::Wait { job, reply } => self.wait_for(job, reply),
            Inbound::Metrics { job, reply } => self.metrics(job, reply),
            Inbound::Status { job, reply } => {
                self.answer(job, &reply, |job| job.status(), |ended| ended.status.clone());
            }
            Inbound::Jobs { reply } => drop(reply.try_send(self.summaries())),
            Inbound::List { reply } => drop(reply.try_send(self.listed())),
            Inbound::Details { job, reply } => drop(reply.try_send(self.details(job))),
            Inbound::Report(message) => self.with_job(job_of(&message), |job| job.report(message)),
            Inbound::Checkpoint { job, request } => self.take_checkpoint(job, request),
            Inbound::Statistics { job, reply } => {
                self.answer(job, &reply, |job| job.statistics(), |ended| ended.statistics.clone());
            }
            Inbound::Adopted { job, outcome } => self.with_job(job, |job| job.adopted(outcome)),
            Inbound::Stored { job, checkpoint, kind, request, outcome } => {
                self.with_job(job, |job| job.stored(checkpoint, kind, request, outcome));
            }
            Inbound::Committed { job, checkpoint, sinks, outcome } => {
                self.with_job(job, |job| job.committed(checkpoint, sinks, outcome));
            }
            Inbound::Finished { job, sinks, outcome } => self.with_job(job, |job| job.finished(sinks, outcome)),
            Inbound::Aborted { job } => self.with_job(job, Job::complete),
            Inbound::Shutdown => return false,
        }
        true
    }

    fn register(&mut self, session: SessionId, info: TaskManagerInfo, gateway: Arc<dyn TaskManagerGateway>) {
        if let Some(earlier) = self.task_managers.add(session, info, gateway) {
            self.task_manager_lost(earlier, "it has registered again");
        }
        self.tell_jobs(session);
        self.offer_slots();
    }

    pub(super) fn task_manager_lost(&mut self, session: SessionId, reason: &str) {
        let Some((info, planned)) = self.task_managers.remove(session) else { return };
        match planned {
            true => tracing::info!(task_manager = info.id, host = info.host, reason, "a TaskManager has left"),
            false => tracing::warn!(task_manager = info.id, host = info.host, reason, "a TaskManager is lost"),
        }
        let message = format!("the TaskManager '{}' on {} is lost: {reason}", info.id, info.host);
        let lost = Error::retryable("taskmanager-lost", message);
        let jobs: Vec<JobId> = self.jobs.keys().copied().collect();
        jobs.into_iter().for_each(|id| self.with_job(id, |job| job.task_manager_gone(session, &lost, planned)));
    }

    /// Tells a TaskManager which jobs there are, of which it may have kept something; not before that is known.
    pub(super) fn tell_jobs(&self, session: SessionId) {
        if let Some(jobs) = self.active_jobs() {
            // One that does not hear it keeps more than it needs.
            let _ = self.task_managers.send(session, ToTaskManager::Retain { jobs });
        }
    }

    /// There are free slots: the jobs that wait take them, others may grow.
    fn offer_slots(&mut self) {
        self.jobs.values_mut().for_each(Job::slots_changed);
        let waiting = self.jobs.iter().filter(|(_, job)| job.waits_for_slots()).map(|(id, _)| *id);
        let waiting: Vec<JobId> = waiting.collect();
        waiting.into_iter().for_each(|id| self.with_job(id, Job::tick));
    }

    /// Calls `f` for a job that exists; a reply to one that was forgotten is dropped, which its asker sees.
    pub(super) fn with_job(&mut self, id: JobId, f: impl FnOnce(&mut Job)) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let before = job.is_complete();
        f(job);
        job.observe();
        if !before && job.is_complete() {
            self.remember(id);
            self.offer_slots();
        }
    }
}

fn job_of(message: &FromTaskManager) -> JobId {
    match message {
        FromTaskManager::DeployFailed { job, .. }
        | FromTaskManager::Running { job, .. }
        | FromTaskManager::SplitRequest { job, .. }
        | FromTaskManager::Committables { job, .. }
        | FromTaskManager::CheckpointAck { job, .. }
        | FromTaskManager::CheckpointDeclined { job, .. }
        | FromTaskManager::AwaitsCheckpoint { job, .. }
        | FromTaskManager::CheckpointAborted { job, .. }
        | FromTaskManager::Merged { job, .. }
        | FromTaskManager::Finished { job, .. }
        | FromTaskManager::Metrics { job, .. } => *job,
    }
}
