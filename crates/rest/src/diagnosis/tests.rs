//! A job of two sources, a join in windows and a sink, in states that each rule has to see, or not to see.

use super::*;
use crate::cluster::{Attempt, CheckpointStatistics, CheckpointStatus, Failure, JobState, JobSummary, TaskState};
use headwater_plan::operators::{CalcSpec, RankFunction, TemporalSortSpec, WindowRankSpec};
use headwater_plan::{
    Edge, Expr, JobGraph, OperatorNode, OperatorSpec, Partitioning, SinkSpec, SourceSpec, TableSpec, Value,
};
use headwater_types::config::Configuration;
use headwater_types::ids::JobId;

use headwater_types::{Error, LogicalType, MAX_WATERMARK, MIN_WATERMARK, TypeRoot};
use std::collections::VecDeque;
use std::sync::Arc;

const NOW_MS: i64 = 1_700_000_000_000;
const ORDERS: u32 = 0;
const FILTER: u32 = 1;
const SORT: u32 = 2;
const SINK: u32 = 3;

/// A job: two subtasks of `orders`, a filter, a sort by event time, a sink of files.
struct Scene {
    details: JobDetails,
    waits_for: Option<String>,
    operators: Vec<OperatorSnapshot>,
    rates: BTreeMap<SubtaskId, Rate>,
    checkpoints: Statistics,
}

fn table(name: &str, connector: &str) -> TableSpec {
    let path = ["cat", "db", name].map(str::to_owned);
    let options = BTreeMap::from([("connector".to_owned(), connector.to_owned())]);
    TableSpec { path, columns: vec![], partition_keys: vec![], primary_key: vec![], options }
}

fn vertex(id: u32, name: &str, parallelism: u32, spec: OperatorSpec) -> Vertex {
    let node = OperatorNode {
        uid: name.to_owned(),
        name: name.to_owned(),
        spec,
        inputs: vec![],
        output: vec![],
        emits_changes: false,
    };
    Vertex { id: VertexId(id), name: name.to_owned(), parallelism, chain: vec![node] }
}

fn graph() -> JobGraph {
    let source = SourceSpec { table: table("orders", "kafka"), produced: vec![], limit: None };
    let sink =
        SinkSpec { table: table("totals", "filesystem"), metadata: vec![], overwrite: false, target_columns: vec![] };
    let condition = Some(Expr::Literal { value: Value::Null, ty: LogicalType::new(TypeRoot::Boolean, true) });
    let calc = CalcSpec { condition, projection: vec![] };
    let sort = TemporalSortSpec { rowtime: 0, order: vec![] };
    let edge = |source: u32, target: u32, partitioning| Edge {
        source: VertexId(source),
        target: VertexId(target),
        target_input: 0,
        partitioning,
    };
    JobGraph {
        name: "job".to_owned(),
        max_parallelism: 128,
        vertices: vec![
            vertex(ORDERS, "Source orders", 2, OperatorSpec::Source(source)),
            vertex(FILTER, "Calc", 2, OperatorSpec::Calc(calc)),
            vertex(SORT, "TemporalSort", 1, OperatorSpec::TemporalSort(sort)),
            vertex(SINK, "Sink totals", 1, OperatorSpec::Sink(sink)),
        ],
        edges: vec![
            edge(ORDERS, FILTER, Partitioning::Forward),
            edge(FILTER, SORT, Partitioning::Global),
            edge(SORT, SINK, Partitioning::Forward),
        ],
        config: config(&[("execution.checkpointing.interval", "1 s")]),
    }
}

fn config(pairs: &[(&str, &str)]) -> Configuration {
    let mut config = Configuration::new();
    pairs.iter().for_each(|(key, value)| config.set(*key, *value));
    config
}

fn subtask(vertex: u32, index: u32) -> SubtaskId {
    SubtaskId { vertex: VertexId(vertex), index }
}

