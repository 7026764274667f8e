//! Statements and their results.

use crate::fixture::Fixture;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const UNBOUNDED: &str = "CREATE TABLE endless (id BIGINT, name STRING) WITH ('connector' = 'datagen',
    'rows-per-second' = '1000000', 'fields.id.kind' = 'sequence', 'fields.id.start' = '0',
    'fields.id.end' = '1000000000000')";

#[test]
fn every_kind_of_statement_answers_as_in_flink() {
    let fixture = Fixture::new(&[]);
    let client = fixture.open();
    let columns = |outcome: &Value| -> Vec<String> {
        let columns = outcome["results"]["columns"].as_array().unwrap();
        columns
            .iter()
            .map(|column| {
                format!("{} {}", column["name"].as_str().unwrap(), column["logicalType"]["type"].as_str().unwrap())
            })
            .collect()
    };
    for (statement, kind, names, first) in [
        (
            "CREATE TABLE t (id INT) WITH ('connector' = 'datagen', 'number-of-rows' = '3')",
            "SUCCESS",
            "result VARCHAR",
            json!(["OK"]),
        ),
        ("SET 'a' = 'b'", "SUCCESS", "result VARCHAR", json!(["OK"])),
        ("SHOW TABLES;", "SUCCESS_WITH_CONTENT", "table name VARCHAR", json!(["t"])),
        ("SHOW FULL MODULES", "SUCCESS_WITH_CONTENT", "module name VARCHAR,used BOOLEAN", json!(["core", true])),
        (
            "DESCRIBE t",
            "SUCCESS_WITH_CONTENT",
            "name VARCHAR,type VARCHAR,null BOOLEAN,key VARCHAR,extras VARCHAR,watermark VARCHAR",
            json!(["id", "INT", true, null, null, null]),
        ),
        ("USE CATALOG default_catalog", "SUCCESS", "result VARCHAR", json!(["OK"])),
        ("BEGIN STATEMENT SET", "SUCCESS", "result VARCHAR", json!(["OK"])),
    ] {
        let outcome = client.run(statement).unwrap();
        assert_eq!(outcome.first["resultKind"], kind, "{statement}");
        assert_eq!(outcome.first["isQueryResult"], false, "{statement}");
        assert_eq!(columns(&outcome.first).join(","), names, "{statement}");
        assert_eq!(outcome.rows[0], json!({ "kind": "INSERT", "fields": first }), "{statement}");
    }
}

