//! What a TaskManager does with its messages. It has no thread of its own and never waits.

use crate::checkpoint::{Source, UploadContext, Uploads, merge};
use crate::messages::{CheckpointTarget, FromTaskManager, JobManagerGateway, Restore, TaskError, ToTaskManager};
use crate::service::Options;
use crate::tasks::{JobTasks, Reporter};
use headwater_checkpoint::GroupSet;
use headwater_checkpoint::compact::Merge;
use headwater_checkpoint::manifest::Spread;
use headwater_env::Storage;
use headwater_plan::{JobGraph, Partitioning};
use headwater_runtime::{Deployment, Lanes, RestoreSource, RuntimeOptions};
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::key_group::owned_range;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A TaskManager without a thread: whoever owns it brings its messages and runs its lanes. Dropping it drops its
/// tasks with it.
pub struct Core {
    options: Options,
    gateway: Arc<dyn JobManagerGateway>,
    lanes: Lanes,
    jobs: BTreeMap<JobId, Job>,
}

/// A job's part here.
struct Job {
    tasks: JobTasks,
    storage: Arc<dyn Storage>,
}

impl Core {
    /// A TaskManager that reports to `gateway` and whose tasks run on `lanes`.
    pub fn new(options: Options, gateway: Arc<dyn JobManagerGateway>, lanes: Lanes) -> Self {
        Self { options, gateway, lanes, jobs: BTreeMap::new() }
    }

    /// Ends all tasks, which they notice when they run next.
    pub(crate) fn cancel_all(&self) {
        self.jobs.values().for_each(|job| job.tasks.cancel_all());
    }

    /// Does what a JobManager says.
    pub fn handle(&mut self, message: ToTaskManager) {
        match message {
            ToTaskManager::Deploy { job, attempt, plan, subtasks, checkpoints, restore } => {
                let deploy = Deploy { job, attempt, subtasks, checkpoints, restore };
                if let Err(error) = self.deploy(&plan, deploy) {
                    let error = TaskError::from(&error);
                    self.gateway.send(FromTaskManager::DeployFailed { job, attempt, error });
                }
            }
            ToTaskManager::Cancel { job, subtasks } => self.with_tasks(job, |tasks| tasks.cancel(&subtasks)),
            ToTaskManager::Stop { job } => self.with_tasks(job, JobTasks::stop),
            ToTaskManager::AssignSplit { job, subtask, answer } => {
                self.with_tasks(job, |tasks| tasks.assign(subtask, answer));
            }
            ToTaskManager::TriggerCheckpoint { job, barrier } => self.with_tasks(job, |tasks| tasks.trigger(barrier)),
            ToTaskManager::AbortCheckpoint { job, checkpoint } => {
                self.with_tasks(job, |tasks| tasks.abort_checkpoint(checkpoint));
                self.gateway.send(FromTaskManager::CheckpointAborted { job, checkpoint });
            }
            ToTaskManager::CompleteCheckpoint { job, checkpoint } => {
                self.with_tasks(job, |tasks| tasks.complete_checkpoint(checkpoint));
            }
            ToTaskManager::MergeRuns { job, request, merge, file } => self.merge(job, request, merge, file),
            ToTaskManager::ReportMetrics { job, request } => {
                let metrics = self.jobs.get(&job).map(|job| job.tasks.metrics()).unwrap_or_default();
                self.gateway.send(FromTaskManager::Metrics { job, request, metrics });
            }
            ToTaskManager::Release { job } => drop(self.jobs.remove(&job)),
        }
    }

