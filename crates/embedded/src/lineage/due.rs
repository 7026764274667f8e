//! When a job has something to tell: pure decisions over what was seen.

use headwater_jobmanager::JobState;
use headwater_lineage::model::EventType;

/// Shortest time between two events about checkpoints.
const CHECKPOINT_SPACING_MS: i64 = 10_000;
/// Shortest time between two events about changes of state: a job that restarts over and over tells it now and then.
const STATE_SPACING_MS: i64 = 1_000;

/// What was told of a run so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Whether it was said that the run began.
    pub started: bool,
    /// Whether it was said that the run is over.
    pub ended: bool,
    /// When something was said last.
    pub at_ms: i64,
    /// The state then.
    pub state: Option<JobState>,
    /// Checkpoints completed then.
    pub completed: u64,
}

/// What is seen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    /// The time.
    pub now_ms: i64,
    /// The job's state.
    pub state: JobState,
    /// Completed checkpoints, if they are to be told.
    pub completed: Option<u64>,
    /// Whether the datasets are others than before.
    pub datasets_changed: bool,
}

/// What is to be told now. `interval_ms` is the longest silence of a run that goes on.
pub(super) fn due(told: &Told, seen: &Seen, interval_ms: i64) -> Option<EventType> {
    if !told.started {
        return Some(EventType::Start);
    }
    if told.ended {
        return None;
    }
    if let Some(last) = last(seen.state) {
        return Some(last);
    }
    let silence_ms = seen.now_ms.saturating_sub(told.at_ms);
    let state_changed = told.state != Some(seen.state) && silence_ms >= STATE_SPACING_MS;
    let checkpoint = seen.completed.is_some_and(|completed| completed > told.completed);
    let checkpoint_due = checkpoint && silence_ms >= CHECKPOINT_SPACING_MS.min(interval_ms);
    let is_due = seen.datasets_changed || state_changed || checkpoint_due || silence_ms >= interval_ms;
    is_due.then_some(EventType::Running)
}

/// The event that ends a run in this state.
fn last(state: JobState) -> Option<EventType> {
    match state {
        JobState::Finished => Some(EventType::Complete),
        JobState::Failed => Some(EventType::Fail),
        JobState::Canceled => Some(EventType::Abort),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Told {
        Told { started: true, ended: false, at_ms: 100_000, state: Some(JobState::Running), completed: 3 }
    }

    fn seen(after_ms: i64) -> Seen {
        let now_ms = 100_000 + after_ms;
        Seen { now_ms, state: JobState::Running, completed: Some(3), datasets_changed: false }
    }

    #[test]
    fn a_run_begins_goes_on_and_ends_once() {
        use EventType::{Abort, Complete, Fail, Running, Start};
        let interval = 60_000;
        let state = |state| Seen { state, ..seen(2_000) };
        for (told, seen, expected) in [
            (Told::default(), state(JobState::Finished), Some(Start)),
            (told(), state(JobState::Finished), Some(Complete)),
            (told(), state(JobState::Failed), Some(Fail)),
            (told(), state(JobState::Canceled), Some(Abort)),
            (Told { ended: true, ..told() }, state(JobState::Canceled), None),
            (told(), state(JobState::Restarting), Some(Running)),
            (told(), Seen { state: JobState::Restarting, ..seen(10) }, None),
            (told(), seen(59_999), None),
            (told(), seen(60_000), Some(Running)),
            (told(), Seen { completed: Some(4), ..seen(9_999) }, None),
            (told(), Seen { completed: Some(4), ..seen(10_000) }, Some(Running)),
            (told(), Seen { completed: None, ..seen(10_000) }, None),
            (told(), Seen { datasets_changed: true, ..seen(1) }, Some(Running)),
        ] {
            assert_eq!(due(&told, &seen, interval), expected, "{told:?} {seen:?}");
        }
    }

    #[test]
    fn a_short_interval_also_shortens_the_pause_between_checkpoints() {
        assert_eq!(due(&told(), &Seen { completed: Some(4), ..seen(1_000) }, 1_000), Some(EventType::Running));
    }
}
