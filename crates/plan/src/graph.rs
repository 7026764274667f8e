//! The job graph.

use crate::OperatorSpec;
use headwater_types::LogicalType;
use headwater_types::config::Configuration;
use headwater_types::ids::VertexId;
use serde::{Deserialize, Serialize};

/// A named row type.
pub type RowType = Vec<(String, LogicalType)>;

/// A job: vertices connected by edges.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobGraph {
    /// Display name.
    pub name: String,
    /// Number of key groups.
    pub max_parallelism: u32,
    /// The vertices, in topological order; a vertex's id is its position.
    pub vertices: Vec<Vertex>,
    /// The edges.
    pub edges: Vec<Edge>,
    /// The configuration the job runs with.
    pub config: Configuration,
}

/// A chain of operators that run in one subtask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vertex {
    /// Its id.
    pub id: VertexId,
    /// Display name: the names of its operators.
    pub name: String,
    /// Number of subtasks.
    pub parallelism: u32,
    /// The operators, head first. Only the head may have two inputs; only the head may be a source.
    pub chain: Vec<OperatorNode>,
}

/// An operator of a chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperatorNode {
    /// Stable name within the job, from the logical operator and not from its position.
    pub uid: String,
    /// Display name, as Flink's plans show it.
    pub name: String,
    /// What it does.
    pub spec: OperatorSpec,
    /// Row types of its inputs (none for a source, two for a join).
    pub inputs: Vec<RowType>,
    /// Row type of its output (empty for a sink).
    pub output: RowType,
    /// Whether rows other than `+I` may leave it.
    pub emits_changes: bool,
}

/// A connection of two vertices. Several edges into one `target_input` are a union.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Producer.
    pub source: VertexId,
    /// Consumer.
    pub target: VertexId,
    /// Which input of the consumer's head operator.
    pub target_input: u8,
    /// How rows find their subtask.
    pub partitioning: Partitioning,
}

/// How the rows of an edge are spread over the consumer's subtasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Partitioning {
    /// Subtask i to subtask i; both sides have the same parallelism.
    Forward,
    /// By the key group of these columns.
    Hash(Vec<usize>),
    /// Batches in turn to all subtasks.
    Rebalance,
    /// Every row to every subtask.
    Broadcast,
    /// Every row to subtask 0.
    Global,
}
