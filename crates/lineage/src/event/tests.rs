use super::*;
use crate::job::{Column, Dataset, Input, Kind, Output, Source, Transformation};
use crate::model::{ColumnLineage, InputStatistics, LineageJob, Symlinks};

pub(crate) fn dataset(namespace: &str, names: &[&str], table: &str, columns: &[&str]) -> Dataset {
    let id = |name: &&str| DatasetId { namespace: namespace.to_owned(), name: (*name).to_owned() };
    let column = |name: &&str| Column { name: (*name).to_owned(), ty: "INT".to_owned(), ..Column::default() };
    Dataset {
        ids: names.iter().map(id).collect(),
        table: ["c", "d", table].map(str::to_owned),
        connector: "kafka".to_owned(),
        columns: columns.iter().map(column).collect(),
        ..Dataset::default()
    }
}

pub(crate) fn source(input: usize, column: &str, kind: Kind) -> Source {
    Source { input, column: column.to_owned(), transformations: vec![Transformation::new(kind, false, "")] }
}

/// Two inputs, the second of two topics; two outputs, each fed by one of them.
pub(crate) fn two_by_two() -> JobLineage {
    let input = |dataset| Input { dataset, bounded: false, lookup: false };
    let output = |dataset, at: usize, column: &str| Output {
        dataset,
        inputs: BTreeSet::from([at]),
        columns: BTreeMap::from([(column.to_owned(), vec![source(at, "a", Kind::Identity)])]),
        rows: vec![source(at, "b", Kind::Filter)],
        ..Output::default()
    };
    JobLineage {
        name: "job".to_owned(),
        streaming: true,
        sql: Some("INSERT".to_owned()),
        inputs: vec![
            input(dataset("kafka://k:1", &["t1"], "one", &["a", "b"])),
            input(dataset("kafka://k:1", &["t2", "t3"], "two", &["a", "b"])),
        ],
        outputs: vec![
            output(dataset("kafka://k:1", &["o1"], "out1", &["x"]), 0, "x"),
            output(dataset("file", &["/o2"], "out2", &["y"]), 1, "y"),
        ],
    }
}

fn event(seen: &Observation) -> RunEvent {
    let run = Run { id: run_id(7, 1000), job_id: format!("{:032x}", 7), ..Run::default() };
    run_event(&Producer::default(), &two_by_two(), &run, seen)
}

#[test]
fn every_event_has_inputs_outputs_job_type_and_engine() {
    use EventType::{Abort, Complete, Fail, Running, Start};
    for kind in [Start, Running, Complete, Fail, Abort] {
        let event = event(&Observation::new(kind, 5));
        assert_eq!(event.event_type, Some(kind));
        assert_eq!(event.inputs.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["t1", "t2", "t3"]);
        assert_eq!(event.outputs.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["o1", "/o2"]);
        assert_eq!(event.job.facets.get::<JobType>().unwrap().processing_type, "STREAMING");
        assert_eq!(event.run.facets.get::<ProcessingEngine>().unwrap().name.as_deref(), Some("flink"));
    }
}

