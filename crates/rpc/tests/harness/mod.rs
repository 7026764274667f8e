//! A cluster in one process whose members talk over loopback connections, as processes would.
//!
//! Every member has I/O threads of its own. Killing it takes them away at once: its connections end in the middle of
//! whatever they carried, its storage is out of reach, and nothing it still does is heard of.

#![allow(dead_code, reason = "every test uses a part of it")]

mod cut;

use cut::Way;
use headwater_connector_api::Registry;
use headwater_env::Env;
use headwater_jobmanager::ha::{ElectedBy, HaOptions};
use headwater_jobmanager::{Handle, JobHandle, JobState, Options as JobManagerOptions, TaskManagerInfo};
use headwater_plan::{JobGraph, Partitioning};
use headwater_rpc::{JobManagerProcess, JoinOptions, Leader, LeaseHolder, connect_to, join};
use headwater_runtime::ProcessMemory;
use headwater_runtime::testing::{
    CountByKey, GraphBuilder, Ledger, LedgerConnector, NumbersConnector, ToyFactory, operator, sink_of, source,
};
use headwater_taskmanager::{Exchange, LocalState, Options as TaskManagerOptions};
use headwater_transport::Identity;
use headwater_transport::messages::MessageListener;
use headwater_types::config::Configuration;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A running cluster.
pub struct Cluster {
    pub runtime: Runtime,
    /// Address of the JobManager that was started last.
    pub address: String,
    pub ledger: Arc<Ledger>,
    pub directory: tempfile::TempDir,
    /// Whether jobs outlive their JobManagers.
    shared: bool,
    job_managers: BTreeMap<String, JobManager>,
    task_managers: BTreeMap<String, TaskManager>,
    /// What TaskManagers keep on their disks, by name.
    copies: BTreeMap<String, Arc<LocalState>>,
}

struct JobManager {
    runtime: Runtime,
    way: Way,
    /// Its handle while it leads.
    leads: Arc<Mutex<Option<Handle>>>,
}

struct TaskManager {
    runtime: Runtime,
    leave: Option<oneshot::Sender<()>>,
    joined: tokio::task::JoinHandle<()>,
}

pub fn identity(name: &str) -> Identity {
    Identity::new(name, "test")
}

fn threads(count: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(count).enable_all().build().unwrap()
}

impl Cluster {
    /// A cluster with one JobManager and TaskManagers of these names and numbers of slots.
    pub fn new(task_managers: &[(&str, u32)]) -> Self {
        Self::with(&["jobmanager"], false, task_managers)
    }

    /// A cluster of several JobManagers.
    pub fn shared(job_managers: &[&str], task_managers: &[(&str, u32)]) -> Self {
        Self::with(job_managers, true, task_managers)
    }

    fn with(job_managers: &[&str], shared: bool, task_managers: &[(&str, u32)]) -> Self {
        let mut cluster = Self {
            runtime: threads(1),
            address: String::new(),
            ledger: Arc::default(),
            directory: tempfile::tempdir().unwrap(),
            shared,
            job_managers: BTreeMap::new(),
            task_managers: BTreeMap::new(),
            copies: BTreeMap::new(),
        };
        job_managers.iter().for_each(|name| cluster.start_job_manager(name));
        wait_until(|| cluster.leading().is_some());
        task_managers.iter().for_each(|(name, slots)| cluster.start(name, *slots));
        cluster
    }

    pub fn start_job_manager(&mut self, name: &str) {
        let (runtime, way) = (threads(2), Way::default());
        let listener = MessageListener::bind(LOOPBACK, identity(name), runtime.handle()).unwrap();
        self.address = listener.address().unwrap().to_string();
        let leads: Arc<Mutex<Option<Handle>>> = Arc::default();
        let told = leads.clone();
        let process = JobManagerProcess {
            options: JobManagerOptions {
                env: Env::real(),
                registry: registry(&self.ledger),
                config: Configuration::new(),
                storage: Arc::new(way.clone()),
                records: None,
            },
            listener,
            address: self.address.clone(),
            rest: None,
            high_availability: self.shared.then(|| self.high_availability(&way)),
            term: Box::new(move |handle| {
                *told.lock().unwrap() = Some(handle.clone());
                Ok(Box::new(Forget(told.clone())))
            }),
            standby: Box::new(|| Ok(Box::new(()))),
        };
        runtime.spawn(async move { process.run(std::future::pending()).await.unwrap() });
        self.job_managers.insert(name.to_owned(), JobManager { runtime, way, leads });
    }

