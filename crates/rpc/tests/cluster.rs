//! A JobManager and TaskManagers that talk over loopback connections, as processes would.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what went wrong")]

mod counting;

use headwater_connector_api::Registry;
use headwater_env::Env;
use headwater_jobmanager::{Handle, JobManager, JobState, Options as JobManagerOptions, TaskManagerInfo, TaskState};
use headwater_plan::{JobGraph, Partitioning};
use headwater_rpc::{JoinOptions, connect, join, serve};
use headwater_runtime::StateOptions;
use headwater_runtime::testing::{GraphBuilder, Ledger, LedgerConnector, NumbersConnector, operator, sink_of, source};
use headwater_taskmanager::{Exchange, Options as TaskManagerOptions};
use headwater_transport::Identity;
use headwater_transport::messages::MessageListener;
use headwater_types::config::Configuration;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

struct Cluster {
    runtime: Runtime,
    manager: JobManager,
    address: String,
    ledger: Arc<Ledger>,
    task_managers: BTreeMap<String, JoinHandle<()>>,
    directory: tempfile::TempDir,
}

fn identity(name: &str) -> Identity {
    Identity { name: name.to_owned(), cluster: "test".to_owned() }
}

impl Cluster {
    fn new(task_managers: &[(&str, u32)]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let ledger = Arc::new(Ledger::default());
        let options = JobManagerOptions {
            env: Env::real(),
            registry: registry(&ledger),
            config: Configuration::new(),
            storage: Arc::new(headwater_storage::Provider),
        };
        let manager = options.start().unwrap();
        let listener = MessageListener::bind(LOOPBACK, identity("jobmanager"), runtime.handle()).unwrap();
        let address = listener.address().unwrap().to_string();
        runtime.spawn(serve(listener, manager.handle()));
        let (task_managers_by_name, directory) = (BTreeMap::new(), tempfile::tempdir().unwrap());
        let mut cluster = Self { runtime, manager, address, ledger, task_managers: task_managers_by_name, directory };
        task_managers.iter().for_each(|(name, slots)| cluster.start(name, *slots));
        cluster
    }

    fn handle(&self) -> Handle {
        self.manager.handle()
    }

    fn start(&mut self, name: &str, slots: u32) {
        let exchange = Exchange::start(LOOPBACK, identity(name), self.runtime.handle().clone()).unwrap();
        let address = Some(exchange.address().to_string());
        let (id, host) = (name.to_owned(), "localhost".to_owned());
        let options = JoinOptions {
            identity: identity(name),
            info: TaskManagerInfo { id, host, exchange: address, slots, cores: 1, memory_bytes: 0 },
            task_manager: TaskManagerOptions {
                lanes: 1,
                env: Env::real(),
                registry: registry(&self.ledger),
                operator_factory: Arc::new(counting::factory()),
                storage: Arc::new(headwater_storage::Provider),
                state_memory: StateOptions::default().memory,
                exchange: Some(exchange),
            },
            leader: Arc::new(self.address.clone()),
        };
        let joined = self.runtime.spawn(async move { drop(join(options).await) });
        self.task_managers.insert(name.to_owned(), joined);
    }

    fn wait_for_task_managers(&self, count: usize) {
        wait_until(|| self.handle().task_managers().unwrap().len() == count);
    }

    fn checkpointed(&self, mut graph: JobGraph) -> JobGraph {
        graph.config.set("execution.checkpointing.interval", "10 ms");
        graph.config.set("execution.checkpointing.dir", self.directory.path().to_str().unwrap());
        graph.config.set("restart-strategy.exponential-delay.initial-backoff", "1 ms");
        graph
    }

    /// The committed counts of every key are 1, 2, 3 .. without gap or repetition.
    fn assert_exact(&self, rows: usize) {
        let mut by_key: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        self.ledger.rows().into_iter().for_each(|(count, key)| by_key.entry(key).or_default().push(count));
        assert_eq!(by_key.values().map(Vec::len).sum::<usize>(), rows);
        for (key, counts) in by_key {
            assert_eq!(counts, (1..=counts.len() as i64).collect::<Vec<_>>(), "key {key}");
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.task_managers.values().for_each(JoinHandle::abort);
    }
}

fn registry(ledger: &Arc<Ledger>) -> Registry {
    let mut registry = Registry::new();
    registry.register(Arc::new(NumbersConnector));
    registry.register(Arc::new(LedgerConnector { ledger: ledger.clone() }));
    registry
}

/// numbers -> count, by key -> ledger.
fn pipeline(rows: &str, parallelism: u32) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let numbers = source(&[("rows", rows), ("splits", "6"), ("batch", "16"), ("keys", "97")]);
    let numbers = graph.vertex(parallelism, vec![numbers]);
    let count = graph.vertex(parallelism, vec![operator("count")]);
    let sink = graph.vertex(parallelism, vec![sink_of("ledger", &[])]);
    graph.edge(numbers, count, Partitioning::Hash(vec![1]));
    graph.edge(count, sink, Partitioning::Rebalance);
    graph.build()
}

