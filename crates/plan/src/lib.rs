//! The serialisable plan: what a client hands to a JobManager and a JobManager to its TaskManagers.
//!
//! A [`JobGraph`] is a directed acyclic graph of vertices; a vertex is a chain of operators that run in
//! one subtask; every operator is an [`OperatorSpec`], a plain value with scalar [`Expr`]essions over
//! Flink's logical types. Nothing here holds a function pointer, an Arrow array or a DataFusion type, so
//! a plan can be stored, sent, diffed and explained.

pub mod codec;
pub mod expr;
pub mod graph;
pub mod operators;
pub mod table;
pub mod value;

pub use codec::{decode, encode};
pub use expr::Expr;
pub use graph::{Edge, JobGraph, OperatorNode, Partitioning, Vertex};
pub use operators::OperatorSpec;
pub use table::{ProducedColumn, SinkSpec, SourceSpec, TableSpec};
pub use value::Value;
