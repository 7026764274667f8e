//! A cluster with a transactional sink and a directory of its own.

use super::counting;
use crate::{JobHandle, JobResult, LocalCluster, LocalOptions};
use headwater_connector_api::Registry;
use headwater_env::{Env, StorageProvider};
use headwater_plan::{JobGraph, Partitioning};
use headwater_runtime::testing::{GraphBuilder, Ledger, LedgerConnector, NumbersConnector, operator, sink_of, source};
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Checkpoint directory below that of the bench.
pub(super) const CHECKPOINT_DIR: &str = "checkpoints";

/// A cluster, what its sink committed, and a directory.
pub(super) struct Bench {
    cluster: LocalCluster,
    ledger: Arc<Ledger>,
    directory: tempfile::TempDir,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self::with_env(Env::real())
    }

    pub(super) fn with_env(env: Env) -> Self {
        Self::with(env, Arc::new(headwater_storage::Provider), &[])
    }

    /// With directories of its own below these keys of the cluster's configuration.
    pub(super) fn with(env: Env, storage: Arc<dyn StorageProvider>, directories: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config = Configuration::new();
        for (key, name) in directories {
            config.set(*key, directory.path().join(name).to_str().unwrap());
        }
        let ledger = Arc::new(Ledger::default());
        let mut registry = Registry::new();
        registry.register(Arc::new(NumbersConnector));
        registry.register(Arc::new(LedgerConnector { ledger: ledger.clone() }));
        let options =
            LocalOptions { lanes: 2, registry, operator_factory: Arc::new(counting::factory()), env, config, storage };
        Self { cluster: LocalCluster::start(options).unwrap(), ledger, directory }
    }

    /// What the sink commits to.
    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// A directory below the bench's own.
    pub(super) fn directory(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    pub(super) fn try_submit(&self, graph: &JobGraph, options: &[(&str, &str)]) -> Result<JobHandle> {
        let mut graph = graph.clone();
        graph.config.set("execution.checkpointing.interval", "10 ms");
        graph.config.set("execution.checkpointing.dir", self.directory(CHECKPOINT_DIR));
        graph.config.set("restart-strategy.exponential-delay.initial-backoff", "1 ms");
        options.iter().for_each(|(key, value)| graph.config.set(*key, *value));
        self.cluster.submit(&graph)
    }

    pub(super) fn submit(&self, graph: &JobGraph, options: &[(&str, &str)]) -> JobHandle {
        self.try_submit(graph, options).unwrap()
    }

    pub(super) fn run(&self, graph: &JobGraph, options: &[(&str, &str)]) -> JobResult {
        self.submit(graph, options).wait()
    }

    /// All committed rows.
    pub(super) fn rows(&self) -> Vec<(i64, i64)> {
        self.ledger.rows()
    }

    pub(super) fn wait_for_rows(&self, rows: usize) {
        wait_until(|| self.rows().len() >= rows);
    }

    /// No count of a key is committed twice, and none is missing but the rows that each sink subtask may hold back.
    pub(super) fn assert_held(&self, held_max: usize) {
        let mut by_key: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        self.rows().into_iter().for_each(|(count, key)| by_key.entry(key).or_default().push(count));
        let mut missing = 0;
        for (key, counts) in by_key {
            assert!(counts.windows(2).all(|pair| pair[0] < pair[1]), "key {key} counts twice");
            missing += counts.last().map_or(0, |last| *last as usize) - counts.len();
        }
        assert!(missing <= held_max, "{missing} rows are missing");
    }

    /// The committed counts of every key are 1, 2, 3 .. without gap or repetition.
    pub(super) fn assert_exact(&self) {
        self.assert_held(0);
    }

    /// As [`Bench::assert_exact`], of this many rows.
    pub(super) fn assert_counted(&self, rows: usize) {
        assert_eq!(self.rows().len(), rows);
        self.assert_exact();
    }

    /// Files below the checkpoint directory.
    pub(super) fn files(&self) -> Vec<String> {
        let storage = headwater_storage::LocalStorage::new(self.directory(CHECKPOINT_DIR));
        let files = headwater_env::Storage::list(&storage, "").unwrap();
        files.into_iter().map(|file| file.path).collect()
    }

    /// Moves a savepoint somewhere else.
    pub(super) fn move_savepoint(&self, path: &str) -> String {
        let target = self.directory("moved");
        std::fs::create_dir_all(&target).unwrap();
        let target = Path::new(&target).join(Path::new(path).file_name().unwrap());
        std::fs::rename(path, &target).unwrap();
        target.to_str().unwrap().to_owned()
    }
}

/// numbers -> `uid`, by key -> ledger.
pub(super) fn pipeline(rows: &str, uid: &str, parallelism: u32) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let numbers = source(&[("rows", rows), ("splits", "6"), ("batch", "16"), ("keys", "97")]);
    let numbers = graph.vertex(parallelism, vec![numbers]);
    let count = graph.vertex(parallelism, vec![operator(uid)]);
    let sink = graph.vertex(parallelism, vec![sink_of("ledger", &[])]);
    graph.edge(numbers, count, Partitioning::Hash(vec![1]));
    graph.edge(count, sink, Partitioning::Rebalance);
    graph.build()
}

/// Waits for something that another thread does, without looking at a clock.
pub(super) fn wait_until(mut done: impl FnMut() -> bool) {
    while !done() {
        std::thread::yield_now();
    }
}
