//! `headwater sql-gateway`, and `headwater sql --gateway`, whose output is that of a local run.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod common;

use common::{Gateway, headwater, stderr, stdout};

const SCRIPT: &str = "
CREATE TABLE orders (id INT, price DECIMAL(30, 4)) WITH ('connector' = 'datagen', 'number-of-rows' = '3',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '3');
SHOW TABLES; DESCRIBE orders; SHOW CREATE TABLE orders; USE default_database;
SELECT id, ARRAY[id] AS a, MAP['x', id] AS m, ROW(id, 'y') AS r, CAST(12345678901234567890.1234 AS DECIMAL(30, 4)) AS d,
  INTERVAL '1' DAY AS i, TO_TIMESTAMP_LTZ(1, 3) AS l, x'0a' AS b, CAST(NULL AS INT) AS n, 1.5E0 AS f FROM orders;
SELECT name, COUNT(*) AS n FROM (VALUES ('a'), ('b'), ('a')) AS v(name) GROUP BY name;
EXPLAIN SELECT id FROM orders;";

#[test]
fn a_script_prints_the_same_as_in_this_process() {
    let gateway = Gateway::start(&[]);
    for format in ["table", "changelog", "csv", "json"] {
        let here = headwater(&["sql", "-D", "parallelism.default=1", "--format", format, "-e", SCRIPT]);
        let there = headwater(&["sql", "--gateway", &gateway.url, "--format", format, "-e", SCRIPT]);
        assert!(here.status.success() && there.status.success(), "{format}: {here:?} {there:?}");
        assert_eq!(stdout(&there), stdout(&here), "{format}");
    }
}

#[test]
fn errors_and_their_places_are_told() {
    let gateway = Gateway::start(&[]);
    let here = headwater(&["sql", "-e", "SELECT * FROM nowhere"]);
    let there = headwater(&["sql", "--gateway", &gateway.url, "-e", "SELECT * FROM nowhere"]);
    assert!(!there.status.success());
    assert_eq!(stderr(&there), stderr(&here));
    let nobody = headwater(&["sql", "--gateway", "127.0.0.1:1", "-e", "SELECT 1"]);
    assert!(!nobody.status.success());
    assert!(stderr(&nobody).contains("cannot be reached"), "{nobody:?}");
}

#[test]
fn what_is_declared_here_is_there_and_in_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let path = format!("table.catalog-store.file.path={}", directory.path().display());
    let store = ["-D", "table.catalog-store.kind=file", "-D", &path];
    let run = |arguments: &[&str]| {
        let output = headwater(&[&["sql"], arguments].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        stdout(&output)
    };
    run(&[&store[..], &["-e", "CREATE TABLE t (id INT) WITH ('connector' = 'datagen')"]].concat());
    {
        let gateway = Gateway::start(&store);
        run(&["--gateway", &gateway.url, "-e", "CREATE VIEW v AS SELECT id + 1 AS n FROM t"]);
    }
    let shown = run(&[&store[..], &["--format", "csv", "-e", "SHOW TABLES"]].concat());
    assert_eq!(shown, "table name\nt\nv\n");
}

#[test]
fn a_gateway_that_others_reach_does_not_start_without_a_token() {
    let open = headwater(&["sql-gateway", "--host", "0.0.0.0", "--port", "0"]);
    assert!(!open.status.success());
    assert!(stderr(&open).contains("headwater.rest.authentication.token"), "{open:?}");
}
