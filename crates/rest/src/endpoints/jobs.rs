//! Jobs.

use super::cluster;
use crate::answer::{Answer, ApiError, Reply};
use crate::call::Call;
use crate::messages::cluster::LogUrl;
use crate::messages::job as messages;
use crate::views;
use crate::views::vertex::Counters;
use axum::http::StatusCode;
use headwater_types::config::JOB_LINEAGE;
use headwater_types::ids::JobId;

/// The type of a body that is an encoded plan.
pub(crate) const PLAN_TYPE: &str = "application/x-headwater-plan";

/// `/jobs`
pub(super) fn ids(call: &Call<'_>) -> Reply {
    let jobs = call.state.cluster.jobs()?;
    let row = |job: &crate::cluster::JobSummary| messages::JobIdStatus {
        id: job.job.to_string(),
        status: job.state.to_string(),
    };
    Answer::json(&messages::JobIds { jobs: jobs.iter().map(row).collect() })
}

/// `/jobs/overview`, latest first.
pub(super) fn overview(call: &Call<'_>) -> Reply {
    let now_ms = call.state.cluster.now_ms();
    let mut jobs = call.state.cluster.jobs()?;
    jobs.sort_by_key(|job| std::cmp::Reverse(job.started_ms));
    Answer::json(&messages::JobsOverview { jobs: jobs.iter().map(|job| views::job::row(job, now_ms)).collect() })
}

/// `/jobs/:jobid`
pub(super) fn details(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let counters = counters(call, job.summary.job)?;
    Answer::json(&views::job::details(&job, &counters, call.state.cluster.now_ms()))
}

/// The counters of a job.
pub(super) fn counters(call: &Call<'_>, job: JobId) -> Result<Counters, ApiError> {
    let cluster = &call.state.cluster;
    let operators = cluster.metrics(job)?;
    let rates = call.state.rates.of(job, cluster.now_ms(), &operators);
    Ok(Counters::new(operators, rates))
}

/// `POST /jobs`: an encoded plan, as `headwater run` sends it. Flink's clients send Java objects.
pub(super) fn submit(call: &Call<'_>) -> Reply {
    if call.content_type != PLAN_TYPE {
        return Err(ApiError::not_here("Serialized Java job graphs cannot be read; submit SQL by 'headwater run'"));
    }
    if !call.state.options.takes_jobs() {
        let message = format!(
            "This JobManager listens to other hosts, too ({}), so it takes jobs with authentication only: set \
             'headwater.rest.authentication.token', or mutual TLS, or bind it to loopback.",
            call.state.options.bind
        );
        return Err(ApiError::new(StatusCode::FORBIDDEN, message));
    }
    let pending = call.state.cluster.submit(call.body.to_vec())?;
    let job = pending.wait(call.state.options.answer_timeout)?.map_err(|error| match error.code() {
        "bad-plan" => ApiError::bad_request(error.message()),
        _ => ApiError::from(error),
    })?;
    tracing::info!(%job, "a job was submitted");
    Answer::accepted(&messages::Submitted { job_url: format!("/jobs/{job}") })
}

/// `PATCH /jobs/:jobid?mode=cancel`
pub(super) fn terminate(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    match call.query("mode").unwrap_or("cancel") {
        "cancel" => {}
        "stop" => {
            let message = "The termination mode \"stop\" has been removed. For an ungraceful shutdown, please use \
                           \"cancel\" instead. For a graceful shutdown, please use \"jobs/:jobid/stop\" instead.";
            return Err(ApiError::new(StatusCode::GONE, message));
        }
        other => return Err(crate::call::unresolved("query", "mode", other)),
    }
    if job.summary.state.is_final() {
        let (id, state) = (job.summary.job, job.summary.state);
        let message = format!(
            "Job cancellation failed because the job {id} has already reached another terminal \
                               state ({state})."
        );
        return Err(ApiError::new(StatusCode::CONFLICT, message));
    }
    call.state.cluster.cancel(job.summary.job)?;
    Answer::accepted(&crate::messages::Empty {})
}

/// Looking must not change anything: commands by GET are refused.
pub(super) fn refuse_get_cancel(call: &Call<'_>) -> Reply {
    call.job_id()?;
    Err(ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "Use PATCH /jobs/:jobid?mode=cancel."))
}

/// `PATCH /jobs/:jobid/clientHeartbeat`: jobs do not end with their clients.
pub(super) fn heartbeat(call: &Call<'_>) -> Reply {
    call.body::<messages::HeartbeatRequest>("JobClientHeartbeatRequestBody")?;
    call.job()?;
    Answer::accepted(&crate::messages::Empty {})
}

/// `/jobs/:jobid/status`
pub(super) fn status(call: &Call<'_>) -> Reply {
    Answer::json(&messages::JobStatus { status: call.job()?.summary.state.to_string() })
}

/// `/jobs/:jobid/plan`
pub(super) fn plan(call: &Call<'_>) -> Reply {
    Answer::json(&messages::PlanBody { plan: views::job::plan(&call.job()?.summary) })
}

/// `/jobs/:jobid/config`
pub(super) fn config(call: &Call<'_>) -> Reply {
    Answer::json(&views::job::job_config(&call.job()?.summary))
}

/// `/jobs/:jobid/lineage`: not part of Flink's API. The lineage that the job carries.
pub(super) fn lineage(call: &Call<'_>) -> Reply {
    let job = call.job()?.summary;
    match job.graph.config.get(JOB_LINEAGE) {
        Some(lineage) => Answer::json_text(lineage.to_owned()),
        None => Err(ApiError::not_found(format_args!("the job {} carries no lineage", job.job))),
    }
}

/// `/jobs/:jobid/exceptions`
pub(super) fn exceptions(call: &Call<'_>) -> Reply {
    let max = call.query_number("maxExceptions")?.unwrap_or(20);
    Answer::json(&views::job::exceptions(&call.job()?, max))
}

/// `/jobs/:jobid/execution-result`
pub(super) fn result(call: &Call<'_>) -> Reply {
    Answer::json(&views::job::result(&call.job()?, call.state.cluster.now_ms()))
}

/// `/jobs/:jobid/accumulators`: there are none.
pub(super) fn accumulators(call: &Call<'_>) -> Reply {
    call.job()?;
    Answer::json(&messages::Accumulators::default())
}

/// `/jobs/:jobid/jobmanager/config`
pub(super) fn manager_config(call: &Call<'_>) -> Reply {
    call.job()?;
    cluster::config(call)
}

/// `/jobs/:jobid/jobmanager/environment`
pub(super) fn manager_environment(call: &Call<'_>) -> Reply {
    call.job()?;
    cluster::environment(call)
}

/// `/jobs/:jobid/jobmanager/log-url`
pub(super) fn manager_log_url(call: &Call<'_>) -> Reply {
    call.job()?;
    Answer::json(&LogUrl { url: "/jobmanager/log".to_owned() })
}

/// `/jobs/:jobid/taskmanagers/:taskmanagerid/log-url`
pub(super) fn task_manager_log_url(call: &Call<'_>) -> Reply {
    call.job()?;
    let manager = super::task_managers::find(call)?;
    Answer::json(&LogUrl { url: format!("/taskmanagers/{}/log", manager.id) })
}