#[test]
fn a_query_gives_its_job_and_the_kinds_of_its_rows() {
    let fixture = Fixture::new(&[]);
    let client = fixture.open();
    let query = "SELECT name, COUNT(*) AS c FROM (VALUES ('a'), ('b'), ('a')) AS v(name) GROUP BY name";
    let outcome = client.run(query).unwrap();
    assert_eq!(outcome.first["isQueryResult"], true);
    assert_eq!(outcome.first["resultKind"], "SUCCESS_WITH_CONTENT");
    assert_eq!(outcome.first["jobID"].as_str().unwrap().len(), 32);
    let kinds: BTreeSet<&str> = outcome.rows.iter().map(|row| row["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["INSERT", "UPDATE_BEFORE", "UPDATE_AFTER"]));
    let operation = client.submit("SELECT 1.50, CAST(NULL AS INT), ARRAY[TRUE], x'0a'");
    client.page(&operation, 0);
    let plain = fixture.get(&format!("{operation}/result/0?rowFormat=plain_text"));
    assert_eq!(plain["results"]["rowFormat"], "PLAIN_TEXT");
    let rows = client.fetch(&client.submit("SELECT 1.50, CAST(NULL AS INT), ARRAY[TRUE], x'0a'")).unwrap().rows;
    assert_eq!(rows[0]["fields"], json!([1.5, null, [true], "Cg=="]));
}

#[test]
fn an_insert_gives_its_job_at_once_or_waits_for_it() {
    let fixture = Fixture::new(&[]);
    let client = fixture.open();
    client.run("CREATE TABLE t (id INT) WITH ('connector' = 'datagen', 'number-of-rows' = '10')").unwrap();
    client.run("CREATE TABLE b (id INT) WITH ('connector' = 'blackhole')").unwrap();
    for statement in [
        "INSERT INTO b SELECT * FROM t",
        "EXECUTE STATEMENT SET BEGIN INSERT INTO b SELECT * FROM t; INSERT INTO b SELECT id + 1 FROM t; END",
    ] {
        let operation = client.submit_with(statement, json!({ "table.dml-sync": "true" }));
        let outcome = client.fetch(&operation).unwrap();
        assert_eq!(outcome.first["results"]["columns"][0]["name"], "job id", "{statement}");
        let job = outcome.rows[0]["fields"][0].clone();
        assert_eq!(outcome.first["jobID"], job);
        let listed = client.run("SHOW JOBS").unwrap().rows;
        let own = listed.iter().find(|row| row["fields"][0] == job).unwrap();
        assert_eq!(own["fields"][2], "FINISHED", "it was waited for");
    }
}

#[test]
fn a_job_outlives_its_session_and_any_session_can_stop_it() {
    let fixture = Fixture::new(&[]);
    let (one, two) = (fixture.open(), fixture.open());
    one.run(UNBOUNDED).unwrap();
    one.run("CREATE TABLE b (id BIGINT, name STRING) WITH ('connector' = 'blackhole')").unwrap();
    let job = one.run("INSERT INTO b SELECT * FROM endless").unwrap().rows[0]["fields"][0].as_str().unwrap().to_owned();
    fixture.call("DELETE", &one.path(), "");
    assert_eq!(two.rows(&format!("DESCRIBE JOB '{job}'")).len(), 1);
    two.run(&format!("STOP JOB '{job}'")).unwrap();
    assert!(two.rows(&format!("DESCRIBE JOB '{job}'"))[0].contains("CANCELED"));
    let error = two.run(&format!("STOP JOB '{job}'")).unwrap_err();
    assert!(error.contains("has ended"), "{error}");
    let error = two.run("DESCRIBE JOB '00000000000000000000000000000000'").unwrap_err();
    assert!(error.contains("there is no job"), "{error}");
}

/// A client that never fetches holds up its own query only; one that fetches gets every row once, in bounded pages.
#[test]
fn rows_wait_until_they_are_fetched() {
    let fixture = Fixture::new(&[]);
    let client = fixture.open();
    client.run(UNBOUNDED).unwrap();
    let (unread, read) = (client.submit("SELECT id FROM endless"), client.submit("SELECT id FROM endless"));
    let mut next = 0;
    for token in 0..60 {
        let (status, page) = client.page(&read, token);
        assert_eq!(status, 200, "{page}");
        assert_eq!(client.page(&read, token).1, page, "what was answered last can be asked for again");
        let rows = page["results"]["data"].as_array().unwrap();
        assert!(rows.len() <= 5_000, "{}", rows.len());
        for row in rows {
            assert_eq!(row["fields"][0], json!(next));
            next += 1;
        }
    }
    assert!(next > 1_000, "{next}");
    assert_eq!(client.status(&unread), "FINISHED");
    let first = client.page(&unread, 0).1;
    assert_eq!(first["results"]["data"][0]["fields"][0], json!(0), "nothing is lost meanwhile");
    let closed = fixture.call("DELETE", &format!("{read}/close"), "");
    assert_eq!(closed, (200, json!({ "status": "CLOSED" })));
    let cancelled = fixture.call("POST", &format!("{unread}/cancel"), "");
    assert_eq!(cancelled, (200, json!({ "status": "CANCELED" })));
    // Both jobs end with their results.
    while client.rows("SHOW JOBS").iter().any(|job| job.contains("RUNNING") || job.contains("CANCELLING")) {}
}

#[test]
fn a_statement_that_fails_says_why() {
    let fixture = Fixture::new(&[]);
    let client = fixture.open();
    for (statement, message) in [
        ("SELEC 1", "SELEC"),
        ("SELECT * FROM nope", "unknown table 'nope'"),
        ("SELECT 1; SELECT 2", "only single statement supported"),
        ("", "there is no statement"),
        ("QUIT", "for the client"),
        ("SELECT CAST('x' AS INT)", "x"),
    ] {
        let operation = client.submit(statement);
        let error = client.fetch(&operation).unwrap_err();
        assert!(error.contains(message) && error.contains("Caused by: "), "{statement}: {error}");
        assert_eq!(client.status(&operation), "ERROR", "{statement}");
        let (status, document) = fixture.call("GET", &format!("{operation}/result/0"), "");
        assert_eq!((status, &document["errors"][0]), (500, &json!("Internal server error.")), "it stays so");
    }
}

#[test]
fn completion_knows_the_names_of_the_session() {
    let fixture = Fixture::new(&[]);
    let client = fixture.open();
    client.run("CREATE TABLE orders (id INT) WITH ('connector' = 'datagen')").unwrap();
    let complete = |statement: &str, position: i64| {
        let body = json!({ "statement": statement, "position": position }).to_string();
        let (status, document) = fixture.call("GET", &format!("{}/complete-statement", client.path()), &body);
        assert_eq!(status, 200, "{document}");
        document["candidates"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(complete("SELECT * FROM ord", 17).contains(&"orders".to_owned()));
    assert!(complete("SELECT * FROM ", 14).contains(&"orders".to_owned()));
    assert!(
        complete("SELECT '😀' FROM ord -- and more", 20).contains(&"orders".to_owned()),
        "positions count as Java's"
    );
    assert!(complete("SELECT * FROM ord", 7).is_empty());
    complete("SELECT", -5);
    complete("SELECT", 5_000);
}
