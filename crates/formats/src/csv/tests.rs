use super::{CsvDecoder, CsvEncoder, CsvOptions, options::csv_options};
use crate::text::java;
use crate::{ReadSchema, RowDecoder, RowEncoder, values};
use arrow::array::RecordBatch;
use headwater_connector_api::Options;
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_plan::Value;
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};
use proptest::prelude::*;

type Columns = Vec<(String, LogicalType)>;

fn options(pairs: &[(&str, &str)]) -> CsvOptions {
    let map = pairs.iter().map(|(k, v)| (format!("csv.{k}"), v.to_string())).collect();
    csv_options(Options(&map)).unwrap()
}

fn columns(types: &[(&str, TypeRoot)]) -> Columns {
    types.iter().map(|(n, t)| (n.to_string(), t.clone().into())).collect()
}

fn text() -> TypeRoot {
    LogicalType::string().root
}

fn batch(columns: &Columns, arrays: Vec<arrow::array::ArrayRef>) -> ChangeBatch {
    let schema = arrow_schema(columns.iter().map(|(n, t)| (n.as_str(), t)));
    ChangeBatch::append(RecordBatch::try_new(schema, arrays).unwrap())
}

/// The rows in text form, then the bad records as `line N @POSITION: REASON`.
fn decode(columns: &Columns, options: CsvOptions, input: &[u8], block: usize) -> Vec<String> {
    let wanted: Vec<_> = columns.iter().map(|(_, t)| t.clone()).enumerate().collect();
    let mut decoder = CsvDecoder::new(ReadSchema { columns, wanted: &wanted }, options);
    let mut bad = vec![];
    let (mut at, mut end, mut lines) = (0, block.min(input.len()), 0);
    while at < input.len() {
        let progress = decoder
            .decode(&input[at..end], end == input.len(), usize::MAX, &mut |record| {
                if !record.ignored {
                    bad.push(format!("line {} @{}: {}", lines + record.line, record.position, record.reason));
                }
                Ok(())
            })
            .unwrap();
        at += progress.consumed;
        lines += progress.lines;
        end = (end + block).min(input.len());
    }
    let batch = batch(columns, decoder.finish().unwrap().arrays);
    let text = |r| {
        let mut out = vec![];
        java::row(&mut out, &batch, r);
        String::from_utf8(out).unwrap()
    };
    (0..batch.num_rows()).map(text).chain(bad).collect()
}

#[test]
fn fields_quotes_and_line_ends() {
    let columns = columns(&[("a", TypeRoot::Int), ("b", text()), ("c", text())]);
    let input = b"1,x,\"y, \"\"z\"\"\"\r\n 2 ,,\"two\nlines\"\n\n3,\"\",  p q \n,\"a\" ,b\n5,last,row";
    let expected = [
        "+I[1, x, y, \"z\"]",
        "+I[2, , two\nlines]",
        "+I[3, ,   p q ]",
        "+I[null, a, b]",
        "+I[5, last, row]",
        "line 3 @0: the record has 1 fields, expected 3",
    ];
    for block in 1..input.len() + 1 {
        assert_eq!(decode(&columns, options(&[]), input, block), expected, "blocks of {block} bytes");
    }
}

#[test]
fn empty_and_blank_fields_and_lines() {
    let cases: [(TypeRoot, &[u8], &str); 7] = [
        (TypeRoot::Boolean, b"1,\n", "+I[1, false]"),
        (TypeRoot::Int, b"1,\n", "+I[1, null]"),
        (TypeRoot::VarBinary(9), b"1,\n", "+I[1, []]"),
        (TypeRoot::Array(Box::new(TypeRoot::Int.into())), b"1,\n", "+I[1, []]"),
        (TypeRoot::Int, b"1, 5\n", "+I[1, 5]"),
        (TypeRoot::Decimal(5, 2), b"1, 5\n", "+I[1, null]"),
        (text(), b"\n", "+I[null, null]"),
    ];
    for (ty, input, expected) in cases {
        let columns = columns(&[("a", TypeRoot::Int), ("x", ty.clone())]);
        let lines = decode(&columns, options(&[("ignore-parse-errors", "true")]), input, 100);
        assert_eq!(lines, [expected], "{ty:?}");
    }
}

#[test]
fn types() {
    let array = TypeRoot::Array(Box::new(TypeRoot::Int.into()));
    let row = TypeRoot::Row(vec![RowField::new("x", TypeRoot::Int.into()), RowField::new("y", text().into())]);
    let timestamp = TypeRoot::Timestamp(3, TimeAttribute::None);
    let columns = columns(&[
        ("d", TypeRoot::Decimal(5, 2)),
        ("t", timestamp),
        ("l", array),
        ("r", row),
        ("b", TypeRoot::Boolean),
        ("f", TypeRoot::Double),
    ]);
    let input = b"1.239,2024-01-02 03:04:05.6,1;2;3,7;seven,true,1e2\n,2024-01-02T03:04:05,,,no,\n";
    assert_eq!(
        decode(&columns, options(&[]), input, 1000),
        [
            "+I[1.24, 2024-01-02T03:04:05.600, [1, 2, 3], +I[7, seven], true, 100.0]",
            "+I[null, 2024-01-02T03:04:05, [], null, false, null]",
        ]
    );
}

