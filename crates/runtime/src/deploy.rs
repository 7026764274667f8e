//! From a job graph to subtasks: wires the channels, builds the operators.
//!
//! Channels are made at deployment, because both their ends must exist before anything runs; operators,
//! readers and writers are made in the subtask's first turn.

mod network;
mod restore;
mod setup;
mod wiring;

pub use network::{Channel, Network};

pub(crate) use setup::Setup;

use crate::checkpoint::{RestoreSource, SubtaskSnapshot};
use crate::control::{Control, TaskHandle};
use crate::metrics::{OperatorSnapshot, SubtaskMetrics};
use crate::options::RuntimeOptions;
use crate::schedule::Scheduler;
use crate::subtask::{State, Subtask};
use headwater_connector_api::{Committable, Registry};
use headwater_env::Env;
use headwater_operator_api::Operator;
use headwater_plan::{JobGraph, OperatorNode};
use headwater_types::config::Configuration;
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use wiring::Wiring;

/// What an operator may know when it is built.
pub struct BuildContext<'a> {
    /// The subtask it will run in.
    pub subtask: SubtaskId,
    /// Parallelism of its vertex.
    pub parallelism: u32,
    /// Number of key groups of the job.
    pub max_parallelism: u32,
    /// Clock and randomness.
    pub env: &'a Env,
    /// Configuration of the job.
    pub config: &'a Configuration,
    /// Whether rows other than `+I` may arrive: what the operators before this one declare.
    pub input_changes: bool,
}

/// Makes operators from their specifications. Sources and sinks come from the connector registry instead.
pub trait OperatorFactory: Send + Sync {
    /// Builds the operator of a node.
    fn build(&self, node: &OperatorNode, context: &BuildContext<'_>) -> Result<Box<dyn Operator>>;
}

/// Where subtasks report. Called from lanes; must not block.
pub trait TaskEvents: Send + Sync {
    /// The subtask has built its operators and runs.
    fn running(&self, subtask: SubtaskId);
    /// The subtask's source needs another split. Answered by [`TaskHandle::assign`].
    fn request_split(&self, subtask: SubtaskId);
    /// The subtask's sink staged these, to be committed when the job has finished. Only without checkpoints
    /// ([`RuntimeOptions::checkpointing`]); with them, committables are part of snapshots.
    fn committables(&self, subtask: SubtaskId, committables: Vec<Committable>);
    /// The subtask's part in a checkpoint.
    fn snapshot(&self, subtask: SubtaskId, snapshot: SubtaskSnapshot) {
        let _ = (subtask, snapshot);
    }
    /// The subtask will not contribute to this checkpoint.
    fn declined(&self, subtask: SubtaskId, checkpoint: u64, reason: Error) {
        let _ = (subtask, checkpoint, reason);
    }
    /// The subtask has processed all of its input, and ends when the next checkpoint that it takes part in
    /// completes; if one is under way, it will answer to that. Reported once. Only with checkpoints, and only by
    /// subtasks with something to commit, or for a savepoint that drains.
    fn ended_awaiting_checkpoint(&self, subtask: SubtaskId) {
        let _ = subtask;
    }
    /// The subtask ended; the last report of a subtask.
    fn finished(&self, subtask: SubtaskId, outcome: Result<()>, metrics: Vec<OperatorSnapshot>);
}

/// Everything needed to deploy the subtasks of a job.
#[derive(Clone)]
pub struct Deployment {
    /// The job.
    pub graph: Arc<JobGraph>,
    /// The subtasks to run here, in the order of [`Deployment::subtasks`].
    pub subtasks: Vec<SubtaskId>,
    /// The way to subtasks that run elsewhere; `None` when none do.
    pub network: Option<Arc<dyn Network>>,
    /// Unique id of this execution of the job, for names of staged files.
    pub execution: String,
    /// Clock and randomness.
    pub env: Env,
    /// Makes sources and sinks.
    pub registry: Registry,
    /// Makes operators.
    pub factory: Arc<dyn OperatorFactory>,
    /// Where subtasks report.
    pub events: Arc<dyn TaskEvents>,
    /// Sizes and delays.
    pub options: RuntimeOptions,
    /// The checkpoint that the job starts from; `None` starts it anew.
    pub restore: Option<Arc<dyn RestoreSource>>,
}

impl Deployment {
    /// All subtasks of the job.
    pub fn subtasks(graph: &JobGraph) -> Vec<SubtaskId> {
        let of_vertex = |v: &headwater_plan::Vertex| {
            let vertex: VertexId = v.id;
            (0..v.parallelism).map(move |index| SubtaskId { vertex, index })
        };
        graph.vertices.iter().flat_map(of_vertex).collect()
    }

    /// Wires the subtasks and makes them ready to run.
    pub fn deploy(&self, scheduler: &Arc<Scheduler>) -> Result<Vec<TaskHandle>> {
        let mut wiring = Wiring::new(self)?;
        let mut vertices: BTreeMap<VertexId, Arc<headwater_plan::Vertex>> = BTreeMap::new();
        let mut subtasks = vec![];
        for id in &self.subtasks {
            let vertex = self.graph.vertices.get(id.vertex.0 as usize).filter(|vertex| id.index < vertex.parallelism);
            let vertex = vertex.ok_or_else(|| Error::internal(format!("the job has no subtask {id}")))?;
            let vertex = vertices.entry(id.vertex).or_insert_with(|| Arc::new(vertex.clone()));
            subtasks.push(self.subtask(*id, vertex, scheduler, &mut wiring)?);
        }
        let start = |(handle, subtask): (TaskHandle, Subtask)| {
            handle.cell.start(Box::new(subtask));
            handle
        };
        Ok(subtasks.into_iter().map(start).collect())
    }

    fn subtask(
        &self,
        id: SubtaskId,
        vertex: &Arc<headwater_plan::Vertex>,
        scheduler: &Arc<Scheduler>,
        wiring: &mut Wiring<'_>,
    ) -> Result<(TaskHandle, Subtask)> {
        let cell = scheduler.reserve();
        let control = Arc::new(Control::default());
        let metrics = Arc::new(SubtaskMetrics::new(id, &vertex.chain));
        let setup = Setup {
            id,
            vertex: vertex.clone(),
            deployment: self.clone(),
            waker: cell.waker(),
            gate: wiring.take_gate(id),
            outputs: wiring.take_outputs(id)?,
        };
        let subtask = Subtask {
            id,
            vertex: vertex.clone(),
            env: self.env.clone(),
            control: control.clone(),
            events: self.events.clone(),
            metrics: metrics.clone(),
            state: State::Deployed(Box::new(setup)),
            position: 0,
        };
        Ok((TaskHandle { subtask: id, cell, control, metrics }, subtask))
    }
}
