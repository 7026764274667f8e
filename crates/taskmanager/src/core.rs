//! What a TaskManager does with its messages. It has no thread of its own and never waits.

use crate::checkpoint::{Source, UploadContext, Uploads, merge};
use crate::local::{JobCopies, Kept, LocalState};
use crate::messages::{CheckpointTarget, FromTaskManager, JobManagerGateway, Restore, TaskError, ToTaskManager};
use crate::service::Options;
use crate::tasks::{JobTasks, Reporter};
use crate::work::WorkDirectories;
use headwater_checkpoint::compact::Merge;
use headwater_checkpoint::manifest::Spread;
use headwater_checkpoint::{GroupSet, LocalRecovery};
use headwater_env::Storage;
use headwater_plan::{JobGraph, Partitioning};
use headwater_runtime::{Deployment, Lanes, Network, ProcessMemory, RestoreSource, RuntimeOptions};
use headwater_types::Result;
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::key_group::owned_range;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A TaskManager without a thread: whoever owns it brings its messages and runs its lanes. Dropping it drops its
/// tasks with it.
pub struct Core {
    options: Options,
    gateway: Arc<dyn JobManagerGateway>,
    lanes: Lanes,
    jobs: BTreeMap<JobId, Job>,
    /// Where state on disk is. Dropped last: tasks have their files there.
    work: WorkDirectories,
}

/// A job's part here.
struct Job {
    tasks: JobTasks,
    /// Where its checkpoints go, with copies if it wants them.
    storage: Arc<dyn Storage>,
}

impl Core {
    /// A TaskManager that reports to `gateway` and whose tasks run on `lanes`.
    pub fn new(options: Options, gateway: Arc<dyn JobManagerGateway>, lanes: Lanes) -> Self {
        Self { options, gateway, lanes, jobs: BTreeMap::new(), work: WorkDirectories::default() }
    }

    /// The memory of the process.
    pub(crate) fn memory(&self) -> &ProcessMemory {
        &self.options.state_memory
    }

    /// Ends all tasks, which they notice when they run next.
    pub(crate) fn cancel_all(&self) {
        self.jobs.values().for_each(|job| job.tasks.cancel_all());
    }

    /// Does what a JobManager says.
    pub fn handle(&mut self, message: ToTaskManager) {
        match message {
            ToTaskManager::Deploy { job, attempt, plan, subtasks, peers, checkpoints, restore } => {
                let deploy = Deploy { job, attempt, subtasks: subtasks.clone(), peers, checkpoints, restore };
                if let Err(error) = self.deploy(&plan, deploy) {
                    let error = TaskError::from(&error);
                    self.release(job, &[attempt]);
                    self.gateway.send(FromTaskManager::DeployFailed { job, attempt, subtasks, error });
                }
            }
            ToTaskManager::Cancel { job, subtasks } => self.cancel(job, &subtasks),
            ToTaskManager::Stop { job } => self.with_tasks(job, JobTasks::stop),
            ToTaskManager::AssignSplit { job, subtask, answer } => {
                self.with_tasks(job, |tasks| tasks.assign(subtask, answer));
            }
            ToTaskManager::TriggerCheckpoint { job, barrier } => self.with_tasks(job, |tasks| tasks.trigger(barrier)),
            ToTaskManager::AbortCheckpoint { job, checkpoint, session } => {
                self.with_tasks(job, |tasks| tasks.abort_checkpoint(checkpoint));
                self.gateway.send(FromTaskManager::CheckpointAborted { job, checkpoint, session });
            }
            ToTaskManager::CompleteCheckpoint { job, checkpoint } => {
                self.with_tasks(job, |tasks| tasks.complete_checkpoint(checkpoint));
            }
            ToTaskManager::KeepCopies { job, checkpoint, needed } => self.keep_copies(job, checkpoint, needed),
            ToTaskManager::Retain { jobs } => self.retain(jobs),
            ToTaskManager::MergeRuns { job, request, merge, file } => self.merge(job, request, merge, file),
            ToTaskManager::ReportMetrics { job, request, session } => {
                let metrics = self.jobs.get(&job).map(|job| job.tasks.metrics()).unwrap_or_default();
                self.gateway.send(FromTaskManager::Metrics { job, request, session, metrics });
            }
            ToTaskManager::Release { job } => {
                let attempts = self.jobs.get(&job).map(|job| job.tasks.attempts()).unwrap_or_default();
                self.release(job, &attempts);
                self.jobs.remove(&job);
                self.with_local(move |local| local.forget(job));
            }
        }
    }

