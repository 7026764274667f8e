use super::Nexmark;
use crate::test_support::{read, read_interrupted, scan, table};
use expect_test::expect;
use headwater_plan::SourceSpec;
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};

fn row(fields: &[(&str, LogicalType)]) -> LogicalType {
    TypeRoot::Row(fields.iter().map(|(n, t)| RowField::new(*n, t.clone())).collect()).into()
}

fn spec(options: &[(&str, &str)]) -> SourceSpec {
    let long = || LogicalType::from(TypeRoot::BigInt);
    let time = || LogicalType::from(TypeRoot::Timestamp(3, TimeAttribute::Rowtime));
    let columns = [
        ("event_type", TypeRoot::Int.into()),
        ("person", row(&[("id", long()), ("name", LogicalType::string()), ("city", LogicalType::string())])),
        ("auction", row(&[("id", long()), ("seller", long()), ("expires", time())])),
        ("bid", row(&[("auction", long()), ("bidder", long()), ("price", long()), ("dateTime", time())])),
    ];
    scan(table(&columns, options))
}

#[test]
fn events_repeat_at_any_parallelism() {
    let spec = spec(&[("number-of-rows", "1234"), ("nexmark.event-rate", "1000")]);
    let mut one = read(&Nexmark, &spec, 1).unwrap();
    assert_eq!(one.len(), 1234);
    expect![[r#"
        +I[0, +I[1000, Deiter Noris, Portland], null, null]
        +I[1, null, +I[1000, 1000, 2025-06-01T07:55:00.710], null]
        +I[1, null, +I[1001, 1000, 2025-06-01T07:55:02.726], null]
        +I[1, null, +I[1002, 1000, 2025-06-01T07:55:01.045], null]
        +I[2, null, null, +I[1000, 1001, 151, 2025-06-01T07:55:00.004]]
        +I[2, null, null, +I[1000, 1001, 75044, 2025-06-01T07:55:00.005]]"#]]
    .assert_eq(&one[..6].join("\n"));
    let count = |kind: &str| one.iter().filter(|row| row.starts_with(kind)).count();
    assert_eq!([count("+I[0"), count("+I[1"), count("+I[2")], [25, 75, 1134]);
    one.sort();
    for parallelism in [2, 3] {
        let mut many = read(&Nexmark, &spec, parallelism).unwrap();
        many.sort();
        assert_eq!(many, one);
    }
}

#[test]
fn a_wrong_schema_shows_the_right_one() {
    let spec = scan(table(&[("bid", row(&[("prize", TypeRoot::BigInt.into())]))], &[]));
    let message = read(&Nexmark, &spec, 1).unwrap_err().message().to_string();
    assert!(message.contains("'bid' has no field 'prize'") && message.contains("price BIGINT"), "{message}");
}

#[test]
fn restored_readers_go_on_where_others_stopped() {
    let spec = spec(&[("number-of-rows", "1234"), ("nexmark.event-rate", "1000")]);
    let mut all = read(&Nexmark, &spec, 1).unwrap();
    all.sort();
    for parallelism in [&[1][..], &[2], &[3, 1, 2], &[1, 4]] {
        let mut pieces = read_interrupted(&Nexmark, &spec, parallelism).unwrap();
        pieces.sort();
        assert_eq!(pieces, all, "parallelism {parallelism:?}");
    }
}
