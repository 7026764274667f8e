//! What a query over changing tables ends with is what it says of the tables as they end.
//!
//! `programs.sql` holds queries over tables that change and repeat themselves, with NULLs where they hurt. Each runs in
//! batch mode over the final tables, where no operator ever sees a change, and as a stream over the changes in
//! several ways. The folded changelogs must equal the batch results, and no changelog may take back what is not there.
//!
//! The head of a program names it: `-- name [key=column,..]`. With a key, which is its first columns, it is also written
//! by key.

mod data;

use data::{Form, declare};
use headwater_connectors::values::{Row, Store};
use headwater_embedded::Engine;
use headwater_plan::Value;
use headwater_sql::session::StatementResult;
use headwater_sql_parser::parse_script;
use headwater_types::RowKind;
use headwater_types::config::Configuration;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const PROGRAMS: &str = include_str!("programs.sql");

/// Texts of rows with how often each is there.
type Table = BTreeMap<String, i64>;
/// The final table of every program, or why there is none.
type Answers = BTreeMap<&'static str, Result<Table, String>>;

struct Program {
    name: &'static str,
    key: Option<&'static str>,
    /// Statements of which the last is the query.
    sql: &'static str,
}

/// A way to run the programs.
struct Way {
    name: &'static str,
    form: Form,
    batch_rows: usize,
    /// Whether programs with a key are written by it, and others are left out.
    by_key: bool,
    /// Whether the order of all rows in the sink is that in which they left.
    ordered: bool,
    config: &'static [(&'static str, &'static str)],
}

const STREAM: Way = Way { name: "", form: Form::Changes, batch_rows: 3, by_key: false, ordered: true, config: &[] };

static EXPECTED: LazyLock<Answers> = LazyLock::new(|| {
    let config = &[("execution.runtime-mode", "batch"), ("parallelism.default", "2")];
    answers(&Way { name: "batch", form: Form::Final, config, ..STREAM })
});

#[test]
fn row_by_row() {
    let config = &[("parallelism.default", "1")];
    check(&Way { name: "row-by-row", batch_rows: 1, config, ..STREAM });
}

#[test]
fn four_subtasks() {
    let config = &[("parallelism.default", "4")];
    check(&Way { name: "four-subtasks", ordered: false, batch_rows: 10, config, ..STREAM });
}

#[test]
fn mini_batches() {
    let config = &[
        ("parallelism.default", "1"),
        ("table.exec.mini-batch.enabled", "true"),
        ("table.exec.mini-batch.allow-latency", "10 s"),
        ("table.exec.mini-batch.size", "7"),
        ("table.optimizer.distinct-agg.split.enabled", "true"),
    ];
    check(&Way { name: "mini-batches", config, ..STREAM });
}

#[test]
fn bundles_in_one_phase() {
    let config = &[
        ("parallelism.default", "1"),
        ("table.exec.mini-batch.enabled", "true"),
        ("table.exec.mini-batch.allow-latency", "10 s"),
        ("table.exec.mini-batch.size", "7"),
        ("table.optimizer.agg-phase-strategy", "ONE_PHASE"),
    ];
    check(&Way { name: "one-phase", config, ..STREAM });
}

#[test]
fn bundles_in_two_phases() {
    let config = &[
        ("parallelism.default", "2"),
        ("table.exec.mini-batch.enabled", "true"),
        ("table.exec.mini-batch.allow-latency", "10 s"),
        ("table.exec.mini-batch.size", "5"),
        ("table.optimizer.agg-phase-strategy", "TWO_PHASE"),
    ];
    check(&Way { name: "two-phases", ordered: false, config, ..STREAM });
}

#[test]
fn distinct_values_in_buckets() {
    let config = &[
        ("parallelism.default", "2"),
        ("table.optimizer.distinct-agg.split.enabled", "true"),
        ("table.optimizer.distinct-agg.split.bucket-num", "3"),
    ];
    check(&Way { name: "buckets", ordered: false, config, ..STREAM });
}

#[test]
fn sources_without_rows_before_updates() {
    let config = &[("parallelism.default", "2")];
    check(&Way { name: "upserts", form: Form::Upserts, ordered: false, config, ..STREAM });
}

#[test]
fn sinks_by_key() {
    let config = &[("parallelism.default", "2"), ("table.exec.sink.require-on-conflict", "false")];
    check(&Way { name: "by-key", by_key: true, ordered: false, config, ..STREAM });
    let config = &[("parallelism.default", "1"), ("table.exec.sink.require-on-conflict", "false")];
    check(&Way { name: "upserts-by-key", form: Form::Upserts, by_key: true, ordered: false, config, ..STREAM });
}

/// Runs all programs in a way and compares what they end with.
fn check(way: &Way) {
    let answers = answers(way);
    let differ = |(name, got): (&&'static str, &Result<Table, String>)| {
        let expected = &EXPECTED[name];
        (got != expected || got.is_err()).then(|| format!("{name}: {}\n", difference(expected, got)))
    };
    let wrong: String = answers.iter().filter_map(differ).collect();
    assert!(wrong.is_empty(), "run as {}, these differ from batch mode:\n{wrong}", way.name);
}

