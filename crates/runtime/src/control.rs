//! The controller's side of a subtask: cancel, stop, split assignments.

use crate::lock;
use crate::metrics::{OperatorSnapshot, SubtaskMetrics};
use crate::schedule::TaskCell;
use headwater_connector_api::SplitAssignment;
use headwater_types::ids::SubtaskId;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What a controller tells a subtask. Flags and a short queue; read by the subtask before everything else.
#[derive(Default)]
pub struct Control {
    cancelled: AtomicBool,
    stopped: AtomicBool,
    has_assignments: AtomicBool,
    /// At most one per outstanding request, so bounded by the protocol.
    assignments: Mutex<VecDeque<SplitAssignment>>,
}

impl Control {
    /// Whether the subtask must end now, without output.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }

    /// Whether a source must end as if its input had.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// The next answer to a split request.
    pub(crate) fn take_assignment(&self) -> Option<SplitAssignment> {
        if !self.has_assignments.load(Ordering::Acquire) {
            return None;
        }
        let mut assignments = lock(&self.assignments);
        let next = assignments.pop_front();
        self.has_assignments.store(!assignments.is_empty(), Ordering::Release);
        next
    }
}

/// A handle on a deployed subtask.
#[derive(Clone)]
pub struct TaskHandle {
    pub(crate) subtask: SubtaskId,
    pub(crate) cell: Arc<TaskCell>,
    pub(crate) control: Arc<Control>,
    pub(crate) metrics: Arc<SubtaskMetrics>,
}

impl TaskHandle {
    /// The subtask.
    pub fn subtask(&self) -> SubtaskId {
        self.subtask
    }

    /// Ends the subtask now, without output.
    pub fn cancel(&self) {
        self.control.cancelled.store(true, Ordering::Release);
        self.cell.wake();
    }

    /// Ends the subtask's source as if its input had ended: what was read is processed to the end.
    pub fn stop(&self) {
        self.control.stopped.store(true, Ordering::Release);
        self.cell.wake();
    }

    /// Answers a split request.
    pub fn assign(&self, assignment: SplitAssignment) {
        {
            let mut assignments = lock(&self.control.assignments);
            assignments.push_back(assignment);
            self.control.has_assignments.store(true, Ordering::Release);
        }
        self.cell.wake();
    }

    /// Whether the subtask has ended.
    pub fn is_over(&self) -> bool {
        self.cell.is_over()
    }

    /// The counters of the subtask's operators.
    pub fn metrics(&self) -> Vec<OperatorSnapshot> {
        self.metrics.snapshot()
    }
}
