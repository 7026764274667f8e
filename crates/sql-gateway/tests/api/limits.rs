//! What is bounded.

use crate::fixture::Fixture;
use serde_json::json;

const ENDLESS: &str = "CREATE TABLE endless (id BIGINT) WITH ('connector' = 'datagen')";

#[test]
fn sessions_are_bounded_in_number() {
    let fixture = Fixture::new(&[("sql-gateway.session.max-num", "2")]);
    let (one, _two) = (fixture.open(), fixture.open());
    let (status, document) = fixture.call("POST", "/v1/sessions", "{}");
    assert_eq!(status, 503, "{document}");
    assert!(document["errors"][0].as_str().unwrap().contains("exceeds the max count: 2"), "{document}");
    fixture.call("DELETE", &one.path(), "");
    fixture.open();
}

#[test]
fn a_session_that_nobody_uses_is_closed() {
    let settings = [("sql-gateway.session.idle-timeout", "1 ms"), ("sql-gateway.session.check-interval", "1 ms")];
    let fixture = Fixture::new(&settings);
    let client = fixture.open();
    client.run("SET 'a' = 'b'").unwrap();
    while fixture.gateway.session_count() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(fixture.call("GET", &client.path(), "").0, 404);
}

#[test]
fn operations_are_bounded_in_number_and_the_oldest_that_are_over_go_first() {
    let fixture = Fixture::new(&[("headwater.sql-gateway.session.operations.max-num", "3")]);
    let client = fixture.open();
    client.run(ENDLESS).unwrap();
    let first = client.submit("SELECT * FROM endless");
    for _ in 0..10 {
        client.run("SHOW TABLES").unwrap();
    }
    assert_eq!(client.status(&first), "FINISHED", "a query that runs is not forgotten");
    let (_second, third) = (client.submit("SELECT * FROM endless"), client.submit("SELECT * FROM endless"));
    client.page(&third, 0);
    let body = json!({ "statement": "SHOW TABLES" }).to_string();
    let (status, document) = fixture.call("POST", &format!("{}/statements", client.path()), &body);
    assert_eq!(status, 500, "{document}");
    assert!(document["errors"][1].as_str().unwrap().contains("runs 3 operations"), "{document}");
    fixture.call("DELETE", &format!("{first}/close"), "");
    client.run("SHOW TABLES").unwrap();
}

#[test]
fn statements_are_bounded_in_time_and_number() {
    let fixture = Fixture::new(&[("sql-gateway.worker.threads.max", "1")]);
    let (one, two) = (fixture.open(), fixture.open());
    one.run(ENDLESS).unwrap();
    one.run("CREATE TABLE b (id BIGINT) WITH ('connector' = 'blackhole')").unwrap();
    let body = json!({
        "statement": "INSERT INTO b SELECT * FROM endless",
        "executionConfig": { "table.dml-sync": "true" },
        "executionTimeout": 1,
    });
    let submitted = fixture.post(&format!("{}/statements", one.path()), body);
    let operation = format!("{}/operations/{}", one.path(), submitted["operationHandle"].as_str().unwrap());
    let show = json!({ "statement": "SHOW TABLES" }).to_string();
    let (status, document) = fixture.call("POST", &format!("{}/statements", two.path()), &show);
    if one.status(&operation) == "RUNNING" {
        assert_eq!(status, 500, "{document}");
        assert!(document["errors"][1].as_str().unwrap().contains("sql-gateway.worker.threads.max"), "{document}");
    }
    while one.status(&operation) != "TIMEOUT" {
        std::thread::yield_now();
    }
    // Its thread ends with it, and so does the job.
    while fixture.call("POST", &format!("{}/statements", two.path()), &show).0 != 200 {}
    while two.rows("SHOW JOBS").iter().any(|job| !job.contains("CANCELED")) {}
}

#[test]
fn tokens_open_the_gateway() {
    let fixture = Fixture::new(&[
        ("headwater.rest.authentication.token", "secret"),
        ("headwater.rest.authentication.view-token", "look"),
    ]);
    let call = |method: &str, path: &str, token: &str| {
        headwater_rest::testing::http::request(
            fixture.address(),
            method,
            path,
            "{}",
            &format!("Authorization: Bearer {token}\r\n"),
        )
        .0
    };
    assert_eq!(call("GET", "/info", "wrong"), 401);
    assert_eq!(call("GET", "/info", "look"), 200);
    assert_eq!(call("POST", "/v3/sessions", "look"), 403);
    assert_eq!(call("POST", "/v3/sessions", "secret"), 200);
}
