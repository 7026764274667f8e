//! Random jobs, random checkpoints, random crashes: the committed output is that of the failure-free run.

use super::cluster::Cluster;
use super::counting::BURST;
use crate::options::RuntimeOptions;
use crate::testing::{GraphBuilder, operator, sink_of, source, two_inputs};
use headwater_exchange::{Alignment, BarrierKind, OutputOptions};
use headwater_plan::{JobGraph, Partitioning};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;

const KEYS: i64 = 7;

#[derive(Debug, Clone)]
struct Shape {
    seed: u64,
    rows: [i64; 2],
    batch: i64,
    /// How the counters' rows reach the next vertex, and how those reach the sink's.
    partitioning: [Partitioning; 2],
    every: u64,
    options: [usize; 3],
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Run(usize),
    Trigger(Alignment),
    /// Another one, although the one before has not ended.
    TriggerAnew(Alignment),
    /// Another one beside those that are under way, or a savepoint.
    TriggerAlso(Alignment, bool),
    Abort,
    /// Whether subtasks hear of completed and aborted checkpoints.
    Deafen(bool),
    Crash {
        parallelism: [u32; 3],
    },
}

fn partitioning() -> impl Strategy<Value = Partitioning> {
    prop_oneof![
        Just(Partitioning::Hash(vec![1])),
        Just(Partitioning::Rebalance),
        Just(Partitioning::Global),
        Just(Partitioning::Forward),
    ]
}

fn shapes() -> impl Strategy<Value = Shape> {
    let options = [1usize..4000, 1usize..60, 0usize..50].prop_map(|options| options);
    let partitioning = [partitioning(), partitioning()].prop_map(|both| both);
    (any::<u64>(), [0i64..300, 0i64..300], 1i64..40, partitioning, 1u64..4, options).prop_map(
        |(seed, rows, batch, partitioning, every, options)| Shape { seed, rows, batch, partitioning, every, options },
    )
}

fn alignments() -> impl Strategy<Value = Alignment> + Clone {
    prop_oneof![Just(Alignment::Aligned), Just(Alignment::Unaligned), (0u64..30).prop_map(Alignment::Timeout),]
}

fn parallelisms() -> impl Strategy<Value = [u32; 3]> {
    [1u32..4, 1u32..4, 1u32..4].prop_map(|parallelism| parallelism)
}

fn events(alignments: impl Strategy<Value = Alignment> + Clone) -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        5 => (1usize..60).prop_map(Event::Run),
        5 => alignments.clone().prop_map(Event::Trigger),
        1 => alignments.clone().prop_map(Event::TriggerAnew),
        2 => (alignments, any::<bool>()).prop_map(|(alignment, savepoint)| Event::TriggerAlso(alignment, savepoint)),
        1 => Just(Event::Abort),
        1 => any::<bool>().prop_map(Event::Deafen),
        2 => parallelisms().prop_map(|parallelism| Event::Crash { parallelism }),
    ];
    vec(event, 1..40)
}

/// Two sources of counted keys, a vertex of bundles, a vertex with the sink.
fn graph(shape: &Shape, [sources, counters, tails]: [u32; 3]) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let (batch, keys, every) = (shape.batch.to_string(), KEYS.to_string(), shape.every.to_string());
    let heads = [0, 1].map(|side| {
        let rows = shape.rows[side].to_string();
        let options = [("rows", rows.as_str()), ("splits", "5"), ("batch", batch.as_str()), ("keys", keys.as_str())];
        graph.vertex(sources, vec![source(&options), operator("pass")])
    });
    let count = graph.vertex(counters, vec![two_inputs("count")]);
    (0..2u8).for_each(|side| graph.edge_into(heads[usize::from(side)], count, side, Partitioning::Hash(vec![1])));
    let parallelism_of = |partitioning: &Partitioning, from: u32| match partitioning {
        Partitioning::Forward => from,
        _ => tails,
    };
    let [first, second] = &shape.partitioning;
    let pass_parallelism = parallelism_of(first, counters);
    let pass = graph.vertex(pass_parallelism, vec![operator("pass")]);
    graph.edge(count, pass, first.clone());
    let sink_parallelism = parallelism_of(second, pass_parallelism);
    let ledger = |account| sink_of("ledger", &[("every", every.as_str()), ("account", account)]);
    let tail = graph.vertex(sink_parallelism, vec![operator("pass"), ledger("0")]);
    graph.edge(pass, tail, second.clone());
    let burst = graph.vertex(1, vec![operator("burst"), ledger("1")]);
    graph.edge(pass, burst, Partitioning::Global);
    graph.build()
}

