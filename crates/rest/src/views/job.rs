//! Jobs: lists, details, plans, failures.

use super::states::{self, Span};
use super::{config, vertex};
use crate::cluster::{Failure, JobDetails, JobState, JobSummary};
use crate::ids::{sharing_group, vertex_ids};
use crate::messages::job as messages;
use crate::messages::{Empty, FailureCause};
use crate::views::vertex::Counters;
use headwater_plan::{JobGraph, Partitioning};
use headwater_types::Error;
use headwater_types::config::{MAX_PARALLELISM, PARALLELISM_DEFAULT, RUNTIME_MODE};
use headwater_types::ids::VertexId;
use std::collections::BTreeMap;

/// How jobs are scheduled, in Flink's words: as their plan says.
const SCHEDULER: &str = "Default";

/// `BATCH` or `STREAMING`.
fn kind(graph: &JobGraph) -> &'static str {
    match graph.config.text(RUNTIME_MODE).trim().eq_ignore_ascii_case("BATCH") {
        true => "BATCH",
        false => "STREAMING",
    }
}

/// When a job ended, -1 while it runs; and how long it took so far.
pub(crate) fn end_and_duration(job: &JobSummary, now_ms: i64) -> (i64, i64) {
    let until_ms = job.ended_ms.unwrap_or(now_ms);
    (job.ended_ms.unwrap_or(-1), (until_ms - job.started_ms).max(0))
}

/// A job in a list.
pub(crate) fn row(job: &JobSummary, now_ms: i64) -> messages::JobRow {
    let (end_time, duration) = end_and_duration(job, now_ms);
    let counts = states::counts(job.tasks.iter().map(|state| states::task(*state)));
    let mut tasks: BTreeMap<String, u64> =
        counts.into_iter().map(|(state, count)| (state.to_lowercase(), count)).collect();
    tasks.insert("total".to_owned(), job.tasks.len() as u64);
    messages::JobRow {
        jid: job.job.to_string(),
        name: job.graph.name.clone(),
        job_type: kind(&job.graph),
        scheduler_type: SCHEDULER,
        start_time: job.started_ms,
        end_time,
        duration,
        state: job.state.to_string(),
        last_modification: job.changed_ms,
        tasks,
        pending_operators: 0,
    }
}

/// A job.
pub(crate) fn details(job: &JobDetails, counters: &Counters, now_ms: i64) -> messages::JobDetails {
    let summary = &job.summary;
    let (end_time, duration) = end_and_duration(summary, now_ms);
    let vertices = vertices(job, counters, now_ms);
    let mut status_counts = states::counts([]);
    for vertex in &vertices {
        *status_counts.entry(vertex.status).or_default() += 1;
    }
    messages::JobDetails {
        jid: summary.job.to_string(),
        application_id: summary.job.to_string(),
        name: summary.graph.name.clone(),
        is_stoppable: false,
        state: summary.state.to_string(),
        job_type: kind(&summary.graph),
        scheduler_type: SCHEDULER,
        start_time: summary.started_ms,
        end_time,
        duration,
        max_parallelism: summary.graph.config.integer(MAX_PARALLELISM).unwrap_or(-1),
        now: now_ms,
        timestamps: states::job_times(&job.states),
        vertices,
        status_counts,
        plan: plan(summary),
        pending_operators: 0,
    }
}

fn vertices(job: &JobDetails, counters: &Counters, now_ms: i64) -> Vec<messages::VertexRow> {
    let graph = &job.summary.graph;
    let group = sharing_group(graph);
    let row = |(vertex, id): (&headwater_plan::Vertex, String)| {
        let subtasks: Vec<_> = vertex::attempts(job, vertex).collect();
        let tasks = states::counts(subtasks.iter().map(|(_, attempt)| states::task(attempt.state())));
        let spans: Vec<Span> = subtasks.iter().map(|(_, attempt)| Span::of(attempt, now_ms)).collect();
        let span = Span::over(&spans, now_ms);
        let metrics = subtasks.iter().map(|(subtask, _)| counters.io(vertex, *subtask));
        messages::VertexRow {
            id,
            slot_sharing_group_id: group.clone(),
            name: vertex.name.clone(),
            max_parallelism: i64::from(graph.max_parallelism),
            parallelism: vertex.parallelism,
            status: states::of_vertex(&tasks),
            start_time: span.start_ms,
            end_time: span.end_ms,
            duration: span.duration_ms,
            tasks,
            metrics: vertex::sum(metrics),
        }
    };
    graph.vertices.iter().zip(vertex_ids(graph)).map(row).collect()
}

/// The plan of a job.
pub(crate) fn plan(job: &JobSummary) -> messages::Plan {
    plan_of(&job.graph, &job.job.to_string())
}

