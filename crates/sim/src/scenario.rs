//! What a seed means: the job, its settings, and the faults.

use crate::jobs::{Fold, JOBS};
use crate::network::NetworkFaults;
use crate::storage::ROOT;
use headwater_plan::{JobGraph, OperatorSpec};
use rand::Rng;
use rand::rngs::StdRng;

/// A fault, or something that an operator of the job does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The TaskManager dies; another one comes.
    TaskManagerDies,
    /// It dies in the midst of a call to storage.
    TaskManagerDiesCalling(u32),
    /// The whole process dies; the job is submitted again from its newest checkpoint.
    JobManagerDies,
    /// It dies in the midst of a call to storage.
    JobManagerDiesCalling(u32),
    /// A call of a reader, of a writer, to make an operator, to commit fails.
    Read(u32),
    Write(u32),
    Build(u32),
    Commit(u32),
    /// No call to storage works for so many milliseconds.
    StorageDown(i64),
    /// Sinks take nothing for so many milliseconds.
    SinkClosed(i64),
    /// Somebody asks for a checkpoint.
    Checkpoint,
    /// Somebody takes a savepoint.
    Savepoint,
    /// The job is stopped with a savepoint and started from it again.
    Stop,
}

/// Everything a seed decides beforehand.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) job: usize,
    /// Parallelism of each submission; the last one stays.
    pub(crate) parallelism: Vec<u32>,
    pub(crate) config: Vec<(&'static str, String)>,
    batch: u32,
    pause_ms: u32,
    every: u32,
    staged: bool,
    keeps: bool,
    /// What happens, and how many steps after what happened before.
    pub(crate) faults: Vec<(u64, Fault)>,
    pub(crate) network: NetworkFaults,
    /// Of 1000 calls to storage, how many fail.
    pub(crate) storage_failing: u32,
    /// Whether some blocking work takes long.
    pub(crate) slow: bool,
}

/// Most faults of a run, apart from failing calls and messages.
const FAULTS_MAX: usize = 6;

impl Scenario {
    /// What a seed means.
    pub(crate) fn random(random: &mut StdRng) -> Self {
        let job = random.random_range(0..JOBS.len());
        let upsert = matches!(JOBS[job].fold, Fold::Upsert(_));
        let quiet = random.random_range(0..4) == 0;
        let percent = |random: &mut StdRng, choices: &[u32]| if quiet { 0 } else { choose(random, choices) };
        Self {
            job,
            parallelism: (0..FAULTS_MAX + 1).map(|_| random.random_range(1..=3)).collect(),
            config: config(random),
            batch: random.random_range(1..=12),
            pause_ms: choose(random, &[0, 1, 5, 20]),
            every: choose(random, &[1, 1, 2, 4]),
            staged: random.random(),
            keeps: !upsert && random.random(),
            faults: (0..random.random_range(0..=FAULTS_MAX)).map(|_| (steps(random), fault(random))).collect(),
            network: NetworkFaults {
                lost: percent(random, &[0, 0, 20, 100]),
                doubled: percent(random, &[0, 20, 100]),
                delay_ms: choose(random, &[0, 2, 20, 100]),
            },
            storage_failing: percent(random, &[0, 0, 5, 30]),
            slow: !quiet && random.random(),
        }
    }

    /// The same job without faults.
    pub(crate) fn without_faults(job: usize) -> Self {
        Self {
            job,
            parallelism: vec![1],
            config: base_config()
                .into_iter()
                .chain([("execution.checkpointing.interval", "100 ms".to_owned())])
                .collect(),
            batch: 16,
            pause_ms: 0,
            every: 1,
            staged: false,
            keeps: false,
            faults: vec![],
            network: NetworkFaults { lost: 0, doubled: 0, delay_ms: 0 },
            storage_failing: 0,
            slow: false,
        }
    }

    /// Whether barriers may overtake rows: by default, unless several checkpoints may be under way at once.
    pub(crate) fn is_unaligned(&self) -> bool {
        self.config.iter().all(|(key, _)| *key != "execution.checkpointing.max-concurrent-checkpoints")
    }

