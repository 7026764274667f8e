//! A JobManager and its TaskManagers, in this process or elsewhere, as a [`Cluster`].

use super::{Bounds, Cluster, LogFile, Place, ProcessStatus, Rescale, Scripts, TaskManagerInfo, ThreadStatus, dispose};
use headwater_checkpoint::Statistics;
use headwater_env::{Env, StorageProvider};
use headwater_jobmanager::{
    Handle, JobDetails, JobSummary, Pending, RequestKind, SessionId, Stored, TaskManagerStatus,
};
use headwater_runtime::{OperatorSnapshot, ProcessMemory};
use headwater_taskmanager::inspect::{Inspected, Inspection, inspect};
use headwater_types::config::Configuration;
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long the JobManager may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a TaskManager may take to say what it takes of its host; after that it is shown without.
const PROCESS_TIMEOUT: Duration = Duration::from_secs(2);

/// A JobManager and its TaskManagers.
#[derive(Clone)]
pub struct JobManagerCluster {
    handle: Handle,
    env: Env,
    config: Configuration,
    storage: Arc<dyn StorageProvider>,
    scripts: Option<Arc<dyn Scripts>>,
    /// Ends the process whose cluster it is.
    end: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// The subtasks that run, by job and the session of their TaskManager.
type Running = BTreeMap<JobId, BTreeMap<SessionId, u32>>;

impl JobManagerCluster {
    /// The cluster of this handle. `config` is what the process was configured with.
    pub fn new(handle: Handle, env: Env, config: Configuration, storage: Arc<dyn StorageProvider>) -> Self {
        Self { handle, env, config, storage, scripts: None, end: None }
    }

    /// The same one, which plans and runs scripts.
    pub fn with_scripts(self, scripts: Arc<dyn Scripts>) -> Self {
        Self { scripts: Some(scripts), ..self }
    }

    /// The same one, whose process ends by this when its cluster is told to.
    pub fn with_end(self, end: Option<Arc<dyn Fn() + Send + Sync>>) -> Self {
        Self { end, ..self }
    }

    fn running(&self) -> Result<Running> {
        let mut running = Running::new();
        for job in self.jobs()?.iter().filter(|job| !job.state.is_final()) {
            let Some(details) = self.details(job.job)? else { continue };
            let sessions = running.entry(job.job).or_default();
            for session in details.places.values() {
                *sessions.entry(*session).or_default() += 1;
            }
        }
        Ok(running)
    }

    /// Asks all of them at once.
    fn processes(&self, managers: &[TaskManagerStatus]) -> Vec<Option<ProcessStatus>> {
        let ask = |manager: &TaskManagerStatus| self.handle.inspect(&manager.info.id, Inspection::Process).ok();
        let asked: Vec<Option<Pending<Inspected>>> = managers.iter().map(ask).collect();
        let answer = |pending: Option<Pending<Inspected>>| match pending?.wait(PROCESS_TIMEOUT) {
            Ok(Inspected::Process(process)) => Some(process),
            _ => None,
        };
        asked.into_iter().map(answer).collect()
    }

    /// A TaskManager in this process has as many slots as cores, and may run more jobs than that.
    fn info(
        &self,
        manager: &TaskManagerStatus,
        process: Option<ProcessStatus>,
        running: &Running,
    ) -> Result<TaskManagerInfo> {
        let (info, told) = (&manager.info, process.unwrap_or_default());
        let is_here = info.exchange.is_none();
        let tasks =
            |(job, sessions): (&JobId, &BTreeMap<SessionId, u32>)| Some((*job, *sessions.get(&manager.session)?));
        let jobs: Vec<(JobId, u32)> = running.iter().filter_map(tasks).collect();
        let cores = if info.cores > 0 { info.cores } else { told.cores };
        let (slots, slots_free) = match is_here {
            true => (cores, cores.saturating_sub(jobs.len() as u32)),
            false => (info.slots, manager.free_slots),
        };
        let managed = ProcessMemory::from_config(&self.config)?.cache.limit_bytes();
        Ok(TaskManagerInfo {
            id: info.id.clone(),
            endpoint: Place::from(info).endpoint,
            data_port: info.exchange.as_ref().and_then(|at| at.rsplit(':').next()?.parse().ok()).unwrap_or(0),
            heard_ms: self.now_ms(),
            slots,
            slots_free,
            jobs,
            cores,
            memory_total: told.memory_total,
            memory_free: told.memory_available,
            memory_managed: if is_here || info.memory_bytes == 0 { managed } else { info.memory_bytes },
            process: told,
        })
    }

    /// Looks into this process, or that of a TaskManager.
    fn inspected(&self, task_manager: Option<&str>, what: Inspection) -> Result<Inspected> {
        match task_manager {
            None => Ok(inspect(&what)),
            Some(id) => self.handle.inspect(id, what)?.wait(ANSWER_TIMEOUT),
        }
    }
}

fn unexpected() -> Error {
    Error::internal("the TaskManager answers what was not asked")
}

impl Cluster for JobManagerCluster {
    fn now_ms(&self) -> i64 {
        self.env.now_ms()
    }

