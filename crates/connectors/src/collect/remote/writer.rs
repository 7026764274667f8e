//! The sink writer over a stream, and who asks it.

use super::{Request, Shape, Stream, of_bytes, target, to_bytes};
use headwater_connector_api::coordination::{self, Coordinated, Registration};
use headwater_connector_api::{Committable, SinkWriter, WriterContext};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_types::{Error, ErrorKind, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Writes into a stream.
pub(in crate::collect) struct RemoteWriter {
    shared: Arc<Shared>,
    /// After how many milliseconds without a question its client is gone.
    patience_ms: i64,
    _registration: Registration,
}

struct Shared {
    env: Env,
    state: Mutex<State>,
    waker: Arc<dyn Fn() + Send + Sync>,
}

struct State {
    stream: Stream,
    asked_ms: i64,
    /// The task waits for room, or for the last row to be fetched.
    waits: bool,
}

impl RemoteWriter {
    /// The writer of a subtask.
    ///
    /// # Errors
    /// When the state that it is restored from does not fit.
    pub(in crate::collect) fn new(id: &str, patience_ms: i64, context: WriterContext) -> Result<Self> {
        let WriterContext { subtask, parallelism, env, waker, restored, .. } = context;
        let version = env.random_u64().max(1);
        let stream = Stream::restore(version, Shape { id: id.to_owned(), subtask, parallelism }, &restored)?;
        let state = State { stream, asked_ms: env.now_ms(), waits: false };
        let shared = Arc::new(Shared { env, state: Mutex::new(state), waker });
        let registration = coordination::register(target(id, subtask), shared.clone());
        Ok(Self { shared, patience_ms, _registration: registration })
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Coordinated for Shared {
    fn answer(&self, request: &[u8]) -> Option<Vec<u8>> {
        let request: Request = of_bytes(request).ok()?;
        let mut state = self.lock();
        state.asked_ms = self.env.now_ms();
        let answer = state.stream.answer(request).ok()?;
        let wakes = state.waits && state.stream.is_ready();
        state.waits &= !wakes;
        drop(state);
        if wakes {
            (self.waker)();
        }
        to_bytes(&answer).ok()
    }
}

impl SinkWriter for RemoteWriter {
    fn is_ready(&mut self) -> bool {
        let mut state = self.shared.lock();
        let ready = state.stream.is_ready();
        state.waits |= !ready;
        ready
    }

    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        self.shared.lock().stream.write(batch);
        Ok(())
    }

    fn may_end(&mut self) -> Result<bool> {
        let mut state = self.shared.lock();
        let may = state.stream.is_empty();
        state.waits |= !may;
        Ok(may)
    }

    fn next_tick_ms(&self) -> Option<i64> {
        Some(self.shared.lock().asked_ms.saturating_add(self.patience_ms))
    }

    fn tick(&mut self, now_ms: i64) -> Result<()> {
        let silent_ms = now_ms.saturating_sub(self.shared.lock().asked_ms);
        if silent_ms < self.patience_ms {
            return Ok(());
        }
        let message = format!("nobody has asked for the rows of the query for {silent_ms} ms: its client is gone");
        // Of a kind that no restart can help.
        Err(Error::new(ErrorKind::Fenced, "receiver-gone", message))
    }

    fn take_committables(&mut self, checkpoint: u64, _end: bool) -> Result<Vec<Committable>> {
        self.shared.lock().stream.barrier(checkpoint);
        Ok(vec![])
    }

    fn snapshot(&mut self) -> Result<Vec<Vec<u8>>> {
        Ok(vec![self.shared.lock().stream.snapshot()?])
    }

    fn checkpoint_complete(&mut self, checkpoint: u64) {
        self.shared.lock().stream.complete(checkpoint);
    }
}
