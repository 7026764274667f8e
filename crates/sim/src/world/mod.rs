//! The simulated world: two processes, the network between them, the store below them, and who operates the job.
//!
//! One thing happens at a time, chosen by the seed among everything that could happen at the present moment. When
//! nothing can, the clock leaps to the next moment at which something will.

mod faults;
mod job_manager;
mod operator;
mod task_manager;

use crate::connector::Troubles;
use crate::jobs::JOBS;
use crate::network::{Message, Network};
use crate::oracle::{self, Table};
use crate::process::Process;
use crate::scenario::{Fault, Scenario};
use crate::storage::ObjectStore;
use crate::trace::Trace;
use headwater_env::{Env, SimulatedClock, SimulatedExecutor};
use headwater_jobmanager::SessionId;
use job_manager::JobManagerProcess;
use operator::Operator;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use task_manager::TaskManagerProcess;

/// Steps of a run before the faults are ended.
const STEPS_WITH_FAULTS: u64 = 20_000;
/// Steps after the end of the faults within which the job must finish.
const STEPS_TO_FINISH: u64 = 30_000;
/// When simulations start, milliseconds since the epoch.
const START_MS: i64 = 1_600_000_000_000;

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Hash of everything that happened.
    pub hash: u64,
    /// Steps it took.
    pub steps: u64,
    /// What went wrong; empty when nothing did.
    pub violations: Vec<String>,
    /// The last things that happened.
    pub last: Vec<String>,
    /// What the seed meant.
    pub scenario: String,
}

/// The world.
pub(crate) struct World {
    random: StdRng,
    scenario: Scenario,
    env: Env,
    clock: Arc<SimulatedClock>,
    trace: Arc<Trace>,
    store: Arc<ObjectStore>,
    network: Arc<Network>,
    troubles: Arc<Troubles>,
    job_manager: Option<JobManagerProcess>,
    task_manager: Option<TaskManagerProcess>,
    /// The registration of the TaskManager.
    session: Option<SessionId>,
    operator: Operator,
    /// When somebody starts the process that is not there, or the TaskManager.
    restart_ms: Option<i64>,
    /// When the sinks are opened.
    open_ms: Option<i64>,
    steps: u64,
    next_fault: usize,
    last_fault_step: u64,
    calm: bool,
}

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Turn,
    Arrival,
    JobManagerInbox,
    JobManagerTick,
    JobManagerWork,
    TaskManagerWork,
}

