//! The gateway: sessions over one cluster.

use crate::Options;
use crate::catalog_store::CatalogStore;
use crate::errors::Failure;
use crate::execute;
use crate::operation::{Operation, Status};
use crate::session::{NotTaken, Session, Task};
use headwater_connector_api::Registry;
use headwater_embedded::{Engine, LocalCluster, start_cluster};
use headwater_env::Env;
use headwater_jobmanager::Handle;
use headwater_sql::SqlError;
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;
use uuid::Uuid;

/// How often operations that take too long are looked for, and sessions at most.
const LOOK: Duration = Duration::from_secs(1);

/// Where jobs run.
pub enum Cluster {
    /// In this process.
    Here,
    /// On a cluster of other processes.
    Elsewhere(Handle),
}

/// Sessions, and what they share. It ends with its last owner, and with it the cluster in this process.
pub struct Gateway {
    options: Options,
    config: Configuration,
    registry: Registry,
    env: Env,
    sessions: Mutex<BTreeMap<Uuid, Arc<Session>>>,
    workers: AtomicUsize,
    store: Option<Arc<CatalogStore>>,
    place: Place,
    /// Ends the thread that looks after sessions, before everything else goes.
    keeper: Mutex<Option<Keeper>>,
}

enum Place {
    Here { handle: Handle, _cluster: Mutex<LocalCluster> },
    Elsewhere(Handle),
}

struct Keeper {
    stop: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

/// What a client asks a session to execute.
pub(crate) struct Order {
    pub(crate) statement: String,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) declares_only: bool,
}

impl Gateway {
    /// A gateway without sessions.
    ///
    /// # Errors
    /// When the cluster in this process cannot be started, or the catalog store cannot be read.
    pub fn start(options: Options, config: Configuration, cluster: Cluster, env: Env) -> Result<Arc<Self>> {
        let registry = headwater_embedded::registry(&config);
        let place = match cluster {
            Cluster::Elsewhere(handle) => Place::Elsewhere(handle),
            Cluster::Here => {
                let cluster = start_cluster(&config, &registry, &env)?;
                Place::Here { handle: cluster.handle(), _cluster: Mutex::new(cluster) }
            }
        };
        let store = CatalogStore::from_config(&config)?.map(Arc::new);
        let gateway = Arc::new(Self {
            options,
            config,
            registry,
            env,
            sessions: Mutex::default(),
            workers: AtomicUsize::new(0),
            store,
            place,
            keeper: Mutex::new(None),
        });
        let keeper = Keeper::start(Arc::downgrade(&gateway))?;
        *gateway.keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(keeper);
        Ok(gateway)
    }

    /// The cluster that jobs run on.
    pub fn cluster(&self) -> &Handle {
        match &self.place {
            Place::Here { handle, .. } | Place::Elsewhere(handle) => handle,
        }
    }