    fn random_id(&self) -> u128 {
        u128::from(self.env.random_u64()) << 64 | u128::from(self.env.random_u64())
    }

    fn config(&self) -> Configuration {
        self.config.clone()
    }

    fn shut_down(&self) -> Result<()> {
        let end = self.end.as_ref();
        let end = end.ok_or_else(|| Error::unsupported("this cluster is part of another process and ends with it"))?;
        tracing::info!("a client ends this process");
        end();
        Ok(())
    }

    fn jobs(&self) -> Result<Vec<JobSummary>> {
        self.handle.jobs()?.wait(ANSWER_TIMEOUT)
    }

    fn details(&self, job: JobId) -> Result<Option<JobDetails>> {
        self.handle.details(job)?.wait(ANSWER_TIMEOUT)
    }

    fn checkpoints(&self, job: JobId) -> Result<Statistics> {
        self.handle.statistics(job)?.wait(ANSWER_TIMEOUT)
    }

    fn metrics(&self, job: JobId) -> Result<Vec<OperatorSnapshot>> {
        self.handle.job(job, "").request_metrics()?.wait(ANSWER_TIMEOUT)
    }

    fn cancel(&self, job: JobId) -> Result<()> {
        self.handle.job(job, "").cancel();
        Ok(())
    }

    fn request_checkpoint(&self, job: JobId, kind: RequestKind) -> Result<Pending<Result<Stored>>> {
        self.handle.job(job, "").request_checkpoint(kind)
    }

    fn dispose(&self, path: &str) -> Result<Pending<Result<()>>> {
        let (reply, pending) = Pending::pair();
        let (storage, config, path) = (self.storage.clone(), self.config.clone(), path.to_owned());
        self.env.spawn_blocking("dispose", move || {
            let _ = reply.try_send(dispose::dispose(storage.as_ref(), &config, &path));
        });
        Ok(pending)
    }

    fn task_managers(&self) -> Result<Vec<TaskManagerInfo>> {
        let (registered, running) = (self.handle.task_managers()?, self.running()?);
        let told = self.processes(&registered);
        registered.iter().zip(told).map(|(manager, process)| self.info(manager, process, &running)).collect()
    }

    fn places(&self, job: JobId) -> Result<BTreeMap<SubtaskId, Place>> {
        let Some(details) = self.details(job)? else { return Ok(BTreeMap::new()) };
        let managers = self.handle.task_managers()?;
        let managers: BTreeMap<_, _> =
            managers.iter().map(|manager| (manager.session, Place::from(&manager.info))).collect();
        let of = |(subtask, session): (&SubtaskId, &SessionId)| Some((*subtask, managers.get(session)?.clone()));
        Ok(details.places.iter().filter_map(of).collect())
    }

    fn bounds(&self, job: JobId) -> Result<Option<Bounds>> {
        self.handle.job(job, "").request_resource_requirements()?.wait(ANSWER_TIMEOUT)
    }

    fn rescale(&self, job: JobId, bounds: Bounds) -> Result<()> {
        self.handle.job(job, "").request_rescale(bounds)?.wait(ANSWER_TIMEOUT)?
    }

    fn rescales(&self, job: JobId) -> Result<Vec<Rescale>> {
        self.handle.job(job, "").request_rescales()?.wait(ANSWER_TIMEOUT)
    }

    fn waits_for(&self, job: JobId) -> Result<Option<String>> {
        Ok(self.handle.status(job)?.wait(ANSWER_TIMEOUT)?.waits_for)
    }

    fn submit(&self, plan: Vec<u8>) -> Result<Pending<Result<JobId>>> {
        self.handle.request_submit_plan(plan)
    }

    fn scripts(&self) -> Option<&dyn Scripts> {
        self.scripts.as_deref()
    }

    fn process(&self, task_manager: Option<&str>) -> Result<ProcessStatus> {
        match self.inspected(task_manager, Inspection::Process)? {
            Inspected::Process(process) => Ok(process),
            _ => Err(unexpected()),
        }
    }

    fn threads(&self, task_manager: Option<&str>) -> Result<Vec<ThreadStatus>> {
        match self.inspected(task_manager, Inspection::Threads)? {
            Inspected::Threads(threads) => Ok(threads),
            _ => Err(unexpected()),
        }
    }

    fn logs(&self, task_manager: Option<&str>) -> Result<Vec<LogFile>> {
        match self.inspected(task_manager, Inspection::Logs)? {
            Inspected::Logs(files) => Ok(files),
            _ => Err(unexpected()),
        }
    }

    fn log(&self, task_manager: Option<&str>, name: &str) -> Result<Option<Vec<u8>>> {
        match self.inspected(task_manager, Inspection::Log(name.to_owned()))? {
            Inspected::Log(content) => Ok(content),
            _ => Err(unexpected()),
        }
    }
}
