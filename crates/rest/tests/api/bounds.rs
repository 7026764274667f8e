//! Slow clients, many requests, large bodies.

use crate::fixture::Fixture;
use headwater_rest::testing::http;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection that has sent this, and nothing more.
fn begun(fixture: &Fixture, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(fixture.address()).expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout can be set");
    stream.write_all(bytes).expect("the bytes are taken");
    stream
}

#[test]
fn clients_that_dawdle_are_hung_up_on_and_hold_up_nobody() {
    let fixture = Fixture::new(&[("headwater.rest.request-timeout", "1 s")]);
    let job = fixture.job.id();
    let body = format!("POST /jobs/{job}/checkpoints HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{{");
    let slow: Vec<TcpStream> = [&b""[..], b"GET /overview HTT", b"GET /overview HTTP/1.1\r\nHost:", body.as_bytes()]
        .into_iter()
        .map(|bytes| begun(&fixture, bytes))
        .collect();
    assert_eq!(fixture.get("/overview")["jobs-running"], 1);
    for mut stream in slow {
        let mut answer = vec![];
        // The end of the connection, or a refusal before it: not the client's timeout.
        let ended = stream.read_to_end(&mut answer);
        assert!(ended.is_ok() || ended.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset));
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(fixture.get("/overview")["jobs-running"], 1);
}

#[test]
fn who_asks_too_often_is_told_to_wait() {
    let fixture = Fixture::new(&[("headwater.rest.requests-per-second", "5")]);
    let statuses: Vec<u16> = (0..60).map(|_| http::request(fixture.address(), "GET", "/config", "", "").0).collect();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(refused > 0 && statuses.iter().all(|status| [200, 429].contains(status)), "{statuses:?}");
    assert_eq!(statuses[..10], [200; 10], "a burst is let through");
}

#[test]
fn bodies_are_bounded_by_what_a_request_needs() {
    let fixture = Fixture::new(&[("rest.server.max-content-length", "2 mb")]);
    let path = format!("/jobs/{}/checkpoints", fixture.job.id());
    let plan = "Content-Type: application/x-headwater-plan\r\n";
    for (path, size, headers, status) in [
        (path.as_str(), (1 << 20) + 1, "", 413),
        ("/jobs", (1 << 20) + 1, plan, 400),
        ("/jobs", (2 << 20) + 1, plan, 413),
    ] {
        let (found, body) = http::request(fixture.address(), "POST", path, &"x".repeat(size), headers);
        assert_eq!(found, status, "{path} {size}: {body}");
    }
    assert_eq!(fixture.get("/overview")["jobs-running"], 1);
}
