use super::options::encode_options;
use super::{DecodeOptions, JsonDecoder, JsonEncoder};
use crate::text::java;
use crate::text::temporal::TimestampStandard;
use crate::{RowDecoder, RowEncoder, values};
use arrow::array::RecordBatch;
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_plan::Value;
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};
use proptest::prelude::*;

type Field = (&'static str, LogicalType);

fn row(fields: &[Field]) -> LogicalType {
    TypeRoot::Row(fields.iter().map(|(n, t)| RowField::new(*n, t.clone())).collect()).into()
}

fn array(element: TypeRoot) -> LogicalType {
    TypeRoot::Array(Box::new(element.into())).into()
}

fn timestamp(zoned: bool, precision: u8) -> LogicalType {
    match zoned {
        true => TypeRoot::TimestampLtz(precision, TimeAttribute::None).into(),
        false => TypeRoot::Timestamp(precision, TimeAttribute::None).into(),
    }
}

/// The rows of the input in text form; a bad record is `line N @POSITION: REASON`.
fn decode(fields: &[Field], options: DecodeOptions, input: &[u8]) -> Vec<String> {
    let mut decoder = JsonDecoder::new(fields.iter().map(|(n, t)| (*n, t)), options);
    let mut bad = vec![];
    decoder
        .decode(input, true, usize::MAX, &mut |record| {
            if !record.ignored {
                bad.push(format!("line {} @{}: {}", record.line, record.position, record.reason));
            }
            Ok(())
        })
        .unwrap();
    let decoded = decoder.finish().unwrap();
    let schema = arrow_schema(fields.iter().map(|(n, t)| (*n, t)));
    let batch = ChangeBatch::append(RecordBatch::try_new(schema, decoded.arrays).unwrap());
    let text = |r| {
        let mut out = vec![];
        java::row(&mut out, &batch, r);
        String::from_utf8(out).unwrap()
    };
    (0..batch.num_rows()).map(text).chain(bad).collect()
}

/// One column `v` of the type, one record `{"v": VALUE}` for each value.
fn check(ty: impl Into<LogicalType>, cases: &[(&str, &str)]) {
    let ty = ty.into();
    for (value, expected) in cases {
        let lines = decode(&[("v", ty.clone())], DecodeOptions::default(), format!("{{\"v\":{value}}}\n").as_bytes());
        let found = lines.join("; ");
        let bad = expected.strip_prefix('!');
        match bad {
            Some(reason) => assert!(found.starts_with("line") && found.contains(reason), "{ty} {value}: {found}"),
            None => assert_eq!(found, format!("+I[{expected}]"), "{ty} {value}"),
        }
    }
}

#[test]
fn numbers() {
    check(
        TypeRoot::BigInt,
        &[
            ("1", "1"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "!cannot read"),
            ("12345678901234567", "12345678901234567"),
            ("\" 42 \"", "42"),
            ("1.9", "1"),
            ("1e3", "1000"),
            ("null", "null"),
            ("007", "!is not a JSON value"),
            ("\"x\"", "!cannot read 'x' as a BIGINT"),
            ("true", "!cannot read"),
            ("{}", "!expected a BIGINT, found '{'"),
            ("-", "!is not a JSON value"),
            ("", "!expected a value, found '}'"),
        ],
    );
    check(TypeRoot::Int, &[("2147483647", "2147483647"), ("2147483648", "!out of the range"), ("0", "0"), ("-0", "0")]);
    check(TypeRoot::TinyInt, &[("-128", "-128"), ("128", "!out of the range")]);
    check(TypeRoot::SmallInt, &[("\"12\"", "12")]);
    check(TypeRoot::Double, &[("1", "1.0"), ("1.5e300", "1.5E300"), ("\"NaN\"", "NaN"), ("\"nan\"", "!cannot read")]);
    check(TypeRoot::Float, &[("0.1", "0.1"), ("16777217", "1.6777216E7")]);
    check(
        TypeRoot::Decimal(5, 2),
        &[
            ("1.005", "1.01"),
            ("-12.5", "-12.50"),
            ("\"1e2\"", "100.00"),
            ("1000", "null"),
            ("999.994", "999.99"),
            ("1e-9", "0.00"),
        ],
    );
}

#[test]
fn scalars() {
    check(TypeRoot::Boolean, &[("true", "true"), ("\"TRUE\"", "true"), ("\"no\"", "false"), ("false", "false")]);
    check(
        LogicalType::string(),
        &[
            (r#""a\"b\\\/\u0041\u00e9\ud83d\ude00""#, "a\"b\\/A\u{e9}\u{1F600}"),
            ("12.50", "12.50"),
            ("true", "true"),
            (r#"{ "x" : [ 1 , "a b" ] }"#, r#"{"x":[1,"a b"]}"#),
            ("[]", "[]"),
            (r#""\x""#, "!invalid escape"),
            (r#""\u12""#, "!invalid escape"),
            (r#""\ud800""#, "?"),
            ("\"open", "!not closed"),
        ],
    );
    check(TypeRoot::VarBinary(9), &[("\"AQI=\"", "[1, 2]"), ("\"?\"", "!base64")]);
    check(
        TypeRoot::Date,
        &[("\"2024-02-29\"", "2024-02-29"), ("\"2023-02-29\"", "!a date"), ("\"1969-12-31\"", "1969-12-31")],
    );
    check(TypeRoot::Time(3), &[("\"12:30:59.1239\"", "12:30:59.123"), ("\"24:00:00\"", "!a time")]);
    check(
        timestamp(false, 3),
        &[
            ("\"2025-06-01 07:54:59.994\"", "2025-06-01T07:54:59.994"),
            ("\"2025-06-01 07:54:59\"", "2025-06-01T07:54:59"),
            ("\"1900-01-01 00:00:00.1\"", "1900-01-01T00:00:00.100"),
            ("\"2025-06-01T07:54:59\"", "!a timestamp such as '2025-12-31 23:59:59.999'"),
            ("\"2025-06-01 07:54:5x\"", "!a timestamp"),
            ("5", "!a timestamp in quotes"),
        ],
    );
    check(timestamp(true, 9), &[("\"2025-06-01 07:54:59.123456789Z\"", "2025-06-01T07:54:59.123456789Z")]);
}

#[test]
fn iso_timestamps() {
    let options = DecodeOptions { timestamp_standard: TimestampStandard::Iso8601, ..Default::default() };
    let fields = [("t", timestamp(false, 6)), ("z", timestamp(true, 3))];
    let input = br#"{"t":"2020-01-01T10:00","z":"2020-01-01T10:00:00.5Z"}"#;
    assert_eq!(decode(&fields, options, input), ["+I[2020-01-01T10:00, 2020-01-01T10:00:00.500Z]"]);
}

#[test]
fn nested_types() {
    check(
        array(TypeRoot::Int),
        &[("[1, null ,3]", "[1, null, 3]"), ("[ ]", "[]"), ("[1,]", "!expected a value"), ("3", "!an array")],
    );
    let map = TypeRoot::Map(Box::new(LogicalType::string()), Box::new(TypeRoot::Int.into()));
    check(map, &[("{\"a\" : 1,\"b\":null}", "{a=1, b=null}"), ("{}", "{}"), ("[]", "!an object")]);
    let keyed = TypeRoot::Map(Box::new(TypeRoot::Int.into()), Box::new(LogicalType::string()));
    check(keyed, &[("{\"7\":\"x\"}", "{7=x}")]);
    check(TypeRoot::Multiset(Box::new(LogicalType::string())), &[("{\"a\":2}", "{a=2}")]);
    let inner = row(&[("x", TypeRoot::Int.into()), ("y", LogicalType::string())]);
    check(
        inner.clone(),
        &[("{\"y\":\"q\",\"z\":{\"x\":[9]}}", "+I[null, q]"), ("null", "null"), ("{}", "+I[null, null]")],
    );
    let list = TypeRoot::Array(Box::new(inner));
    check(list, &[("[{\"x\":1},null,{\"y\":\"b\"}]", "[+I[1, null], null, +I[null, b]]")]);
}

#[test]
fn keys_in_any_order_missing_repeated_and_unknown() {
    let fields = [("a", TypeRoot::Int.into()), ("r", row(&[("b", TypeRoot::Int.into()), ("c", TypeRoot::Int.into())]))];
    let input = br#"{"a":1,"r":{"b":2,"c":3}}
{"r":{"c":5,"b":4},"a":6}
{ "x" : "}\"{" , "a" : 7 , "y" : [[{"a":0}]] }

{"a":1,"a":null,"a":8,"r":{"b":1,"c":1},"r":{"c":9}}
{"\u0061":10,"r":null}
{"a":11,"r":{"b":1,"c":"x"},"a":12}
{"a":13}{"a":14}
{"a":15
[1]
{}"#;
    assert_eq!(
        decode(&fields, DecodeOptions::default(), input),
        [
            "+I[1, +I[2, 3]]",
            "+I[6, +I[4, 5]]",
            "+I[7, null]",
            "+I[8, +I[null, 9]]",
            "+I[10, null]",
            "+I[13, null]",
            "+I[null, null]",
            "line 6 @23: field 'r.c': cannot read 'x' as an INT",
            "line 8 @7: expected ',' or '}' after a field, found the end of the line",
            "line 9 @0: expected an object, found '['",
        ]
    );
}

#[test]
fn lenient_and_strict_modes() {
    let fields = [("a", TypeRoot::Int.into()), ("b", array(TypeRoot::Int)), ("c", LogicalType::string())];
    let input = b"{\"a\":\"x\",\"b\":[1,\"y\",3],\"c\":\"ok\"}\nbroken\n{\"a\":{},\"b\":{\"q\":[]}}\n";
    let lenient = DecodeOptions { ignore_parse_errors: true, ..Default::default() };
    assert_eq!(decode(&fields, lenient, input), ["+I[null, [1, null, 3], ok]", "+I[null, null, null]"]);
    let strict = DecodeOptions { fail_on_missing_field: true, ..Default::default() };
    let found = decode(&fields, strict, b"{\"a\":1,\"b\":null,\"c\":null}\n{\"a\":1,\"c\":\"\"}\n");
    assert_eq!(found, ["+I[1, null, null]", "line 1 @0: could not find the field 'b'"]);
}

#[test]
fn invalid_utf8_spoils_its_line_only() {
    let input = b"{\"v\":\"a\"}\n{\"v\":\"\xff\"}\n{\"v\":\"\xc3\xa9\"}";
    let found = decode(&[("v", LogicalType::string())], DecodeOptions::default(), input);
    assert_eq!(found, ["+I[a]", "+I[\u{e9}]", "line 1 @6: the line is not UTF-8"]);
}

#[test]
fn no_wanted_column_counts_lines() {
    let mut decoder = JsonDecoder::new([], DecodeOptions::default());
    let progress = decoder.decode(b"{}\n\n{}\n{", false, 10, &mut |_| Ok(())).unwrap();
    assert_eq!((decoder.rows(), progress.consumed, progress.lines), (2, 7, 3));
}

fn encode(fields: &[Field], row: &[Value], options: &[(&str, &str)]) -> headwater_types::Result<String> {
    let map = options.iter().map(|(k, v)| (format!("json.{k}"), v.to_string())).collect();
    let options = encode_options(headwater_connector_api::Options(&map), "json")?;
    let arrays = fields.iter().zip(row).map(|((_, t), v)| values::array(t, t, [v]).unwrap()).collect();
    let schema = arrow_schema(fields.iter().map(|(n, t)| (*n, t)));
    let batch = ChangeBatch::append(RecordBatch::try_new(schema, arrays).unwrap());
    let mut out = vec![];
    JsonEncoder::new(fields.iter().map(|(n, _)| n.to_string()), options).encode(&batch, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn encodes_as_flink_does() {
    let map = TypeRoot::Map(Box::new(LogicalType::string()), Box::new(TypeRoot::Int.into()));
    let fields: Vec<Field> = vec![
        ("s", LogicalType::string()),
        ("d", TypeRoot::Decimal(10, 2).into()),
        ("f", TypeRoot::Double.into()),
        ("t", timestamp(false, 3)),
        ("z", timestamp(true, 3)),
        ("b", TypeRoot::VarBinary(9).into()),
        ("r", row(&[("x", TypeRoot::Date.into()), ("y", array(TypeRoot::Time(0)))])),
        ("m", map.into()),
    ];
    let cells = [
        Value::String("q\"\n\u{1}\u{e9}/".into()),
        Value::Decimal(10_000),
        Value::Float(1e10),
        Value::Int(1_500),
        Value::Int(1_000),
        Value::Bytes(vec![1, 2]),
        Value::Row(vec![Value::Int(1), Value::List(vec![Value::Int(3_600_000), Value::Null])]),
        Value::Map(vec![(Value::String("k".into()), Value::Int(1))]),
    ];
    let expected = concat!(
        r#"{"s":"q\"\n\u0001é/","d":1E+2,"f":1.0E10,"t":"1970-01-01 00:00:01.5","z":"1970-01-01 00:00:01Z","b":"AQI=","#,
        r#""r":{"x":"1970-01-02","y":["01:00:00",null]},"m":{"k":1}}"#,
        "\n"
    );
    assert_eq!(encode(&fields, &cells, &[]).unwrap(), expected);
    let plain = [("encode.decimal-as-plain-number", "true"), ("timestamp-format.standard", "ISO-8601")];
    assert_eq!(
        encode(&fields[1..4], &cells[1..4], &plain).unwrap(),
        "{\"d\":100.00,\"f\":1.0E10,\"t\":\"1970-01-01T00:00:01.5\"}\n"
    );
    let nulls = [Value::Null, Value::Decimal(0)];
    assert_eq!(encode(&fields[..2], &nulls, &[("encode.ignore-null-fields", "true")]).unwrap(), "{\"d\":0}\n");
    assert_eq!(encode(&fields[..2], &nulls, &[]).unwrap(), "{\"s\":null,\"d\":0}\n");
}

fn differential_fields() -> Vec<Field> {
    vec![
        ("i", TypeRoot::BigInt.into()),
        ("s", LogicalType::string()),
        ("f", TypeRoot::Double.into()),
        ("r", row(&[("s", LogicalType::string()), ("long field name beyond sixteen", TypeRoot::Boolean.into())])),
        ("l", TypeRoot::Array(Box::new(LogicalType::string())).into()),
    ]
}

/// What serde_json says the column holds.
fn model(ty: &LogicalType, value: Option<&serde_json::Value>) -> Value {
    let Some(value) = value.filter(|v| !v.is_null()) else { return Value::Null };
    match &ty.root {
        TypeRoot::BigInt => Value::Int(value.as_i64().unwrap()),
        TypeRoot::Double => Value::Float(value.as_f64().unwrap()),
        TypeRoot::Boolean => Value::Boolean(value.as_bool().unwrap()),
        TypeRoot::Array(t) => Value::List(value.as_array().unwrap().iter().map(|v| model(t, Some(v))).collect()),
        TypeRoot::Row(fields) => Value::Row(fields.iter().map(|f| model(&f.ty, value.get(&f.name))).collect()),
        _ => Value::String(value.as_str().unwrap().to_string()),
    }
}

fn json_of(ty: &LogicalType) -> BoxedStrategy<serde_json::Value> {
    let some = match ty.root.clone() {
        TypeRoot::BigInt => any::<i64>().prop_map(Into::into).boxed(),
        TypeRoot::Double => any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Into::into).boxed(),
        TypeRoot::Boolean => any::<bool>().prop_map(Into::into).boxed(),
        TypeRoot::Array(t) => prop::collection::vec(json_of(&t), 0..4).prop_map(Into::into).boxed(),
        TypeRoot::Row(fields) => json_row(fields.iter().map(|f| (f.name.clone(), f.ty.clone())).collect()),
        _ => "[ -~\u{e9}\n\t\u{1F600}\"\\\\]{0,40}".prop_map(Into::into).boxed(),
    };
    prop_oneof![4 => some, 1 => Just(serde_json::Value::Null)].boxed()
}

fn json_row(fields: Vec<(String, LogicalType)>) -> BoxedStrategy<serde_json::Value> {
    let members: Vec<_> = fields.iter().map(|(_, t)| prop::option::weighted(0.8, json_of(t))).collect();
    let unknown = prop::option::of(Just(serde_json::json!({"a]": ["}", {"s": 1.5e9}]})));
    (members, unknown, any::<prop::sample::Index>())
        .prop_map(move |(members, unknown, rotate)| {
            let mut pairs: Vec<_> =
                fields.iter().zip(members).filter_map(|((n, _), v)| Some((n.clone(), v?))).collect();
            pairs.extend(unknown.map(|v| ("unknown".to_string(), v)));
            let by = if pairs.is_empty() { 0 } else { rotate.index(pairs.len()) };
            pairs.rotate_left(by);
            serde_json::Value::Object(pairs.into_iter().collect())
        })
        .boxed()
}

proptest! {
    #[test]
    fn agrees_with_serde_json(
        records in prop::collection::vec(json_row(differential_fields().iter().map(|(n, t)| (n.to_string(), t.clone())).collect()), 1..20),
        block in 1..200_usize,
        rows_max in 1..7_usize,
    ) {
        let fields = differential_fields();
        let mut input = vec![];
        for record in &records {
            serde_json::to_writer(&mut input, record).unwrap();
            input.push(b'\n');
        }
        let mut decoder = JsonDecoder::new(fields.iter().map(|(n, t)| (*n, t)), DecodeOptions::default());
        let mut found = vec![];
        let (mut at, mut end) = (0, block.min(input.len()));
        while at < input.len() {
            let progress = decoder.decode(&input[at..end], end == input.len(), rows_max, &mut |bad| panic!("{bad:?}")).unwrap();
            at += progress.consumed;
            end = if progress.consumed == 0 { (end + block).min(input.len()) } else { end.max(at) };
            let decoded = decoder.finish().unwrap();
            for row in 0..decoded.rows {
                found.push(decoded.arrays.iter().map(|a| values::value(a, row)).collect::<Vec<_>>());
            }
        }
        let expected: Vec<Vec<Value>> =
            records.iter().map(|r| fields.iter().map(|(n, t)| model(t, r.get(*n))).collect()).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn never_panics(
        input in prop::collection::vec(prop_oneof![
            3 => prop::sample::select(b"{}[]\",:\\\n 0123456789.-+eEtrufalsn".to_vec()),
            1 => any::<u8>(),
        ], 0..200),
        prefix in prop::sample::select(vec!["", "{\"i\":", "{\"s\":\"", "{\"r\":{\"s\":", "{\"l\":[", "{\"f\":"]),
        lenient in any::<bool>(),
    ) {
        let mut bytes = prefix.as_bytes().to_vec();
        bytes.extend(input);
        let options = DecodeOptions { ignore_parse_errors: lenient, ..Default::default() };
        decode(&differential_fields(), options, &bytes);
    }
}
