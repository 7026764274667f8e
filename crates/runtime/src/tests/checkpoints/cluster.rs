//! A small JobManager: triggers, collects, completes and aborts checkpoints, restores the job after a crash.

use super::counting;
use super::store::{Completed, Restore, StoredSubtask};
use crate::checkpoint::SubtaskSnapshot;
use crate::deploy::{Deployment, TaskEvents};
use crate::options::RuntimeOptions;
use crate::schedule::ManualExecutor;
use crate::testing::{Ledger, LedgerConnector, toys};
use crate::{Barrier, OperatorSnapshot, RestoreSource, TaskHandle, lock};
use headwater_connector_api::{Committable, Committer, SplitEnumerator};
use headwater_exchange::{Alignment, BarrierKind};
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

enum Report {
    Request(SubtaskId),
    Snapshot(SubtaskId, Box<SubtaskSnapshot>),
    Declined(u64),
    Awaiting(SubtaskId),
    Finished(SubtaskId, Result<()>),
}

#[derive(Default)]
struct Reports(Mutex<Vec<Report>>);

impl Reports {
    fn push(&self, report: Report) {
        lock(&self.0).push(report);
    }
}

impl TaskEvents for Reports {
    fn running(&self, _subtask: SubtaskId) {}

    fn request_split(&self, subtask: SubtaskId) {
        self.push(Report::Request(subtask));
    }

    fn committables(&self, _subtask: SubtaskId, _committables: Vec<Committable>) {
        panic!("committables belong to checkpoints");
    }

    fn snapshot(&self, subtask: SubtaskId, snapshot: SubtaskSnapshot) {
        self.push(Report::Snapshot(subtask, Box::new(snapshot)));
    }

    fn declined(&self, _subtask: SubtaskId, checkpoint: u64, _reason: Error) {
        self.push(Report::Declined(checkpoint));
    }

    fn ended_awaiting_checkpoint(&self, subtask: SubtaskId) {
        self.push(Report::Awaiting(subtask));
    }

    fn finished(&self, subtask: SubtaskId, outcome: Result<()>, _metrics: Vec<OperatorSnapshot>) {
        self.push(Report::Finished(subtask, outcome));
    }
}

/// A checkpoint under way.
struct Pending {
    barrier: Barrier,
    enumerators: BTreeMap<VertexId, Vec<u8>>,
    acknowledged: BTreeMap<SubtaskId, StoredSubtask>,
}

/// One execution of a job.
struct Attempt {
    executor: ManualExecutor,
    tasks: Vec<TaskHandle>,
    reports: Arc<Reports>,
    enumerators: BTreeMap<VertexId, Box<dyn SplitEnumerator>>,
    /// Sum of the snapshots of each subtask, of checkpoints completed or not.
    sums: BTreeMap<SubtaskId, StoredSubtask>,
    requests: Vec<SubtaskId>,
    awaiting: BTreeSet<SubtaskId>,
    ended: BTreeSet<SubtaskId>,
    /// By number.
    pending: BTreeMap<u64, Pending>,
}

/// A job that survives its executions.
pub(super) struct Cluster {
    pub(super) ledger: Arc<Ledger>,
    pub(super) completed: Option<Completed>,
    /// Rows that barriers overtook so far.
    pub(super) overtaken_rows: u64,
    /// Checkpoints under way that a subtask gave up.
    pub(super) declined: Vec<u64>,
    /// All checkpoints that completed.
    pub(super) history: Vec<u64>,
    attempt: Attempt,
    options: RuntimeOptions,
    next_checkpoint: u64,
    /// Subtasks do not hear of completed and aborted checkpoints.
    pub(super) deaf: bool,
}

impl Cluster {
    pub(super) fn new(seed: u64, graph: JobGraph, options: RuntimeOptions) -> Self {
        let options = RuntimeOptions { checkpointing: true, ..options };
        let ledger = Arc::new(Ledger::default());
        let attempt = Attempt::new(seed, graph, options.clone(), &ledger, None);
        Self {
            ledger,
            completed: None,
            overtaken_rows: 0,
            declined: vec![],
            history: vec![],
            attempt,
            options,
            next_checkpoint: 1,
            deaf: false,
        }
    }

    /// One turn; `false` when nothing is ready and no timer is set.
    pub(super) fn step(&mut self) -> bool {
        let ran = self.attempt.executor.step();
        self.handle_reports();
        let answered = self.answer_requests();
        ran || answered || self.attempt.executor.advance_to_next_timer()
    }

