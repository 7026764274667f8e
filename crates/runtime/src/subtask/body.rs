//! The running parts of a subtask, and one step of them.

use super::Checkpoints;
use crate::chain::{Chain, Drained};
use crate::control::{Control, Message};
use crate::input::{Fed, Input, Pace};
use headwater_env::Env;
use headwater_exchange::Barrier;
use headwater_types::{Error, Result};

/// The running parts of a subtask.
pub(crate) struct Body {
    pub(crate) input: Input,
    pub(crate) chain: Chain,
    /// Chain position of the first stage: 1 below a source, else 0.
    pub(crate) first_stage: usize,
    pub(crate) checkpoints: Checkpoints,
    /// How many rows the chain is given at a time.
    pub(crate) pace: Pace,
    /// When the barrier on its way was let in, monotonic.
    pub(crate) barrier_since_ns: u64,
}

/// Why a turn is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It had enough; there is more.
    Budget,
    /// There is no input, until woken or until this wall clock.
    Idle(Option<i64>),
    /// There is no room for output, until woken or until this wall clock.
    Blocked(Option<i64>),
    /// The subtask has ended.
    Done,
}

impl Body {
    /// One pass over the mailbox; why the subtask must stop for now, if it must.
    pub(crate) fn step(
        &mut self,
        control: &Control,
        env: &Env,
        budget: &mut usize,
        position: &mut usize,
    ) -> Result<Option<Stopped>> {
        if control.is_cancelled() {
            return Err(Error::cancelled());
        }
        let now_ms = env.now_ms();
        *position = 0;
        if self.take_messages(control, now_ms)? {
            return Ok(Some(Stopped::Done));
        }
        if self.checkpoints.is_stopped() {
            return Ok(Some(Stopped::Idle(None)));
        }
        if self.chain.check_consumers() {
            return self.finish().map(Some);
        }
        self.input.look(&mut self.checkpoints, now_ms);
        let urgent = self.overtakes_from_ms().is_some_and(|from_ms| from_ms <= now_ms);
        let worked = self.work(budget, now_ms, urgent);
        *position = self.first_stage + self.chain.current();
        let drained = worked?;
        self.report_passed(env);
        let interrupted = self.interrupt(drained, env, now_ms);
        *position = self.first_stage + self.chain.current();
        if interrupted? {
            return Ok(None);
        }
        self.pace.observe(drained, now_ms);
        match drained {
            Drained::Empty => {}
            Drained::Budget => return Ok(Some(Stopped::Budget)),
            Drained::Blocked => return self.park_blocked(now_ms).map(Some),
        }
        if self.chain.is_finished() {
            return self.finish().map(Some);
        }
        if self.chain.is_satisfied() {
            self.input.leave(&mut self.checkpoints);
        }
        *position = 0;
        if self.admit_barrier(env, now_ms)? {
            return Ok(None);
        }
        if !self.chain.tail.await_room() {
            return self.park_blocked(now_ms).map(Some);
        }
        *budget = budget.saturating_sub(1);
        match self.input.feed(&mut self.chain, &mut self.checkpoints, &mut self.pace, now_ms)? {
            Fed::Some => {
                self.note_barrier(env);
                Ok(None)
            }
            Fed::Nothing(again_ms) => self.park_idle(again_ms, now_ms).map(Some),
        }
    }

    /// Handles what the controller sent; whether the subtask ends.
    fn take_messages(&mut self, control: &Control, now_ms: i64) -> Result<bool> {
        while let Some(message) = control.take_message() {
            match message {
                Message::Assign(assignment) => {
                    if let Some(source) = self.input.source() {
                        source.assign(assignment, now_ms)?;
                    }
                }
                Message::Trigger(barrier) => {
                    if let Some(given_up) = self.checkpoints.given_up_before(barrier) {
                        self.abort(given_up, now_ms);
                    }
                    self.checkpoints.trigger(barrier);
                }
                Message::Abort(checkpoint) => self.abort(checkpoint, now_ms),
                Message::Complete(checkpoint) => {
                    if self.complete(checkpoint)? {
                        return Ok(true);
                    }
                }
                Message::Fail(_) if self.checkpoints.is_stopped() => {}
                Message::Fail(error) => return Err(error),
            }
        }
        if control.is_stopped()
            && let Some(source) = self.input.source()
        {
            source.end(&mut self.chain);
        }
        Ok(false)
    }

    fn abort(&mut self, checkpoint: u64, now_ms: i64) {
        self.checkpoints.abort(checkpoint);
        self.input.abort(checkpoint, &mut self.checkpoints, now_ms);
    }

