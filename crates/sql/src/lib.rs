//! Flink SQL: catalogs, the binder with Flink's type system, the planner on DataFusion's logical plan,
//! and the statements of a session.
//!
//! Knows no runtime: what it produces is a [`headwater_plan::JobGraph`].

pub mod binder;
pub mod catalog;
pub mod completion;
pub mod diagnostics;
mod lineage;
pub mod optimizer;
pub mod planner;
pub mod session;
pub mod zone;

pub use diagnostics::{SqlError, SqlResult};
pub mod logical;
pub mod lower;