    /// A plan with the scenario's settings.
    pub(crate) fn apply(&self, graph: &JobGraph) -> JobGraph {
        let mut graph = graph.clone();
        self.config.iter().for_each(|(key, value)| graph.config.set(*key, value));
        let options = |table: &mut headwater_plan::TableSpec, options: &[(&str, String)]| {
            options.iter().for_each(|(name, value)| drop(table.options.insert((*name).to_owned(), value.clone())));
        };
        for node in graph.vertices.iter_mut().flat_map(|vertex| &mut vertex.chain) {
            match &mut node.spec {
                OperatorSpec::Source(source) => {
                    let (batch, pause) = (self.batch.to_string(), self.pause_ms.to_string());
                    options(&mut source.table, &[("batch", batch), ("pause-ms", pause)]);
                }
                OperatorSpec::Sink(sink) => {
                    let every = self.every.to_string();
                    let (staged, keeps) = (self.staged.to_string(), self.keeps.to_string());
                    options(&mut sink.table, &[("every", every), ("staged", staged), ("keeps", keeps)]);
                }
                _ => {}
            }
        }
        graph
    }
}

fn choose<T: Copy>(random: &mut StdRng, choices: &[T]) -> T {
    choices[random.random_range(0..choices.len())]
}

/// Steps until the next fault: often few, sometimes many.
fn steps(random: &mut StdRng) -> u64 {
    let longest = choose(random, &[20, 200, 1_000, 2_500]);
    random.random_range(1..=longest)
}

fn fault(random: &mut StdRng) -> Fault {
    let calls_max = choose(random, &[2, 12, 60]);
    let calls = random.random_range(0..calls_max);
    let ms = i64::from(choose(random, &[30u32, 300, 1_200]));
    match random.random_range(0..16) {
        0 | 1 => Fault::TaskManagerDies,
        2 => Fault::TaskManagerDiesCalling(calls),
        3 | 4 => Fault::JobManagerDies,
        5 | 6 => Fault::JobManagerDiesCalling(calls),
        7 => Fault::Read(calls),
        8 => Fault::Write(calls),
        9 => Fault::Build(calls % 8),
        10 => Fault::Commit(calls % 6),
        11 => Fault::StorageDown(ms),
        12 => Fault::SinkClosed(ms),
        13 => Fault::Checkpoint,
        14 => Fault::Savepoint,
        _ => Fault::Stop,
    }
}

fn base_config() -> Vec<(&'static str, String)> {
    vec![
        ("execution.checkpointing.dir", format!("{ROOT}/checkpoints")),
        ("execution.checkpointing.savepoint-dir", format!("{ROOT}/savepoints")),
        ("restart-strategy.type", "fixed-delay".to_owned()),
        ("restart-strategy.fixed-delay.attempts", "1000000".to_owned()),
        ("restart-strategy.fixed-delay.delay", "20 ms".to_owned()),
    ]
}

fn config(random: &mut StdRng) -> Vec<(&'static str, String)> {
    let mut config = base_config();
    let ms = |ms: i64| format!("{ms} ms");
    config.push(("execution.checkpointing.interval", ms(choose(random, &[10, 30, 100, 300]))));
    config.push(("execution.checkpointing.timeout", ms(choose(random, &[400, 1_500]))));
    config.push(("execution.checkpointing.min-pause", ms(choose(random, &[0, 0, 20]))));
    config.push(("execution.checkpointing.num-retained", random.random_range(1..=3).to_string()));
    config
        .push(("execution.checkpointing.data-inline-threshold", choose(random, &["0 b", "64 b", "20 kb"]).to_owned()));
    config.push(("headwater.exchange.channel-size", choose(random, &["200 b", "1 kb", "4 kb", "1 mb"]).to_owned()));
    config.push(("execution.buffer-timeout.interval", ms(choose(random, &[0, 5, 100]))));
    match random.random_range(0..4) {
        0 => config.push(("execution.checkpointing.max-concurrent-checkpoints", "3".to_owned())),
        1 => config.push(("execution.checkpointing.unaligned.enabled", "true".to_owned())),
        2 => {
            config.push(("execution.checkpointing.unaligned.enabled", "true".to_owned()));
            config.push(("execution.checkpointing.aligned-checkpoint-timeout", ms(choose(random, &[5, 50]))));
        }
        _ => {}
    }
    if random.random_range(0..3) == 0 {
        config.push(("execution.checkpointing.tolerable-failed-checkpoints", random.random_range(0..3).to_string()));
    }
    if random.random() {
        config.push(("execution.state-recovery.claim-mode", "CLAIM".to_owned()));
    }
    let has = |name: &str, value: &str| config.iter().any(|(key, set)| key.ends_with(name) && set == value);
    if has("max-concurrent-checkpoints", "3") && has("tolerable-failed-checkpoints", "0") {
        // A barrier that must wait behind rows for longer than this would fail the job for ever, as it was told to.
        config.retain(|(key, _)| *key != "execution.checkpointing.timeout");
        config.push(("execution.checkpointing.timeout", ms(1_500)));
    }
    config
}