    fn high_availability(&self, way: &Way) -> HaOptions {
        let uri = self.directory.path().join("ha").to_str().unwrap().to_owned();
        let storage = way.to(headwater_storage::open(&uri, &Configuration::new()).unwrap());
        let (lease_duration, retry_period) = (Duration::from_millis(600), Duration::from_millis(50));
        HaOptions {
            uri,
            storage,
            elected_by: ElectedBy::Storage,
            lease_duration,
            renew_deadline: lease_duration,
            retry_period,
        }
    }

    /// Where members find the JobManager.
    pub fn leader(&self) -> Arc<dyn Leader> {
        match self.shared {
            false => Arc::new(self.address.clone()),
            true => {
                let shared = self.high_availability(&Way::default());
                Arc::new(LeaseHolder { lease: shared.lease(), interval: shared.retry_period })
            }
        }
    }

    /// The JobManager that leads, and its handle.
    pub fn leading(&self) -> Option<(String, Handle)> {
        let handle = |manager: &JobManager| manager.leads.lock().unwrap().clone();
        self.job_managers.iter().find_map(|(name, manager)| Some((name.clone(), handle(manager)?)))
    }

    /// The handle of the JobManager that leads.
    pub fn handle(&self) -> Handle {
        self.leading().expect("a JobManager leads").1
    }

    /// A client that follows whoever leads.
    pub fn client(&self) -> Handle {
        self.runtime.block_on(connect_to(self.leader(), &identity("client"))).unwrap()
    }

