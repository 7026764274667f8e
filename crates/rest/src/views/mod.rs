//! From what is known of jobs to the documents that tell it. Pure.

pub(crate) mod checkpoints;
pub(crate) mod config;
pub(crate) mod job;
pub(crate) mod rescale;
pub(crate) mod states;
pub(crate) mod stats;
pub(crate) mod task_manager;
pub(crate) mod vertex;

use headwater_plan::JobGraph;
use headwater_types::{Error, Result};

/// The plan of a job that does not run, as the API shows plans.
///
/// # Errors
/// When it cannot be encoded, which would be a bug.
pub fn plan(graph: &JobGraph) -> Result<serde_json::Value> {
    let plan = job::plan_of(graph, &format!("{:032x}", 0));
    serde_json::to_value(plan).map_err(|e| Error::internal("a plan cannot be encoded").with_source(e))
}
