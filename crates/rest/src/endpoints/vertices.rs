//! Vertices and subtasks.

use super::jobs::counters;
use crate::answer::{Answer, ApiError, Reply};
use crate::call::{Call, Found};
use crate::cluster::Attempt;
use crate::messages::vertex as messages;
use crate::views;
use crate::views::states::{Span, task_times};
use crate::views::vertex::Places;
use headwater_types::ids::SubtaskId;

/// What Flink says in place of a time where flame graphs are switched off.
const FLAME_GRAPHS_OFF: i64 = -2;

fn places(call: &Call<'_>, found: &Found) -> Result<Places, ApiError> {
    let cluster = &call.state.cluster;
    Ok(Places::new(cluster.places(found.details.summary.job)?, &cluster.task_managers()?))
}

fn subtasks(call: &Call<'_>, found: &Found, now_ms: i64) -> Result<Vec<messages::SubtaskDetails>, ApiError> {
    let (counters, places) = (counters(call, found.details.summary.job)?, places(call, found)?);
    let vertex = found.vertex();
    let all = views::vertex::attempts(&found.details, vertex);
    Ok(all.map(|(id, attempt)| views::vertex::subtask(vertex, id, attempt, &counters, &places, now_ms)).collect())
}

/// `/jobs/:jobid/vertices/:vertexid`
pub(super) fn details(call: &Call<'_>) -> Reply {
    let found = call.vertex()?;
    let now_ms = call.state.cluster.now_ms();
    let subtasks = subtasks(call, &found, now_ms)?;
    let aggregated = views::vertex::aggregated(&subtasks.iter().collect::<Vec<_>>());
    Answer::json(&messages::VertexDetails {
        name: found.vertex().name.clone(),
        parallelism: found.vertex().parallelism,
        max_parallelism: i64::from(found.details.summary.graph.max_parallelism),
        id: found.id,
        now: now_ms,
        subtasks,
        aggregated,
    })
}

/// `/jobs/:jobid/vertices/:vertexid/taskmanagers`
pub(super) fn task_managers(call: &Call<'_>) -> Reply {
    let found = call.vertex()?;
    let now_ms = call.state.cluster.now_ms();
    let subtasks = subtasks(call, &found, now_ms)?;
    Answer::json(&messages::VertexTaskManagers {
        name: found.vertex().name.clone(),
        id: found.id,
        now: now_ms,
        taskmanagers: views::vertex::by_task_manager(&subtasks, now_ms),
    })
}

/// `/jobs/:jobid/vertices/:vertexid/subtasktimes`
pub(super) fn times(call: &Call<'_>) -> Reply {
    let found = call.vertex()?;
    let (now_ms, places) = (call.state.cluster.now_ms(), places(call, &found)?);
    let time = |(subtask, attempt): (SubtaskId, &Attempt)| messages::SubtaskTime {
        subtask: subtask.index,
        endpoint: places.of(subtask).endpoint.clone(),
        duration: Span::of(attempt, now_ms).duration_ms,
        timestamps: task_times(attempt),
    };
    let subtasks = views::vertex::attempts(&found.details, found.vertex()).map(time).collect();
    Answer::json(&messages::SubtaskTimes { name: found.vertex().name.clone(), id: found.id, now: now_ms, subtasks })
}

/// `/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex`
pub(super) fn subtask(call: &Call<'_>) -> Reply {
    let (found, subtask) = call.subtask()?;
    let attempts = found.details.subtasks.get(&subtask);
    let attempt = attempts.and_then(|attempts| attempts.back()).ok_or_else(|| not_deployed(subtask))?;
    one(call, &found, subtask, attempt)
}

/// `/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt`
pub(super) fn attempt(call: &Call<'_>) -> Reply {
    let (found, subtask) = call.subtask()?;
    let attempt = find_attempt(call, &found, subtask)?;
    one(call, &found, subtask, attempt)
}

fn find_attempt<'a>(call: &Call<'_>, found: &'a Found, subtask: SubtaskId) -> Result<&'a Attempt, ApiError> {
    let number: u32 = call.number("attempt")?;
    let attempts = found.details.subtasks.get(&subtask);
    let attempt = attempts.and_then(|attempts| attempts.iter().find(|attempt| attempt.number == number));
    attempt.ok_or_else(|| ApiError::not_found(format_args!("Attempt {number} of subtask {subtask} is not known")))
}

fn one(call: &Call<'_>, found: &Found, subtask: SubtaskId, attempt: &Attempt) -> Reply {
    let (counters, places) = (counters(call, found.details.summary.job)?, places(call, found)?);
    let now_ms = call.state.cluster.now_ms();
    Answer::json(&views::vertex::subtask(found.vertex(), subtask, attempt, &counters, &places, now_ms))
}

fn not_deployed(subtask: SubtaskId) -> ApiError {
    ApiError::not_found(format_args!("Subtask {subtask} was never deployed"))
}

/// `/jobs/:jobid/vertices/:vertexid/backpressure`
pub(super) fn back_pressure(call: &Call<'_>) -> Reply {
    let found = call.vertex()?;
    let counters = counters(call, found.details.summary.job)?;
    let subtasks = views::vertex::attempts(&found.details, found.vertex()).map(|(subtask, _)| subtask);
    Answer::json(&views::vertex::back_pressure(subtasks, &counters, call.state.cluster.now_ms()))
}

/// `/jobs/:jobid/vertices/:vertexid/flamegraph`: there are no JVM threads to sample, so the answer is that of a Flink whose
/// flame graphs are switched off, which its dashboard understands.
pub(super) fn flame_graph(call: &Call<'_>) -> Reply {
    call.vertex()?;
    Answer::json(&messages::FlameGraph { end_timestamp: FLAME_GRAPHS_OFF })
}

/// `/jobs/:jobid/vertices/:vertexid/accumulators`: there are none.
pub(super) fn accumulators(call: &Call<'_>) -> Reply {
    let found = call.vertex()?;
    Answer::json(&messages::VertexAccumulators { id: found.id, user_accumulators: vec![] })
}

/// `/jobs/:jobid/vertices/:vertexid/subtasks/accumulators`: there are none.
pub(super) fn subtasks_accumulators(call: &Call<'_>) -> Reply {
    let found = call.vertex()?;
    let places = places(call, &found)?;
    let one = |(subtask, attempt): (SubtaskId, &Attempt)| messages::SubtaskAccumulators {
        subtask: subtask.index,
        attempt: attempt.number,
        endpoint: places.of(subtask).endpoint.clone(),
        user_accumulators: vec![],
    };
    let subtasks = views::vertex::attempts(&found.details, found.vertex()).map(one).collect();
    let parallelism = found.vertex().parallelism;
    Answer::json(&messages::SubtasksAccumulators { id: found.id, parallelism, subtasks })
}

/// `/jobs/:jobid/vertices/:vertexid/subtasks/:subtaskindex/attempts/:attempt/accumulators`: there are none.
pub(super) fn attempt_accumulators(call: &Call<'_>) -> Reply {
    let (found, subtask) = call.subtask()?;
    let attempt = find_attempt(call, &found, subtask)?;
    Answer::json(&messages::AttemptAccumulators {
        subtask: subtask.index,
        attempt: attempt.number,
        id: format!("{}_{}_{}", found.id, subtask.index, attempt.number),
        user_accumulators: vec![],
    })
}
