//! Deaths, births, and everything else that seeds do to the world.

use super::job_manager::JobManagerProcess;
use super::task_manager::TaskManagerProcess;
use super::{START_MS, World};
use crate::jobs::{self, JOBS};
use crate::network::DownPort;
use crate::process::Process;
use crate::scenario::Fault;
use headwater_jobmanager::{RequestKind, TaskManagerInfo};
use rand::Rng;
use std::sync::Arc;

/// Longest time until a process that died is there again, milliseconds.
const ABSENCE_MS: i64 = 300;

impl World {
    /// Lets the faults happen whose time has come.
    pub(super) fn act_on_faults(&mut self) {
        if self.open_ms.is_some_and(|open_ms| open_ms <= self.env.now_ms()) {
            self.open_ms = None;
            self.troubles.open_sink();
        }
        let Some(fault) = self.take_fault() else { return };
        match fault {
            Fault::TaskManagerDies => self.end_task_manager(),
            Fault::JobManagerDies => self.end_job_manager(),
            Fault::TaskManagerDiesCalling(calls) => {
                self.task_manager.iter().for_each(|task_manager| task_manager.process.life.end_after(calls));
            }
            Fault::JobManagerDiesCalling(calls) => {
                self.job_manager.iter().for_each(|job_manager| job_manager.process.life.end_after(calls));
            }
            Fault::Read(calls) => self.troubles.read.set(calls),
            Fault::Write(calls) => self.troubles.write.set(calls),
            Fault::Build(calls) => self.troubles.build.set(calls),
            Fault::Commit(calls) => self.troubles.commit.set(calls),
            Fault::StorageDown(ms) => self.store.go_down(ms),
            Fault::SinkClosed(ms) => {
                self.troubles.close_sink();
                self.open_ms = Some(self.env.now_ms() + ms);
            }
            Fault::Checkpoint => self.operator.ask(RequestKind::Checkpoint),
            Fault::Savepoint => self.operator.ask(RequestKind::Savepoint { directory: None }),
            Fault::Stop => self.operator.stop(),
        }
        self.job_manager.iter_mut().for_each(JobManagerProcess::expect_message);
    }

    /// Ends the processes that died while they did something.
    pub(super) fn bury_dead(&mut self) {
        let is_dead = |process: &Process| !process.life.is_alive();
        if self.job_manager.as_ref().is_some_and(|job_manager| is_dead(&job_manager.process)) {
            self.end_job_manager();
        }
        if self.task_manager.as_ref().is_some_and(|task_manager| is_dead(&task_manager.process)) {
            self.end_task_manager();
        }
    }

    /// Starts what is not there and should be.
    pub(super) fn start_processes(&mut self) {
        let present = self.job_manager.is_some() && self.task_manager.is_some();
        let now_ms = self.env.now_ms();
        if present || self.restart_ms.is_some_and(|restart_ms| restart_ms > now_ms) {
            return;
        }
        self.restart_ms = None;
        self.trace.line(|| format!("{}: processes start", now_ms - START_MS));
        if self.job_manager.is_none() {
            let process = self.process();
            self.job_manager = Some(JobManagerProcess::new(process, &self.store, &self.troubles));
        }
        self.start_task_manager();
    }

    fn start_task_manager(&mut self) {
        let (process, seed) = (self.process(), self.random.random());
        let task_manager =
            TaskManagerProcess::new(process, seed, &self.clock, &self.store, &self.network, &self.troubles);
        if let Some(job_manager) = &mut self.job_manager {
            let (own, other) = (job_manager.process.life.clone(), task_manager.process.life.clone());
            let port = DownPort { network: self.network.clone(), own, other };
            let registered = job_manager.handle.register(TaskManagerInfo::in_process(), Arc::new(port));
            self.session = registered.ok();
            job_manager.expect_message();
        }
        self.task_manager = Some(task_manager);
    }

    fn process(&mut self) -> Process {
        let seed = self.random.random();
        Process::new(&self.env, &self.clock, seed, self.scenario.slow && !self.calm)
    }

    /// The TaskManager dies. What it has sent may still arrive, before the JobManager sees that it is gone.
    fn end_task_manager(&mut self) {
        let Some(task_manager) = self.task_manager.take() else { return };
        self.trace.line(|| format!("{}: the TaskManager dies", self.env.now_ms() - START_MS));
        task_manager.process.life.end();
        drop(task_manager);
        let sent = self.network.take_up();
        let arrives = self.random.random();
        if let Some(job_manager) = &mut self.job_manager {
            sent.into_iter().filter(|_| arrives).for_each(|message| job_manager.report(message));
            if let Some(session) = self.session.take() {
                let _ = job_manager.handle.task_manager_lost(session, "it died");
            }
            job_manager.expect_message();
        }
        self.restart_soon();
    }

    /// The whole process dies.
    fn end_job_manager(&mut self) {
        self.trace.line(|| format!("{}: the process dies", self.env.now_ms() - START_MS));
        self.processes().for_each(|process| process.life.end());
        self.job_manager = None;
        self.task_manager = None;
        self.network.clear();
        self.operator.process_died();
        self.restart_soon();
    }

    fn restart_soon(&mut self) {
        self.restart_ms = Some(self.env.now_ms() + self.random.random_range(0..ABSENCE_MS));
    }

    /// Lets the operator of the job do what is to be done.
    pub(super) fn operate(&mut self) {
        let Some(job_manager) = &mut self.job_manager else { return };
        let now_ms = self.env.now_ms();
        if !self.operator.wants_to_submit(now_ms) {
            self.operator.look(&job_manager.handle, JOBS[self.scenario.job].name, now_ms);
            return;
        }
        let parallelism = &self.scenario.parallelism;
        let unaligned = self.scenario.is_unaligned();
        let moves = !unaligned || JOBS[self.scenario.job].rescales_unaligned();
        let submission = if moves { self.operator.submissions().min(parallelism.len() - 1) } else { 0 };
        let parallelism = parallelism[submission];
        match jobs::plan(self.scenario.job, parallelism, unaligned, &job_manager.process, &self.store) {
            Ok(graph) => self.operator.submit(&job_manager.handle, self.scenario.apply(&graph), &self.store),
            Err(error) => self.troubles.violation(format!("the job cannot be planned: {error}")),
        }
        job_manager.expect_message();
    }
}
