//! What one process can run. A job beyond it is refused when it is submitted, rather than taking the memory of the
//! machine while it is deployed.

use headwater_plan::{JobGraph, Partitioning};
use headwater_types::{Error, Result};

/// Most subtasks of a job.
const SUBTASKS_MAX: u64 = 32_768;

/// Most channels between subtasks: a shuffle has one for every pair of producer and consumer.
const CHANNELS_MAX: u64 = 1 << 21;

/// Refuses a job that is too wide.
pub(crate) fn check(graph: &JobGraph) -> Result<()> {
    let too_many = |count: u64, what: &str, limit: u64| {
        let message =
            format!("the job needs {count} {what}, and this process runs at most {limit}: lower its parallelism");
        Err(Error::user("too-wide", message))
    };
    let subtasks = graph.vertices.iter().map(|v| u64::from(v.parallelism)).sum();
    if subtasks > SUBTASKS_MAX {
        return too_many(subtasks, "subtasks", SUBTASKS_MAX);
    }
    let parallelism = |id| graph.vertices.iter().find(|v| v.id == id).map_or(0, |v| u64::from(v.parallelism));
    let channels = graph.edges.iter().map(|edge| match edge.partitioning {
        Partitioning::Forward => parallelism(edge.source),
        _ => parallelism(edge.source) * parallelism(edge.target),
    });
    match channels.sum() {
        channels if channels > CHANNELS_MAX => too_many(channels, "channels between subtasks", CHANNELS_MAX),
        _ => Ok(()),
    }
}
