//! Jobs whose query changes between a savepoint and the restore: what is predicted of their state is what happens.
//!
//! A job over a bounded sequence is stopped with a savepoint in the middle. Each case is the same job with another
//! query: the verdict of the comparison, whether the restore goes ahead, and what the sink ends with. Kept aggregates
//! end with the value of the whole input, those that started empty with that of the rest.

#[path = "../common/mod.rs"]
mod common;

use headwater_checkpoint::compatibility::{Report, compare};
use headwater_connectors::values::Store;
use headwater_embedded::{Engine, JobHandle, wanted_operators};
use headwater_env::Env;
use headwater_jobmanager::locate::locate;
use headwater_plan::{JobGraph, Value};
use headwater_sql::planner::PlannedJob;
use headwater_storage::Provider;
use headwater_types::RowKind;
use headwater_types::config::Configuration;
use std::path::Path;

/// Rows of the input.
const ROWS: i64 = 600;
/// Rows that the sink has when the job is stopped.
const ROWS_BEFORE: usize = 40;
const QUERY: &str = "SELECT k, COUNT(*), SUM(id), MAX(id), COUNT(DISTINCT MOD(id, 10)) FROM orders GROUP BY k";
const JOIN: &str = "SELECT o.k, COUNT(*), SUM(id), MAX(id), CAST(NULL AS BIGINT) \
                    FROM orders o JOIN (VALUES (7, 'x')) AS t(k, name) ON o.k = t.k GROUP BY o.k";

/// What the sink ends with: a number of the whole input, of the rest behind the savepoint, or nothing.
#[derive(Clone, Copy)]
enum Ends {
    Whole,
    Rest,
    Null,
}

use Ends::{Null, Rest, Whole};

/// A changed query.
struct Case {
    what: &'static str,
    id: &'static str,
    query: String,
    /// The verdict on the aggregation: how it begins.
    verdict: &'static str,
    /// The code of the refusal, or count, sum and maximum at the end.
    outcome: Result<[Ends; 3], &'static str>,
    ignore: bool,
}

fn case(what: &'static str, query: &str, verdict: &'static str, outcome: Result<[Ends; 3], &'static str>) -> Case {
    Case { what, id: "INT", query: query.to_owned(), verdict, outcome, ignore: false }
}

fn cases() -> Vec<Case> {
    let kept = Ok([Whole; 3]);
    let fewer = "SELECT k, COUNT(*), SUM(id), CAST(NULL AS INT), CAST(NULL AS BIGINT) FROM orders GROUP BY k";
    let more = QUERY.replace("FROM", "- COUNT(DISTINCT CAST(id AS STRING)) * 0 + 0 * MIN(id) FROM");
    let by_id = QUERY.replace("SELECT k", "SELECT k + id * 0").replace("GROUP BY k", "GROUP BY k + id * 0");
    let other_order = "SELECT k, c, s, m, d FROM (SELECT MAX(id) AS m, COUNT(DISTINCT MOD(id, 10)) AS d, k, SUM(id) AS s, \
                       COUNT(*) AS c FROM orders GROUP BY k)";
    let no_sum = QUERY.replace("SUM(id)", "CAST(NULL AS BIGINT)");
    let renamed = format!("SELECT n, a, b, c, d FROM ({QUERY}) AS t(n, a, b, c, d)");
    vec![
        case("the same query", QUERY, "kept", kept),
        Case { id: "BIGINT", ..case("a wider type", QUERY, "migrated: column 'MAX(id)' held MAX of INT", kept) },
        Case {
            id: "SMALLINT",
            ..case(
                "a narrower type",
                QUERY,
                "rebuilt: its table 'accumulators' does not fit",
                Err("state-incompatible"),
            )
        },
        Case {
            id: "SMALLINT",
            ignore: true,
            // Flink's SUM of SMALLINT is a SMALLINT.
            ..case("a narrower type, starting empty", &no_sum, "rebuilt", Ok([Rest, Null, Whole]))
        },
        case("more aggregates", &more, "migrated", kept),
        case("fewer aggregates", fewer, "kept", Ok([Whole, Whole, Null])),
        case("another aggregate", &QUERY.replace("SUM(id)", "SUM(id + 0)"), "migrated", Ok([Whole, Rest, Whole])),
        case("another group key", &by_id, "", Err("state-unclaimed")),
        Case { ignore: true, ..case("another group key, starting empty", &by_id, "", Ok([Rest, Rest, Whole])) },
        case("other names", &renamed, "kept", kept),
        case("a filter", &QUERY.replace("GROUP", "WHERE id > 0 GROUP"), "kept", kept),
        case("another order", other_order, "migrated: columns change their order", kept),
    ]
}