fn difference(expected: &Result<Table, String>, got: &Result<Table, String>) -> String {
    let (Ok(expected), Ok(got)) = (expected, got) else { return format!("batch {expected:?}, stream {got:?}") };
    let rows = expected.keys().chain(got.keys()).collect::<std::collections::BTreeSet<_>>();
    let count = |table: &Table, row: &str| table.get(row).copied().unwrap_or(0);
    let differ = rows.into_iter().filter(|row| count(expected, row) != count(got, row));
    let shown =
        differ.take(6).map(|row| format!("\n    {} instead of {} times {row}", count(got, row), count(expected, row)));
    shown.collect()
}

fn programs() -> impl Iterator<Item = Program> {
    PROGRAMS.split("\n-- ").filter_map(|text| {
        let (head, sql) = text.split_once('\n')?;
        let mut words = head.trim_start_matches("-- ").split_whitespace();
        let name = words.next().filter(|name| *name != "//")?;
        Some(Program { name, key: words.find_map(|word| word.strip_prefix("key=")), sql: sql.trim() })
    })
}

fn answers(way: &Way) -> Answers {
    let mut engine = Engine::new(Configuration::new());
    let selected = programs().filter(|program| program.key.is_some() || !way.by_key);
    selected.map(|program| (program.name, answer(&mut engine, way, &program))).collect()
}

/// What a program ends with.
fn answer(engine: &mut Engine, way: &Way, program: &Program) -> Result<Table, String> {
    engine.reset_session();
    for (key, value) in way.config.iter().chain(&[("table.local-time-zone", "UTC")]) {
        engine.session_mut().set_config(key, value);
    }
    run(engine, &declare(way.form, way.batch_rows, way.name))?;
    let (views, query) = program.sql.trim_end_matches(';').rsplit_once(';').unwrap_or(("", program.sql));
    let id = format!("{}-out-{}", way.name, program.name);
    let (key, mode) = match program.key.filter(|_| way.by_key) {
        Some(key) => (format!("(PRIMARY KEY ({key}) NOT ENFORCED)"), "I,UA,D"),
        None => (String::new(), "I,UB,UA,D"),
    };
    let options = format!("'connector' = 'values', 'data-id' = '{id}', 'sink-changelog-mode-enforced' = '{mode}'");
    let insert = format!("{views};\nCREATE TABLE sink {key} WITH ({options}) AS {query}");
    run(engine, insert.trim_start_matches(';'))?;
    let rows = Store::results(&id);
    Store::remove(&id);
    match program.key.filter(|_| way.by_key) {
        Some(key) => Ok(fold_by_key(&rows, key.split(',').count())),
        None => fold(&rows, way.ordered),
    }
}

fn run(engine: &mut Engine, text: &str) -> Result<(), String> {
    let (statements, error) = parse_script(text);
    if let Some(error) = error {
        return Err(format!("syntax error: {error}"));
    }
    for parsed in &statements {
        if let StatementResult::Job(job) = engine.execute(&parsed.statement, text).map_err(|e| e.render(text))? {
            let handle = engine.start_job(&job).map_err(|e| e.to_string())?;
            handle.wait().into_result().map_err(|e| e.to_string())?;
        }
    }
    Ok(())
}

/// The rows that a changelog leaves.
fn fold(rows: &[Row], ordered: bool) -> Result<Table, String> {
    let mut table = Table::new();
    for (kind, values) in rows {
        let text = text(values);
        let count = table.entry(text.clone()).or_default();
        *count += if kind.is_add() { 1 } else { -1 };
        if ordered && *count < 0 {
            return Err(format!("{text} is taken back and not there"));
        }
    }
    table.retain(|_, count| *count != 0);
    Ok(table)
}

/// The rows that are left when later ones replace earlier ones of the key, which is the first columns.
fn fold_by_key(rows: &[Row], key_columns: usize) -> Table {
    let mut last = BTreeMap::new();
    for (kind, values) in rows {
        let key = text(&values[..key_columns]);
        match kind {
            RowKind::Insert | RowKind::UpdateAfter => drop(last.insert(key, text(values))),
            RowKind::UpdateBefore | RowKind::Delete => drop(last.remove(&key)),
        }
    }
    last.into_values().fold(Table::new(), |mut table, row| {
        *table.entry(row).or_default() += 1;
        table
    })
}

/// Rows as text. Sums of floating point numbers depend on the order of the rows in their last digits.
fn text(values: &[Value]) -> String {
    let one = |value: &Value| match value {
        Value::Float(value) => format!("{:.6e}", value + 0.0),
        other => format!("{other:?}"),
    };
    values.iter().map(one).collect::<Vec<_>>().join(", ")
}
