//! Checkpoints, to look at.

use crate::answer::{Answer, ApiError, Reply};
use crate::call::Call;
use crate::cluster::CheckpointStatistics;
use crate::views;
use headwater_checkpoint::Settings;
use headwater_types::ids::JobId;

/// `/jobs/:jobid/checkpoints`
pub(super) fn overview(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let statistics = call.state.cluster.checkpoints(job.summary.job)?;
    Answer::json(&views::checkpoints::overview(&job, &statistics))
}

/// `/jobs/:jobid/checkpoints/config`
pub(super) fn config(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let config = &job.summary.graph.config;
    Answer::json(&views::checkpoints::config(&Settings::from_config(config)?, config))
}

/// `/jobs/:jobid/checkpoints/details/:checkpointid`
pub(super) fn details(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let one = find(call, job.summary.job)?;
    Answer::json(&views::checkpoints::checkpoint(&job, &one))
}

/// `/jobs/:jobid/checkpoints/details/:checkpointid/subtasks/:vertexid`
pub(super) fn vertex(call: &Call<'_>) -> Reply {
    let found = call.vertex()?;
    let one = find(call, found.details.summary.job)?;
    Answer::json(&views::checkpoints::vertex_details(&found.details, &one, found.vertex()))
}

fn find(call: &Call<'_>, job: JobId) -> Result<CheckpointStatistics, ApiError> {
    let id: u64 = call.number("checkpointid")?;
    let statistics = call.state.cluster.checkpoints(job)?;
    let latest = [statistics.latest_completed, statistics.latest_savepoint, statistics.latest_failed];
    let mut all = statistics.history.into_iter().chain(latest.into_iter().flatten());
    let found = all.find(|one| one.checkpoint == id);
    found.ok_or_else(|| {
        ApiError::not_found(format_args!("Could not find checkpointing statistics for checkpoint {id}."))
    })
}
