use super::tableau::Columns;
use super::*;
use arrow::array::{ArrayRef, Int32Array, ListArray, RecordBatch, StringArray};
use expect_test::{Expect, expect};
use headwater_data::arrow_schema;
use headwater_types::{RowKind, TypeRoot};
use std::sync::Arc;

fn columns() -> Vec<(String, LogicalType)> {
    let array = TypeRoot::Array(Box::new(TypeRoot::Int.into())).into();
    vec![("id".into(), TypeRoot::Int.into()), ("name".into(), LogicalType::string()), ("xs".into(), array)]
}

fn batch() -> ChangeBatch {
    use arrow::datatypes::Int32Type;
    let xs = vec![Some(vec![Some(1), None]), None];
    let arrays: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![Some(1), None])),
        Arc::new(StringArray::from(vec![Some("a \"quoted\" name, too long to show"), Some("")])),
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(xs)),
    ];
    let columns = columns();
    let schema = arrow_schema(columns.iter().map(|(n, t)| (n.as_str(), t)));
    let rows = RecordBatch::try_new(schema, arrays).expect("arrays of the schema");
    ChangeBatch::from_kinds(rows, [RowKind::Insert, RowKind::UpdateAfter])
}

fn check(format: Format, show_op: bool, expected: Expect) {
    let shape = Shape { columns: columns(), show_op, zone: Tz::UTC, column_width_max: 12 };
    let mut out = vec![];
    let mut writer = writer(format, shape);
    writer.batch(&mut out, &batch()).expect("writing to memory");
    writer.finish(&mut out).expect("writing to memory");
    expected.assert_eq(&String::from_utf8(out).expect("text"));
}

#[test]
fn streams_take_their_widths_from_types() {
    check(
        Format::Table,
        true,
        expect![[r#"
            +----+-------------+--------------+--------------+
            | op |          id |         name |           xs |
            +----+-------------+--------------+--------------+
            | +I |           1 | a "quoted... |    [1, NULL] |
            | +U |      <NULL> |              |       <NULL> |
            +----+-------------+--------------+--------------+
            Received a total of 2 rows
        "#]],
    );
}

#[test]
fn batch_results_take_their_widths_from_values() {
    check(
        Format::Table,
        false,
        expect![[r#"
            +--------+--------------+-----------+
            |     id |         name |        xs |
            +--------+--------------+-----------+
            |      1 | a "quoted... | [1, NULL] |
            | <NULL> |              |    <NULL> |
            +--------+--------------+-----------+
            2 rows in set
        "#]],
    );
}

#[test]
fn csv_tells_null_from_the_empty_string() {
    check(
        Format::Csv,
        false,
        expect![[r#"
            id,name,xs
            1,"a ""quoted"" name, too long to show","[1, NULL]"
            ,"",
        "#]],
    );
}

#[test]
fn json_is_one_object_a_line_with_op_first() {
    check(
        Format::Json,
        true,
        expect![[r#"
            {"op":"+I","id":1,"name":"a \"quoted\" name, too long to show","xs":[1,null]}
            {"op":"+U","id":null,"name":"","xs":null}
        "#]],
    );
}

#[test]
fn wide_characters_take_two_columns() {
    let columns = Columns::from_values(vec!["c".into()], &[vec!["世界".into()]], 30);
    let mut out = vec![];
    columns.row(&mut out, &["世界".into()]).expect("writing to memory");
    columns.row(&mut out, &["ab".into()]).expect("writing to memory");
    assert_eq!(String::from_utf8(out).expect("text"), "| 世界 |\n|   ab |\n");
}
