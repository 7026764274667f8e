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
    let mut decoder = DebeziumDecoder::new(schema, DecodeOptions::default(), has_payload);
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