#[test]
fn the_explicit_facet_keeps_outputs_apart() {
    let facet = event(&Observation::new(EventType::Start, 5)).job.facets.get::<LineageJob>().unwrap();
    let whole = |at: usize| {
        let of = facet.entries[at].inputs.iter().filter(|input| input.field.is_none());
        of.map(|input| input.name.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((whole(0), whole(1)), (vec!["t1".to_owned()], vec!["t2".to_owned(), "t3".to_owned()]));
}

#[test]
fn a_column_of_a_table_of_two_topics_comes_from_both() {
    let event = event(&Observation::new(EventType::Start, 5));
    let lineage = event.outputs[1].facets.get::<ColumnLineage>().unwrap();
    let names: Vec<_> = lineage.fields["y"].input_fields.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["t2", "t3"]);
}

#[test]
fn datasets_found_later_replace_those_of_the_plan() {
    let mut seen = Observation::new(EventType::Running, 5);
    let found = ["t3", "t9"].map(|name| DatasetId { namespace: "kafka://k:1".to_owned(), name: name.to_owned() });
    seen.found.insert("c.d.two".to_owned(), found.to_vec());
    let names: Vec<_> = event(&seen).inputs.into_iter().map(|d| d.name).collect();
    assert_eq!(names, ["t1", "t3", "t9"]);
}

#[test]
fn counts_of_two_tables_over_one_topic_add_up() {
    let mut lineage = two_by_two();
    lineage.inputs[1].dataset.ids = lineage.inputs[0].dataset.ids.clone();
    let mut seen = Observation::new(EventType::Running, 5);
    for table in ["c.d.one", "c.d.two"] {
        seen.inputs.insert(table.to_owned(), Traffic { rows: 3, bytes: 4, watermark_ms: None });
    }
    let event = run_event(&Producer::default(), &lineage, &Run::default(), &seen);
    assert_eq!(event.inputs.len(), 1);
    let statistics = event.inputs[0].input_facets.get::<InputStatistics>().unwrap();
    assert_eq!((statistics.row_count, statistics.size), (Some(6), Some(8)));
    assert_eq!(event.inputs[0].facets.get::<Symlinks>().unwrap().identifiers.len(), 2);
}

#[test]
fn partitions_go_to_the_topic_they_are_of() {
    let mut seen = Observation::new(EventType::Running, 5);
    let position = |partition: &str| PartitionPosition { partition: partition.to_owned(), offset: 1 };
    seen.positions.insert("c.d.two".to_owned(), vec![position("t2-0"), position("t3-0"), position("t3-1")]);
    let progress = event(&seen).run.facets.get::<StreamProgress>().unwrap();
    let counts: Vec<_> = progress.inputs.iter().map(|i| (i.name.as_str(), i.partitions.len())).collect();
    assert_eq!(counts, [("t1", 0), ("t2", 1), ("t3", 2)]);
}

#[test]
fn disabled_facets_are_left_out_everywhere() {
    let disabled_facets = ["sql", "schema", "headwater_health"].map(str::to_owned).into();
    let producer = Producer { disabled_facets, ..Producer::default() };
    let event = run_event(&producer, &two_by_two(), &Run::default(), &Observation::new(EventType::Start, 0));
    let text = serde_json::to_string(&event).unwrap();
    assert!(!text.contains("\"sql\":") && !text.contains("\"schema\":") && !text.contains("headwater_health"));
}

#[test]
fn run_ids_are_of_version_seven_and_the_same_for_the_same_run() {
    let id = run_id(0x1234_5678_9abc_def0_1234_5678_9abc_def0, 1_700_000_000_000);
    assert_eq!(id, run_id(0x1234_5678_9abc_def0_1234_5678_9abc_def0, 1_700_000_000_000));
    assert_eq!(Uuid::parse_str(&id).unwrap().get_version_num(), 7);
    assert_ne!(id, run_id(1, 1_700_000_000_000));
}

#[test]
fn jobs_that_compute_the_same_have_one_version() {
    let (mut a, b) = (two_by_two(), two_by_two());
    a.name = "other".to_owned();
    assert_eq!(a.version(), b.version());
    a.outputs[0].rows.clear();
    assert_ne!(a.version(), b.version());
    assert_eq!(JobLineage::from_json(&a.to_json()).unwrap(), a);
}

/// Everything that an event can say.
fn full() -> (Run, Observation) {
    use crate::model::{Checkpoint, ParentJob, ParentRun};
    let id = run_id(1, 1);
    let parent = Parent {
        run: ParentRun { run_id: id.clone() },
        job: ParentJob { namespace: "n".to_owned(), name: "p".to_owned() },
        root: None,
    };
    let path = "file:///chk-1".to_owned();
    let restore = Restore { run_id: Some(id.clone()), path: path.clone(), ..Restore::default() };
    let latest = Checkpoint { id: 1, triggered_at: timestamp(1), path: Some(path), ..Checkpoint::default() };
    let mut seen = Observation::new(EventType::Fail, 5);
    seen.checkpoints = Some(Checkpoints { latest: Some(latest), ..Checkpoints::default() });
    seen.committed = Some((1, 2));
    let (message, programming_language) = ("it broke".to_owned(), "RUST".to_owned());
    seen.error = Some(ErrorMessage { message, programming_language, stack_trace: Some("at".to_owned()) });
    for table in ["c.d.one", "c.d.two", "c.d.out1", "c.d.out2"] {
        let traffic = Traffic { rows: 1, bytes: 2, watermark_ms: Some(3) };
        seen.inputs.insert(table.to_owned(), traffic);
        seen.outputs.insert(table.to_owned(), traffic);
    }
    seen.positions.insert("c.d.one".to_owned(), vec![PartitionPosition { partition: "0".to_owned(), offset: 9 }]);
    (Run { id, job_id: format!("{:032x}", 1), parent: Some(parent), restore: Some(restore) }, seen)
}

#[test]
fn events_are_valid_by_the_schemas_of_the_specification() {
    let Some(schemas) = crate::testing::Schemas::load() else {
        eprintln!("../shared/spec/openlineage is not here: skipped");
        return;
    };
    let (run, mut seen) = full();
    let tag = |key: &str| Tag { key: key.to_owned(), value: "v".to_owned(), source: Some("CONFIG".to_owned()) };
    let owners = vec![Owner { name: "team:data".to_owned(), kind: Some("team".to_owned()) }];
    let producer = Producer { owners, job_tags: vec![tag("a")], run_tags: vec![tag("b")], ..Producer::default() };
    let mut lineage = two_by_two();
    lineage.outputs[0].overwrite = true;
    lineage.inputs[0].dataset.comment = Some("orders".to_owned());
    lineage.inputs[0].dataset.format = Some("json".to_owned());
    for streaming in [true, false] {
        lineage.streaming = streaming;
        for kind in [EventType::Start, EventType::Running, EventType::Fail] {
            seen.event_type = kind;
            let event = serde_json::to_value(run_event(&producer, &lineage, &run, &seen)).unwrap();
            assert_eq!(schemas.errors(&event), Vec::<String>::new());
        }
    }
    // The check sees what is wrong.
    let mut broken = serde_json::to_value(run_event(&producer, &lineage, &run, &seen)).unwrap();
    broken["run"]["runId"] = "7".into();
    broken["run"]["facets"]["checkpoints"]["failed"] = "none".into();
    assert_eq!(schemas.errors(&broken).len(), 2, "{:?}", schemas.errors(&broken));
}

#[test]
fn templates_match_in_any_order_and_fail_on_any_other_value() {
    use crate::testing::missing;
    use serde_json::json;
    let template =
        json!({"a": [{"x": 1}, {"x": 2}], "b": "${json-unit.any-string}", "c": "${json-unit.regex}2\\.\\d+.*"});
    assert!(
        missing(&template, &json!({"a": [{"x": 2, "y": 0}, {"x": 1}], "b": "t", "c": "2.3.0+h", "d": 1}), "")
            .is_empty()
    );
    assert_eq!(missing(&template, &json!({"a": [{"x": 2}], "b": 1, "c": "3.0"}), "").len(), 3);
}