    fn deploy(&mut self, plan: &[u8], deploy: Deploy) -> Result<()> {
        let graph = headwater_plan::decode(plan)?;
        let Deploy { job, attempt, subtasks, peers, checkpoints, restore } = deploy;
        let copies = self.copies(job, &graph)?;
        let storage = self.storage(&checkpoints.uri, &graph, copies.as_ref())?;
        let uploads = Arc::new(self.uploads((job, attempt), &graph, &subtasks, &storage, checkpoints.inline_bytes));
        // Files of another job may have the same names.
        let is_own = restore.as_ref().is_some_and(|restore| restore.uri == checkpoints.uri);
        let copies = copies.filter(|_| is_own && reads_copies(&graph));
        let restore = restore.map(|restore| self.restore(restore, &graph, copies)).transpose()?;
        let mut options = RuntimeOptions::from_config(&graph.config)?;
        options.state = options.state.within(&self.options.state_memory);
        self.work.place(&mut options.state)?;
        let earlier = self.jobs.get(&job).map(|job| job.tasks.attempts_of(&subtasks)).unwrap_or_default();
        self.release(job, &earlier);
        let graph = Arc::new(graph);
        let exchange = self.options.exchange.clone();
        let wires = exchange.map(|exchange| exchange.attempt(job, attempt, graph.clone(), peers));
        let deployment = Deployment {
            options,
            graph,
            subtasks,
            network: wires.clone().map(|wires| wires as Arc<dyn Network>),
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
        tasks.deploy(&deployment, &uploads, &self.lanes, others, wires.as_deref())
    }

    fn uploads(
        &self,
        (job, attempt): (JobId, u32),
        graph: &JobGraph,
        subtasks: &[SubtaskId],
        storage: &Arc<dyn Storage>,
        inline_bytes: u64,
    ) -> Uploads {
        let context = UploadContext {
            env: self.options.env.clone(),
            storage: storage.clone(),
            memory: self.options.state_memory.checkpoints.clone(),
            inline_bytes,
            spreads: graph.edges.iter().map(|edge| spread_of(&edge.partitioning)).collect(),
        };
        let groups = |subtask: SubtaskId| {
            let parallelism = graph.vertices.get(subtask.vertex.0 as usize).map_or(1, |vertex| vertex.parallelism);
            (subtask, GroupSet::of(owned_range(subtask.index, parallelism, graph.max_parallelism)))
        };
        let subtasks = subtasks.iter().copied().map(groups);
        Uploads::new(job, attempt, self.gateway.clone(), context, subtasks)
    }

    fn restore(&self, restore: Restore, graph: &JobGraph, copies: Option<JobCopies>) -> Result<Arc<dyn RestoreSource>> {
        let storage = self.options.storage.open(&restore.uri, &graph.config)?;
        let memory = &self.options.state_memory.checkpoints;
        Ok(Arc::new(Source::new(restore, storage, copies, memory, self.options.env.now_ms())))
    }

    /// The copies of a job's state, if it wants some and there can be any.
    fn copies(&self, job: JobId, graph: &JobGraph) -> Result<Option<JobCopies>> {
        match LocalRecovery::from_config(&graph.config)?.keeps {
            true => Ok(self.options.local.as_ref().and_then(|local| local.of(job))),
            false => Ok(None),
        }
    }

    fn storage(&self, uri: &str, graph: &JobGraph, copies: Option<&JobCopies>) -> Result<Arc<dyn Storage>> {
        let storage = self.options.storage.open(uri, &graph.config)?;
        Ok(match copies.cloned() {
            Some(copies) => Arc::new(Kept { storage, copies }),
            None => storage,
        })
    }

    /// Lets copies go that nobody will start from.
    fn keep_copies(&self, job: JobId, checkpoint: u64, needed: BTreeSet<String>) {
        if self.jobs.contains_key(&job) {
            self.with_local(move |local| {
                if let Some(copies) = local.of(job) {
                    copies.prune(checkpoint, &needed);
                }
            });
        }
    }

    /// Lets the copies of jobs go that are no more.
    fn retain(&self, mut jobs: BTreeSet<JobId>) {
        jobs.extend(self.jobs.keys());
        self.with_local(move |local| local.retain(&jobs));
    }

    /// Does something with the local disk, on another thread.
    fn with_local(&self, f: impl FnOnce(&LocalState) + Send + 'static) {
        if let Some(local) = self.options.local.clone() {
            self.options.env.spawn_blocking("local-state", move || f(&local));
        }
    }

    fn merge(&self, job: JobId, request: u64, what: Merge, file: String) {
        let Some(storage) = self.jobs.get(&job).map(|job| job.storage.clone()) else { return };
        let (gateway, now_ms) = (self.gateway.clone(), self.options.env.now_ms());
        let memory = self.options.state_memory.checkpoints.merges.clone();
        self.options.env.spawn_blocking("merge", move || {
            let outcome = merge(&storage, &what, &file, &memory, now_ms).map_err(|error| TaskError::from(&error));
            gateway.send(FromTaskManager::Merged { job, request, outcome });
        });
    }

    /// Ends tasks. What others still send to them is refused from now on.
    fn cancel(&self, job: JobId, subtasks: &[SubtaskId]) {
        self.with_tasks(job, |tasks| tasks.cancel(subtasks));
        let attempts = self.jobs.get(&job).map(|job| job.tasks.attempts_of(subtasks)).unwrap_or_default();
        self.release(job, &attempts);
    }

    /// Lets the channels of attempts go.
    fn release(&self, job: JobId, attempts: &[u32]) {
        if let Some(exchange) = &self.options.exchange {
            attempts.iter().for_each(|attempt| exchange.release(job, *attempt));
        }
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
    peers: Vec<(SubtaskId, String)>,
    checkpoints: CheckpointTarget,
    restore: Option<Restore>,
}

/// Whether tasks start from copies.
fn reads_copies(graph: &JobGraph) -> bool {
    LocalRecovery::from_config(&graph.config).is_ok_and(|local| local.reads)
}

fn spread_of(partitioning: &Partitioning) -> Spread {
    match partitioning {
        Partitioning::Hash(_) => Spread::Hash,
        Partitioning::Broadcast => Spread::Broadcast,
        Partitioning::Forward | Partitioning::Rebalance | Partitioning::Global => Spread::Any,
    }
}
