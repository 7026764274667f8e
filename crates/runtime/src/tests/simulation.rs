//! Runs a whole job on a [`ManualExecutor`], with the enumerators in the test's hands.

use crate::deploy::{Deployment, TaskEvents};
use crate::options::RuntimeOptions;
use crate::schedule::ManualExecutor;
use crate::testing::{Collected, ToyFactory, toys};
use crate::{OperatorSnapshot, TaskHandle, lock};
use headwater_connector_api::{Committable, SplitEnumerator};
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_types::Result;
use headwater_types::ids::{SubtaskId, VertexId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What subtasks reported.
#[derive(Default)]
pub(super) struct Reports {
    requests: Mutex<Vec<SubtaskId>>,
    outcomes: Mutex<BTreeMap<SubtaskId, Result<()>>>,
    committables: Mutex<usize>,
}

impl TaskEvents for Reports {
    fn running(&self, _subtask: SubtaskId) {}

    fn request_split(&self, subtask: SubtaskId) {
        lock(&self.requests).push(subtask);
    }

    fn committables(&self, _subtask: SubtaskId, committables: Vec<Committable>) {
        *lock(&self.committables) += committables.len();
    }

    fn finished(&self, subtask: SubtaskId, outcome: Result<()>, _metrics: Vec<OperatorSnapshot>) {
        lock(&self.outcomes).insert(subtask, outcome);
    }
}

/// A job under simulation.
pub(super) struct Simulation {
    pub(super) executor: ManualExecutor,
    pub(super) tasks: Vec<TaskHandle>,
    pub(super) collected: Arc<Collected>,
    reports: Arc<Reports>,
    enumerators: BTreeMap<VertexId, Box<dyn SplitEnumerator>>,
}

impl Simulation {
    pub(super) fn new(seed: u64, graph: JobGraph, factory: ToyFactory) -> Self {
        Self::with_options(seed, graph, factory, RuntimeOptions::default())
    }

    pub(super) fn with_options(seed: u64, graph: JobGraph, factory: ToyFactory, options: RuntimeOptions) -> Self {
        let executor = ManualExecutor::new(seed, 0);
        let (registry, collected) = toys();
        let mut enumerators = BTreeMap::new();
        for vertex in &graph.vertices {
            if let OperatorSpec::Source(scan) = &vertex.chain[0].spec {
                let source = registry.get("numbers").unwrap().source(scan).unwrap().unwrap();
                enumerators.insert(vertex.id, source.enumerator(executor.env()).unwrap());
            }
        }
        let reports = Arc::new(Reports::default());
        let deployment = Deployment {
            subtasks: Deployment::subtasks(&graph),
            network: None,
            graph: Arc::new(graph),
            execution: "simulation".to_owned(),
            env: executor.env().clone(),
            registry,
            factory: Arc::new(factory),
            events: reports.clone(),
            options,
            restore: None,
        };
        let tasks = deployment.deploy(executor.scheduler()).unwrap();
        Self { executor, tasks, collected, reports, enumerators }
    }

    /// Runs until nothing is ready at the present time. Returns the number of turns.
    pub(super) fn run(&mut self) -> usize {
        self.run_turns(usize::MAX)
    }

    /// Runs at most this many turns.
    pub(super) fn run_turns(&mut self, limit: usize) -> usize {
        let mut turns = 0;
        while turns < limit && self.executor.step() {
            turns += 1;
            self.answer_requests();
        }
        turns
    }

    /// Runs through all timers.
    pub(super) fn run_to_end(&mut self) {
        self.run();
        while self.executor.advance_to_next_timer() {
            self.run();
        }
    }

    fn answer_requests(&mut self) {
        let requests = std::mem::take(&mut *lock(&self.reports.requests));
        for subtask in requests {
            let answer = self.enumerators.get_mut(&subtask.vertex).unwrap().next_split(subtask.index, 1).unwrap();
            self.task(subtask).assign(answer);
        }
    }

    pub(super) fn task(&self, subtask: SubtaskId) -> &TaskHandle {
        self.tasks.iter().find(|task| task.subtask() == subtask).unwrap()
    }

    /// How each ended subtask ended.
    pub(super) fn outcomes(&self) -> BTreeMap<SubtaskId, Result<()>> {
        lock(&self.reports.outcomes).clone()
    }

    /// Asserts that all subtasks ended well.
    pub(super) fn assert_finished(&self) {
        let outcomes = self.outcomes();
        assert_eq!(outcomes.len(), self.tasks.len(), "{outcomes:?}");
        outcomes.iter().for_each(|(subtask, outcome)| assert!(outcome.is_ok(), "{subtask}: {outcome:?}"));
    }
}

/// A log that operators of a test write to.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(super) fn add(&self, line: impl Into<String>) {
        lock(&self.0).push(line.into());
    }

    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.0))
    }
}