fn cluster(shape: &Shape) -> Cluster {
    let [channel_bytes, batch_rows, timeout] = shape.options;
    let output = OutputOptions { batch_rows, batch_bytes: 1 << 20, buffer_timeout_ms: timeout as i64 };
    let options = RuntimeOptions { channel_bytes, output, ..RuntimeOptions::default() };
    Cluster::new(shape.seed, graph(shape, [2, 2, 2]), options)
}

fn play(cluster: &mut Cluster, shape: &Shape, events: &[Event]) {
    for (at, event) in events.iter().enumerate() {
        match *event {
            _ if cluster.is_over() => return,
            Event::Run(turns) => (0..turns).for_each(|_| _ = cluster.step()),
            Event::Trigger(alignment) if !cluster.is_pending() => cluster.trigger(alignment, BarrierKind::Checkpoint),
            Event::Trigger(_) => {}
            Event::TriggerAnew(alignment) => cluster.trigger(alignment, BarrierKind::Checkpoint),
            Event::TriggerAlso(_, true) => cluster.trigger_also(Alignment::Aligned, BarrierKind::Savepoint),
            Event::TriggerAlso(alignment, false) => cluster.trigger_also(alignment, BarrierKind::Checkpoint),
            Event::Deafen(deaf) => cluster.deaf = deaf,
            Event::Abort => cluster.abort(),
            Event::Crash { parallelism } => {
                cluster.crash(shape.seed.wrapping_add(at as u64), graph(shape, parallelism));
            }
        }
    }
}

/// How often each row must be committed: once for the sink's vertex, once for the bundles'.
fn expected(shape: &Shape) -> BTreeMap<(i64, i64), usize> {
    let mut rows = BTreeMap::new();
    for k in 0..KEYS {
        let count: i64 = shape.rows.iter().map(|rows| (0..*rows).filter(|n| n % KEYS == k).count() as i64).sum();
        rows.extend((1..=count).map(|n| ((n, k), 2)));
    }
    rows.extend((0..BURST).map(|n| ((n, -1), 1)));
    rows
}

fn committed(cluster: &Cluster) -> BTreeMap<(i64, i64), usize> {
    let mut rows = BTreeMap::new();
    for row in cluster.ledger.rows() {
        *rows.entry(row).or_insert(0) += 1;
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn crashes_and_restores_at_any_parallelism_lose_and_double_nothing(
        shape in shapes(),
        events in events(alignments()),
    ) {
        let mut cluster = cluster(&shape);
        play(&mut cluster, &shape, &events);
        cluster.run_to_end();
        prop_assert_eq!(committed(&cluster), expected(&shape));
    }

    /// At least once: every key is counted at least to its number of rows.
    #[test]
    fn at_least_once_loses_nothing(shape in shapes(), events in events(Just(Alignment::AtLeastOnce))) {
        let mut cluster = cluster(&shape);
        play(&mut cluster, &shape, &events);
        cluster.run_to_end();
        let highest = |rows: BTreeMap<(i64, i64), usize>| {
            let mut highest = BTreeMap::new();
            for (n, k) in rows.into_keys() {
                let of_key = highest.entry(k).or_insert(n);
                *of_key = n.max(*of_key);
            }
            highest
        };
        let counted = highest(committed(&cluster));
        for (k, n) in highest(expected(&shape)) {
            prop_assert!(counted.get(&k).is_some_and(|counted| *counted >= n), "key {}: {:?} of {}", k, counted.get(&k), n);
        }
    }
}
