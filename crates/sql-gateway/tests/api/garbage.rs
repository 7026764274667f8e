//! Whatever arrives, the gateway answers or closes, and goes on.

use crate::fixture::Fixture;
use headwater_rest::testing::http;
use serde_json::json;

#[test]
fn garbage_is_refused_and_the_gateway_lives_on() {
    let fixture = Fixture::new(&[]);
    let address = fixture.address();
    let large = "POST /v1/sessions HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n{";
    let requests: [&[u8]; 7] = [
        b"",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /v1/sessions HTTP/9.9\r\n\r\n",
        b"GET /v1/sessions/%ff%fe HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"POST /v1/sessions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v1/info HTTP/1.1\r\nHost: \x00\r\n\r\n",
        large.as_bytes(),
    ];
    for request in requests {
        let answer = http::garbage(address, request);
        assert!(!answer.starts_with(b"HTTP/1.1 200"), "{:?}", String::from_utf8_lossy(request));
        assert_eq!(fixture.get("/info")["productName"], "Headwater");
    }
    let nested = format!("{{\"properties\": {}}}", "[".repeat(100_000));
    assert_eq!(fixture.call("POST", "/v1/sessions", &nested).0, 400);
    let oversized = format!("{{\"sessionName\": \"{}\"}}", "a".repeat(9 << 20));
    assert_eq!(fixture.call("POST", "/v1/sessions", &oversized).0, 413);
}

#[test]
fn what_cannot_be_is_named() {
    let fixture = Fixture::new(&[]);
    let client = fixture.open();
    let operation = client.submit("SHOW CATALOGS");
    client.fetch(&operation).unwrap();
    let session = client.path();
    let none = "00000000-0000-0000-0000-000000000000";
    let statement = json!({ "statement": "SELECT 1" }).to_string();
    for (method, path, body, status, message) in [
        ("POST", "/v1/sessions".to_owned(), "{", 400, "OpenSessionRequestBody"),
        ("POST", "/v1/sessions".to_owned(), "[]", 400, "OpenSessionRequestBody"),
        ("POST", "/v1/sessions".to_owned(), r#"{"properties": {"a": []}}"#, 400, "OpenSessionRequestBody"),
        ("GET", "/v1/sessions/abc".to_owned(), "", 400, "path parameter (session_handle) from value \"abc\""),
        ("GET", format!("/v1/sessions/{none}"), "", 404, "does not exist"),
        ("POST", format!("/v1/sessions/{none}/statements"), &statement, 404, "does not exist"),
        ("POST", format!("{session}/statements"), "{}", 400, "'statement' is missing"),
        ("POST", format!("{session}/statements"), "{\"statement\": ", 400, "ExecuteStatementRequestBody"),
        ("POST", format!("{session}/statements"), "{\"statement\": []}", 400, "ExecuteStatementRequestBody"),
        ("POST", format!("{session}/configure-session"), "{}", 400, "'statement' is missing"),
        ("GET", format!("{session}/complete-statement"), "{}", 400, "'statement' is missing"),
        ("GET", format!("{session}/operations/zz/status"), "", 400, "path parameter (operation_handle)"),
        ("GET", format!("{session}/operations/{none}/status"), "", 404, none),
        ("DELETE", format!("{session}/operations/{none}/close"), "", 404, none),
        ("GET", format!("{operation}/result/x"), "", 400, "path parameter (token)"),
        ("GET", format!("{operation}/result/0?rowFormat=xml"), "", 400, "query parameter (rowFormat)"),
        ("GET", format!("{operation}/result/7"), "", 500, "Expecting token to be 1 or 0, but found 7"),
        ("GET", format!("{operation}/result/-1"), "", 500, "but found -1"),
        ("POST", format!("{operation}/cancel"), "", 409, "from FINISHED to CANCELED"),
        ("GET", "/v5/info".to_owned(), "", 404, "Not found: /v5/info"),
        ("GET", format!("/v1/sessions/{none}/complete-statement"), "", 404, "Not found"),
        ("PUT", "/v1/sessions".to_owned(), "", 404, "Not found"),
    ] {
        let (found, document) = fixture.call(method, &path, body);
        assert_eq!(found, status, "{method} {path}: {document}");
        let errors = document["errors"].to_string().replace("\\\"", "\"");
        assert!(errors.contains(message), "{method} {path}: {errors}");
    }
}
