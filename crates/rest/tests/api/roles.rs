//! Tokens, and pages of other origins.

use crate::fixture::Fixture;
use headwater_rest::testing::http::request;

#[test]
fn tokens_open_what_their_role_may() {
    let key = "headwater.rest.authentication";
    let [admin, operate, view] = ["token", "operate-token", "view-token"].map(|name| format!("{key}.{name}"));
    let fixture = Fixture::new(&[(&admin, "strong"), (&operate, "middle"), (&view, "weak")]);
    let job = fixture.job.id();
    let checkpoints = format!("/jobs/{job}/checkpoints");
    for (method, path, token, status) in [
        ("GET", "/jobs", None, 401),
        ("GET", "/jobs", Some("wrong"), 401),
        ("GET", "/jobs", Some("weak"), 200),
        ("GET", "/jobs", Some("strong"), 200),
        ("POST", checkpoints.as_str(), None, 401),
        ("POST", checkpoints.as_str(), Some("weak"), 403),
        ("POST", checkpoints.as_str(), Some("middle"), 202),
        ("POST", checkpoints.as_str(), Some("strong"), 202),
        ("POST", "/savepoint-disposal", Some("middle"), 403),
        ("POST", "/savepoint-disposal", Some("strong"), 400),
        ("DELETE", "/cluster", Some("middle"), 403),
    ] {
        let header = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let (found, body) = request(fixture.address(), method, path, "", &header);
        assert_eq!(found, status, "{method} {path} {token:?}: {body}");
    }
    let (_, config) = request(fixture.address(), "GET", "/jobmanager/config", "", "Authorization: Bearer weak\r\n");
    assert!(!config.contains("strong") && config.contains("******"), "{config}");
}

#[test]
fn pages_of_other_origins_change_nothing() {
    let fixture = Fixture::new(&[]);
    let path = format!("/jobs/{}", fixture.job.id());
    let foreign = "Origin: http://evil.example\r\n";
    assert_eq!(request(fixture.address(), "PATCH", &path, "", foreign).0, 403);
    assert_eq!(request(fixture.address(), "GET", &path, "", foreign).0, 200);
    let own = format!("Origin: http://{}\r\n", fixture.address());
    assert_eq!(request(fixture.address(), "PATCH", &path, "", &own).0, 202);
}