#[test]
fn what_is_predicted_of_a_changed_query_happens() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let savepoint = stopped(directory.path(), "compatible-before", QUERY);
    let seen = count_of(&last("compatible-before"));
    assert!(seen < ROWS, "the job still had input");
    for (at, case) in cases().iter().enumerate() {
        check(case, &savepoint, &format!("compatible-{at}"), seen);
    }
}

/// From INNER to LEFT rows of the join must know whether they have found a partner, and the aggregation behind must take
/// rows back: neither was stored. The other way is free.
#[test]
fn a_join_of_another_kind_is_refused_unless_it_needs_less() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let left = JOIN.replace("JOIN", "LEFT JOIN");
    let inner_savepoint = stopped(&directory.path().join("inner"), "join-inner", JOIN);
    let seen = count_of(&last("join-inner"));
    let refused = case("inner to left", &left, "rebuilt", Err("state-incompatible"));
    check(&refused, &inner_savepoint, "join-to-left", seen);
    check(&case("inner again", JOIN, "kept", Ok([Whole; 3])), &inner_savepoint, "join-again", seen);
}

/// What was counted so far is that of the old windows: in others it would be a part of a window, or belong to several.
#[test]
fn windows_are_kept_as_they_are_only() {
    let windows = |sink: &str, window: &str| {
        format!(
            "CREATE TABLE ticks (id INT, ts AS TO_TIMESTAMP_LTZ(id * 1000, 3), WATERMARK FOR ts AS ts) WITH (
               'connector' = 'datagen', 'rows-per-second' = '200', 'fields.id.kind' = 'sequence',
               'fields.id.start' = '1', 'fields.id.end' = '{ROWS}');
             CREATE TABLE counts (n BIGINT) WITH ('connector' = 'values', 'data-id' = '{sink}');
             INSERT INTO counts SELECT COUNT(*) FROM TABLE({window}) GROUP BY window_start, window_end;"
        )
    };
    let tumble = "TUMBLE(TABLE ticks, DESCRIPTOR(ts), INTERVAL '10' SECOND)";
    let others = [
        tumble.replace("10", "15"),
        tumble.replace("SECOND", "SECOND, INTERVAL '1' SECOND"),
        tumble.replace("TUMBLE(", "HOP(").replace("INTERVAL '10'", "INTERVAL '5' SECOND, INTERVAL '10'"),
        tumble.replace("TUMBLE(", "SESSION("),
    ];
    let directory = tempfile::tempdir().expect("a temporary directory");
    let savepoint = stopped_after(3, directory.path(), "windows", &windows("windows", tumble));
    let restored = |window: &str| planned(&settings(&savepoint, false), &windows("windows-again", window));
    assert!(report(&restored(tumble).1.graph, &savepoint).is_compatible());
    for window in others {
        let (mut engine, job) = restored(&window);
        assert!(!report(&job.graph, &savepoint).is_compatible(), "{window}");
        let refusal = engine.start_job(&job).map(|_| ()).expect_err(&window);
        assert_eq!(refusal.code(), "state-incompatible", "{window}: {refusal}");
    }
}

