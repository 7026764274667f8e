//! The job under the eyes of the autoscaler: its counters are gathered now and then, and what follows from them is
//! declared as if somebody had asked for it.

use super::Job;
use crate::autoscaler::{Sample, Scaler, Shape};
use crate::state::{JobState, TaskState};
use headwater_runtime::OperatorSnapshot;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

/// The autoscaler of a job, and the counters it waits for.
pub(super) struct Autoscaling {
    scaler: Scaler,
    gathering: Option<Receiver<Vec<OperatorSnapshot>>>,
}

impl Autoscaling {
    pub(super) fn new(scaler: Scaler) -> Self {
        Self { scaler, gathering: None }
    }

    /// When there is something to do.
    pub(super) fn wake_ms(&self) -> i64 {
        self.scaler.next_ms()
    }
}

impl Job {
    /// Takes in what was gathered, and gathers anew when it is time.
    pub(super) fn autoscale_next(&mut self, now_ms: i64) {
        let Some(mut autoscaling) = self.autoscaling.take() else { return };
        let gathered = autoscaling.gathering.as_ref().map(Receiver::try_recv);
        if gathered.as_ref().is_some_and(|gathered| !matches!(gathered, Err(TryRecvError::Empty))) {
            autoscaling.gathering = None;
        }
        let is_due = autoscaling.scaler.next_ms() <= now_ms;
        if is_due {
            autoscaling.scaler.rest(now_ms);
        }
        let whole = self.execution.state() == JobState::Running
            && self.execution.tasks().values().all(|task| *task == TaskState::Running)
            && !self.rescaling.is_changing();
        let mut asked = None;
        if !whole {
            autoscaling.scaler.interrupted();
            autoscaling.gathering = None;
        } else if let Some(Ok(operators)) = gathered {
            asked = self.observe_load(&mut autoscaling.scaler, now_ms, &operators);
        }
        if whole && is_due && autoscaling.gathering.is_none() {
            let (reply, answer) = sync_channel(1);
            autoscaling.gathering = Some(answer);
            self.metrics(reply);
        }
        self.autoscaling = Some(autoscaling);
        if let Some(asked) = asked {
            tracing::info!(job = %self.id, ?asked, "the autoscaler asks for another parallelism");
            if let Err(error) = self.set_requirements(asked) {
                tracing::warn!(job = %self.id, error = error.message(), "the job cannot be scaled");
            }
        }
    }

    fn observe_load(
        &self,
        scaler: &mut Scaler,
        now_ms: i64,
        operators: &[OperatorSnapshot],
    ) -> Option<crate::rescale::Requirements> {
        let sample = Sample::of(&self.graph, now_ms, operators)?;
        scaler.observe(
            &Shape::of(&self.graph, self.rescaling.planned()),
            self.execution.restarts(),
            sample,
            self.requirements().as_ref(),
        )
    }
}
