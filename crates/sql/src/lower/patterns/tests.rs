//! Changelog codes and row patterns: their plans, and what is refused.

use crate::session::{Session, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_env::Env;
use headwater_sql_parser::parse_script;
use headwater_types::config::Configuration;

const DDL: &str = "
CREATE TABLE ticks (symbol STRING, price INT, tax INT, ts TIMESTAMP(3), proc AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'values', 'data-id' = 'ticks');
CREATE TABLE changes (name STRING PRIMARY KEY NOT ENFORCED, score BIGINT NOT NULL)
  WITH ('connector' = 'values', 'data-id' = 'changes', 'changelog-mode' = 'I,UB,UA,D');
CREATE TABLE keyless (name STRING, score BIGINT)
  WITH ('connector' = 'values', 'data-id' = 'keyless', 'changelog-mode' = 'I,UB,UA,D');
CREATE TABLE upserts (name STRING PRIMARY KEY NOT ENFORCED, score BIGINT)
  WITH ('connector' = 'values', 'data-id' = 'upserts', 'changelog-mode' = 'I,UA,D');
CREATE TABLE events (id INT, op STRING, name STRING) WITH ('connector' = 'values', 'data-id' = 'events');
CREATE TABLE named (id INT PRIMARY KEY NOT ENFORCED, name STRING) WITH ('connector' = 'values', 'data-id' = 's');
";

fn run(session: &mut Session, text: &str) -> SqlResult<String> {
    let (statements, error) = parse_script(text);
    assert!(error.is_none(), "{error:?}");
    let mut shown = String::new();
    for parsed in &statements {
        if let StatementResult::Rows(rows) = session.execute(&parsed.statement, text)? {
            shown = rows.rows.into_iter().flatten().flatten().collect();
        }
    }
    Ok(shown)
}

fn explained(query: &str) -> SqlResult<String> {
    let mut config = Configuration::new();
    config.set("table.local-time-zone", "UTC");
    let mut session = Session::new(config, headwater_connectors::registry(), Env::simulated(1, 0).0);
    run(&mut session, DDL)?;
    run(&mut session, &format!("EXPLAIN CHANGELOG_MODE {query}"))
}

fn refusal(query: &str) -> SqlError {
    explained(query).expect_err(query)
}

/// A pattern over the ticks with this end.
fn pattern(measures: &str, end: &str) -> String {
    format!(
        "SELECT * FROM ticks MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY ts MEASURES {measures} ONE ROW PER MATCH {end}) AS m"
    )
}

#[test]
fn plans_show_patterns() {
    let query = pattern(
        "FIRST(A.price) AS low, LAST(A.price, 1) AS before, B.price AS high, SUM(A.price * A.tax) AS cost",
        "AFTER MATCH SKIP TO LAST B PATTERN (A+ B C{2} D*?) WITHIN INTERVAL '1' MINUTE \
         DEFINE A AS price < 10, B AS B.price > PREV(A.price)",
    );
    let plan = explained(&query).unwrap_or_else(|error| panic!("{}", error.render(&query)));
    for part in [
        "partitionBy=[symbol], orderBy=[ts ASC]",
        "measures=[FIRST(A.price, 0) AS low, LAST(A.price, 1) AS before, LAST(B.price, 0) AS high, SUM(A.[",
        "pattern=[A+ B C{2} D*?]",
        "within=[60000 ms], afterMatch=[SKIP TO LAST B]",
        "define=[A AS (LAST(*.price, 0) < 10), B AS (LAST(B.price, 0) > PREV(A.price, 1))]",
        "changelogMode=[I]",
    ] {
        assert!(plan.contains(part), "no {part} in\n{plan}");
    }
}

#[test]
fn columns_of_patterns_have_names_and_can_be_joined() {
    let query = "SELECT m.symbol, m.p + 1, t.tax FROM ticks MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY proc \
                 MEASURES A.price AS price PATTERN (A B) DEFINE B AS B.price > A.price) AS m (symbol, p) \
                 JOIN ticks t ON t.symbol = m.symbol";
    let plan = explained(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
    assert!(plan.contains("orderBy=[PROCTIME]") && plan.contains("afterMatch=[SKIP TO NEXT ROW]"), "{plan}");
}

#[test]
fn patterns_that_are_refused() {
    let define = "DEFINE A AS price > 1";
    for (measures, end, message) in [
        ("A.price AS p", format!("PATTERN (A+) {define}"), "Greedy quantifiers are not allowed as the last element"),
        ("A.price AS p", format!("PATTERN (A* B?) {define}"), "Patterns that can produce empty matches"),
        ("A.price AS p", format!("PATTERN (A B A) {define}"), "Pattern variables must be unique"),
        ("A.price AS p", format!("PATTERN (A B?? C) {define}"), "reluctant optional variables"),
        ("A.price AS p", format!("PATTERN ((A B)+ C) {define}"), "a quantifier of a group of variables"),
        ("A.price AS p", format!("PATTERN (A | B) {define}"), "the alternation '|' in a pattern"),
        ("A.price AS p", "PATTERN (A) DEFINE B AS price > 1".to_owned(), "unknown pattern variable 'B'"),
        ("B.price AS p", format!("PATTERN (A) {define}"), "unknown name 'B'"),
        ("SUM(A.price + B.price) AS p", format!("PATTERN (A B) {define}"), "more than one pattern variable"),
        ("LAST(A.price, -1) AS p", format!("PATTERN (A) {define}"), "not negative"),
        ("A.price AS p", format!("AFTER MATCH SKIP TO FIRST Z PATTERN (A) {define}"), "unknown pattern variable 'Z'"),
        ("NEXT(A.price) AS p", format!("PATTERN (A) {define}"), "the function NEXT in MATCH_RECOGNIZE"),
        ("A.price AS p", "PATTERN (A) DEFINE A AS price".to_owned(), "needs a condition of type BOOLEAN"),
    ] {
        let error = refusal(&pattern(measures, &end));
        assert!(error.to_string().contains(message), "{end}: {error}");
    }
    let order =
        "SELECT * FROM ticks MATCH_RECOGNIZE (ORDER BY price MEASURES A.price AS p PATTERN (A) DEFINE A AS TRUE)";
    assert!(refusal(order).to_string().contains("You must specify either rowtime or proctime"));
    let changing = "SELECT * FROM (SELECT symbol, MAX(ts) AS ts, MAX(proc) AS p FROM ticks GROUP BY symbol) \
                    MATCH_RECOGNIZE (ORDER BY p MEASURES A.ts AS t PATTERN (A) DEFINE A AS TRUE)";
    assert!(explained(changing).is_err());
}

#[test]
fn changes_as_rows() {
    let plan = |query: &str| explained(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
    let all = plan("SELECT * FROM TO_CHANGELOG(input => TABLE changes)");
    assert!(
        all.contains("ToChangelog(op=[op], mapping=[+I=INSERT, -U=UPDATE_BEFORE, +U=UPDATE_AFTER, -D=DELETE]"),
        "{all}"
    );
    let some = plan(
        "SELECT * FROM TO_CHANGELOG(input => TABLE changes PARTITION BY name, op => DESCRIPTOR(code), \
         op_mapping => MAP['INSERT, UPDATE_AFTER', 'c', 'DELETE', 'd'], produces_full_deletes => FALSE)",
    );
    assert!(some.contains("op=[code], mapping=[+I=c, +U=c, -D=d], deletes=[name]"), "{some}");
    assert!(some.contains("DropUpdateBefore"), "nobody reads the old rows:\n{some}");
    let keyed = plan("SELECT * FROM TO_CHANGELOG(input => TABLE upserts, produces_full_deletes => FALSE)");
    assert!(keyed.contains("ChangelogNormalize") && keyed.contains("deletes=[name]"), "{keyed}");
}

#[test]
fn rows_as_changes() {
    let plan = |query: &str| explained(query).unwrap_or_else(|error| panic!("{}", error.render(query)));
    let retract = plan("SELECT * FROM FROM_CHANGELOG(input => TABLE events)");
    assert!(retract.contains("changelogMode=[I,UB,UA,D]"), "{retract}");
    let mapping = "op_mapping => MAP['c', 'INSERT', 'u', 'UPDATE_AFTER', 'd', 'DELETE']";
    let upsert =
        format!("INSERT INTO named SELECT * FROM FROM_CHANGELOG(input => TABLE events PARTITION BY id, {mapping})");
    let upsert = plan(&upsert);
    assert!(upsert.contains("mapping=[c=+I, u=+U, d=-D], errorHandling=[FAIL], changelogMode=[I,UA,D]"), "{upsert}");
    let counted = format!(
        "SELECT COUNT(*) FROM FROM_CHANGELOG(input => TABLE events PARTITION BY id, {mapping}, error_handling => 'SKIP')"
    );
    let counted = plan(&counted);
    assert!(counted.contains("ChangelogNormalize(key=[id]"), "the old rows are needed:\n{counted}");
}

#[test]
fn changelog_codes_that_are_refused() {
    for (query, message) in [
        ("TO_CHANGELOG(input => TABLE changes, op => DESCRIPTOR(a, b))", "must contain exactly one column name"),
        ("TO_CHANGELOG(input => TABLE changes, op_mapping => MAP['X', 'x'])", "Unknown change operation: 'X'"),
        (
            "TO_CHANGELOG(input => TABLE changes, op_mapping => MAP['INSERT, DELETE', 'a', 'DELETE', 'b'])",
            "Duplicate change operation: 'DELETE'",
        ),
        ("TO_CHANGELOG(input => TABLE keyless, produces_full_deletes => FALSE)", "needs input with an upsert key"),
        ("TO_CHANGELOG(op => DESCRIPTOR(a))", "the argument INPUT of TO_CHANGELOG is missing"),
        ("FROM_CHANGELOG(input => TABLE events, op_mapping => MAP['u', 'UPDATE_AFTER'])", "needs PARTITION BY"),
        ("FROM_CHANGELOG(input => TABLE events, op_mapping => MAP['a, a', 'INSERT'])", "Duplicate op code: 'a'"),
        ("FROM_CHANGELOG(input => TABLE events, op => DESCRIPTOR(id))", "must be a string"),
        ("FROM_CHANGELOG(input => TABLE events, op => DESCRIPTOR(x))", "unknown column 'x'"),
        ("FROM_CHANGELOG(input => TABLE events, error_handling => 'HIDE')", "'FAIL' or 'SKIP'"),
        (
            "FROM_CHANGELOG(input => TABLE changes, op => DESCRIPTOR(name))",
            "doesn't support consuming update and delete",
        ),
        ("FROM_CHANGELOG(input => TABLE events PARTITION BY id ORDER BY id)", "begins with a rowtime attribute"),
    ] {
        let error = refusal(&format!("SELECT * FROM {query}"));
        assert!(error.to_string().contains(message), "{query}: {error}");
    }
}
