//! The controller's side of a subtask: cancel, stop, split assignments, checkpoints.

use crate::lock;
use crate::metrics::{OperatorSnapshot, SubtaskMetrics, TaskSnapshot};
use crate::schedule::TaskCell;
use headwater_connector_api::SplitAssignment;
use headwater_exchange::Barrier;
use headwater_types::Error;
use headwater_types::ids::SubtaskId;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// What a controller tells a subtask. Flags and a short queue; read by the subtask before everything else.
#[derive(Default)]
pub struct Control {
    cancelled: AtomicBool,
    stopped: AtomicBool,
    has_messages: AtomicBool,
    /// At most one assignment per outstanding request and a few per checkpoint, so bounded by the protocol.
    messages: Mutex<VecDeque<Message>>,
}

/// What must be handled in the order it was sent.
#[derive(Debug)]
pub(crate) enum Message {
    /// The answer to a split request.
    Assign(SplitAssignment),
    /// A checkpoint was triggered.
    Trigger(Barrier),
    /// A checkpoint was given up.
    Abort(u64),
    /// A checkpoint is complete.
    Complete(u64),
    /// Something that the subtask needs is gone.
    Fail(Error),
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

    /// The next message.
    pub(crate) fn take_message(&self) -> Option<Message> {
        if !self.has_messages.load(Ordering::Acquire) {
            return None;
        }
        let mut messages = lock(&self.messages);
        let next = messages.pop_front();
        self.has_messages.store(!messages.is_empty(), Ordering::Release);
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
        self.send(Message::Assign(assignment));
    }

    /// Asks for the subtask's part in a checkpoint. Sent to every live subtask: sources send the barrier, subtasks
    /// whose input ended answer at once, others wait for the barriers of their producers. Numbers rise; late and
    /// repeated triggers are ignored. Split answers must not be sent between this and the source's snapshot.
    pub fn trigger(&self, barrier: Barrier) {
        self.send(Message::Trigger(barrier));
    }

    /// The checkpoint will not complete: whoever waits for its barriers goes on.
    pub fn abort(&self, checkpoint: u64) {
        self.send(Message::Abort(checkpoint));
    }

    /// The checkpoint is complete: readers and sinks are told. A subtask that waited for it ends, and so does every
    /// subtask when it was a savepoint that stops the job.
    pub fn complete(&self, checkpoint: u64) {
        self.send(Message::Complete(checkpoint));
    }

    /// Something that the subtask needs is gone, such as a channel to another process: it fails with this error, unless
    /// it stands behind a savepoint that stops the job, where its neighbours may end before it hears that it may too.
    pub fn fail(&self, error: Error) {
        self.send(Message::Fail(error));
    }

    fn send(&self, message: Message) {
        {
            let mut messages = lock(&self.control.messages);
            messages.push_back(message);
            self.control.has_messages.store(true, Ordering::Release);
        }
        self.cell.wake();
    }

    /// Whether the subtask has ended.
    pub fn is_over(&self) -> bool {
        self.cell.is_over()
    }

    /// How the subtask spends its time, and its last checkpoint.
    pub fn task_metrics(&self) -> TaskSnapshot {
        self.metrics.task()
    }

    /// The counters of the subtask's operators.
    pub fn metrics(&self) -> Vec<OperatorSnapshot> {
        self.metrics.snapshot()
    }
}