/// Waits for something that another thread does, for a minute at most.
fn wait_until(mut done: impl FnMut() -> bool) {
    let env = Env::real();
    let until_ms = env.now_ms() + 60_000;
    while !done() {
        assert!(env.now_ms() < until_ms, "it does not happen");
        std::thread::yield_now();
    }
}

#[test]
fn a_keyed_aggregation_over_two_task_managers_is_exact() {
    let cluster = Cluster::new(&[("a", 2), ("b", 2)]);
    cluster.wait_for_task_managers(2);
    let job = cluster.handle().submit(&cluster.checkpointed(pipeline("20000", 4))).unwrap();
    let slots: Vec<u32> = cluster.handle().task_managers().unwrap().iter().map(|tm| tm.free_slots).collect();
    let result = job.wait();
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    cluster.assert_exact(20_000);
    assert_eq!(slots, [0, 0], "the job is spread");
    assert_eq!(result.operators.len(), 12, "every subtask reports its counters");
    let free: Vec<u32> = cluster.handle().task_managers().unwrap().iter().map(|tm| tm.free_slots).collect();
    assert_eq!(free, [2, 2], "slots come back");
}

#[test]
fn a_job_waits_for_slots_and_says_so() {
    let mut cluster = Cluster::new(&[("a", 1)]);
    cluster.wait_for_task_managers(1);
    let job = cluster.handle().submit(&pipeline("100", 3)).unwrap();
    let status = job.status().unwrap();
    assert_eq!(status.state, JobState::Created);
    assert_eq!(status.waits_for.unwrap(), "2 of 3 slots are missing (1 TaskManagers are registered)");
    cluster.start("b", 2);
    let result = job.wait();
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    let mut hopeless = pipeline("100", 9);
    hopeless.config.set("slot.request.timeout", "10 ms");
    let error = cluster.handle().submit(&hopeless).unwrap().wait().error.unwrap();
    assert_eq!(error.code(), "no-slots");
    assert!(error.message().contains("6 of 9 slots are missing"), "{error}");
}

#[test]
fn a_client_elsewhere_submits_and_follows_a_job() {
    let cluster = Cluster::new(&[("a", 4)]);
    let client = cluster.runtime.block_on(connect(&cluster.address, &identity("client"))).unwrap();
    wait_until(|| client.task_managers().unwrap().len() == 1);
    let job = client.submit(&cluster.checkpointed(pipeline("-1", 2))).unwrap();
    wait_until(|| job.status().unwrap().state == JobState::Running);
    wait_until(|| cluster.ledger.rows().len() > 100);
    assert!(job.trigger_checkpoint().unwrap().checkpoint > 0);
    assert_eq!(job.metrics().unwrap().len(), 6);
    let savepoint = job.stop_with_savepoint(cluster.directory.path().to_str(), false).unwrap();
    assert!(savepoint.contains("savepoint-"), "{savepoint}");
    assert_eq!(job.wait().state, JobState::Finished);
    let unknown = client.job(headwater_types::ids::JobId(1), "nobody").wait();
    assert_eq!(unknown.error.unwrap().code(), "jobmanager-gone");
}

#[test]
fn a_savepoint_stops_a_job_that_is_spread() {
    for drain in [false, true] {
        let cluster = Cluster::new(&[("a", 2), ("b", 2)]);
        cluster.wait_for_task_managers(2);
        let job = cluster.handle().submit(&cluster.checkpointed(pipeline("-1", 4))).unwrap();
        let before = cluster.ledger.rows().len();
        wait_until(|| cluster.ledger.rows().len() > before + 1_000);
        job.stop_with_savepoint(cluster.directory.path().to_str(), drain).unwrap();
        let result = job.wait();
        assert_eq!((result.state, result.error.map(|e| e.to_string())), (JobState::Finished, None), "drain: {drain}");
    }
}

#[test]
fn a_job_that_is_spread_can_be_cancelled_and_the_slots_used_again() {
    let cluster = Cluster::new(&[("a", 2), ("b", 2)]);
    cluster.wait_for_task_managers(2);
    for _ in 0..3 {
        let job = cluster.handle().submit(&cluster.checkpointed(pipeline("-1", 4))).unwrap();
        let starts = |task: &TaskState| matches!(task, TaskState::Created | TaskState::Deploying);
        wait_until(|| !job.status().unwrap().tasks.values().any(starts));
        job.cancel();
        assert_eq!(job.wait().state, JobState::Canceled);
    }
}
