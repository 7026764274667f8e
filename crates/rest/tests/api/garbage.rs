//! Whatever arrives, the server answers or closes, and goes on.

use crate::fixture::Fixture;
use headwater_rest::testing::http;

#[test]
fn garbage_is_refused_and_the_server_lives_on() {
    let fixture = Fixture::new(&[]);
    let address = fixture.address();
    let job = fixture.job.id();
    let large = format!("POST /jobs/{job}/stop HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n{{");
    let endless = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(300_000));
    let headers = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(5_000));
    let requests: [&[u8]; 12] = [
        b"",
        b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /jobs/%ff%fe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /jobs/../../etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"POST /jobs HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /overview HTTP/1.1\r\nHost: \x00\r\n\r\n",
        large.as_bytes(),
        endless.as_bytes(),
        headers.as_bytes(),
    ];
    for request in requests {
        let answer = http::garbage(address, request);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{:?}", String::from_utf8_lossy(request));
        assert!(fixture.get("/overview")["jobs-running"] == 1);
    }
}

#[test]
fn parameters_that_are_none_are_named() {
    let fixture = Fixture::new(&[]);
    let (job, vertex) = (fixture.job.id(), fixture.vertex());
    let none = "0".repeat(32);
    for (method, path, body, status, message) in [
        ("GET", "/jobs/xyz".to_owned(), "", 400, "path parameter (jobid)"),
        ("GET", "/jobs/%00".to_owned(), "", 400, "path parameter (jobid)"),
        ("GET", format!("/jobs/{none}"), "", 404, "not found"),
        ("GET", format!("/jobs/{job}/vertices/{none}"), "", 404, "not found"),
        ("GET", format!("/jobs/{job}/vertices/{vertex}/subtasks/99"), "", 404, "subtask index"),
        ("GET", format!("/jobs/{job}/vertices/{vertex}/subtasks/-1"), "", 400, "subtaskindex"),
        ("GET", format!("/jobs/{job}/vertices/{vertex}/subtasks/metrics?agg=median"), "", 400, "(agg)"),
        ("GET", format!("/jobs/{job}/vertices/{vertex}/subtasks/metrics?subtasks=9-1"), "", 400, "(subtasks)"),
        ("GET", format!("/jobs/{job}/checkpoints/details/x"), "", 400, "checkpointid"),
        ("GET", format!("/jobs/{job}/checkpoints/details/12345"), "", 404, "checkpoint 12345"),
        ("GET", format!("/jobs/{job}/savepoints/{none}"), "", 404, "triggerId"),
        ("GET", format!("/jobs/{job}/exceptions?maxExceptions=many"), "", 400, "(maxExceptions)"),
        ("PATCH", format!("/jobs/{job}?mode=explode"), "", 400, "(mode)"),
        ("PATCH", format!("/jobs/{job}?mode=stop"), "", 410, "removed"),
        ("POST", format!("/jobs/{job}/savepoints"), "{", 400, "SavepointTriggerRequestBody"),
        ("POST", format!("/jobs/{job}/savepoints"), "[]", 400, "SavepointTriggerRequestBody"),
        ("POST", format!("/jobs/{job}/savepoints"), r#"{"triggerId": "x"}"#, 400, "triggerId"),
        ("POST", format!("/jobs/{job}/stop"), r#"{"drain": "maybe"}"#, 400, "StopWithSavepointRequestBody"),
        ("POST", "/savepoint-disposal".to_owned(), "{}", 400, "savepoint-path"),
        ("PUT", format!("/jobs/{job}/resource-requirements"), "{}", 400, "bounds"),
        ("GET", "/taskmanagers/nobody".to_owned(), "", 404, "nobody"),
        ("GET", "/jobmanager/logs/..%2f..%2fetc%2fpasswd".to_owned(), "", 404, "log file"),
        ("GET", "/nothing".to_owned(), "", 404, "Not found: /nothing"),
        ("PUT", "/overview".to_owned(), "", 404, "Not found: /overview"),
    ] {
        let (found, document) = http::json(fixture.address(), method, &path, body);
        assert_eq!(found, status, "{method} {path}: {document}");
        let error = document["errors"][0].as_str().unwrap_or_default();
        assert!(error.contains(message), "{method} {path}: {error}");
    }
}
