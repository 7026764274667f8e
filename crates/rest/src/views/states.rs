//! Names of states and the times they began.

use crate::cluster::{Attempt, JobState, TaskState};
use std::collections::BTreeMap;

/// Flink's states of subtasks, those last that matter most for the state of a vertex.
pub(crate) const TASK_STATES: [&str; 10] = [
    "CREATED",
    "SCHEDULED",
    "DEPLOYING",
    "INITIALIZING",
    "RUNNING",
    "FINISHED",
    "CANCELING",
    "CANCELED",
    "FAILED",
    "RECONCILING",
];
/// Flink's states of jobs.
const JOB_STATES: [&str; 11] = [
    "INITIALIZING",
    "CREATED",
    "RUNNING",
    "FAILING",
    "FAILED",
    "CANCELLING",
    "CANCELED",
    "FINISHED",
    "RESTARTING",
    "SUSPENDED",
    "RECONCILING",
];

/// Flink's states of applications.
const APPLICATION_STATES: [&str; 7] = ["CREATED", "RUNNING", "FAILING", "FAILED", "CANCELING", "CANCELED", "FINISHED"];

/// The name of a subtask's state.
pub(crate) fn task(state: TaskState) -> &'static str {
    match state {
        TaskState::Created => "CREATED",
        TaskState::Deploying => "DEPLOYING",
        TaskState::Running => "RUNNING",
        TaskState::Finished => "FINISHED",
        TaskState::Canceled => "CANCELED",
        TaskState::Failed => "FAILED",
    }
}

/// How many are in which state; every state is named.
pub(crate) fn counts(states: impl IntoIterator<Item = &'static str>) -> BTreeMap<&'static str, u64> {
    let mut counts: BTreeMap<_, _> = TASK_STATES.iter().map(|state| (*state, 0)).collect();
    states.into_iter().for_each(|state| *counts.entry(state).or_default() += 1);
    counts
}

/// The state of a vertex whose subtasks are in these states, as Flink derives it.
pub(crate) fn of_vertex(counts: &BTreeMap<&'static str, u64>) -> &'static str {
    let has = |state: &str| counts.get(state).is_some_and(|count| *count > 0);
    let all: u64 = counts.values().sum();
    let decisive = ["FAILED", "CANCELING", "CANCELED", "INITIALIZING", "RUNNING"];
    if let Some(state) = decisive.into_iter().find(|state| has(state)) {
        return state;
    }
    match counts.get("FINISHED") {
        Some(finished) if *finished == all && all > 0 => "FINISHED",
        Some(finished) if *finished > 0 => "RUNNING",
        _ if has("DEPLOYING") => "DEPLOYING",
        _ => "CREATED",
    }
}

/// When a job came into which state last; 0 when it never did.
pub(crate) fn job_times<'a>(states: impl IntoIterator<Item = &'a (JobState, i64)>) -> BTreeMap<&'static str, i64> {
    let mut times: BTreeMap<_, _> = JOB_STATES.iter().map(|state| (*state, 0)).collect();
    for (state, at_ms) in states {
        if let Some(time) = times.get_mut(state.to_string().as_str()) {
            *time = *at_ms;
        }
    }
    times
}

/// The state of an application whose only job is in this one: it runs while its job is about to start, or starts again.
pub(crate) fn application(job: JobState) -> &'static str {
    match job {
        JobState::Created => "CREATED",
        JobState::Running | JobState::Restarting => "RUNNING",
        JobState::Failing => "FAILING",
        JobState::Failed => "FAILED",
        JobState::Cancelling => "CANCELING",
        JobState::Canceled => "CANCELED",
        JobState::Finished => "FINISHED",
    }
}

/// When an application came into which state, by the states of its job; 0 when it never did.
pub(crate) fn application_times<'a>(
    states: impl IntoIterator<Item = &'a (JobState, i64)>,
) -> BTreeMap<&'static str, i64> {
    let mut times: BTreeMap<_, _> = APPLICATION_STATES.iter().map(|state| (*state, 0)).collect();
    let mut before = None;
    for (state, at_ms) in states {
        let state = application(*state);
        if before.replace(state) != Some(state) {
            times.insert(state, *at_ms);
        }
    }
    times
}

