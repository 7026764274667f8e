//! What ends regions on purpose: the parallelism of the job changes, so that all of them end and others begin in their
//! place, or their tasks must run elsewhere. Neither is a failure, and the restart strategy is not asked.

use super::region::{Phase, Region};
use super::{Action, Execution};
use crate::state::{JobState, TaskState};
use headwater_types::ids::SubtaskId;

impl Execution {
    /// Ends all regions that run, as if they had failed, without counting it as a failure.
    pub fn take_down(&mut self, now_ms: i64) -> Vec<Action> {
        self.end_regions(|_| true, now_ms)
    }

    /// Ends the regions of tasks that are to go on elsewhere, as if they had failed, without counting it as a failure.
    pub fn hand_over(&mut self, leaving: &[SubtaskId], now_ms: i64) -> Vec<Action> {
        let is_alive = |subtask: &&SubtaskId| self.tasks.get(subtask).is_some_and(|task| !task.is_final());
        let alive: Vec<SubtaskId> = leaving.iter().filter(is_alive).copied().collect();
        self.end_regions(|region| alive.iter().any(|subtask| region.holds(*subtask)), now_ms)
    }

    fn end_regions(&mut self, which: impl Fn(&Region) -> bool, now_ms: i64) -> Vec<Action> {
        if !self.state.is_active() || self.committing {
            return vec![];
        }
        let mut actions = vec![];
        for index in 0..self.regions.len() {
            if self.regions[index].phase == Phase::Running && which(&self.regions[index]) {
                self.regions[index].phase = Phase::Cancelling { until_ms: now_ms };
                let subtasks = self.regions[index].subtasks.clone();
                let cancel = self.cancel_tasks(|subtask| subtasks.contains(&subtask));
                actions.extend([Action::Restarting(subtasks), cancel]);
                self.state = JobState::Restarting;
            }
        }
        actions.extend(self.when_ended(now_ms));
        actions
    }

    /// Whether all tasks have ended and their regions wait to be deployed.
    pub fn is_down(&self) -> bool {
        self.regions.iter().all(|region| matches!(region.phase, Phase::Waiting { .. }))
    }

    /// Puts other regions in the place of those that are down; they are deployed with the next tick.
    pub fn reshape(&mut self, regions: Vec<Vec<SubtaskId>>, now_ms: i64) {
        self.tasks = regions.iter().flatten().map(|subtask| (*subtask, TaskState::Created)).collect();
        let waiting =
            |subtasks| Region { phase: Phase::Waiting { until_ms: now_ms }, ..Region::new(subtasks, self.attempt) };
        self.regions = regions.into_iter().map(waiting).collect();
    }
}
