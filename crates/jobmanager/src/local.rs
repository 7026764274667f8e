//! A cluster in one process: a JobManager and a TaskManager that talk by messages, as over a network.

use crate::service::{self, Handle, JobHandle, JobManager};
use crate::task_managers::TaskManagerInfo;
use headwater_connector_api::Registry;
use headwater_env::{Env, StorageProvider};
use headwater_plan::JobGraph;
use headwater_runtime::{OperatorFactory, ProcessMemory};
use headwater_taskmanager::{LocalState, Options as TaskManagerOptions, TaskManager};
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::sync::Arc;

/// How to build a local cluster.
#[derive(Clone)]
pub struct LocalOptions {
    /// Number of lanes; 0 means one per available core. Lanes start when there are tasks for them.
    pub lanes: usize,
    /// Makes sources and sinks.
    pub registry: Registry,
    /// Makes operators.
    pub operator_factory: Arc<dyn OperatorFactory>,
    /// Clock and randomness.
    pub env: Env,
    /// Defaults under the configuration of every job.
    pub config: Configuration,
    /// Opens checkpoint storage.
    pub storage: Arc<dyn StorageProvider>,
}

/// A running local cluster. Dropping it cancels what still runs and ends its threads.
pub struct LocalCluster {
    // Dropped in this order: who watches jobs has a last look, and tasks report to the JobManager until they have ended.
    attached: Vec<Box<dyn Send + Sync>>,
    _task_manager: TaskManager,
    job_manager: JobManager,
}

impl LocalCluster {
    /// Starts a cluster. Costs two threads; lanes start with the first job.
    pub fn start(options: LocalOptions) -> Result<Self> {
        let LocalOptions { lanes, registry, operator_factory, env, config, storage } = options;
        let state_memory = ProcessMemory::from_config(&config)?;
        let id = format!("{}-{:06x}", std::process::id(), env.random_u64() & 0xff_ffff);
        let local = Arc::new(LocalState::new(&config, &id, false));
        let job_manager = service::Options {
            env: env.clone(),
            registry: registry.clone(),
            config,
            storage: storage.clone(),
            records: None,
        };
        let job_manager = job_manager.start()?;
        let (exchange, local) = (None, Some(local));
        let task_manager =
            TaskManagerOptions { lanes, env, registry, operator_factory, storage, state_memory, exchange, local }
                .start(job_manager.handle().gateway())?;
        job_manager.handle().register(TaskManagerInfo::in_process(), Arc::new(task_manager.handle()))?;
        Ok(Self { attached: vec![], _task_manager: task_manager, job_manager })
    }

    /// Keeps something that lives as long as the cluster and ends before it.
    pub fn attach(&mut self, attached: Box<dyn Send + Sync>) {
        self.attached.push(attached);
    }

    /// Submits a job.
    pub fn submit(&self, graph: &JobGraph) -> Result<JobHandle> {
        self.job_manager.handle().submit(graph)
    }

    /// A handle to submit jobs by, from any thread.
    pub fn handle(&self) -> Handle {
        self.job_manager.handle()
    }
}