    /// Runs to the end of the job; a last checkpoint is taken when everything waits for it.
    pub(super) fn run_to_end(&mut self) {
        self.deaf = false;
        while !self.is_over() {
            let moved = self.step();
            if self.all_await() && !self.is_pending() {
                self.trigger(Alignment::Aligned, BarrierKind::Checkpoint);
            }
            let Attempt { awaiting, ended, requests, .. } = &self.attempt;
            let stuck = !moved && !self.is_pending();
            assert!(!stuck, "stuck: {awaiting:?} wait for a checkpoint, {ended:?} ended, {requests:?} for splits");
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.attempt.ended.len() == self.attempt.tasks.len()
    }

    pub(super) fn is_pending(&self) -> bool {
        !self.attempt.pending.is_empty()
    }

    /// Whether all subtasks that have not ended wait for a last checkpoint.
    pub(super) fn all_await(&self) -> bool {
        let attempt = &self.attempt;
        !self.is_over() && attempt.awaiting.len() + attempt.ended.len() == attempt.tasks.len()
    }

    /// Triggers a checkpoint. What has become of others is not looked at any more.
    pub(super) fn trigger(&mut self, alignment: Alignment, kind: BarrierKind) {
        self.attempt.pending.clear();
        self.trigger_also(alignment, kind);
    }

    /// Triggers a checkpoint beside those that are under way.
    pub(super) fn trigger_also(&mut self, alignment: Alignment, kind: BarrierKind) {
        let triggered_at_ms = self.attempt.executor.env().now_ms();
        let barrier = Barrier { checkpoint: self.next_checkpoint, triggered_at_ms, alignment, kind };
        self.next_checkpoint += 1;
        let snapshot = |(vertex, e): (&VertexId, &mut Box<dyn SplitEnumerator>)| (*vertex, e.snapshot().unwrap());
        let enumerators = self.attempt.enumerators.iter_mut().map(snapshot).collect();
        let pending = Pending { barrier, enumerators, acknowledged: BTreeMap::new() };
        self.attempt.pending.insert(barrier.checkpoint, pending);
        self.attempt.tasks.iter().for_each(|task| task.trigger(barrier));
        self.complete_if_all();
    }

    /// Runs until nothing moves at the present time.
    pub(super) fn run(&mut self) {
        loop {
            let ran = self.attempt.executor.step();
            self.handle_reports();
            if !self.answer_requests() && !ran {
                return;
            }
        }
    }

    /// Moves the clock to the next timer; whether there is one.
    pub(super) fn advance(&mut self) -> bool {
        self.attempt.executor.advance_to_next_timer()
    }

    /// The wall clock.
    pub(super) fn now_ms(&self) -> i64 {
        self.attempt.executor.env().now_ms()
    }

    /// Rows that the sources have emitted.
    pub(super) fn read_rows(&self) -> u64 {
        let operators = self.attempt.tasks.iter().flat_map(TaskHandle::metrics);
        operators.filter(|operator| operator.name == "source").map(|operator| operator.rows_out).sum()
    }

    /// Rows that the sinks' writers keep in the last checkpoint.
    pub(super) fn kept_rows(&self) -> u64 {
        let stored = self.completed.iter().flat_map(|completed| completed.subtasks.values());
        stored.flat_map(|stored| &stored.writer).map(|state| state.len() as u64 / 16).sum()
    }

    /// The subtasks.
    pub(super) fn tasks(&self) -> &[TaskHandle] {
        &self.attempt.tasks
    }

    /// Gives up the checkpoints under way.
    pub(super) fn abort(&mut self) {
        let pending: Vec<u64> = self.attempt.pending.keys().copied().collect();
        pending.into_iter().for_each(|checkpoint| self.abort_one(checkpoint));
    }

    fn abort_one(&mut self, checkpoint: u64) {
        if self.attempt.pending.remove(&checkpoint).is_some() && !self.deaf {
            self.attempt.tasks.iter().for_each(|task| task.abort(checkpoint));
        }
    }

    /// Everything dies and starts again from the last completed checkpoint.
    pub(super) fn crash(&mut self, seed: u64, graph: JobGraph) {
        if let Some(completed) = &self.completed {
            commit(&self.ledger, completed);
        }
        self.attempt = Attempt::new(seed, graph, self.options.clone(), &self.ledger, self.completed.clone());
    }

    fn handle_reports(&mut self) {
        let reports = std::mem::take(&mut *lock(&self.attempt.reports.0));
        for report in reports {
            match report {
                Report::Request(subtask) => self.attempt.requests.push(subtask),
                Report::Awaiting(subtask) => _ = self.attempt.awaiting.insert(subtask),
                Report::Declined(checkpoint) => {
                    if self.attempt.pending.contains_key(&checkpoint) {
                        self.declined.push(checkpoint);
                        self.abort_one(checkpoint);
                    }
                }
                Report::Snapshot(subtask, snapshot) => self.on_snapshot(subtask, *snapshot),
                Report::Finished(subtask, outcome) => {
                    outcome.unwrap();
                    self.attempt.awaiting.remove(&subtask);
                    self.attempt.ended.insert(subtask);
                }
            }
        }
        self.complete_if_all();
    }

    fn on_snapshot(&mut self, subtask: SubtaskId, snapshot: SubtaskSnapshot) {
        let (checkpoint, aborted) = (snapshot.barrier.checkpoint, snapshot.aborted);
        self.overtaken_rows += snapshot.stats.overtaken_rows;
        let sum = self.attempt.sums.entry(subtask).or_default();
        *sum = sum.after(snapshot);
        let sum = sum.clone();
        if let Some(pending) = self.attempt.pending.get_mut(&checkpoint)
            && !aborted
        {
            pending.acknowledged.insert(subtask, sum);
        }
    }

    /// Completes what can be, oldest first. What a later one overtook is given up.
    fn complete_if_all(&mut self) {
        let attempt = &self.attempt;
        let is_done = |pending: &Pending| {
            let mut tasks = attempt.tasks.iter().map(TaskHandle::subtask);
            tasks.all(|task| pending.acknowledged.contains_key(&task) || attempt.ended.contains(&task))
        };
        let done: Vec<u64> = attempt.pending.iter().filter(|(_, p)| is_done(p)).map(|(number, _)| *number).collect();
        for checkpoint in done {
            let older: Vec<u64> = self.attempt.pending.range(..checkpoint).map(|(number, _)| *number).collect();
            older.into_iter().for_each(|older| self.abort_one(older));
            self.complete(checkpoint);
        }
    }

    fn complete(&mut self, checkpoint: u64) {
        let attempt = &mut self.attempt;
        let Some(Pending { barrier, enumerators, mut acknowledged }) = attempt.pending.remove(&checkpoint) else {
            return;
        };
        for task in &attempt.tasks {
            let finished = || StoredSubtask { finished: true, ..StoredSubtask::default() };
            acknowledged.entry(task.subtask()).or_insert_with(finished);
        }
        let completed = Completed { checkpoint: barrier.checkpoint, subtasks: acknowledged, enumerators };
        commit(&self.ledger, &completed);
        self.completed = Some(completed);
        self.history.push(checkpoint);
        if self.deaf {
            return;
        }
        attempt.tasks.iter().for_each(|task| task.complete(barrier.checkpoint));
    }

    /// Answers split requests, except those of subtasks whose barrier is under way; whether there were any.
    fn answer_requests(&mut self) -> bool {
        let attempt = &mut self.attempt;
        let deferred =
            |subtask: &SubtaskId| attempt.pending.values().any(|pending| !pending.acknowledged.contains_key(subtask));
        let (later, now): (Vec<_>, Vec<_>) = attempt.requests.drain(..).partition(deferred);
        attempt.requests = later;
        let any = !now.is_empty();
        for subtask in now {
            let answer = attempt.enumerators.get_mut(&subtask.vertex).unwrap().next_split(subtask.index, 1).unwrap();
            attempt.tasks.iter().find(|task| task.subtask() == subtask).unwrap().assign(answer);
        }
        any
    }
}

/// Commits what a checkpoint staged. It may have been committed before.
fn commit(ledger: &Arc<Ledger>, completed: &Completed) {
    let mut committer = ledger.committer();
    let mut staged: BTreeMap<u64, Vec<Committable>> = BTreeMap::new();
    for (checkpoint, committables) in completed.subtasks.values().flat_map(|stored| &stored.committables) {
        staged.entry(*checkpoint).or_default().extend(committables.iter().cloned());
    }
    staged.iter().for_each(|(checkpoint, committables)| committer.commit(*checkpoint, committables).unwrap());
}

impl Attempt {
    fn new(
        seed: u64,
        graph: JobGraph,
        options: RuntimeOptions,
        ledger: &Arc<Ledger>,
        completed: Option<Completed>,
    ) -> Self {
        let executor = ManualExecutor::new(seed, 0);
        let (mut registry, _) = toys();
        registry.register(Arc::new(LedgerConnector { ledger: ledger.clone() }));
        let graph = Arc::new(graph);
        let mut enumerators = BTreeMap::new();
        for vertex in &graph.vertices {
            if let OperatorSpec::Source(scan) = &vertex.chain[0].spec {
                let source = registry.get("numbers").unwrap().source(scan).unwrap().unwrap();
                let enumerator = match completed.as_ref().map(|completed| &completed.enumerators[&vertex.id]) {
                    Some(state) => source.restore_enumerator(executor.env(), state),
                    None => source.enumerator(executor.env()),
                };
                enumerators.insert(vertex.id, enumerator.unwrap());
            }
        }
        let restore = completed.map(|completed| Arc::new(Restore { completed, graph: graph.clone() }));
        let ids = Deployment::subtasks(&graph);
        let base = |id: &SubtaskId| (*id, restore.as_ref().map(|r| r.base(*id)).unwrap_or_default());
        let subtasks = ids.clone();
        let sums = ids.iter().map(base).collect();
        let reports = Arc::new(Reports::default());
        let deployment = Deployment {
            graph,
            subtasks,
            network: None,
            execution: "simulation".to_owned(),
            env: executor.env().clone(),
            registry,
            factory: Arc::new(counting::factory()),
            events: reports.clone(),
            options,
            restore: restore.map(|restore| restore as Arc<dyn RestoreSource>),
        };
        let tasks = deployment.deploy(executor.scheduler()).unwrap();
        let (requests, awaiting, ended) = (vec![], BTreeSet::new(), BTreeSet::new());
        Self { executor, tasks, reports, enumerators, sums, requests, awaiting, ended, pending: BTreeMap::new() }
    }
}