    fn complete(&mut self, checkpoint: u64) -> Result<bool> {
        if let Some(source) = self.input.source() {
            source.checkpoint_complete(checkpoint)?;
        }
        self.chain.tail.checkpoint_complete(checkpoint);
        Ok(self.checkpoints.complete(checkpoint))
    }

    fn work(&mut self, budget: &mut usize, now_ms: i64, urgent: bool) -> Result<Drained> {
        self.chain.fire_timers(now_ms);
        self.chain.tail.flush_due(now_ms)?;
        self.chain.drain(budget, now_ms, urgent)
    }

    /// From when on the barrier that is to come, or on its way through the chain, waits for nobody.
    fn overtakes_from_ms(&self) -> Option<i64> {
        match self.checkpoints.is_passing() {
            true => self.checkpoints.overtakes_from_ms(),
            false => self.input.overtakes_from_ms(&self.checkpoints),
        }
    }

    /// Lets a barrier that overtakes into a chain that is not done, if it can get through; whether it did.
    fn interrupt(&mut self, drained: Drained, env: &Env, now_ms: i64) -> Result<bool> {
        let may = drained != Drained::Empty && !self.checkpoints.is_passing() && self.input_overtakes(now_ms);
        Ok(may && self.chain.is_interruptible() && self.admit_barrier(env, now_ms)?)
    }

    /// Whether the barrier to come waits for nobody now.
    fn input_overtakes(&self, now_ms: i64) -> bool {
        self.input.overtakes_from_ms(&self.checkpoints).is_some_and(|from_ms| from_ms <= now_ms)
    }

    /// Lets a barrier into the chain, which is empty or can be interrupted, that comes from no channel in its turn: the source's own, or one that
    /// overtakes. Whether it did something.
    fn admit_barrier(&mut self, env: &Env, now_ms: i64) -> Result<bool> {
        let overtakes = self.input_overtakes(now_ms);
        let admitted = self.input.admit_barrier(overtakes, &mut self.chain, &mut self.checkpoints, now_ms)?;
        if admitted {
            self.note_barrier(env);
        }
        Ok(admitted)
    }

    fn note_barrier(&mut self, env: &Env) {
        if self.checkpoints.is_passing() {
            self.barrier_since_ns = env.clock().monotonic_ns();
        }
    }

    /// Completes the subtask's part in the checkpoint whose barrier has left the chain.
    fn report_passed(&mut self, env: &Env) {
        if !self.checkpoints.is_passing() {
            return;
        }
        if let Some(mut passed) = self.chain.take_passed() {
            passed.sync_ns = env.clock().monotonic_ns().saturating_sub(self.barrier_since_ns);
            self.checkpoints.passed(passed);
        }
    }

    /// All input is processed: ends, or waits for a last checkpoint.
    fn finish(&mut self) -> Result<Stopped> {
        self.input.leave(&mut self.checkpoints);
        if let Some(barrier) = self.chain.take_dropped_barrier() {
            self.checkpoints.dropped(barrier);
        }
        let draining = self.checkpoints.is_draining();
        if !draining && !self.chain.tail.needs_last_checkpoint() {
            return Ok(Stopped::Done);
        }
        self.checkpoints.await_last();
        while let Some(barrier) = self.checkpoints.pending() {
            self.snapshot_ended(barrier)?;
        }
        Ok(Stopped::Idle(None))
    }

    fn snapshot_ended(&mut self, barrier: Barrier) -> Result<()> {
        let matters = self.checkpoints.is_draining_for(barrier);
        let passed = self.chain.snapshot_ended(barrier.checkpoint, matters)?;
        self.checkpoints.snapshot_ended(barrier, passed);
        Ok(())
    }

    /// Waits for room. The operators' timers wait too: what they would emit has nowhere to go. A barrier that
    /// will overtake does not.
    fn park_blocked(&mut self, now_ms: i64) -> Result<Stopped> {
        self.chain.tail.pause_blocked()?;
        let overtakes = self.overtakes_from_ms().filter(|from_ms| *from_ms > now_ms);
        let timers = [self.chain.tail.deadline_ms(), overtakes];
        Ok(Stopped::Blocked(timers.into_iter().flatten().min()))
    }

    /// Waits for input, the next timer, or the time to send rows that wait for more.
    fn park_idle(&mut self, again_ms: Option<i64>, now_ms: i64) -> Result<Stopped> {
        self.chain.tail.pause()?;
        let overtakes = self.overtakes_from_ms().filter(|from_ms| *from_ms > now_ms);
        let timers = [again_ms, self.chain.next_timer_ms(), self.chain.tail.deadline_ms(), overtakes];
        Ok(Stopped::Idle(timers.into_iter().flatten().min()))
    }
}