impl World {
    pub(crate) fn new(seed: u64, scenario: Scenario, printing: bool) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let (env, clock) = Env::simulated_with(random.random(), START_MS, Arc::new(SimulatedExecutor::default()));
        let trace = Arc::new(Trace::new(printing));
        let store = ObjectStore::new(random.random(), scenario.storage_failing, &clock, &trace);
        let network = Network::new(random.random(), scenario.network, &clock);
        Self {
            operator: Operator::new(),
            random,
            scenario,
            env,
            clock,
            trace,
            store,
            network,
            troubles: Arc::default(),
            job_manager: None,
            task_manager: None,
            session: None,
            restart_ms: None,
            open_ms: None,
            steps: 0,
            next_fault: 0,
            last_fault_step: 0,
            calm: false,
        }
    }

    /// Runs to the end of the job. `expected` is what it must have committed; without it, whatever it commits is right.
    pub(crate) fn run(mut self, expected: Option<&Table>) -> (Outcome, Table) {
        let mut violations = vec![];
        while !self.operator.is_done() {
            if let Err(stuck) = self.step() {
                violations.push(stuck);
                break;
            }
            violations = self.troubles.violations();
            if !violations.is_empty() {
                break;
            }
        }
        let table = oracle::committed(&self.store, JOBS[self.scenario.job].fold).unwrap_or_default();
        violations.extend(self.operator.take_violation());
        if let Some(expected) = expected
            && violations.is_empty()
        {
            violations = oracle::difference(expected, &table);
        }
        if !violations.is_empty() {
            oracle::show_committed(&self.store, &self.trace);
        }
        let scenario = format!("{} {:?}", JOBS[self.scenario.job].name, self.scenario);
        let (hash, last) = (self.trace.hash(), self.trace.last());
        (Outcome { hash, steps: self.steps, violations, last, scenario }, table)
    }

    /// Lets one thing happen; an error when nothing ever will, or the job does not come to an end.
    fn step(&mut self) -> Result<(), String> {
        self.steps += 1;
        self.end_faults_in_time()?;
        self.bury_dead();
        self.start_processes();
        self.act_on_faults();
        self.operate();
        if self.random.random_range(0..4) == 0 {
            self.clock.advance_ms(self.random.random_range(1..=2));
        }
        let choices = self.choices();
        if choices.is_empty() {
            return self.leap();
        }
        match choices[self.random.random_range(0..choices.len())] {
            Choice::Turn => self.turn(),
            Choice::Arrival => self.arrive(),
            Choice::JobManagerInbox => self.handle_next(),
            Choice::JobManagerTick => self.tick(),
            Choice::JobManagerWork => self.work(true),
            Choice::TaskManagerWork => self.work(false),
        }
        Ok(())
    }

    /// What can happen now; more often what is listed more often.
    fn choices(&self) -> Vec<Choice> {
        let now_ms = self.env.now_ms();
        let is_due = |due_ms: Option<i64>| due_ms.is_some_and(|due_ms| due_ms <= now_ms);
        let mut choices = vec![];
        if self.task_manager.as_ref().is_some_and(TaskManagerProcess::is_ready) {
            choices.extend([Choice::Turn; 4]);
        }
        if is_due(self.network.due_ms()) {
            choices.extend([Choice::Arrival; 3]);
        }
        if let Some(job_manager) = &self.job_manager {
            choices.extend([Choice::JobManagerInbox; 2].into_iter().filter(|_| job_manager.expects_messages()));
            choices.extend(is_due(job_manager.core.wake_ms()).then_some(Choice::JobManagerTick));
            choices.extend(is_due(job_manager.process.blocking.due_ms()).then_some(Choice::JobManagerWork));
        }
        if let Some(task_manager) = &self.task_manager {
            choices.extend(is_due(task_manager.process.blocking.due_ms()).then_some(Choice::TaskManagerWork));
        }
        choices
    }

    /// Moves the clock to the next moment at which something happens.
    fn leap(&mut self) -> Result<(), String> {
        let processes = [
            self.job_manager.as_ref().map(|job_manager| &job_manager.process),
            self.task_manager.as_ref().map(|task_manager| &task_manager.process),
        ];
        let work = processes.into_iter().flatten().filter_map(|process| process.blocking.due_ms());
        let others = [
            self.network.due_ms(),
            self.job_manager.as_ref().and_then(|job_manager| job_manager.core.wake_ms()),
            self.task_manager.as_ref().and_then(|task_manager| task_manager.executor.next_timer_ms()),
            self.restart_ms,
            self.open_ms,
            self.operator.again_ms(),
        ];
        match work.chain(others.into_iter().flatten()).min() {
            Some(at_ms) => {
                self.clock.advance_ms((at_ms - self.env.now_ms()).max(0));
                Ok(())
            }
            // A fault may move things again.
            None if self.next_fault < self.scenario.faults.len() => {
                self.last_fault_step = 0;
                Ok(())
            }
            None => Err("nothing will ever happen again".to_owned()),
        }
    }

    fn turn(&mut self) {
        if let Some(task_manager) = &mut self.task_manager {
            task_manager.executor.step();
            self.trace.bytes(b"turn");
        }
    }

    fn arrive(&mut self) {
        let Some(message) = self.network.take(self.random.random_range(0..1 << 16)) else { return };
        self.trace.line(|| format!("{}: arrives: {message:?}", self.env.now_ms() - START_MS));
        match (message, &mut self.task_manager, &mut self.job_manager) {
            (Message::Down(message), Some(task_manager), _) => task_manager.core.handle(message),
            (Message::Up(message), _, Some(job_manager)) => job_manager.report(message),
            _ => {}
        }
    }

    fn handle_next(&mut self) {
        if let Some(job_manager) = &mut self.job_manager {
            job_manager.handle_next();
        }
    }

    fn tick(&mut self) {
        if let Some(job_manager) = &mut self.job_manager {
            self.trace.bytes(b"tick");
            job_manager.core.tick();
        }
    }

    fn work(&mut self, of_job_manager: bool) {
        let process = match of_job_manager {
            true => self.job_manager.as_ref().map(|job_manager| job_manager.process.clone()),
            false => self.task_manager.as_ref().map(|task_manager| task_manager.process.clone()),
        };
        let Some(process) = process else { return };
        if let Some((name, work)) = process.blocking.take(self.random.random_range(0..1 << 16)) {
            self.trace.line(|| format!("{}: works: {name}", self.env.now_ms() - START_MS));
            work();
        }
        if let Some(job_manager) = self.job_manager.as_mut().filter(|_| of_job_manager) {
            job_manager.expect_message();
        }
    }

    /// Ends the faults when all of them have happened or it is time, and the run when it takes too long after.
    fn end_faults_in_time(&mut self) -> Result<(), String> {
        let all = self.next_fault == self.scenario.faults.len() && self.steps > self.last_fault_step + 2_000;
        if !self.calm && (all || self.steps > STEPS_WITH_FAULTS) {
            self.trace.line(|| "the faults end".to_owned());
            self.calm = true;
            self.next_fault = self.scenario.faults.len();
            self.last_fault_step = self.steps;
            self.network.heal();
            self.store.heal();
            self.troubles.end();
            self.processes().for_each(|process| process.blocking.be_quick());
        }
        match self.calm && self.steps > self.last_fault_step + STEPS_TO_FINISH {
            true => Err("the job does not finish".to_owned()),
            false => Ok(()),
        }
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        let job_manager = self.job_manager.iter().map(|job_manager| &job_manager.process);
        job_manager.chain(self.task_manager.iter().map(|task_manager| &task_manager.process))
    }

    /// The fault whose time has come.
    fn take_fault(&mut self) -> Option<Fault> {
        let (after, fault) = self.scenario.faults.get(self.next_fault)?;
        if self.steps < self.last_fault_step + after {
            return None;
        }
        let fault = fault.clone();
        self.next_fault += 1;
        self.last_fault_step = self.steps;
        self.trace.line(|| format!("{}: fault: {fault:?}", self.env.now_ms() - START_MS));
        Some(fault)
    }
}