    fn deploy(&mut self, plan: &[u8], deploy: Deploy) -> Result<()> {
        let mut graph = headwater_plan::decode(plan)?;
        let Deploy { job, attempt, subtasks, checkpoints, restore } = deploy;
        restrict(&mut graph, &subtasks)?;
        let storage = self.options.storage.open(&checkpoints.uri, &graph.config)?;
        let uploads = Arc::new(self.uploads(job, attempt, &graph, &storage, checkpoints.inline_bytes));
        let restore = restore.map(|restore| self.restore(restore, &graph)).transpose()?;
        let mut options = RuntimeOptions::from_config(&graph.config)?;
        options.state = options.state.within(&self.options.state_memory);
        let deployment = Deployment {
            options,
            graph: Arc::new(graph),
            execution: format!("{job}-{attempt}"),
            env: self.options.env.clone(),
            registry: self.options.registry.clone(),
            factory: self.options.operator_factory.clone(),
            events: Arc::new(Reporter { uploads: uploads.clone() }),
            restore,
        };
        let others = self.jobs.iter().filter(|(id, _)| **id != job).map(|(_, other)| other.tasks.running()).sum();
        let new = || Job { tasks: JobTasks::default(), storage };
        let tasks = &mut self.jobs.entry(job).or_insert_with(new).tasks;
        tasks.deploy(&deployment, &uploads, &self.lanes, others)
    }

    fn uploads(
        &self,
        job: JobId,
        attempt: u32,
        graph: &JobGraph,
        storage: &Arc<dyn Storage>,
        inline_bytes: u64,
    ) -> Uploads {
        let context = UploadContext {
            env: self.options.env.clone(),
            storage: storage.clone(),
            inline_bytes,
            spreads: graph.edges.iter().map(|edge| spread_of(&edge.partitioning)).collect(),
        };
        let groups = |subtask: SubtaskId| {
            let parallelism = graph.vertices.get(subtask.vertex.0 as usize).map_or(1, |vertex| vertex.parallelism);
            (subtask, GroupSet::of(owned_range(subtask.index, parallelism, graph.max_parallelism)))
        };
        let subtasks = Deployment::subtasks(graph).into_iter().map(groups);
        Uploads::new(job, attempt, self.gateway.clone(), context, subtasks)
    }

    fn restore(&self, restore: Restore, graph: &JobGraph) -> Result<Arc<dyn RestoreSource>> {
        let storage = self.options.storage.open(&restore.uri, &graph.config)?;
        Ok(Arc::new(Source::new(restore, storage, self.options.env.now_ms())))
    }

    fn merge(&self, job: JobId, request: u64, what: Merge, file: String) {
        let Some(storage) = self.jobs.get(&job).map(|job| job.storage.clone()) else { return };
        let (gateway, now_ms) = (self.gateway.clone(), self.options.env.now_ms());
        self.options.env.spawn_blocking("merge", move || {
            let outcome = merge(&storage, &what, &file, now_ms).map_err(|error| TaskError::from(&error));
            gateway.send(FromTaskManager::Merged { job, request, outcome });
        });
    }

    /// Messages about a job that is not here crossed with its end.
    fn with_tasks(&self, job: JobId, f: impl FnOnce(&JobTasks)) {
        if let Some(job) = self.jobs.get(&job) {
            f(&job.tasks);
        }
    }
}

/// What to deploy, apart from the plan.
struct Deploy {
    job: JobId,
    attempt: u32,
    subtasks: Vec<SubtaskId>,
    checkpoints: CheckpointTarget,
    restore: Option<Restore>,
}

/// Leaves the vertices of a graph out whose subtasks are not to run here.
fn restrict(graph: &mut JobGraph, subtasks: &[SubtaskId]) -> Result<()> {
    for vertex in &mut graph.vertices {
        if subtasks.iter().all(|subtask| subtask.vertex != vertex.id) {
            vertex.parallelism = 0;
        }
    }
    if Deployment::subtasks(graph) == subtasks {
        return Ok(());
    }
    Err(Error::unsupported("a job cannot be spread over several TaskManagers yet"))
}

fn spread_of(partitioning: &Partitioning) -> Spread {
    match partitioning {
        Partitioning::Hash(_) => Spread::Hash,
        Partitioning::Broadcast => Spread::Broadcast,
        Partitioning::Forward | Partitioning::Rebalance | Partitioning::Global => Spread::Any,
    }
}