fn counters(subtask: SubtaskId, rows_in: u64, rows_out: u64) -> OperatorSnapshot {
    OperatorSnapshot {
        subtask,
        position: 0,
        uid: String::new(),
        name: String::new(),
        rows_in,
        rows_out,
        late_rows_dropped: 0,
        bad_records: 0,
        bytes: 0,
        watermark: NOW_MS,
        task: None,
    }
}

fn completed(checkpoint: u64, status: CheckpointStatus) -> CheckpointStatistics {
    CheckpointStatistics {
        checkpoint,
        status,
        savepoint: false,
        triggered_ms: NOW_MS - 1000,
        latest_ack_ms: None,
        duration_ms: 10,
        checkpointed_bytes: 0,
        state_bytes: 0,
        alignment_ms_max: 0,
        sync_us_max: 0,
        overtaken_bytes: 0,
        subtasks: 6,
        acknowledged: 6,
        failure: None,
        path: None,
    }
}

const SUBTASKS: [(u32, u32); 6] = [(ORDERS, 0), (ORDERS, 1), (FILTER, 0), (FILTER, 1), (SORT, 0), (SINK, 0)];

impl Scene {
    /// Everything is well.
    fn healthy() -> Self {
        let all = SUBTASKS.map(|(vertex, index)| subtask(vertex, index));
        let running = Attempt { number: 0, states: vec![(TaskState::Running, NOW_MS - 60_000)] };
        let summary = JobSummary {
            job: JobId(7),
            graph: Arc::new(graph()),
            state: JobState::Running,
            started_ms: NOW_MS - 60_000,
            ended_ms: None,
            changed_ms: NOW_MS - 60_000,
            tasks: vec![TaskState::Running; all.len()],
        };
        let details = JobDetails {
            summary,
            states: VecDeque::new(),
            subtasks: all.iter().map(|subtask| (*subtask, VecDeque::from([running.clone()]))).collect(),
            failures: VecDeque::new(),
            failures_truncated: false,
            root_cause: None,
            parts: BTreeMap::new(),
            places: BTreeMap::new(),
        };
        let mut checkpoints = Statistics::default();
        checkpoints.counts.completed = 5;
        checkpoints.latest_completed = Some(completed(5, CheckpointStatus::Completed));
        let rate = Rate { busy_ms: 100.0, idle_ms: 900.0, backpressured_ms: 0.0, rows_in: 50.0, rows_out: 50.0 };
        Self {
            details,
            waits_for: None,
            operators: all.iter().map(|subtask| counters(*subtask, 100, 100)).collect(),
            rates: all.iter().map(|subtask| (*subtask, rate)).collect(),
            checkpoints,
        }
    }

    fn operator(&mut self, vertex: u32, index: u32) -> &mut OperatorSnapshot {
        let wanted = subtask(vertex, index);
        self.operators.iter_mut().find(|operator| operator.subtask == wanted).expect("it is one of the scene")
    }

    fn rate(&mut self, vertex: u32, index: u32) -> &mut Rate {
        self.rates.get_mut(&subtask(vertex, index)).expect("it is one of the scene")
    }

    fn diagnose(&self) -> Diagnosis {
        diagnose(&Facts {
            now_ms: NOW_MS,
            details: &self.details,
            waits_for: self.waits_for.as_deref(),
            slots: (4, 1),
            operators: &self.operators,
            rates: &self.rates,
            checkpoints: &self.checkpoints,
        })
    }
}

