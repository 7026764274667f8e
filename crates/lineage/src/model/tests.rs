use super::*;
use serde_json::json;

#[test]
fn facets_are_written_with_their_schema_and_read_back() {
    let mut facets = Facets::new();
    let facet = FlinkJob { job_id: "00".to_owned() };
    facets.set("https://producer", &facet);
    let written = &facets.0["flink_job"];
    assert_eq!(written["_producer"], "https://producer");
    assert!(written["_schemaURL"].as_str().is_some_and(|url| url.ends_with("#/$defs/FlinkJobRunFacet")));
    assert_eq!(facets.get::<FlinkJob>(), Some(facet));
}

#[test]
fn events_of_all_kinds_are_read_whatever_else_they_hold() {
    let run = json!({"eventTime": "2026-01-01T00:00:00Z", "run": {"runId": "any", "facets": null, "extra": 1},
        "job": {"namespace": "n", "name": "j", "facets": {"unknown": {"a": [1]}, "jobType": {"integration": null}}},
        "inputs": null});
    let Event::Run(event) = Event::from_value(run).unwrap() else { panic!("a run event") };
    assert_eq!((event.event_type, event.inputs.len()), (None, 0));
    assert_eq!(event.job.facets.get::<JobType>().unwrap().integration, "");
    assert_eq!(event.job.facets.0["unknown"]["a"][0], 1);

    let job = json!({"eventTime": "t", "job": {"namespace": "n", "name": "j"}});
    assert!(matches!(Event::from_value(job).unwrap(), Event::Job(_)));
    let dataset = json!({"eventTime": "t", "dataset": {"namespace": "n", "name": "d"}});
    assert!(matches!(Event::from_value(dataset).unwrap(), Event::Dataset(_)));
}

#[test]
fn what_is_no_event_is_refused_with_a_reason() {
    for (value, reason) in [
        (json!([]), "an array"),
        (json!({"eventTime": "t"}), "none of them"),
        (json!({"eventTime": "t", "run": {"runId": "r"}}), "missing field `job`"),
        (
            json!({"eventTime": "t", "eventType": "HALTED", "run": {"runId": "r"},
            "job": {"namespace": "n", "name": "j"}}),
            "unknown variant `HALTED`",
        ),
        (json!({"eventTime": "t", "job": {"namespace": 1, "name": "j"}}), "expected a string"),
    ] {
        let error = Event::from_value(value).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_deleted_or_misshapen_facet_is_none() {
    let facets: Facets =
        serde_json::from_value(json!({"sql": {"_deleted": true, "query": "q"}, "schema": {"fields": 3}})).unwrap();
    assert_eq!(facets.get::<Sql>(), None);
    assert!(facets.read::<Schema>().unwrap().is_err());
}