    /// How many sessions are open.
    pub fn session_count(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn store(&self) -> Option<&Arc<CatalogStore>> {
        self.store.as_ref()
    }

    /// Opens a session with these keys over the gateway's.
    ///
    /// # Errors
    /// When there are as many as there may be.
    pub(crate) fn open(&self, properties: &BTreeMap<String, String>) -> Result<Uuid> {
        let mut config = self.config.clone();
        properties.iter().for_each(|(key, value)| config.set(key, value));
        let mut engine = Engine::with(config, self.registry.clone(), self.env.clone());
        match &self.place {
            Place::Here { handle, .. } => engine.share(handle.clone()),
            Place::Elsewhere(handle) => engine.submit_to(handle.clone()),
        }
        let handle = self.new_handle();
        let session = Arc::new(Session::new(handle, engine, self.now_ns()));
        let mut sessions = self.lock();
        let (open, max) = (sessions.len(), self.options.sessions_max);
        if open >= max {
            let message = format!(
                "Failed to create session, the count of active sessions exceeds the max count: {max}. Close some, or \
                 raise 'sql-gateway.session.max-num'"
            );
            return Err(Error::user("too-many-sessions", message));
        }
        sessions.insert(handle, session);
        Ok(handle)
    }

    /// The session of a handle, which is used now.
    pub(crate) fn session(&self, handle: Uuid) -> Option<Arc<Session>> {
        let session = self.lock().get(&handle).cloned()?;
        session.touch(self.now_ns());
        Some(session)
    }

    /// Closes a session; `false` when there is none of that handle.
    pub(crate) fn close(&self, handle: Uuid) -> bool {
        let session = self.lock().remove(&handle);
        // Without the lock: queries are cancelled.
        session.inspect(|session| session.close()).is_some()
    }

    /// Has a session execute a statement.
    ///
    /// # Errors
    /// When the session is closed or keeps too many operations, or when the gateway executes too many statements.
    pub(crate) fn submit(self: &Arc<Self>, session: &Arc<Session>, order: Order) -> Result<Arc<Operation>> {
        let deadline = order.timeout.map(|timeout| self.now_ns().saturating_add(nanos(timeout)));
        let operation = Arc::new(Operation::new(self.new_handle(), deadline));
        let Order { statement, config, declares_only, .. } = order;
        let task = Task { operation: operation.clone(), statement, config, declares_only };
        match session.enqueue(task, self.options.operations_max) {
            Ok(true) => self.work(session)?,
            Ok(false) => {}
            Err(NotTaken::Closed) => return Err(Error::user("unknown-session", "The session is closed.")),
            Err(NotTaken::Full(max)) => {
                let message = format!(
                    "The session runs {max} operations: close some, or raise \
                     'headwater.sql-gateway.session.operations.max-num'"
                );
                return Err(Error::user("too-many-operations", message));
            }
        }
        Ok(operation)
    }

    /// Starts a thread for the queue of a session.
    fn work(self: &Arc<Self>, session: &Arc<Session>) -> Result<()> {
        let refused = |error: Error| {
            session.abandon(|operation| operation.fail(Failure::of(&error.clone().into(), "")));
            Err(error)
        };
        let max = self.options.workers_max;
        if self.workers.fetch_add(1, Ordering::SeqCst) >= max {
            self.workers.fetch_sub(1, Ordering::SeqCst);
            let message =
                format!("{max} sessions execute statements: try again, or raise 'sql-gateway.worker.threads.max'");
            return refused(Error::retryable("too-many-workers", message));
        }
        let (gateway, queue) = (self.clone(), session.clone());
        let run = move || {
            while let Some(task) = queue.next() {
                // A statement that brings its thread down must not take the session with it.
                let run = AssertUnwindSafe(|| execute::run(&gateway, &queue, &task));
                if catch_unwind(run).is_err() {
                    task.operation.fail(Failure::of(&SqlError::internal("the statement ended by a bug"), ""));
                }
            }
            gateway.workers.fetch_sub(1, Ordering::SeqCst);
        };
        match std::thread::Builder::new().name("sql-gateway".to_owned()).spawn(run) {
            Ok(_) => Ok(()),
            Err(error) => {
                self.workers.fetch_sub(1, Ordering::SeqCst);
                refused(Error::retryable("no-thread", "no thread could be started").with_source(error))
            }
        }
    }

    /// Ends operations that take too long.
    fn end_late(&self) {
        let now_ns = self.now_ns();
        let sessions: Vec<Arc<Session>> = self.lock().values().cloned().collect();
        let operations = sessions.iter().flat_map(|session| session.operations());
        for operation in operations.filter(|operation| operation.is_late(now_ns)) {
            // It may have ended meanwhile.
            let _ = operation.end(Status::Timeout);
        }
    }

    /// Closes sessions that nobody uses.
    fn close_idle(&self) {
        let (now_ns, timeout_ns) = (self.now_ns(), nanos(self.options.idle_timeout));
        let idle: Vec<Uuid> = {
            let sessions = self.lock();
            sessions
                .values()
                .filter(|session| session.is_idle(now_ns, timeout_ns))
                .map(|session| session.handle)
                .collect()
        };
        for handle in idle {
            tracing::info!(session = %handle, "the session is closed: nobody uses it");
            self.close(handle);
        }
    }

    fn new_handle(&self) -> Uuid {
        let (high, low) = (self.env.random_u64(), self.env.random_u64());
        uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes()).into_uuid()
    }

    fn now_ns(&self) -> u64 {
        self.env.clock().monotonic_ns()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Uuid, Arc<Session>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    /// Looks after sessions until the gateway is gone.
    fn start(gateway: Weak<Gateway>) -> Result<Self> {
        let (stop, stopped) = sync_channel(1);
        let run = move || {
            let mut waited = Duration::ZERO;
            while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let Some(gateway) = gateway.upgrade() else { return };
                gateway.end_late();
                waited += LOOK;
                let Options { check_interval, idle_timeout, .. } = gateway.options;
                if !check_interval.is_zero() && !idle_timeout.is_zero() && waited >= check_interval {
                    waited = Duration::ZERO;
                    gateway.close_idle();
                }
            }
        };
        let spawned = std::thread::Builder::new().name("sql-gateway-keeper".to_owned()).spawn(run);
        let thread = spawned.map_err(|e| Error::retryable("no-thread", "no thread could be started").with_source(e))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // The last owner of the gateway may be the thread itself.
        let _ = self.stop.try_send(());
        if let Some(thread) = self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        for session in std::mem::take(&mut *self.lock()).into_values() {
            session.close();
        }
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
