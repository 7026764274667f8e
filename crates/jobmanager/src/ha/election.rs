//! Winning the lease and keeping it.

use super::lease::{Candidate, Holder, Lease};
use super::options::HaOptions;
use super::probe::refuses;
use headwater_env::Env;
use headwater_types::{Error, Result};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// When somebody who does not lead may try to: a function of what it has seen of the lease, by its own clock.
#[derive(Debug, Clone, Default)]
pub struct Election {
    /// The last sign of life, and when it was new.
    seen: Option<((u64, Option<u64>), i64)>,
}

/// What somebody who does not lead does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Look again later.
    Wait,
    /// Try to acquire this generation.
    Contend(u64),
}

impl Election {
    /// The lease was looked at.
    pub fn observed(&mut self, holder: Option<&Holder>, now_ms: i64, lease_ms: i64) -> Step {
        let Some(holder) = holder else { return Step::Contend(1) };
        let next = Step::Contend(holder.generation.saturating_add(1));
        if holder.beat.is_none() {
            return next;
        }
        let sign = (holder.generation, holder.beat);
        match self.seen {
            Some((seen, since_ms)) if seen == sign => match now_ms.saturating_sub(since_ms) >= lease_ms {
                true => next,
                false => Step::Wait,
            },
            _ => {
                self.seen = Some((sign, now_ms));
                Step::Wait
            }
        }
    }

    /// Whether the last sign of life is older than it should be: reason to look whether its owner is there.
    fn is_late(&self, now_ms: i64, late_ms: i64) -> bool {
        self.seen.is_some_and(|(_, since_ms)| now_ms.saturating_sub(since_ms) >= late_ms)
    }
}

/// How long a leader may be silent until somebody looks whether it is there, and until it is taken for dead.
#[derive(Debug, Clone, Copy)]
struct Patience {
    late_ms: i64,
    lease_ms: i64,
}

impl Patience {
    /// A sign of life is late when two were to come since.
    fn of(options: &HaOptions) -> Self {
        let millis = |duration: std::time::Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let (late, lease) = (options.retry_period.saturating_mul(2), options.lease_duration);
        Self { late_ms: millis(late), lease_ms: millis(lease) }
    }
}

/// A term as leader. Dropping it gives the lease up.
pub struct Leadership {
    generation: u64,
    /// What was won.
    lease: Arc<dyn Lease>,
    /// What says in storage whose term it is.
    fence: Arc<dyn Lease>,
    stop: SyncSender<()>,
    keeper: Option<JoinHandle<()>>,
}

impl Leadership {
    /// Waits until the candidate leads; `None` when something comes by `stop`, or nothing more can. Then `lost` is
    /// called once, from a thread, when it does not lead any more.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn win(
        options: &HaOptions,
        env: &Env,
        candidate: &Candidate,
        stop: &Receiver<()>,
        lost: impl FnOnce(Error) + Send + 'static,
    ) -> Result<Option<Self>> {
        let lease = options.contended(env)?;
        let (mut election, patience) = (Election::default(), Patience::of(options));
        loop {
            match attempt(lease.as_ref(), &mut election, candidate, monotonic_ms(env), patience) {
                Ok(Some(generation)) => return Self::keep(lease, options, env, generation, lost).map(Some),
                Ok(None) => {}
                Err(error) => tracing::warn!(error = error.message(), "the lease could not be looked at"),
            }
            match stop.recv_timeout(options.retry_period) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    fn keep(
        lease: Arc<dyn Lease>,
        options: &HaOptions,
        env: &Env,
        generation: u64,
        lost: impl FnOnce(Error) + Send + 'static,
    ) -> Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let keeper = Keeper { lease: lease.clone(), options: options.clone(), env: env.clone(), generation };
        let keeper = std::thread::Builder::new()
            .name("leader-lease".to_owned())
            .spawn(move || {
                if let Some(error) = keeper.run(&stopped) {
                    lost(error);
                }
            })
            .map_err(|e| Error::retryable("no-thread", "the lease could not be kept").with_source(e))?;
        tracing::info!(generation, "this JobManager leads");
        Ok(Self { generation, lease, fence: options.lease(), stop, keeper: Some(keeper) })
    }

    /// Number of the term.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The lease in storage, by which everything is fenced that a leader does.
    pub fn lease(&self) -> Arc<dyn Lease> {
        self.fence.clone()
    }
}

impl Drop for Leadership {
    fn drop(&mut self) {
        let _ = self.stop.try_send(());
        if let Some(keeper) = self.keeper.take() {
            let _ = keeper.join();
        }
        if let Err(error) = self.lease.release(self.generation) {
            tracing::debug!(error = error.message(), "the lease was not given up, it expires");
        }
    }
}

/// Looks, and contends if it is time; the generation that was won. It is time, too, when the leader's signs of life are
/// late and its host says that nobody listens there any more: its process has ended. If that should be wrong, the
/// generation fences it as always.
fn attempt(
    lease: &dyn Lease,
    election: &mut Election,
    candidate: &Candidate,
    now_ms: i64,
    patience: Patience,
) -> Result<Option<u64>> {
    let holder = lease.look()?;
    let generation = match (election.observed(holder.as_ref(), now_ms, patience.lease_ms), holder) {
        (Step::Contend(generation), _) => generation,
        (Step::Wait, Some(holder)) if election.is_late(now_ms, patience.late_ms) && refuses(&holder.address) => {
            holder.generation.saturating_add(1)
        }
        (Step::Wait, _) => return Ok(None),
    };
    Ok(lease.acquire(generation, candidate)?.then_some(generation))
}

/// Renews a lease.
struct Keeper {
    lease: Arc<dyn Lease>,
    options: HaOptions,
    env: Env,
    generation: u64,
}

impl Keeper {
    /// Until it is told to stop, or the lease is lost: then why.
    fn run(self, stopped: &Receiver<()>) -> Option<Error> {
        let deadline_ms = i64::try_from(self.options.renew_deadline.as_millis()).unwrap_or(i64::MAX);
        let (mut beat, mut renewed_ms) = (0, monotonic_ms(&self.env));
        loop {
            beat += 1;
            // What counts is when it was asked for: others may have seen it then.
            let asked_ms = monotonic_ms(&self.env);
            match self.lease.renew(self.generation, beat) {
                Ok(true) => renewed_ms = asked_ms,
                Ok(false) => return Some(super::lease::deposed(self.generation, self.generation + 1)),
                Err(error) => {
                    tracing::warn!(error = error.message(), "the lease could not be renewed");
                    // Others may take over from now on; who cannot see that must not act.
                    if monotonic_ms(&self.env).saturating_sub(renewed_ms) >= deadline_ms {
                        return Some(error.context("the lease expired"));
                    }
                }
            }
            match stopped.recv_timeout(self.options.retry_period) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}

fn monotonic_ms(env: &Env) -> i64 {
    i64::try_from(env.clock().monotonic_ns() / 1_000_000).unwrap_or(i64::MAX)
}
