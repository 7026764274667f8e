//! Changes of the parallelism.

use crate::answer::{Answer, ApiError, Reply};
use crate::call::Call;
use crate::cluster::{Bounds, JobDetails};
use crate::ids::vertex_ids;
use crate::messages::job::{ParallelismBounds, ResourceRequirements, VertexRequirements};
use crate::messages::rescale as messages;
use crate::views::rescale as views;
use headwater_types::config::Key;
use headwater_types::ids::VertexId;

/// `/jobs/:jobid/resource-requirements`
pub(super) fn requirements(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let bounds = call.state.cluster.bounds(job.summary.job)?.unwrap_or_default();
    let graph = &job.summary.graph;
    let one = |(vertex, id): (&headwater_plan::Vertex, String)| {
        let (lower_bound, upper_bound) = bounds.get(&vertex.id).copied().unwrap_or((1, vertex.parallelism));
        (id, VertexRequirements { parallelism: ParallelismBounds { lower_bound, upper_bound } })
    };
    Answer::json(&ResourceRequirements(graph.vertices.iter().zip(vertex_ids(graph)).map(one).collect()))
}

/// `PUT /jobs/:jobid/resource-requirements`
pub(super) fn set_requirements(call: &Call<'_>) -> Reply {
    let request: ResourceRequirements = call.body("JobResourceRequirementsBody")?;
    let job = call.job()?;
    let bounds = bounds(&job, &request)?;
    call.state.cluster.rescale(job.summary.job, bounds)?;
    call.done()
}

/// Every vertex has bounds, and they are ones.
fn bounds(job: &JobDetails, request: &ResourceRequirements) -> Result<Bounds, ApiError> {
    let graph = &job.summary.graph;
    let ids = vertex_ids(graph);
    let asked = &request.0;
    if let Some(unknown) = asked.keys().find(|id| !ids.contains(id)) {
        let unknown: String = unknown.chars().take(100).collect();
        return Err(ApiError::bad_request(format!("The job has no vertex {unknown}.")));
    }
    let one = |(index, id): (usize, &String)| {
        let name = &graph.vertices[index].name;
        let Some(requirements) = asked.get(id) else {
            return Err(ApiError::bad_request(format!("The bounds of vertex {id} ({name}) are missing.")));
        };
        let ParallelismBounds { lower_bound, upper_bound } = requirements.parallelism;
        if lower_bound == 0 || lower_bound > upper_bound || upper_bound > graph.max_parallelism {
            let most = graph.max_parallelism;
            let message = format!("The bounds of vertex {id} ({name}) must be 1 <= lower <= upper <= {most}.");
            return Err(ApiError::bad_request(message));
        }
        Ok((VertexId(index as u32), (lower_bound, upper_bound)))
    };
    ids.iter().enumerate().map(one).collect()
}

/// `/jobs/:jobid/rescales/config`
pub(super) fn config(call: &Call<'_>) -> Reply {
    const ADAPTIVE: &str = "jobmanager.adaptive-scheduler";
    let config = call.job()?.summary.graph.config.clone();
    let text = |name: &str, default: &str| config.get(name).unwrap_or(default).to_owned();
    let millis = |name: &str, default: &str| {
        let duration = headwater_types::config::parse_duration(&text(&format!("{ADAPTIVE}.{name}"), default));
        duration.map_or(-1, |duration| duration.as_millis() as i64)
    };
    let is_reactive = text("scheduler-mode", "").eq_ignore_ascii_case("REACTIVE");
    Answer::json(&messages::RescaleConfig {
        rescale_history_max: config
            .integer(Key { name: "web.adaptive-scheduler.rescale-history.size", default: "5" })
            .unwrap_or(5),
        scheduler_execution_mode: is_reactive.then_some("REACTIVE"),
        submission_resource_wait_timeout_in_millis: millis("submission.resource-wait-timeout", "5 min"),
        submission_resource_stabilization_timeout_in_millis: millis(
            "submission.resource-stabilization-timeout",
            "10 s",
        ),
        slot_idle_timeout_in_millis: 50_000,
        executing_cooldown_timeout_in_millis: millis("executing.cooldown-after-rescaling", "30 s"),
        executing_resource_stabilization_timeout_in_millis: millis("executing.resource-stabilization-timeout", "1 min"),
        maximum_delay_for_triggering_rescale_in_millis: millis("rescale-trigger.max-delay", "30 min"),
        rescale_on_failed_checkpoint_count: config
            .get(&format!("{ADAPTIVE}.rescale-trigger.max-checkpoint-failures"))
            .and_then(|text| text.parse().ok())
            .unwrap_or(2),
    })
}

/// `/jobs/:jobid/rescales/history`, newest first.
pub(super) fn history(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let rescales = call.state.cluster.rescales(job.summary.job)?;
    Answer::json(&rescales.iter().map(|rescale| views::details(&job, rescale)).collect::<Vec<_>>())
}

/// `/jobs/:jobid/rescales/overview`
pub(super) fn overview(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    Answer::json(&views::overview(&job, &call.state.cluster.rescales(job.summary.job)?))
}

/// `/jobs/:jobid/rescales/summary`
pub(super) fn summary(call: &Call<'_>) -> Reply {
    let job = call.job()?.summary.job;
    Answer::json(&views::summary(&call.state.cluster.rescales(job)?))
}

/// `/jobs/:jobid/rescales/details/:rescaleuuid`
pub(super) fn details(call: &Call<'_>) -> Reply {
    let job = call.job()?;
    let wanted = call.text("rescaleuuid");
    let rescales = call.state.cluster.rescales(job.summary.job)?;
    match rescales.iter().find(|rescale| views::id(&job, rescale) == wanted) {
        Some(rescale) => Answer::json(&views::details(&job, rescale)),
        None => {
            let (wanted, job): (String, _) = (wanted.chars().take(100).collect(), job.summary.job);
            Err(ApiError::not_found(format_args!("Rescale {wanted} of job {job} not found")))
        }
    }
}