/// What changes a scene, the finding it has to lead to, what that says, and whom it names.
type Case = (&'static str, fn(&mut Scene), &'static str, &'static str, Option<u32>);

const CASES: [Case; 22] = [
    (
        "failed",
        |s| {
            s.details.summary.state = JobState::Failed;
            s.details.root_cause = Some(Error::user("x", "the disk is full"));
        },
        "job-failed",
        "the disk is full",
        None,
    ),
    ("cancelled", |s| s.details.summary.state = JobState::Canceled, "job-ended", "cancelled", None),
    ("finished", |s| s.details.summary.state = JobState::Finished, "job-ended", "has finished", None),
    (
        "no slots",
        |s| s.waits_for = Some("2 more slots".to_owned()),
        "missing-slots",
        "waits: 2 more slots. The cluster has 4 slots, 1 of them free",
        None,
    ),
    (
        "restarting",
        |s| {
            s.details.summary.state = JobState::Restarting;
            let error = Error::retryable("x", "the broker is gone");
            s.details.failures.push_front(Failure {
                at_ms: NOW_MS - 5000,
                error,
                subtask: Some(subtask(ORDERS, 1)),
                place: None,
            });
        },
        "restarting",
        "5 s ago because of subtask 2 of 2 of 'Source orders': the broker is gone",
        Some(1),
    ),
    (
        "slow start",
        |s| {
            let deploying = Attempt { number: 0, states: vec![(TaskState::Deploying, NOW_MS - 11_000)] };
            s.details.subtasks.insert(subtask(SORT, 0), VecDeque::from([deploying]));
        },
        "slow-start",
        "1 subtasks are being started for more than 10 s, 'TemporalSort' among them",
        Some(0),
    ),
    (
        "blocked by its work",
        |s| {
            s.rate(ORDERS, 0).backpressured_ms = 900.0;
            s.rate(FILTER, 0).backpressured_ms = 800.0;
            s.rate(SORT, 0).busy_ms = 990.0;
        },
        "back-pressure",
        "'TemporalSort' holds up those before it: it is busy 99 % of the time, and they wait for it: 'Source orders' (90 %) -> 'Calc' (80 %)",
        Some(0),
    ),
    (
        "blocked by another system",
        |s| {
            s.rate(SORT, 0).backpressured_ms = 900.0;
            s.rate(SINK, 0).busy_ms = 20.0;
        },
        "back-pressure",
        "'Sink totals' holds up those before it",
        Some(0),
    ),
    (
        "watermark held back by a subtask",
        |s| {
            s.operator(ORDERS, 1).watermark = NOW_MS - 120_000;
            s.operator(FILTER, 1).watermark = NOW_MS - 120_000;
            s.operator(SORT, 0).watermark = NOW_MS - 120_000;
        },
        "watermark-held-back",
        "at 2023-11-14 22:11:20 and held back by subtask 2 of 2 of 'Source orders': other inputs are 120 s ahead",
        Some(1),
    ),
    (
        "no rows, no watermark",
        |s| {
            s.operator(ORDERS, 0).rows_out = 0;
            for vertex in [(ORDERS, 0), (FILTER, 0), (SORT, 0)] {
                s.operator(vertex.0, vertex.1).watermark = MIN_WATERMARK;
            }
        },
        "no-watermark",
        "subtask 1 of 2 of 'Source orders' has sent no rows yet",
        Some(0),
    ),
    (
        "no declared watermark",
        |s| {
            for (vertex, index) in SUBTASKS {
                s.operator(vertex, index).watermark = MIN_WATERMARK;
            }
        },
        "no-watermark",
        "has sent 100 rows, but declares none",
        Some(0),
    ),
    (
        "an empty source",
        |s| {
            s.operator(ORDERS, 0).rows_out = 0;
            s.operator(ORDERS, 1).rows_out = 0;
        },
        "source-empty",
        "'Source orders' has read no rows of 'cat.db.orders' (kafka)",
        None,
    ),
    (
        "an idle source",
        |s| {
            s.rate(ORDERS, 0).rows_out = 0.0;
            s.rate(ORDERS, 1).rows_out = 0.0;
        },
        "source-idle",
        "it has read 200 rows",
        None,
    ),
    (
        "a filter lets nothing through",
        |s| {
            for (vertex, index) in [(FILTER, 0), (FILTER, 1), (SORT, 0), (SINK, 0)] {
                s.operator(vertex, index).rows_out = 0;
            }
            s.operator(SORT, 0).rows_in = 0;
            s.operator(SINK, 0).rows_in = 0;
        },
        "nothing-through",
        "'Calc' has received 200 rows and sent none: its condition was true for none",
        None,
    ),
    (
        "an operator waits with all rows",
        |s| {
            s.operator(SORT, 0).rows_out = 0;
            s.operator(SINK, 0).rows_in = 0;
        },
        "nothing-through",
        "'TemporalSort' has received 100 rows and sent none: it waits with all of them",
        None,
    ),
    (
        "late rows",
        |s| s.operator(SORT, 0).late_rows_dropped = 50,
        "late-rows",
        "'TemporalSort' has dropped 50 rows as late, 50.0 % of all",
        None,
    ),
    (
        "bad records",
        |s| s.operator(ORDERS, 0).bad_records = 1,
        "bad-records",
        "has dropped 1 rows as unreadable, 0.5 % of all",
        None,
    ),
    (
        "failing checkpoints",
        |s| {
            let mut failed = completed(9, CheckpointStatus::Failed);
            failed.failure = Some("the bucket is missing".to_owned());
            s.checkpoints.counts.failed = 4;
            s.checkpoints.latest_failed = Some(failed);
        },
        "checkpoints-failing",
        "4 failed, 5 completed, the latest (9) because: the bucket is missing",
        None,
    ),
    (
        "a slow checkpoint",
        |s| {
            let mut slow = completed(9, CheckpointStatus::InProgress);
            (slow.triggered_ms, slow.acknowledged) = (NOW_MS - 90_000, 0);
            s.checkpoints.history.push_front(slow);
        },
        "checkpoint-slow",
        "Checkpoint 9 is under way for 90 s: 6 of 6 subtasks have not reported, subtask 1 of 2 of 'Source orders' among them",
        Some(0),
    ),
    (
        "checkpoints are off",
        |s| {
            let mut without = graph();
            without.config = Configuration::new();
            s.details.summary.graph = Arc::new(without);
        },
        "output-not-committed",
        "'cat.db.totals' appears with completed checkpoints, and there are none: they are off",
        None,
    ),
    (
        "none has completed yet",
        |s| s.checkpoints = Statistics::default(),
        "output-not-committed",
        "none has completed yet",
        None,
    ),
    (
        "a failure long ago says nothing, but one today does",
        |s| {
            let error = Error::retryable("x", "it went away");
            s.details.failures.push_front(Failure { at_ms: NOW_MS - 60_000, error, subtask: None, place: None });
        },
        "restarting",
        "The job has restarted: 1 failures in the last ten minutes",
        None,
    ),
];

/// A broker that refuses connections: the failure that is known is told before the rows that do not come.
#[test]
fn a_known_failure_is_told_before_what_follows_from_it() {
    let failure = |age_ms: i64| {
        let error = Error::retryable("x", "Connection refused");
        Failure { at_ms: NOW_MS - age_ms, error, subtask: Some(subtask(ORDERS, 0)), place: None }
    };
    let mut scene = Scene::healthy();
    scene.details.failures.push_front(failure(20_000));
    scene.checkpoints = Statistics::default();
    for operator in scene.operators.iter_mut() {
        (operator.rows_in, operator.rows_out) = (0, 0);
    }
    let first = |scene: &Scene| {
        let diagnosis = scene.diagnose();
        (diagnosis.findings[0].kind, diagnosis.findings[0].severity, diagnosis.summary)
    };
    let (kind, severity, summary) = first(&scene);
    assert_eq!((kind, severity), ("restarting", Severity::Error), "{summary}");
    assert!(summary.contains("again and again") && summary.contains("Connection refused"), "{summary}");
    // Rows have come, so one failure may be over; with a second one it is not.
    let mut scene = Scene::healthy();
    scene.checkpoints = Statistics::default();
    scene.details.failures.push_front(failure(40_000));
    let of_restart = |scene: &Scene| {
        let all = scene.diagnose().findings;
        all.into_iter().find(|finding| finding.kind == "restarting").map(|finding| finding.severity)
    };
    assert_eq!(of_restart(&scene), Some(Severity::Warning));
    scene.details.failures.push_front(failure(10_000));
    assert_eq!(of_restart(&scene), Some(Severity::Error));
}

#[test]
fn windows_of_processing_time_wait_for_no_watermark() {
    let window = |proctime| WindowRankSpec {
        function: RankFunction::RowNumber,
        keys: vec![],
        order: vec![],
        start: 1,
        end: 1,
        with_rank: false,
        window: (0, 1),
        zone: None,
        proctime,
    };
    for (proctime, expected) in [(true, false), (false, true)] {
        let mut scene = Scene::healthy();
        scene.operators.iter_mut().for_each(|operator| operator.watermark = MIN_WATERMARK);
        let mut graph = (*scene.details.summary.graph).clone();
        graph.vertices[SORT as usize].chain[0].spec = OperatorSpec::WindowRank(window(proctime));
        scene.details.summary.graph = Arc::new(graph);
        let kinds: Vec<&str> = scene.diagnose().findings.iter().map(|finding| finding.kind).collect();
        assert_eq!(kinds.contains(&"no-watermark"), expected, "{kinds:?}");
    }
}

#[test]
fn every_rule_sees_what_it_is_for() {
    for (name, change, kind, says, subtask) in CASES {
        let mut scene = Scene::healthy();
        change(&mut scene);
        let diagnosis = scene.diagnose();
        let found = diagnosis.findings.iter().find(|finding| finding.kind == kind);
        let found = found.unwrap_or_else(|| panic!("{name}: no {kind} in {:#?}", diagnosis.findings));
        assert!(found.message.contains(says), "{name}: {}", found.message);
        assert_eq!(found.subtask, subtask, "{name}");
        assert!(!found.advice.is_empty(), "{name}");
        if found.severity < Severity::Info {
            assert_eq!(diagnosis.summary, diagnosis.findings[0].message, "{name}");
        }
    }
}

#[test]
fn nothing_is_found_where_all_is_well() {
    let mut scene = Scene::healthy();
    let error = Error::retryable("x", "long ago");
    scene.details.failures.push_front(Failure { at_ms: NOW_MS - 3_600_000, error, subtask: None, place: None });
    let diagnosis = scene.diagnose();
    assert_eq!(diagnosis.findings, []);
    assert_eq!(diagnosis.summary, "Nothing stands in the way: 200 rows were read and 100 written.");
}

#[test]
fn sources_that_have_ended_hold_nothing_back() {
    let mut scene = Scene::healthy();
    scene.operator(ORDERS, 0).watermark = MAX_WATERMARK;
    assert_eq!(scene.diagnose().findings, []);
}

#[test]
fn skewed_keys_are_told() {
    let mut scene = Scene::healthy();
    scene.rate(ORDERS, 0).backpressured_ms = 900.0;
    scene.rate(FILTER, 0).busy_ms = 990.0;
    scene.rate(FILTER, 1).busy_ms = 0.0;
    let diagnosis = scene.diagnose();
    assert!(diagnosis.findings[0].message.starts_with("'Calc' holds up"), "{diagnosis:#?}");
    assert!(diagnosis.findings[0].advice.contains("One subtask does most"), "{diagnosis:#?}");
}

#[test]
fn findings_come_most_important_first_and_as_documents() {
    let mut scene = Scene::healthy();
    scene.operator(ORDERS, 0).bad_records = 1;
    scene.checkpoints = Statistics::default();
    for age_ms in [20_000, 10_000] {
        let error = Error::retryable("x", "Connection refused");
        scene.details.failures.push_front(Failure { at_ms: NOW_MS - age_ms, error, subtask: None, place: None });
    }
    let document = serde_json::to_value(scene.diagnose()).expect("documents can be encoded");
    assert_eq!(document["findings"][0]["kind"], "restarting");
    assert_eq!(document["findings"][0]["severity"], "error");
    assert_eq!(document["findings"][1]["vertex-id"].as_str().map(str::len), Some(32), "{document:#}");
}