/// Rows that were chosen by one order, number, frame or age are not those that another choice would need, and what was
/// never added to an aggregate cannot be taken back from it.
#[test]
fn chosen_rows_are_kept_for_the_same_choice_only() {
    let script = |sink: &str, query: &str| {
        format!(
            "CREATE TABLE ticks (id INT, ts AS TO_TIMESTAMP_LTZ(id * 1000, 3), WATERMARK FOR ts AS ts) WITH (
               'connector' = 'datagen', 'rows-per-second' = '200', 'fields.id.kind' = 'sequence',
               'fields.id.start' = '1', 'fields.id.end' = '{ROWS}');
             CREATE TABLE picked (id BIGINT, n BIGINT) WITH (
               'connector' = 'values', 'data-id' = '{sink}', 'sink-changelog-mode-enforced' = 'I,UB,UA,D');
             INSERT INTO picked {query};"
        )
    };
    let first = "SELECT id, rn FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY MOD(id, 3) ORDER BY ORDERING) AS rn \
                 FROM ticks) WHERE rn <= 3";
    let (top, oldest) =
        (first.replace("ORDERING", "id DESC"), first.replace("ORDERING", "ts ASC").replace("<= 3", "= 1"));
    let over = "SELECT id, COUNT(*) OVER (ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM ticks";
    let taken_back = "SELECT c, COUNT(*) FROM (SELECT COUNT(*) AS c FROM ticks GROUP BY MOD(id, 10)) GROUP BY c";
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, query, changes) in [
        ("top", top.as_str(), &[("<= 3", "<= 5"), ("DESC", "ASC"), ("id DESC", "ts DESC")][..]),
        ("oldest", &oldest, &[("ASC", "DESC")]),
        ("over", over, &[("2 PRECEDING", "5 PRECEDING"), ("2 PRECEDING", "UNBOUNDED PRECEDING")]),
        ("taken-back", taken_back, &[("SELECT c, COUNT(*)", "SELECT c, COUNT(*) + 0 * SUM(c)")]),
    ] {
        let savepoint = stopped_after(3, &directory.path().join(name), name, &script(name, query));
        let restored = |query: &str| planned(&settings(&savepoint, false), &script("picked-again", query));
        assert!(report(&restored(query).1.graph, &savepoint).is_compatible(), "{query}");
        for (from, to) in changes {
            let changed = query.replacen(from, to, 1);
            assert_ne!(changed, query);
            let (mut engine, job) = restored(&changed);
            let refusal = engine.start_job(&job).map(|_| ()).expect_err(&changed);
            assert_eq!(refusal.code(), "state-incompatible", "{changed}: {refusal}");
        }
    }
}

#[test]
fn another_sink_takes_nothing_away() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let savepoint = stopped(directory.path(), "sinks-before", QUERY);
    let more =
        format!("EXECUTE STATEMENT SET BEGIN INSERT INTO totals {QUERY}; INSERT INTO ids SELECT id FROM orders; END");
    let (mut engine, job) = planned(&settings(&savepoint, false), &script("INT", "sinks-after", 100_000, &more));
    assert!(report(&job.graph, &savepoint).is_compatible());
    engine.start_job(&job).expect("nothing is lost").wait().into_result().expect("the job finishes");
    assert_eq!(count_of(&last("sinks-after")), ROWS);
}

fn check(case: &Case, savepoint: &str, sink: &str, seen: i64) {
    let insert = format!("INSERT INTO totals {}", case.query);
    let (mut engine, job) = planned(&settings(savepoint, case.ignore), &script(case.id, sink, 100_000, &insert));
    let report = report(&job.graph, savepoint);
    let text = format!("{}: {report:?}", case.what);
    let aggregation = report.operators.iter().find(|operator| operator.key == "group-aggregate[k]");
    let verdict = aggregation.map(|operator| operator.verdict.to_string()).unwrap_or_default();
    assert!(verdict.starts_with(case.verdict), "{text}");
    let started = engine.start_job(&job);
    match case.outcome {
        Err(code) => {
            assert!(!report.is_compatible(), "{text}");
            let refusal = started.map(|_| ()).expect_err(&text);
            assert_eq!(refusal.code(), code, "{}: {refusal}", case.what);
        }
        Ok(ends) => {
            assert_eq!(report.is_compatible(), !case.ignore, "{text}");
            let result = started.unwrap_or_else(|error| panic!("{}: {error}", case.what)).wait();
            result.into_result().unwrap_or_else(|error| panic!("{}: {error}", case.what));
            let expected: Vec<Value> = numbers(ends, seen);
            assert_eq!(last(sink)[1..4], expected, "{text}");
        }
    }
}

