use super::*;
use crate::event::tests::{dataset, two_by_two};
use crate::event::{Observation, Producer, Run, run_event};
use crate::job::Kind;
use crate::model::EventType;
use expect_test::expect;

fn changes(before: &JobLineage, after: &JobLineage) -> String {
    diff(&before.into(), &after.into()).iter().map(|change| format!("{change}\n")).collect()
}

#[test]
fn losses_come_first() {
    let before = two_by_two();
    let mut after = two_by_two();
    after.outputs[1].dataset = dataset("file", &["/o3"], "out2", &["y"]);
    after.outputs[0].dataset.columns[0].name = "z".to_owned();
    after.outputs[0].rows[0].transformations[0].kind = Kind::Join;
    after.inputs[0].dataset.ids[0].name = "t8".to_owned();
    expect![[r#"
        LOST     output file /o2
        LOST     column x of kafka://k:1 o1
        ADDED    column z of kafka://k:1 o1
        CHANGED  sources of rows of kafka://k:1 o1: -kafka://k:1 t1.b (FILTER) +kafka://k:1 t8.b (JOIN)
        ADDED    output file /o3
        DROPPED  input kafka://k:1 t1
        ADDED    input kafka://k:1 t8
    "#]]
    .assert_eq(&changes(&before, &after));
    assert_eq!(diff(&(&before).into(), &(&after).into()).iter().filter(|c| c.is_loss()).count(), 2);
}

#[test]
fn a_plan_equals_the_events_of_its_run() {
    let lineage = two_by_two();
    let seen = Observation::new(EventType::Running, 0);
    let event = run_event(&Producer::default(), &lineage, &Run::default(), &seen);
    assert_eq!(Shape::from(&event), Shape::from(&lineage));
}

#[test]
fn another_type_is_told_and_no_loss() {
    let before = two_by_two();
    let mut after = two_by_two();
    after.outputs[0].dataset.columns[0].ty = "STRING".to_owned();
    let found = diff(&(&before).into(), &(&after).into());
    assert!(matches!(found.as_slice(), [change @ Change::TypeChanged { .. }] if !change.is_loss()));
}