/// When a subtask came into which state; 0 when it never did.
pub(crate) fn task_times(attempt: &Attempt) -> BTreeMap<&'static str, i64> {
    let mut times: BTreeMap<_, _> = TASK_STATES.iter().map(|state| (*state, 0)).collect();
    times.extend(attempt.states.iter().map(|(state, at_ms)| (task(*state), *at_ms)));
    times
}

/// How long a subtask was in which state; -1 when it never was. A final state has no duration.
pub(crate) fn task_durations(attempt: &Attempt, now_ms: i64) -> BTreeMap<&'static str, i64> {
    let passing = ["CREATED", "SCHEDULED", "DEPLOYING", "INITIALIZING", "RUNNING"];
    let mut durations: BTreeMap<_, _> = passing.iter().map(|state| (*state, -1)).collect();
    let ends = attempt.states.iter().skip(1).map(|(_, at_ms)| *at_ms).chain([now_ms]);
    for ((state, from_ms), to_ms) in attempt.states.iter().zip(ends).filter(|((state, _), _)| !state.is_final()) {
        durations.insert(task(*state), (to_ms - from_ms).max(0));
    }
    durations
}

/// When an attempt was deployed, when it ended, and how long it took; -1 for what has not happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    pub(crate) duration_ms: i64,
}

impl Span {
    /// Of an attempt.
    pub(crate) fn of(attempt: &Attempt, now_ms: i64) -> Self {
        let time = |which: fn(TaskState) -> bool| {
            attempt.states.iter().find(|(state, _)| which(*state)).map_or(-1, |(_, at_ms)| *at_ms)
        };
        Self::new(time(|state| state == TaskState::Deploying), time(TaskState::is_final), now_ms)
    }

    /// Over several: from the first start to the last end, if all have ended.
    pub(crate) fn over(spans: &[Self], now_ms: i64) -> Self {
        let start_ms = spans.iter().map(|span| span.start_ms).filter(|ms| *ms >= 0).min().unwrap_or(-1);
        let has_ended = spans.iter().all(|span| span.end_ms >= 0);
        let end_ms = if has_ended { spans.iter().map(|span| span.end_ms).max().unwrap_or(-1) } else { -1 };
        Self::new(start_ms, end_ms, now_ms)
    }

    fn new(start_ms: i64, end_ms: i64, now_ms: i64) -> Self {
        let until_ms = if end_ms >= 0 { end_ms } else { now_ms };
        let duration_ms = if start_ms >= 0 { (until_ms - start_ms).max(0) } else { -1 };
        Self { start_ms, end_ms, duration_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_vertex_is_that_of_its_most_telling_subtask() {
        for (states, expected) in [
            (vec!["RUNNING", "FAILED"], "FAILED"),
            (vec!["RUNNING", "FINISHED"], "RUNNING"),
            (vec!["FINISHED", "FINISHED"], "FINISHED"),
            (vec!["CREATED", "DEPLOYING"], "DEPLOYING"),
            (vec!["DEPLOYING", "FINISHED"], "RUNNING"),
            (vec!["CREATED"], "CREATED"),
        ] {
            assert_eq!(of_vertex(&counts(states.clone())), expected, "{states:?}");
        }
    }

    #[test]
    fn an_application_runs_while_its_job_starts_again() {
        let states =
            [(JobState::Created, 5), (JobState::Running, 6), (JobState::Restarting, 7), (JobState::Running, 8)];
        let times = application_times(&states);
        assert_eq!((times["CREATED"], times["RUNNING"], times["CANCELING"]), (5, 6, 0));
        assert_eq!(times.len(), APPLICATION_STATES.len());
    }

    #[test]
    fn durations_are_between_changes() {
        let states = vec![(TaskState::Created, 5), (TaskState::Deploying, 10), (TaskState::Running, 30)];
        let attempt = Attempt { number: 0, states };
        let durations = task_durations(&attempt, 100);
        assert_eq!((durations["CREATED"], durations["DEPLOYING"], durations["RUNNING"]), (5, 20, 70));
        assert_eq!(durations["SCHEDULED"], -1);
        assert_eq!(Span::of(&attempt, 100), Span { start_ms: 10, end_ms: -1, duration_ms: 90 });
    }
}