    /// Starts a TaskManager.
    pub fn start(&mut self, name: &str, slots: u32) {
        let runtime = threads(1);
        let exchange = Exchange::start(LOOPBACK, identity(name), runtime.handle().clone()).unwrap();
        let address = Some(exchange.address().to_string());
        let (id, host) = (name.to_owned(), "localhost".to_owned());
        let options = JoinOptions {
            identity: identity(name),
            info: TaskManagerInfo { id, host, exchange: address, slots, cores: 1, memory_bytes: 0 },
            task_manager: TaskManagerOptions {
                lanes: 1,
                env: Env::real(),
                registry: registry(&self.ledger),
                operator_factory: Arc::new(ToyFactory::new().with("count", |_| CountByKey::default())),
                storage: Arc::new(headwater_storage::Provider),
                state_memory: ProcessMemory::default(),
                exchange: Some(exchange),
                local: Some(self.local_state(name)),
            },
            leader: self.leader(),
        };
        let (leave, told) = oneshot::channel();
        let leaves = async move {
            if told.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let joined = runtime.spawn(async move { join(options, leaves).await.unwrap() });
        self.task_managers.insert(name.to_owned(), TaskManager { runtime, leave: Some(leave), joined });
    }

    /// The copies of a TaskManager, which finds them again when it comes back by the same name.
    fn local_state(&mut self, name: &str) -> Arc<LocalState> {
        let mut config = Configuration::new();
        config.set("process.taskmanager.working-dir", self.directory.path().join("local").to_str().unwrap());
        let new = || Arc::new(LocalState::new(&config, name, true));
        self.copies.entry(name.to_owned()).or_insert_with(new).clone()
    }

    /// Ends a TaskManager as `kill -9` does.
    pub fn kill(&mut self, name: &str) {
        self.task_managers.remove(name).unwrap().runtime.shutdown_background();
    }

    /// Ends a TaskManager as SIGTERM does, and waits for its end.
    pub fn terminate(&mut self, name: &str) {
        let mut task_manager = self.task_managers.remove(name).unwrap();
        task_manager.leave.take().unwrap().send(()).unwrap();
        task_manager.runtime.block_on(task_manager.joined).unwrap();
        task_manager.runtime.shutdown_background();
    }

    /// Ends a JobManager as `kill -9` does.
    pub fn kill_job_manager(&mut self, name: &str) {
        let manager = self.job_managers.remove(name).unwrap();
        manager.way.cut();
        manager.runtime.shutdown_background();
    }

    /// Cuts a JobManager off from storage; it goes on to live, and is connected to everybody.
    pub fn cut_off(&self, name: &str) {
        self.job_managers[name].way.cut();
    }

    pub fn heal(&self, name: &str) {
        self.job_managers[name].way.heal();
    }

    pub fn wait_for_task_managers(&self, count: usize) {
        wait_until(|| self.handle().task_managers().unwrap().len() == count);
    }

    /// A graph that takes checkpoints every ten milliseconds.
    pub fn checkpointed(&self, mut graph: JobGraph) -> JobGraph {
        let directory = self.directory.path().join("checkpoints");
        graph.config.set("execution.checkpointing.interval", "10 ms");
        graph.config.set("execution.checkpointing.dir", directory.to_str().unwrap());
        graph.config.set("restart-strategy.exponential-delay.initial-backoff", "1 ms");
        graph
    }

    /// A job without end. Its barriers overtake nothing, so that what is committed has no gap at any moment: rows that
    /// were overtaken are committed later than rows behind them.
    pub fn endless(&self, parallelism: u32) -> JobGraph {
        let mut graph = self.checkpointed(pipeline("-1", parallelism));
        graph.config.set("execution.checkpointing.unaligned.enabled", "false");
        graph
    }

    /// Waits until more was committed than now.
    pub fn wait_for_output(&self, job: &JobHandle) {
        let before = self.ledger.rows().len();
        wait_or(|| self.ledger.rows().len() > before, || told(job));
    }

    /// So many rows were committed, and the counts of every key are 1, 2, 3 .. without gap or repetition.
    pub fn assert_exact(&self, rows: usize) {
        let by_key = self.counts();
        assert_eq!(by_key.values().map(Vec::len).sum::<usize>(), rows);
        for (key, counts) in by_key {
            assert_eq!(counts, (1..=counts.len() as i64).collect::<Vec<_>>(), "key {key}");
        }
    }

    /// What a job has committed that was cancelled: nothing twice, and no gaps but for what its writers held back,
    /// which is one row each.
    pub fn assert_exact_so_far(&self, writers: usize) {
        let mut held = 0;
        for (key, counts) in self.counts() {
            assert!(counts.windows(2).all(|pair| pair[0] < pair[1]), "key {key} was counted twice: {counts:?}");
            held += counts.last().map_or(0, |last| *last as usize) - counts.len();
        }
        assert!(held <= writers, "{held} rows are missing");
    }

    /// The committed counts of every key, in rising order.
    fn counts(&self) -> BTreeMap<i64, Vec<i64>> {
        let mut by_key: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        self.ledger.rows().into_iter().for_each(|(count, key)| by_key.entry(key).or_default().push(count));
        by_key
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let task_managers = std::mem::take(&mut self.task_managers);
        task_managers.into_values().for_each(|task_manager| task_manager.runtime.shutdown_background());
        let job_managers = std::mem::take(&mut self.job_managers);
        job_managers.into_values().for_each(|manager| manager.runtime.shutdown_background());
    }
}

/// Dropped at the end of a term.
struct Forget(Arc<Mutex<Option<Handle>>>);

impl Drop for Forget {
    fn drop(&mut self) {
        *self.0.lock().unwrap() = None;
    }
}

fn registry(ledger: &Arc<Ledger>) -> Registry {
    let mut registry = Registry::new();
    registry.register(Arc::new(NumbersConnector));
    registry.register(Arc::new(LedgerConnector { ledger: ledger.clone() }));
    registry
}

/// numbers -> count, by key -> ledger.
pub fn pipeline(rows: &str, parallelism: u32) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let numbers = source(&[("rows", rows), ("splits", "6"), ("batch", "16"), ("keys", "97")]);
    let numbers = graph.vertex(parallelism, vec![numbers]);
    let count = graph.vertex(parallelism, vec![operator("count")]);
    let sink = graph.vertex(parallelism, vec![sink_of("ledger", &[])]);
    graph.edge(numbers, count, Partitioning::Hash(vec![1]));
    graph.edge(count, sink, Partitioning::Rebalance);
    graph.build()
}

/// Waits for the end of a job.
pub fn end(job: &JobHandle) -> JobState {
    let pending = job.request_result().unwrap();
    let mut result = None;
    wait_or(
        || {
            result = pending.take().unwrap();
            result.is_some()
        },
        || told(job),
    );
    let result = result.unwrap();
    assert!(result.error.is_none(), "{:?}", result.error);
    result.state
}

/// What to say when a job does not go on.
pub fn told(job: &JobHandle) -> String {
    format!("the job hangs: {:#?}", job.status())
}

/// Waits for something that another thread does, for a minute at most.
pub fn wait_until(done: impl FnMut() -> bool) {
    wait_or(done, || "it does not happen".to_owned());
}

/// Waits as [`wait_until`] does; panics with what `told` says.
pub fn wait_or(mut done: impl FnMut() -> bool, told: impl Fn() -> String) {
    let env = Env::real();
    let until_ms = env.now_ms() + 60_000;
    while !done() {
        assert!(env.now_ms() < until_ms, "{}", told());
        std::thread::yield_now();
    }
}