/// The plan of a job that need not run, under an id.
pub(crate) fn plan_of(graph: &JobGraph, jid: &str) -> messages::Plan {
    let ids = vertex_ids(graph);
    let inputs = |vertex: VertexId| {
        let edges = graph.edges.iter().filter(move |edge| edge.target == vertex);
        let input = |(num, edge): (usize, &headwater_plan::Edge)| messages::PlanInput {
            id: ids.get(edge.source.0 as usize).cloned().unwrap_or_default(),
            num: num as u32,
            exchange: "pipelined_bounded",
            ship_strategy: ship_strategy(&edge.partitioning),
        };
        edges.enumerate().map(input).collect()
    };
    let node = |(vertex, id): (&headwater_plan::Vertex, &String)| messages::PlanNode {
        id: id.clone(),
        operator: "",
        parallelism: vertex.parallelism,
        operator_strategy: "",
        description: vertex.name.clone(),
        optimizer_properties: Empty {},
        inputs: inputs(vertex.id),
    };
    messages::Plan {
        jid: jid.to_owned(),
        name: graph.name.clone(),
        kind: kind(graph),
        nodes: graph.vertices.iter().zip(&ids).map(node).collect(),
    }
}

fn ship_strategy(partitioning: &Partitioning) -> &'static str {
    match partitioning {
        Partitioning::Forward => "FORWARD",
        Partitioning::Hash(_) => "HASH",
        Partitioning::Rebalance => "REBALANCE",
        Partitioning::Broadcast => "BROADCAST",
        Partitioning::Global => "GLOBAL",
    }
}

/// How a job runs.
pub(crate) fn job_config(job: &JobSummary) -> messages::JobConfig {
    let graph = &job.graph;
    let strategy = graph.config.get("restart-strategy.type").unwrap_or("Cluster level default restart strategy");
    let values = graph.config.visible().map(|(key, value)| (key.to_owned(), config::shown(key, value)));
    messages::JobConfig {
        jid: job.job.to_string(),
        name: graph.name.clone(),
        execution_config: messages::ExecutionConfig {
            restart_strategy: strategy.to_owned(),
            job_parallelism: graph.config.integer(PARALLELISM_DEFAULT).unwrap_or(1),
            object_reuse_mode: true,
            user_config: values.collect(),
        },
    }
}

/// The failures of a job, newest first, at most this many.
pub(crate) fn exceptions(job: &JobDetails, max: usize) -> messages::Exceptions {
    let entry = |failure: &Failure| messages::ExceptionEntry {
        exception_name: class(&failure.error),
        stacktrace: failure.error.to_string(),
        timestamp: failure.at_ms,
        failure_labels: BTreeMap::new(),
        task_name: failure.subtask.map(|subtask| task_name(&job.summary.graph, subtask)),
        endpoint: failure.place.as_ref().map(|place| place.endpoint.clone()),
        task_manager_id: failure.place.as_ref().map(|place| place.task_manager.clone()),
        concurrent_exceptions: vec![],
    };
    messages::Exceptions {
        exception_history: messages::ExceptionHistory {
            entries: job.failures.iter().take(max).map(entry).collect(),
            truncated: job.failures_truncated || job.failures.len() > max,
        },
    }
}

/// `name (2/4) - execution #..`, as Flink names subtasks.
fn task_name(graph: &JobGraph, subtask: headwater_types::ids::SubtaskId) -> String {
    match graph.vertices.get(subtask.vertex.0 as usize) {
        Some(vertex) => format!("{} ({}/{})", vertex.name, subtask.index + 1, vertex.parallelism),
        None => subtask.to_string(),
    }
}

/// The name of an error where Flink shows a class.
pub(crate) fn class(error: &Error) -> String {
    format!("headwater.{}", error.code())
}

/// How a job ended.
pub(crate) fn result(job: &JobDetails, now_ms: i64) -> messages::ExecutionResult {
    let summary = &job.summary;
    let application_status = match summary.state {
        JobState::Finished => "SUCCEEDED",
        JobState::Canceled => "CANCELED",
        _ => "FAILED",
    };
    let ended = summary.state.is_final().then(|| messages::JobResult {
        id: summary.job.to_string(),
        application_status,
        accumulator_results: BTreeMap::new(),
        net_runtime: end_and_duration(summary, now_ms).1,
        failure_cause: job.root_cause.as_ref().map(failure_cause),
    });
    messages::ExecutionResult {
        status: crate::messages::QueueStatus::of(summary.state.is_final()),
        job_execution_result: ended,
    }
}

/// An error where Flink has an exception.
pub(crate) fn failure_cause(error: &Error) -> FailureCause {
    FailureCause { class: class(error), stack_trace: error.to_string() }
}
