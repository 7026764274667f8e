//! What the API needs of a cluster.

mod dispose;
mod job_manager;
mod scripts;

pub use headwater_checkpoint::{CheckpointStatistics, CheckpointStatus, Statistics};
pub use headwater_jobmanager::{
    Attempt, Failure, JobDetails, JobState, JobSummary, Part, Pending, Place, RequestKind, Rescale, RescaleCause,
    Stored, TaskState,
};
pub use headwater_runtime::OperatorSnapshot;
pub use headwater_taskmanager::inspect::{LogFile, ProcessStatus, ThreadStatus};
pub use job_manager::JobManagerCluster;
pub use scripts::{ScriptOptions, Scripts};

use headwater_types::config::Configuration;
use headwater_types::ids::{JobId, SubtaskId, VertexId};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;

/// A TaskManager as the API shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskManagerInfo {
    /// Its id.
    pub id: String,
    /// How clients name its host, such as `host:port`.
    pub endpoint: String,
    /// Where other TaskManagers send it rows; 0 when there are none.
    pub data_port: u16,
    /// When it was heard of last, milliseconds since the epoch.
    pub heard_ms: i64,
    /// Slots it has.
    pub slots: u32,
    /// Slots without a task.
    pub slots_free: u32,
    /// Jobs that have slots of it, with their tasks there.
    pub jobs: Vec<(JobId, u32)>,
    /// Cores of its host.
    pub cores: u32,
    /// Memory of its host, bytes.
    pub memory_total: u64,
    /// Of this not in use, bytes.
    pub memory_free: u64,
    /// Memory it may use for state and sorting, bytes.
    pub memory_managed: u64,
    /// What its process takes; all 0 while it does not say.
    pub process: ProcessStatus,
}

/// Bounds of the parallelism of vertices: the least that is enough, and the most that is used.
pub type Bounds = BTreeMap<VertexId, (u32, u32)>;

/// A cluster. Calls may wait for a moment; they are made on threads for that.
pub trait Cluster: Send + Sync {
    /// Milliseconds since the epoch, UTC.
    fn now_ms(&self) -> i64;

    /// 128 random bits.
    fn random_id(&self) -> u128;

    /// The configuration of the process.
    fn config(&self) -> Configuration;

    /// The jobs that run and the last ones that have ended.
    ///
    /// # Errors
    /// When the JobManager does not answer.
    fn jobs(&self) -> Result<Vec<JobSummary>>;

    /// All that is known of a job; `None` when there is none of this id.
    ///
    /// # Errors
    /// When the JobManager does not answer.
    fn details(&self, job: JobId) -> Result<Option<JobDetails>>;

    /// The checkpoints of a job that exists.
    ///
    /// # Errors
    /// When the JobManager does not answer.
    fn checkpoints(&self, job: JobId) -> Result<Statistics>;

    /// The present counters of all operator instances of a job that exists.
    ///
    /// # Errors
    /// When the JobManager does not answer.
    fn metrics(&self, job: JobId) -> Result<Vec<OperatorSnapshot>>;

    /// Ends a job without output. Returns at once.
    ///
    /// # Errors
    /// When the JobManager has ended.
    fn cancel(&self, job: JobId) -> Result<()>;

    /// Begins a checkpoint or savepoint.
    ///
    /// # Errors
    /// When the JobManager has ended.
    fn request_checkpoint(&self, job: JobId, kind: RequestKind) -> Result<Pending<Result<Stored>>>;

    /// Begins to remove the files of a savepoint.
    ///
    /// # Errors
    /// When that cannot be begun.
    fn dispose(&self, path: &str) -> Result<Pending<Result<()>>>;

    /// The TaskManagers.
    ///
    /// # Errors
    /// When the JobManager does not answer.
    fn task_managers(&self) -> Result<Vec<TaskManagerInfo>>;

    /// Where the subtasks of a job run, or ran last. Those that are not named are at the first TaskManager.
    ///
    /// # Errors
    /// When the JobManager does not answer.
    fn places(&self, job: JobId) -> Result<BTreeMap<SubtaskId, Place>> {
        let _ = job;
        Ok(BTreeMap::new())
    }

    /// The bounds that a job was given; `None` when it runs as its plan says.
    ///
    /// # Errors
    /// When the JobManager does not answer.
    fn bounds(&self, job: JobId) -> Result<Option<Bounds>> {
        let _ = job;
        Ok(None)
    }

    /// Gives a job other bounds.
    ///
    /// # Errors
    /// When they cannot be met, or the cluster cannot change a job that runs.
    fn rescale(&self, job: JobId, bounds: Bounds) -> Result<()> {
        let _ = (job, bounds);
        Err(Error::unsupported("this cluster does not change the parallelism of a job that runs"))
    }

    /// The changes of a job's parallelism, newest first.
    ///
    /// # Errors
    /// When the JobManager does not answer.
    fn rescales(&self, job: JobId) -> Result<Vec<Rescale>> {
        let _ = job;
        Ok(vec![])
    }

    /// Ends the cluster.
    ///
    /// # Errors
    /// When it is part of another process.
    fn shut_down(&self) -> Result<()> {
        Err(Error::unsupported("this cluster is part of another process and ends with it"))
    }

    /// What a job waits for, such as slots.
    ///
    /// # Errors
    /// When the JobManager does not answer.
    fn waits_for(&self, job: JobId) -> Result<Option<String>> {
        let _ = job;
        Ok(None)
    }

    /// Begins to run an encoded job graph.
    ///
    /// # Errors
    /// When this cluster takes none.
    fn submit(&self, plan: Vec<u8>) -> Result<Pending<Result<JobId>>> {
        let _ = plan;
        Err(Error::unsupported("this cluster takes no jobs over the REST API"))
    }

    /// Plans and runs scripts; `None` where that is not offered.
    fn scripts(&self) -> Option<&dyn Scripts> {
        None
    }

    /// What the process of a TaskManager, or of the JobManager, takes of its host.
    ///
    /// # Errors
    /// When the TaskManager does not answer.
    fn process(&self, task_manager: Option<&str>) -> Result<ProcessStatus> {
        let _ = task_manager;
        Ok(ProcessStatus::default())
    }

    /// The threads of a TaskManager, or of the JobManager.
    ///
    /// # Errors
    /// When the TaskManager does not answer.
    fn threads(&self, task_manager: Option<&str>) -> Result<Vec<ThreadStatus>> {
        let _ = task_manager;
        Ok(vec![])
    }

    /// The log files of a TaskManager, or of the JobManager.
    ///
    /// # Errors
    /// When the TaskManager does not answer.
    fn logs(&self, task_manager: Option<&str>) -> Result<Vec<LogFile>> {
        let _ = task_manager;
        Ok(vec![])
    }

    /// The content of a log file; `None` when there is none of this name.
    ///
    /// # Errors
    /// When the TaskManager does not answer.
    fn log(&self, task_manager: Option<&str>, name: &str) -> Result<Option<Vec<u8>>> {
        let _ = (task_manager, name);
        Ok(None)
    }
}
