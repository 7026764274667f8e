//! A JobManager and its TaskManagers, in this process or elsewhere, as a [`Cluster`].

use super::{Cluster, Place, TaskManagerInfo, dispose};
use crate::hardware;
use headwater_checkpoint::Statistics;
use headwater_env::{Env, StorageProvider};
use headwater_jobmanager::{
    Handle, JobDetails, JobSummary, Pending, RequestKind, SessionId, Stored, TaskManagerStatus,
};
use headwater_runtime::{OperatorSnapshot, StateOptions};
use headwater_types::Result;
use headwater_types::config::Configuration;
use headwater_types::ids::{JobId, SubtaskId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long the JobManager may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A JobManager and its TaskManagers.
#[derive(Clone)]
pub struct JobManagerCluster {
    handle: Handle,
    env: Env,
    config: Configuration,
    storage: Arc<dyn StorageProvider>,
}

impl JobManagerCluster {
    /// The cluster of this handle. `config` is what the process was configured with.
    pub fn new(handle: Handle, env: Env, config: Configuration, storage: Arc<dyn StorageProvider>) -> Self {
        Self { handle, env, config, storage }
    }

    /// The tasks that run, by job.
    fn running(&self) -> Result<Vec<(JobId, u32)>> {
        let alive = |job: &JobSummary| job.tasks.iter().filter(|task| !task.is_final()).count() as u32;
        let jobs = self.jobs()?;
        Ok(jobs.iter().map(|job| (job.job, alive(job))).filter(|(_, tasks)| *tasks > 0).collect())
    }

    /// A TaskManager in this process has as many slots as cores, and may run more jobs than that.
    fn info(&self, manager: TaskManagerStatus, running: &[(JobId, u32)]) -> Result<TaskManagerInfo> {
        let info = &manager.info;
        let is_here = info.exchange.is_none();
        let memory = memory_of(info, is_here);
        let cores = if is_here { hardware::cores() as u32 } else { info.cores };
        let (slots, slots_free) = match is_here {
            true => (cores, cores.saturating_sub(running.len() as u32)),
            false => (info.slots, manager.free_slots),
        };
        let managed = StateOptions::process_memory(&self.config)?.limit_bytes();
        Ok(TaskManagerInfo {
            id: info.id.clone(),
            endpoint: endpoint(info),
            data_port: info.exchange.as_ref().and_then(|at| at.rsplit(':').next()?.parse().ok()).unwrap_or(0),
            heard_ms: self.now_ms(),
            slots,
            slots_free,
            jobs: if is_here { running.to_vec() } else { manager.jobs.into_iter().collect() },
            cores,
            memory_total: memory.total,
            memory_free: memory.available,
            memory_resident: memory.resident,
            memory_managed: if is_here { managed } else { info.memory_bytes },
        })
    }
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

    fn jobs(&self) -> Result<Vec<JobSummary>> {
        self.handle.jobs()?.wait(ANSWER_TIMEOUT)
    }

    fn details(&self, job: JobId) -> Result<Option<JobDetails>> {
        self.handle.details(job)?.wait(ANSWER_TIMEOUT)
    }

    fn checkpoints(&self, job: JobId) -> Result<Statistics> {
        self.handle.job(job, "").checkpoints()
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
        let running = self.running()?;
        let registered = self.handle.task_managers()?;
        registered.into_iter().map(|manager| self.info(manager, &running)).collect()
    }

    fn places(&self, job: JobId) -> Result<BTreeMap<SubtaskId, Place>> {
        let Some(details) = self.details(job)? else { return Ok(BTreeMap::new()) };
        let place = |manager: &TaskManagerStatus| Place {
            task_manager: manager.info.id.clone(),
            endpoint: endpoint(&manager.info),
        };
        let managers: BTreeMap<_, _> =
            self.handle.task_managers()?.iter().map(|manager| (manager.session, place(manager))).collect();
        let of = |(subtask, session): (&SubtaskId, &SessionId)| Some((*subtask, managers.get(session)?.clone()));
        Ok(details.places.iter().filter_map(of).collect())
    }
}

/// How clients name its host.
fn endpoint(info: &headwater_jobmanager::TaskManagerInfo) -> String {
    info.exchange.clone().unwrap_or_else(|| info.host.clone())
}

/// Memory of this host, for a TaskManager in this process.
fn memory_of(info: &headwater_jobmanager::TaskManagerInfo, is_here: bool) -> hardware::Memory {
    match is_here {
        true => hardware::memory(),
        false => hardware::Memory { total: info.memory_bytes, ..hardware::Memory::default() },
    }
}
