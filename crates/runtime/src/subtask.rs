//! A subtask: mailbox, input, chain. Runs as a [`Task`].
//!
//! Each step of a turn looks at the same things in the same order:
//!
//! 1. cancellation
//! 2. messages of the controller: stop, split assignments
//! 3. processing-time timers that are due
//! 4. work in progress: what waits in the chain, such as event-time firing
//! 5. the next element of the input, when the outputs have room
//!
//! The operators are built, and readers and writers opened, in the first turn, so that this too happens on a
//! lane and its errors name the operator.

use crate::chain::{Chain, Drained};
use crate::control::Control;
use crate::deploy::{Setup, TaskEvents};
use crate::input::{Fed, Input};
use crate::metrics::SubtaskMetrics;
use crate::schedule::{Task, Turn};
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

/// The running parts of a subtask.
pub(crate) struct Body {
    pub(crate) input: Input,
    pub(crate) chain: Chain,
    /// Chain position of the first stage: 1 below a source, else 0.
    pub(crate) first_stage: usize,
}

impl Task for Subtask {
    fn run(&mut self) -> Turn {
        let outcome = match catch_unwind(AssertUnwindSafe(|| self.turn())) {
            Ok(Ok(Turn::Done)) => Ok(()),
            Ok(Ok(turn)) => return turn,
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
    fn turn(&mut self) -> Result<Turn> {
        if self.control.is_cancelled() {
            return Err(Error::cancelled());
        }
        if matches!(self.state, State::Deployed(_)) {
            self.build()?;
            self.events.running(self.id);
        }
        let State::Running(body) = &mut self.state else { return Ok(Turn::Done) };
        let mut budget = TURN_STEPS;
        loop {
            match body.step(&self.control, &self.env, &mut budget, &mut self.position)? {
                Some(turn) => return Ok(turn),
                None if budget == 0 => return Ok(Turn::Again),
                None => {}
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

impl Body {
    /// One pass over the mailbox; a turn when the subtask must stop for now.
    fn step(&mut self, control: &Control, env: &Env, budget: &mut usize, position: &mut usize) -> Result<Option<Turn>> {
        if control.is_cancelled() {
            return Err(Error::cancelled());
        }
        let now_ms = env.now_ms();
        *position = 0;
        self.take_messages(control, now_ms)?;
        if self.chain.check_consumers() {
            return Ok(Some(Turn::Done));
        }
        let worked = self.work(budget, now_ms);
        *position = self.first_stage + self.chain.current();
        match worked? {
            Drained::Empty => {}
            Drained::Budget => return Ok(Some(Turn::Again)),
            Drained::Blocked => return self.park_blocked().map(Some),
        }
        if self.chain.is_finished() {
            return Ok(Some(Turn::Done));
        }
        if self.chain.is_satisfied() {
            self.input = Input::Ended;
        }
        if !self.chain.tail.await_room() {
            return self.park_blocked().map(Some);
        }
        *position = 0;
        *budget = budget.saturating_sub(1);
        match self.input.feed(&mut self.chain, now_ms)? {
            Fed::Some => Ok(None),
            Fed::Nothing(again_ms) => self.park_idle(again_ms).map(Some),
        }
    }

    fn take_messages(&mut self, control: &Control, now_ms: i64) -> Result<()> {
        let Some(source) = self.input.source() else { return Ok(()) };
        while let Some(assignment) = control.take_assignment() {
            source.assign(assignment, now_ms)?;
        }
        if control.is_stopped() {
            source.end(&mut self.chain);
        }
        Ok(())
    }

    fn work(&mut self, budget: &mut usize, now_ms: i64) -> Result<Drained> {
        self.chain.fire_timers(now_ms);
        self.chain.tail.flush_due(now_ms)?;
        self.chain.drain(budget, now_ms)
    }

    /// Waits for room. The operators' timers wait too: what they would emit has nowhere to go.
    fn park_blocked(&mut self) -> Result<Turn> {
        self.chain.tail.pause_blocked()?;
        Ok(Turn::Park(self.chain.tail.deadline_ms()))
    }

    /// Waits for input, the next timer, or the time to send rows that wait for more.
    fn park_idle(&mut self, again_ms: Option<i64>) -> Result<Turn> {
        self.chain.tail.pause()?;
        let timers = [again_ms, self.chain.next_timer_ms(), self.chain.tail.deadline_ms()];
        Ok(Turn::Park(timers.into_iter().flatten().min()))
    }
}

/// The error of a panic, with its message.
fn panic_error(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Error::internal(format!("panicked: {}", text.unwrap_or("without a message")))
}
