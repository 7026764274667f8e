use super::DebeziumDecoder;
use crate::json::DecodeOptions;
use crate::text::java;
use crate::{ReadSchema, RowDecoder};
use arrow::array::RecordBatch;
use headwater_data::{ChangeBatch, RowKinds, arrow_schema};
use headwater_types::{LogicalType, TypeRoot};

fn decode(input: &str, has_payload: bool) -> Vec<String> {
    let columns = vec![("id".to_string(), TypeRoot::Int.into()), ("name".to_string(), LogicalType::string())];
    let wanted = [(1, LogicalType::string()), (0, TypeRoot::Int.into())];
    let schema = ReadSchema { columns: &columns, wanted: &wanted };
    let mut decoder = DebeziumDecoder::new(schema, &[], DecodeOptions::default(), has_payload).unwrap();
    let mut bad = vec![];
    let progress = decoder.decode(input.as_bytes(), true, 1_000, &mut |record| {
        let raw = String::from_utf8_lossy(record.raw).into_owned();
        bad.push(format!("line {} byte {} {raw}: {}", record.line, record.start, record.reason));
        Ok(())
    });
    assert_eq!(progress.unwrap().consumed, input.len());
    let decoded = decoder.finish().unwrap();
    let RowKinds::Mixed(kinds) = decoded.kinds else { panic!("kinds") };
    let schema = arrow_schema([("name", &wanted[0].1), ("id", &wanted[1].1)]);
    let batch = ChangeBatch::mixed(RecordBatch::try_new(schema, decoded.arrays).unwrap(), kinds);
    let text = |row| {
        let mut out = vec![];
        java::row(&mut out, &batch, row);
        String::from_utf8(out).unwrap()
    };
    (0..batch.num_rows()).map(text).chain(bad).collect()
}

#[test]
fn envelopes_are_changes() {
    let input = r#"{"before":null,"after":{"id":1,"name":"a"},"op":"c","ts_ms":1}
{"before":{"id":1,"name":"a"},"after":{"id":1,"name":"b"},"op":"u"}

{"before":{"id":1,"name":"b"},"after":null,"op":"d"}
{"after":{"id":2,"name":"c"},"op":"r"}
"#;
    assert_eq!(decode(input, false), ["+I[a, 1]", "-U[a, 1]", "+U[b, 1]", "-D[b, 1]", "+I[c, 2]"]);
    let payload = r#"{"schema":{"x":[]},"payload":{"before":null,"after":{"id":1,"name":"a"},"op":"c"}}"#;
    assert_eq!(decode(payload, true), ["+I[a, 1]"]);
}

#[test]
fn bad_envelopes() {
    let input = "{\"op\":\"c\",\"after\":{\"id\":1}}\n\n{\"op\":\"x\"}\nnonsense\n{\"op\":\"u\",\"after\":{}}\n{}";
    assert_eq!(
        decode(input, false),
        [
            "+I[null, 1]",
            "line 2 byte 29 {\"op\":\"x\"}: unknown operation 'x', expected c, r, u or d",
            "line 3 byte 40 nonsense: expected an object, found 'n'",
            "line 4 byte 49 {\"op\":\"u\",\"after\":{}}: the image 'before' is missing, which the operation 'u' needs",
            "line 5 byte 71 {}: the envelope has no 'op'",
        ]
    );
}

/// Every image of an envelope has the metadata of the envelope, whichever of it there is.
#[test]
fn envelopes_have_metadata() {
    let columns = [("id".to_string(), TypeRoot::Int.into())];
    let wanted = [(0, TypeRoot::Int.into())];
    let keys = ["source.table", "ingestion-timestamp", "source.timestamp", "source.database", "source.table"];
    let types: Vec<LogicalType> = keys
        .iter()
        .map(|key| super::metadata_columns().into_iter().find(|(known, _)| known == key).unwrap().1)
        .collect();
    for has_payload in [false, true] {
        let schema = ReadSchema { columns: &columns, wanted: &wanted };
        let mut decoder = DebeziumDecoder::new(schema, &keys, DecodeOptions::default(), has_payload).unwrap();
        for line in [
            r#"{"op":"u","before":{"id":1},"after":{"id":2},"source":{"x":{},"db":"d","table":"t","ts_ms":5},"ts_ms":7}"#,
            r#"{"op":"c","after":{"id":3}}"#,
            r#"{"op":"d","before":{"id":4},"source":null,"ts_ms":null}"#,
        ] {
            let line = if has_payload { format!("{{\"payload\":{line}}}") } else { line.to_owned() };
            decoder.decode_message(line.as_bytes(), &mut |bad| panic!("{}", bad.reason)).unwrap();
        }
        let decoded = decoder.finish().unwrap();
        let fields = std::iter::once(&wanted[0].1).chain(&types).enumerate();
        let names: Vec<_> = fields.map(|(at, ty)| (format!("c{at}"), ty)).collect();
        let schema = arrow_schema(names.iter().map(|(name, ty)| (name.as_str(), *ty)));
        let batch = ChangeBatch::append(RecordBatch::try_new(schema, decoded.arrays).unwrap());
        let text = |row| {
            let mut out = vec![];
            java::row(&mut out, &batch, row);
            String::from_utf8(out).unwrap()
        };
        let change = "t, 1970-01-01T00:00:00.007Z, 1970-01-01T00:00:00.005Z, d, t]";
        let none = "null, null, null, null, null]";
        let expected =
            [format!("+I[1, {change}"), format!("+I[2, {change}"), format!("+I[3, {none}"), format!("+I[4, {none}")];
        assert_eq!((0..batch.num_rows()).map(text).collect::<Vec<_>>(), expected);
    }
}
