//! A JobManager with a simulated clock, and a TaskManager that only says what a model of the job does.

use super::model::{Model, graph};
use crate::service::{Core, Options};
use crate::task_managers::{SessionId, TaskManagerInfo};
use crate::{JobHandle, Pending, RescaleCause};
use headwater_env::{Env, SimulatedClock};
use headwater_runtime::testing::toys;
use headwater_taskmanager::{FromTaskManager, Outcome, TaskManagerGateway, ToTaskManager};
use headwater_types::Result;
use headwater_types::config::Configuration;
use headwater_types::ids::{JobId, SubtaskId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const STEP_MS: i64 = 1_000;

/// Keeps what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<ToTaskManager>>);

impl TaskManagerGateway for Told {
    fn send(&self, message: ToTaskManager) -> Result<()> {
        self.0.lock().unwrap().push(message);
        Ok(())
    }
}

struct World {
    core: Core,
    clock: Arc<SimulatedClock>,
    env: Env,
    told: Arc<Told>,
    /// The tasks that run, with their attempts.
    tasks: BTreeMap<SubtaskId, u32>,
    model: Model,
}

impl World {
    fn new(model: Model, slots: u32) -> Self {
        let (env, clock) = Env::simulated(1, 0);
        let options = Options {
            env: env.clone(),
            registry: toys().0,
            config: Configuration::new(),
            storage: Arc::new(headwater_storage::Provider),
            records: None,
        };
        let (core, told) = (Core::new(options), Arc::new(Told::default()));
        core.handle().register(TaskManagerInfo { slots, ..TaskManagerInfo::in_process() }, told.clone()).unwrap();
        Self { core, clock, env, told, tasks: BTreeMap::new(), model }
    }

    fn submit(&mut self, settings: &[(&str, &str)]) -> JobHandle {
        let mut graph = graph(1);
        settings.iter().for_each(|(key, value)| graph.config.set(*key, *value));
        let handle = self.core.handle();
        let submitted = handle.request_submit(&graph).unwrap();
        let job: Result<JobId> = self.answer(&submitted);
        handle.job(job.unwrap(), &graph.name)
    }

    fn answer<T>(&mut self, pending: &Pending<T>) -> T {
        self.settle();
        pending.take().unwrap().expect("the JobManager answers at once")
    }

    /// Handles messages until there are none.
    fn settle(&mut self) {
        loop {
            let handled = self.core.handle_next();
            self.core.tick();
            let told = std::mem::take(&mut *self.told.0.lock().unwrap());
            if !handled && told.is_empty() {
                return;
            }
            told.into_iter().for_each(|message| self.obey(message));
        }
    }

    fn obey(&mut self, message: ToTaskManager) {
        match message {
            ToTaskManager::Deploy { job, attempt, subtasks, .. } => {
                for subtask in subtasks {
                    self.tasks.insert(subtask, attempt);
                    self.report(FromTaskManager::Running { job, attempt, subtask });
                }
                let of = |vertex: u32| self.tasks.keys().filter(|task| task.vertex.0 == vertex).count() as u32;
                let parallelism = [of(0), of(1), of(2)];
                self.model.deploy(parallelism);
            }
            ToTaskManager::Cancel { job, subtasks } => {
                for subtask in subtasks {
                    let attempt = self.tasks.remove(&subtask).unwrap();
                    let (outcome, metrics) = (Outcome::Cancelled, vec![]);
                    self.report(FromTaskManager::Finished {
                        job,
                        attempt,
                        subtask,
                        outcome,
                        last_checkpoint: 0,
                        metrics,
                    });
                }
            }
            ToTaskManager::ReportMetrics { job, request, session } => {
                let metrics = self.model.counters();
                assert_eq!(SessionId(session), SessionId(1));
                self.report(FromTaskManager::Metrics { job, request, session, metrics });
            }
            _ => {}
        }
    }

    fn report(&mut self, message: FromTaskManager) {
        self.core.handle().report(message).unwrap();
        while self.core.handle_next() {}
    }

    fn run(&mut self, seconds: i64) {
        for _ in 0..seconds * 1_000 / STEP_MS {
            self.clock.advance_ms(STEP_MS);
            self.model.pass(self.env.now_ms(), 1.0);
            self.settle();
        }
    }
}

const SETTINGS: [(&str, &str); 4] = [
    ("job.autoscaler.enabled", "true"),
    ("job.autoscaler.stabilization.interval", "10 s"),
    ("job.autoscaler.metrics.window", "20 s"),
    ("job.autoscaler.scale-down.interval", "1 min"),
];

#[test]
fn a_running_job_is_rescaled_as_its_load_changes() {
    let mut world = World::new(Model::new(100.0, [80.0, 30.0, 60.0], [1; 3], true), 64);
    let job = world.submit(&SETTINGS);
    world.run(15);
    assert_eq!(world.model.parallelism(), [1; 3], "not before the window is full");
    world.run(1_200);
    let grown = world.model.parallelism();
    assert!(world.model.utilization().iter().all(|share| (0.35..0.95).contains(share)), "{grown:?}");
    let rescales = job.request_rescales().unwrap();
    let rescales = world.answer(&rescales);
    assert!(rescales.iter().all(|rescale| rescale.cause == RescaleCause::Requirements && rescale.ended_ms.is_some()));
    world.run(3_600);
    assert_eq!(world.model.parallelism(), grown, "it rests");
    world.model.rate = 10.0;
    world.run(50);
    assert_eq!(world.model.parallelism(), grown, "it does not shrink at once");
    world.run(600);
    assert_eq!(world.model.parallelism(), [1; 3]);
    let rescales = job.request_rescales().unwrap();
    assert_eq!(world.answer(&rescales)[0].after, [1; 3], "the history tells of it");
    assert_eq!(world.tasks.len(), 3);
}

#[test]
fn the_slots_bound_it_and_a_job_without_it_stays_as_it_is() {
    let model = || Model::new(100.0, [80.0, 30.0, 60.0], [1; 3], true);
    let mut world = World::new(model(), 3);
    let _job = world.submit(&SETTINGS);
    world.run(600);
    assert_eq!(world.model.parallelism()[1], 3);
    let mut world = World::new(model(), 64);
    let _job = world.submit(&[]);
    world.run(600);
    assert_eq!(world.model.parallelism(), [1; 3]);
    assert_eq!(world.core.wake_ms(), None, "nothing is due");
}

#[test]
fn a_setting_that_makes_no_sense_is_refused_with_the_job() {
    let mut world = World::new(Model::new(1.0, [1.0; 3], [1; 3], false), 4);
    let mut graph = graph(1);
    graph.config.set("job.autoscaler.enabled", "true");
    graph.config.set("job.autoscaler.utilization.target", "70");
    let submitted = world.core.handle().request_submit(&graph).unwrap();
    let refused = world.answer(&submitted).unwrap_err();
    assert!(
        refused.message().contains("'70' is not a valid value of 'job.autoscaler.utilization.target'"),
        "{refused}"
    );
}
