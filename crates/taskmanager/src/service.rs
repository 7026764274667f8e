//! The service: one thread that handles messages; the tasks run on lanes.

use crate::core::Core;
use crate::exchange::Exchange;
use crate::inspect::{Inspected, Inspection, inspect_with};
use crate::local::LocalState;
use crate::messages::{JobManagerGateway, TaskManagerGateway, ToTaskManager};
use headwater_connector_api::Registry;
use headwater_env::{Env, StorageProvider};
use headwater_runtime::{Lanes, OperatorFactory, ProcessMemory, Scheduler};
use headwater_types::{Error, Result};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Messages that may wait for the TaskManager.
const INBOX_MESSAGES: usize = 1024;

/// How to build a TaskManager.
#[derive(Clone)]
pub struct Options {
    /// Number of lanes; 0 means one per available core. Lanes start when there are tasks for them.
    pub lanes: usize,
    /// Clock and randomness.
    pub env: Env,
    /// Makes sources and sinks.
    pub registry: Registry,
    /// Makes operators.
    pub operator_factory: Arc<dyn OperatorFactory>,
    /// Opens checkpoint storage.
    pub storage: Arc<dyn StorageProvider>,
    /// Memory for the state of all jobs together.
    pub state_memory: ProcessMemory,
    /// Channels to and from other TaskManagers; `None` where there are none.
    pub exchange: Option<Arc<Exchange>>,
    /// Copies of state on the disk of this host, for jobs that want them; `None` where there are none.
    pub local: Option<Arc<LocalState>>,
}

/// A running TaskManager. Dropping it ends its tasks and threads.
pub struct TaskManager {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// Sends messages to a TaskManager.
#[derive(Clone)]
pub struct Handle {
    inbox: SyncSender<Inbound>,
}

enum Inbound {
    Message(Box<ToTaskManager>),
    Ping(Box<dyn FnOnce() + Send>),
    Inspect { what: Inspection, reply: SyncSender<Inspected> },
    Shutdown,
}

impl Options {
    /// Starts a TaskManager that reports to `gateway`.
    pub fn start(self, gateway: Arc<dyn JobManagerGateway>) -> Result<TaskManager> {
        let (inbox, messages) = sync_channel(INBOX_MESSAGES);
        let env = self.env.clone();
        let scheduler = Scheduler::new(env.clone());
        let lanes = Lanes::new(scheduler, self.lanes);
        let core = Core::new(self, gateway, lanes);
        let thread = std::thread::Builder::new()
            .name("taskmanager".to_owned())
            .stack_size(headwater_plan::codec::PLAN_STACK_BYTES)
            .spawn(move || run(core, &env, &messages))
            .map_err(|e| Error::retryable("no-thread", "the TaskManager could not be started").with_source(e))?;
        Ok(TaskManager { handle: Handle { inbox }, thread: Some(thread) })
    }
}

impl TaskManager {
    /// A handle to send messages by.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for TaskManager {
    fn drop(&mut self) {
        let _ = self.handle.inbox.send(Inbound::Shutdown);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The service's thread.
fn run(mut core: Core, env: &Env, messages: &Receiver<Inbound>) {
    loop {
        match messages.recv() {
            Ok(Inbound::Message(message)) => core.handle(*message),
            Ok(Inbound::Ping(answer)) => answer(),
            Ok(Inbound::Inspect { what, reply }) => {
                let memory = core.memory().clone();
                env.spawn_blocking("inspect", move || {
                    let _ = reply.try_send(inspect_with(&what, &memory));
                });
            }
            Ok(Inbound::Shutdown) | Err(_) => break,
        }
    }
    core.cancel_all();
}

impl Handle {
    /// Has the service's thread call `answer` when it has handled what came before; it must not block.
    ///
    /// # Errors
    /// When the TaskManager is gone or does not keep up.
    pub fn ping(&self, answer: impl FnOnce() + Send + 'static) -> Result<()> {
        self.try_send(Inbound::Ping(Box::new(answer)))
    }

    fn try_send(&self, message: Inbound) -> Result<()> {
        self.inbox.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => Error::retryable("taskmanager-busy", "the TaskManager does not keep up"),
            TrySendError::Disconnected(_) => Error::retryable("taskmanager-gone", "the TaskManager has ended"),
        })
    }
}

impl TaskManagerGateway for Handle {
    fn send(&self, message: ToTaskManager) -> Result<()> {
        self.try_send(Inbound::Message(Box::new(message)))
    }

    fn inspect(&self, what: Inspection, reply: SyncSender<Inspected>) -> Result<()> {
        self.try_send(Inbound::Inspect { what, reply })
    }
}
