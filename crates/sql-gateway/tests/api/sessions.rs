//! The life of a session.

use crate::fixture::Fixture;
use serde_json::json;

#[test]
fn a_session_from_its_opening_to_its_end() {
    let fixture = Fixture::new(&[]);
    let body =
        json!({ "sessionName": "mine", "properties": { "pipeline.name": "a job", "my.password": "hunter2", "n": 1 } });
    let session = fixture.post("/v2/sessions", body)["sessionHandle"].as_str().unwrap().to_owned();
    let path = format!("/v2/sessions/{session}");
    let properties = fixture.get(&path)["properties"].clone();
    assert_eq!(properties["pipeline.name"], "a job");
    assert_eq!(properties["n"], "1", "Flink takes numbers for texts");
    assert_eq!(properties["my.password"], "******");
    assert_eq!(fixture.post(&format!("{path}/heartbeat"), json!({})), json!({}));
    let configure = format!("{path}/configure-session");
    let statement = |statement: &str| json!({ "statement": statement }).to_string();
    let set = statement("SET 'table.local-time-zone' = 'Asia/Shanghai'");
    assert_eq!(fixture.call("POST", &configure, &set), (200, json!({})));
    assert_eq!(fixture.get(&path)["properties"]["table.local-time-zone"], "Asia/Shanghai");
    for (wrong, message) in [
        ("SELECT 1", "Unsupported statement for configuring session"),
        ("SELEC 1", "SELEC"),
        ("SET 'parallelism.default' = 'many'", "expected a whole number"),
    ] {
        let (status, document) = fixture.call("POST", &configure, &statement(wrong));
        assert!(status == 500 && document["errors"][1].as_str().unwrap().contains(message), "{wrong}: {document}");
    }
    assert_eq!(fixture.call("DELETE", &path, ""), (200, json!({ "status": "CLOSED" })));
    for (method, path) in [("GET", path.clone()), ("DELETE", path.clone()), ("POST", format!("{path}/heartbeat"))] {
        let (status, document) = fixture.call(method, &path, "");
        assert_eq!(status, 404, "{document}");
        assert!(document["errors"][0].as_str().unwrap().contains("does not exist"), "{document}");
    }
}

#[test]
fn sessions_know_nothing_of_each_other() {
    let fixture = Fixture::new(&[]);
    let (one, two) = (fixture.open(), fixture.open());
    one.run("CREATE TABLE t (id INT) WITH ('connector' = 'datagen')").unwrap();
    one.run("SET 'pipeline.name' = 'of one'").unwrap();
    assert_eq!(one.rows("SHOW TABLES"), [r#"["t"]"#]);
    assert!(two.rows("SHOW TABLES").is_empty());
    assert!(fixture.get(&two.path())["properties"]["pipeline.name"].is_null());
}

#[test]
fn statements_run_in_the_order_in_which_they_come() {
    let fixture = Fixture::new(&[]);
    let client = fixture.open();
    let operations: Vec<String> = (0..30)
        .map(|at| match at % 2 {
            0 => client.submit("CREATE TABLE t (id INT) WITH ('connector' = 'datagen')"),
            _ => client.submit("DROP TABLE t"),
        })
        .collect();
    for operation in &operations {
        client.fetch(operation).unwrap();
        assert_eq!(client.status(operation), "FINISHED");
    }
}

#[test]
fn the_configuration_of_a_statement_is_that_of_no_other() {
    let fixture = Fixture::new(&[]);
    let client = fixture.open();
    let zoned = client
        .submit_with("SELECT CAST(TO_TIMESTAMP_LTZ(0, 3) AS STRING)", json!({ "table.local-time-zone": "Asia/Tokyo" }));
    assert_eq!(client.fetch(&zoned).unwrap().rows[0]["fields"][0], "1970-01-01 09:00:00.000");
    assert!(fixture.get(&client.path())["properties"]["table.local-time-zone"].is_null());
    client.run("SET 'table.local-time-zone' = 'UTC'").unwrap();
    assert_eq!(client.rows("SELECT TO_TIMESTAMP_LTZ(0, 3)"), [r#"["1970-01-01T00:00:00Z"]"#]);
}

#[test]
fn what_is_declared_outlives_the_gateway_where_there_is_a_store() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let settings = [("table.catalog-store.kind", "file"), ("table.catalog-store.file.path", path)];
    {
        let fixture = Fixture::new(&settings);
        let (one, two) = (fixture.open(), fixture.open());
        one.run("CREATE TABLE t (id INT, n AS id + 1) WITH ('connector' = 'datagen', 'number-of-rows' = '3')").unwrap();
        two.run("CREATE VIEW v AS SELECT n FROM t").unwrap();
        two.run("CREATE CATALOG c WITH ('type' = 'generic_in_memory')").unwrap();
        assert_eq!(one.rows("SHOW TABLES"), [r#"["t"]"#, r#"["v"]"#]);
    }
    let fixture = Fixture::new(&settings);
    let client = fixture.open();
    assert_eq!(client.rows("SHOW CATALOGS"), [r#"["c"]"#, r#"["default_catalog"]"#]);
    assert_eq!(client.rows("SELECT * FROM v").len(), 3);
}
