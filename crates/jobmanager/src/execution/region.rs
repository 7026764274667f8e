//! A region of a job: what restarts together.

use headwater_types::ids::SubtaskId;

/// A region.
#[derive(Debug, Clone)]
pub(super) struct Region {
    pub(super) subtasks: Vec<SubtaskId>,
    /// Number of its deployment, unique within the job.
    pub(super) attempt: u32,
    pub(super) phase: Phase,
}

/// What a region does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its tasks are deployed, or have ended well.
    Running,
    /// A task failed, the others are being cancelled.
    Cancelling {
        /// When the pause is over.
        until_ms: i64,
    },
    /// All tasks have ended, the pause has not.
    Waiting {
        /// When the pause is over.
        until_ms: i64,
    },
}

impl Region {
    pub(super) fn new(subtasks: Vec<SubtaskId>, attempt: u32) -> Self {
        Self { subtasks, attempt, phase: Phase::Running }
    }

    pub(super) fn holds(&self, subtask: SubtaskId) -> bool {
        self.subtasks.contains(&subtask)
    }
}
