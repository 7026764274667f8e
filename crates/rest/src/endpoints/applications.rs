//! Applications: here every job is one, under the same id.

use super::cluster::config_of;
use crate::answer::{Answer, ApiError, Reply};
use crate::call::Call;
use crate::cluster::JobDetails;
use crate::messages::cluster as messages;
use crate::views::job::{self, end_and_duration};
use crate::views::states;
use headwater_types::ids::JobId;
use std::collections::BTreeMap;

/// `/applications/overview`
pub(super) fn overview(call: &Call<'_>) -> Reply {
    let now_ms = call.state.cluster.now_ms();
    let jobs = call.state.cluster.jobs()?;
    let application = |job: &crate::cluster::JobSummary| {
        let (end_time, duration) = end_and_duration(job, now_ms);
        messages::Application {
            id: job.job.to_string(),
            name: job.graph.name.clone(),
            start_time: job.started_ms,
            end_time,
            duration,
            status: states::application(job.state),
            jobs: BTreeMap::from([(job.state.to_string(), 1)]),
        }
    };
    Answer::json(&messages::Applications { applications: jobs.iter().map(application).collect() })
}

/// `/applications/:applicationid`
pub(super) fn details(call: &Call<'_>) -> Reply {
    let details = find(call)?;
    let now_ms = call.state.cluster.now_ms();
    let (end_time, duration) = end_and_duration(&details.summary, now_ms);
    Answer::json(&messages::ApplicationDetails {
        id: details.summary.job.to_string(),
        name: details.summary.graph.name.clone(),
        status: states::application(details.summary.state),
        start_time: details.summary.started_ms,
        end_time,
        duration,
        timestamps: states::application_times(&details.states),
        jobs: vec![job::row(&details.summary, now_ms)],
    })
}

/// `POST /applications/:applicationid/cancel`
pub(super) fn cancel(call: &Call<'_>) -> Reply {
    let details = find(call)?;
    call.state.cluster.cancel(details.summary.job)?;
    Answer::accepted(&crate::messages::Empty {})
}

/// `/applications/:applicationid/exceptions`
pub(super) fn exceptions(call: &Call<'_>) -> Reply {
    let details = find(call)?;
    let max = call.query_number("maxExceptions")?.unwrap_or(20);
    let entry = |failure: &crate::cluster::Failure| messages::ApplicationFailure {
        exception_name: job::class(&failure.error),
        stacktrace: failure.error.to_string(),
        timestamp: failure.at_ms,
        job_id: details.summary.job.to_string(),
    };
    let entries = details.failures.iter().take(max).map(entry).collect();
    Answer::json(&messages::ApplicationExceptions { exception_history: messages::ApplicationFailures { entries } })
}

/// `/applications/:applicationid/jobmanager/config`
pub(super) fn config(call: &Call<'_>) -> Reply {
    find(call)?;
    config_of(&call.state.cluster.config())
}

fn find(call: &Call<'_>) -> Result<JobDetails, ApiError> {
    let id = JobId(call.id("applicationid")?);
    let details = call.state.cluster.details(id)?;
    details.ok_or_else(|| ApiError::not_found(format_args!("Application {id} not found")))
}
