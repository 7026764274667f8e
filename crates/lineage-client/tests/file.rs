//! The file and the kafka transport.

#![allow(clippy::unwrap_used, reason = "a test may fail here")]

use headwater_env::Env;
use headwater_lineage::model::{Event, EventType};
use headwater_lineage::{JobLineage, Observation, Producer, Run, run_event};
use headwater_lineage_client::{Client, Limits};
use serde_json::json;

#[test]
fn events_are_lines_of_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep/events.jsonl");
    let client = Client::start(&json!({"type": "file", "location": path}), Limits::default(), &Env::real()).unwrap();
    for kind in [EventType::Start, EventType::Complete] {
        let event =
            run_event(&Producer::default(), &JobLineage::default(), &Run::default(), &Observation::new(kind, 1));
        client.emit(&event);
    }
    drop(client);
    let text = std::fs::read_to_string(path).unwrap();
    let kinds = text.lines().map(|line| match Event::from_value(serde_json::from_str(line).unwrap()).unwrap() {
        Event::Run(event) => event.event_type.unwrap().as_str(),
        _ => panic!("a run event"),
    });
    assert_eq!(kinds.collect::<Vec<_>>(), ["START", "COMPLETE"]);
}