#[test]
fn options_change_the_form() {
    let columns = columns(&[("a", text()), ("b", TypeRoot::Int)]);
    let form = options(&[
        ("field-delimiter", "\\t"),
        ("escape-character", "\\"),
        ("null-literal", "NULL"),
        ("allow-comments", "true"),
    ]);
    let input = b"# comment\na\\\tb\t1\nNULL\tNULL\n\"q\\\"q\"\t2\n";
    assert_eq!(decode(&columns, form, input, 1000), ["+I[a\tb, 1]", "+I[null, null]", "+I[q\"q, 2]"]);
    let unquoted = options(&[("disable-quote-character", "true"), ("field-delimiter", "|")]);
    assert_eq!(decode(&columns, unquoted, b"\"a\"|1\n", 1000), ["+I[\"a\", 1]"]);
}

#[test]
fn bad_records() {
    let columns = columns(&[("a", TypeRoot::Int), ("b", text())]);
    let input = b"1,\"two\nlines\"\nx,y\n2\n3,4,5\n4,\xff\n6,\"open\n";
    assert_eq!(
        decode(&columns, options(&[]), input, 1000),
        [
            "+I[1, two\nlines]",
            "line 2 @0: field 'a': cannot read 'x' as an INT",
            "line 3 @0: the record has 1 fields, expected 2",
            "line 4 @0: the record has 3 fields, expected 2",
            "line 5 @2: the record is not UTF-8",
            "line 6 @2: a quoted field is not closed before the end of the file",
        ]
    );
    let lenient = options(&[("ignore-parse-errors", "true")]);
    assert_eq!(decode(&columns, lenient, b"x,y\n2\n3,4,5\n", 1000), ["+I[null, y]", "+I[2, null]"]);
}

#[test]
fn writes_as_jackson_does() {
    let columns = columns(&[("a", text()), ("d", TypeRoot::Decimal(9, 3)), ("f", TypeRoot::Double)]);
    let rows: [&[Value]; 4] = [
        &[Value::String("plain".into()), Value::Decimal(100_000), Value::Float(1.5)],
        &[Value::String("with space".into()), Value::Decimal(1_500), Value::Float(1e10)],
        &[Value::String("a\"b".into()), Value::Decimal(0), Value::Null],
        &[Value::String("abcdefghijklmnopqrstuvwxyz".into()), Value::Null, Value::Null],
    ];
    let arrays = (0..3).map(|c| values::array(&columns[c].1, &columns[c].1, rows.iter().map(|r| &r[c])).unwrap());
    let batch = batch(&columns, arrays.collect());
    let mut out = vec![];
    CsvEncoder::new(&columns, options(&[("null-literal", "-")])).unwrap().encode(&batch, &mut out).unwrap();
    let expected = "plain,1E+2,1.5\n\"with space\",1.5,1.0E10\n\"a\"\"b\",0,-\n\"abcdefghijklmnopqrstuvwxyz\",-,-\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

proptest! {
    #[test]
    fn reads_what_it_wrote(
        rows in prop::collection::vec(("[ -~\u{e9}\n\",;\\\\#]{1,30}", prop::option::of(any::<i64>())), 1..20),
        escape in any::<bool>(),
        block in 1..60_usize,
    ) {
        let columns = columns(&[("s", text()), ("i", TypeRoot::BigInt)]);
        let pairs: &[_] = if escape { &[("escape-character", "\\")] } else { &[] };
        let strings: Vec<_> = rows.iter().map(|r| Value::String(r.0.clone())).collect();
        let numbers: Vec<_> = rows.iter().map(|r| r.1.map_or(Value::Null, Value::Int)).collect();
        let arrays = vec![
            values::array(&columns[0].1, &columns[0].1, &strings).unwrap(),
            values::array(&columns[1].1, &columns[1].1, &numbers).unwrap(),
        ];
        let batch = batch(&columns, arrays);
        let mut bytes = vec![];
        CsvEncoder::new(&columns, options(pairs)).unwrap().encode(&batch, &mut bytes).unwrap();
        let mut expected = vec![];
        for row in 0..batch.num_rows() {
            let mut line = vec![];
            java::row(&mut line, &batch, row);
            expected.push(String::from_utf8(line).unwrap());
        }
        prop_assert_eq!(decode(&columns, options(pairs), &bytes, block), expected);
    }

    #[test]
    fn never_panics(
        input in prop::collection::vec(prop_oneof![
            4 => prop::sample::select(b"\",\n\r\\;# 09ax-.".to_vec()),
            1 => any::<u8>(),
        ], 0..120),
        escape in any::<bool>(),
        block in 1..130_usize,
    ) {
        let columns = columns(&[
            ("i", TypeRoot::Int),
            ("s", text()),
            ("l", TypeRoot::Array(Box::new(TypeRoot::Double.into()))),
        ]);
        let pairs: &[_] = if escape { &[("escape-character", "\\")] } else { &[] };
        decode(&columns, options(pairs), &input, block);
    }
}
