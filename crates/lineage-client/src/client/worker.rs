//! The worker: takes events from the queue and the spool, and hands them to the transport.

use super::breaker::Breaker;
use super::queue::Queue;
use super::spool::Spool;
use super::{Limits, Message};
use crate::transport::{Failure, Transport};
use headwater_env::Env;
use std::sync::Arc;
use std::time::Duration;

/// How long the worker waits for an event before it looks at the spool.
const TURN: Duration = Duration::from_secs(1);

/// Sends events on a thread of its own.
pub(super) struct Worker {
    transport: Box<dyn Transport>,
    limits: Limits,
    queue: Arc<Queue>,
    env: Env,
    breaker: Breaker,
    spool: Option<Spool>,
    /// When everything must be done, once the queue is closed.
    deadline_ms: Option<i64>,
}

/// What became of an attempt.
enum Outcome {
    /// It is somewhere: taken, or refused for good.
    Settled,
    /// Nobody took it.
    Failed,
}

impl Worker {
    pub(super) fn new(transport: Box<dyn Transport>, limits: Limits, queue: Arc<Queue>, env: Env) -> Self {
        let breaker = Breaker::new(limits.failures, limits.open);
        let spool = limits.spool.clone().map(|directory| Spool::new(directory, limits.spool_bytes, env.random_u64()));
        Self { transport, limits, queue, env, breaker, spool, deadline_ms: None }
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        loop {
            if self.queue.is_closed() && self.deadline_ms.is_none() {
                let left = i64::try_from(self.limits.close_timeout.as_millis()).unwrap_or(i64::MAX);
                self.deadline_ms = Some(self.env.now_ms().saturating_add(left));
            }
            let wait = if self.breaker.is_open() { self.breaker.remaining(self.env.now_ms()).min(TURN) } else { TURN };
            match self.queue.take(wait) {
                Some(message) => self.handle(message),
                None if self.queue.is_closed() => return,
                None => {}
            }
            self.drain_spool();
        }
    }

    /// An event of the queue. Those in the spool are older: it goes behind them.
    fn handle(&mut self, message: Message) {
        let now_ms = self.env.now_ms();
        let waits_behind = self.spool.as_mut().is_some_and(|spool| spool.oldest().is_some());
        if waits_behind || !self.breaker.allows(now_ms) {
            return self.keep(message);
        }
        if let Outcome::Failed = self.try_to_send(&message) {
            self.keep(message);
        }
    }

    /// Keeps an event for later.
    fn keep(&mut self, message: Message) {
        let now_ms = self.env.now_ms();
        let kept = self.spool.as_mut().map(|spool| spool.push(&message, now_ms));
        match kept {
            Some(Ok(Some(lost))) => self.queue.count(|c| {
                c.spooled += 1;
                c.dropped += lost;
            }),
            Some(Ok(None)) | None => self.queue.count(|c| c.dropped += 1),
            Some(Err(error)) => {
                tracing::warn!(%error, "a lineage event could not be spooled");
                self.queue.count(|c| c.dropped += 1);
            }
        }
    }

    /// Sends what the spool holds, as long as it is taken.
    fn drain_spool(&mut self) {
        while self.breaker.allows(self.env.now_ms()) && !self.is_late() {
            let Some((name, message)) = self.spool.as_mut().and_then(Spool::oldest) else { return };
            match self.try_to_send(&message) {
                Outcome::Settled => self.spool.iter_mut().for_each(|spool| spool.remove(&name)),
                Outcome::Failed => return,
            }
        }
    }

    /// Tries a few times, with growing pauses, unless the process is about to end.
    fn try_to_send(&mut self, message: &Message) -> Outcome {
        let mut pause = self.limits.pause;
        for attempt in 1..=self.limits.attempts.max(1) {
            if self.is_late() {
                return Outcome::Failed;
            }
            match self.transport.send(message, self.timeout()) {
                Ok(()) => {
                    self.breaker.succeeded();
                    self.queue.count(|c| c.sent += 1);
                    return Outcome::Settled;
                }
                Err(failure) if !failure.retryable => {
                    self.refused(&failure);
                    return Outcome::Settled;
                }
                Err(failure) => self.attempt_failed(&failure),
            }
            if self.queue.is_closed() || self.breaker.is_open() {
                break;
            }
            if attempt < self.limits.attempts {
                self.queue.rest(pause);
                pause *= 2;
            }
        }
        self.give_up();
        Outcome::Failed
    }

    fn refused(&mut self, failure: &Failure) {
        tracing::warn!(%failure, "a lineage event was refused");
        self.queue.count(|c| {
            c.failed_attempts += 1;
            c.refused += 1;
        });
    }

    fn attempt_failed(&mut self, failure: &Failure) {
        tracing::debug!(%failure, "a lineage event was not taken");
        self.queue.count(|c| c.failed_attempts += 1);
    }

    fn give_up(&mut self) {
        if self.breaker.failed(self.env.now_ms()) {
            tracing::warn!("lineage events are not taken; they are kept and sent later");
            self.queue.count(|c| c.breaker_opened += 1);
        }
    }

    /// Whether the process has waited long enough for its last events.
    fn is_late(&self) -> bool {
        self.deadline_ms.is_some_and(|deadline| self.env.now_ms() >= deadline)
    }

    fn timeout(&self) -> Duration {
        let left = self.deadline_ms.map(|deadline| deadline.saturating_sub(self.env.now_ms()).max(1).unsigned_abs());
        left.map_or(self.limits.send_timeout, |ms| Duration::from_millis(ms).min(self.limits.send_timeout))
    }
}
