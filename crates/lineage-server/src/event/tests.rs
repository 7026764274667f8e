use super::*;
use serde_json::json;

const NOW: i64 = 1_800_000_000_000_000;

fn start() -> Value {
    json!({"eventTime": "2026-01-01T00:00:00Z", "eventType": "START",
           "run": {"runId": "9f2c1c6e-6c5e-4c39-8b41-51f5d2f7d0aa"}, "job": {"namespace": "n", "name": "j"}})
}

fn changed(pointer: &str, value: Value) -> Value {
    let mut event = start();
    match event.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => event[pointer.trim_start_matches('/')] = value,
    }
    event
}

#[test]
fn refusals_name_their_reason() {
    let cases = [
        (json!([1]), "not-an-object"),
        (changed("/eventTime", json!(null)), "no-event-time"),
        (changed("/eventTime", json!("yesterday")), "bad-event-time"),
        (changed("/eventTime", json!("2999-01-01T00:00:00Z")), "clock-skew"),
        (changed("/eventTime", json!("1066-01-01T00:00:00Z")), "clock-skew"),
        (changed("/eventType", json!("EXPLODE")), "unknown-event-type"),
        (changed("/run/runId", json!("x")), "bad-run-id"),
        (changed("/job/name", json!("")), "no-name"),
        (changed("/job/name", json!("n".repeat(5000))), "name-too-long"),
        (changed("/inputs", json!({"namespace": "a"})), "bad-datasets"),
        (changed("/outputs", json!([{"namespace": "a"}])), "no-name"),
        (json!({"eventTime": "2026-01-01T00:00:00Z"}), "no-subject"),
    ];
    for (body, code) in cases {
        let found = Event::read(&body, NOW).map(|_| "taken").map_err(|r| r.code);
        assert_eq!(found, Err(code), "{body}");
    }
}

#[test]
fn what_other_servers_refuse_is_taken() {
    let mut no_type = start();
    no_type.as_object_mut().unwrap().remove("eventType");
    let job = json!({"eventTime": "2026-01-01T00:00:00", "job": {"namespace": "n", "name": "j"}});
    let dataset = json!({"eventTime": "2026-01-01T00:00:00+02:00", "dataset": {"namespace": "n", "name": "d"}});
    let service = changed("/job", json!({"namespace": "n", "name": "j", "facets": {"jobType": "odd"}}));
    let no_namespace = changed("/inputs", json!([{"namespace": "", "name": "default_catalog.default_database.g"}]));
    for body in [no_type, job, dataset, service, no_namespace, start()] {
        assert!(Event::read(&body, NOW).is_ok(), "{body}");
    }
}

#[test]
fn times() {
    let cases = [
        ("2026-11-01T10:00:00+00:00", Some(1_793_527_200_000_000)),
        ("2026-11-01T10:00:00.5Z", Some(1_793_527_200_500_000)),
        ("2026-11-01 10:00:00", Some(1_793_527_200_000_000)),
        ("2026-11-01T12:00:00+0200", Some(1_793_527_200_000_000)),
        ("soon", None),
    ];
    for (text, expected) in cases {
        assert_eq!(micros(text), expected, "{text}");
    }
    let id = Uuid::parse_str("01a1968d-3900-7871-b89a-f0d269f398ec").unwrap();
    assert_eq!(time_of_uuid(&id), Some(1_793_527_200_000_000));
    assert_eq!(time_of_uuid(&Uuid::nil()), None);
}