/// Count, sum and maximum of the sequence, or of its rest.
fn numbers(ends: [Ends; 3], seen: i64) -> Vec<Value> {
    let sum = |n: i64| n * (n + 1) / 2;
    let whole = [ROWS, sum(ROWS), ROWS];
    let rest = [ROWS - seen, sum(ROWS) - sum(seen), ROWS];
    let number = |(at, ends): (usize, Ends)| match ends {
        Whole => Value::Int(whole[at]),
        Rest => Value::Int(rest[at]),
        Null => Value::Null,
    };
    ends.into_iter().enumerate().map(number).collect()
}

fn report(graph: &JobGraph, savepoint: &str) -> Report {
    let origin = locate(&Provider, savepoint, &Configuration::new()).expect("the savepoint is there");
    compare(&origin.manifest, &wanted_operators(graph, &Env::real()).expect("the job can be deployed"))
}

/// Runs a job for a while and stops it; where its savepoint is.
fn stopped(directory: &Path, sink: &str, query: &str) -> String {
    stopped_after(ROWS_BEFORE, directory, sink, &script("INT", sink, 200, &format!("INSERT INTO totals {query}")))
}

/// Runs a job until its sink has so many rows and stops it; where its savepoint is.
fn stopped_after(rows: usize, directory: &Path, sink: &str, script: &str) -> String {
    let directory = directory.to_str().expect("the path of a temporary directory is text");
    let pairs = [("execution.checkpointing.savepoint-dir", directory)];
    let (mut engine, job) = planned(&pairs, script);
    let handle: JobHandle = engine.start_job(&job).expect("the job starts");
    while Store::results(sink).len() < rows {
        handle.metrics().expect("the job runs");
    }
    let savepoint = handle.stop_with_savepoint(None, false).expect("the savepoint is taken");
    handle.wait().into_result().expect("the job ends behind its savepoint");
    savepoint
}

fn settings(savepoint: &str, ignore: bool) -> [(&'static str, &str); 2] {
    let ignore = if ignore { "true" } else { "false" };
    [("execution.state-recovery.path", savepoint), ("execution.state-recovery.ignore-unclaimed-state", ignore)]
}

fn planned(pairs: &[(&str, &str)], script: &str) -> (Engine, Box<PlannedJob>) {
    let mut config = Configuration::new();
    pairs.iter().for_each(|(key, value)| config.set(*key, *value));
    let mut engine = Engine::new(config);
    let planned = common::planned(&mut engine, script);
    (engine, planned)
}

fn script(id: &str, sink: &str, rows_per_second: u32, insert: &str) -> String {
    format!(
        "CREATE TABLE orders (id {id}, k INT) WITH (
           'connector' = 'datagen', 'rows-per-second' = '{rows_per_second}',
           'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '{ROWS}',
           'fields.k.min' = '7', 'fields.k.max' = '7');
         CREATE TABLE totals (k INT, c BIGINT, s BIGINT, m BIGINT, d BIGINT, PRIMARY KEY (k) NOT ENFORCED)
         WITH ('connector' = 'values', 'data-id' = '{sink}', 'sink-changelog-mode-enforced' = 'I,UA,D');
         CREATE TABLE ids (id BIGINT) WITH ('connector' = 'blackhole');
         {insert};"
    )
}

/// The row that the sink ends with.
fn last(sink: &str) -> Vec<Value> {
    let rows = Store::results(sink);
    let written = rows.iter().rev().find(|(kind, _)| matches!(kind, RowKind::Insert | RowKind::UpdateAfter));
    written.map(|(_, values)| values.clone()).unwrap_or_else(|| panic!("'{sink}' has rows"))
}

fn count_of(row: &[Value]) -> i64 {
    match row[1] {
        Value::Int(count) => count,
        ref other => panic!("a count is {other:?}"),
    }
}
