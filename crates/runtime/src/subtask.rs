//! A subtask: mailbox, input, chain. Runs as a [`Task`].
//!
//! Each step of a turn looks at the same things in the same order:
//!
//! 1. cancellation
//! 2. messages of the controller: stop, split assignments, checkpoints
//! 3. processing-time timers that are due
//! 4. work in progress: what waits in the chain, such as event-time firing
//! 5. a barrier of the source, or one that overtakes, when the chain is empty
//! 6. the next element of the input, when the outputs have room
//!
//! The operators are built, and readers and writers opened, in the first turn, so that this too happens on a
//! lane and its errors name the operator.

mod body;
mod checkpoints;

pub(crate) use body::Body;
pub(crate) use checkpoints::Checkpoints;

use crate::control::Control;
use crate::deploy::{Setup, TaskEvents};
use crate::metrics::SubtaskMetrics;
use crate::schedule::{Task, Turn};
use body::Stopped;
use headwater_env::Env;
use headwater_plan::Vertex;
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, ErrorKind, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Operator calls and input elements per turn.
const TURN_STEPS: usize = 16;

/// A subtask at any time of its life.
pub(crate) struct Subtask {
    pub(crate) id: SubtaskId,
    pub(crate) vertex: Arc<Vertex>,
    pub(crate) env: Env,
    pub(crate) control: Arc<Control>,
    pub(crate) events: Arc<dyn TaskEvents>,
    pub(crate) metrics: Arc<SubtaskMetrics>,
    pub(crate) state: State,
    /// Position in the vertex's chain of the operator at work, for error messages.
    pub(crate) position: usize,
}

/// What there is of a subtask.
pub(crate) enum State {
    /// Its channels exist, its operators do not.
    Deployed(Box<Setup>),
    /// It runs.
    Running(Box<Body>),
    /// It ended.
    Over,
}

impl Task for Subtask {
    fn run(&mut self) -> Turn {
        self.metrics.times.begin(self.env.clock().monotonic_ns());
        let outcome = match catch_unwind(AssertUnwindSafe(|| self.turn())) {
            Ok(Ok(Stopped::Done)) => Ok(()),
            Ok(Ok(stopped)) => return self.pause(stopped),
            Ok(Err(error)) => Err(self.locate(error)),
            Err(panic) => Err(self.locate(panic_error(panic.as_ref()))),
        };
        // Readers, writers and channels are gone before anyone hears of the end.
        let state = std::mem::replace(&mut self.state, State::Over);
        let dropped = catch_unwind(AssertUnwindSafe(|| drop(state)));
        let outcome = outcome.and(dropped.map_err(|panic| self.locate(panic_error(panic.as_ref()))));
        self.events.finished(self.id, outcome, self.metrics.snapshot());
        Turn::Done
    }
}

impl Subtask {
    fn turn(&mut self) -> Result<Stopped> {
        if self.control.is_cancelled() {
            return Err(Error::cancelled());
        }
        if matches!(self.state, State::Deployed(_)) {
            self.build()?;
            self.events.running(self.id);
        }
        let State::Running(body) = &mut self.state else { return Ok(Stopped::Done) };
        let mut budget = TURN_STEPS;
        loop {
            match body.step(&self.control, &self.env, &mut budget, &mut self.position)? {
                Some(stopped) => return Ok(stopped),
                None if budget == 0 => return Ok(Stopped::Budget),
                None => {}
            }
        }
    }

    /// Accounts for the turn and for what follows it.
    fn pause(&self, stopped: Stopped) -> Turn {
        let now_ns = self.env.clock().monotonic_ns();
        match stopped {
            Stopped::Budget | Stopped::Done => {
                self.metrics.times.end_busy(now_ns);
                Turn::Again
            }
            Stopped::Idle(timer) => {
                self.metrics.times.end_idle(now_ns);
                Turn::Park(timer)
            }
            Stopped::Blocked(timer) => {
                self.metrics.times.end_blocked(now_ns);
                Turn::Park(timer)
            }
        }
    }

    fn build(&mut self) -> Result<()> {
        let State::Deployed(setup) = std::mem::replace(&mut self.state, State::Over) else { return Ok(()) };
        self.state = State::Running(Box::new(setup.build(&self.metrics, &mut self.position)?));
        Ok(())
    }

    /// Puts the operator at work in front of the message. A cancellation is nobody's fault.
    fn locate(&self, error: Error) -> Error {
        if error.kind() == ErrorKind::Cancelled {
            return error;
        }
        let last = self.vertex.chain.len().saturating_sub(1);
        let name = self.vertex.chain.get(self.position.min(last)).map_or(&self.vertex.name, |node| &node.name);
        error.context(format_args!("operator '{name}' ({}/{})", self.id.index + 1, self.vertex.parallelism))
    }
}

/// The error of a panic, with its message.
fn panic_error(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::internal(format!("panicked: {}", text.unwrap_or("without a message")))
}
