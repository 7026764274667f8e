//! Spans as the OpenTelemetry protocol writes them in JSON: ids in hexadecimal, 64-bit numbers as texts.

use super::spans::{Attribute, Span};
use serde_json::{Value, json};

/// The scope of Flink's spans, so that rules made for them find ours.
const SCOPE: &str = "org.apache.flink.runtime.checkpoint.CheckpointStatsTracker";
/// A span of this process alone.
const KIND_INTERNAL: u32 = 1;
/// What became of a span: nothing said, or an error.
const STATUS_ERROR: u32 = 2;

/// A request with these spans.
pub(super) fn document(service: &str, spans: &[Span]) -> Value {
    let resource = [("service.name", Attribute::Text(service.to_owned()))];
    json!({
        "resourceSpans": [{
            "resource": { "attributes": attributes(&resource) },
            "scopeSpans": [{
                "scope": { "name": SCOPE, "version": env!("CARGO_PKG_VERSION") },
                "spans": spans.iter().map(one).collect::<Vec<_>>(),
            }],
        }],
    })
}

fn one(span: &Span) -> Value {
    let nanos = |ms: i64| ms.max(0).saturating_mul(1_000_000).to_string();
    let mut document = json!({
        "traceId": format!("{:032x}", span.trace),
        "spanId": format!("{:016x}", span.id),
        "name": span.name,
        "kind": KIND_INTERNAL,
        "startTimeUnixNano": nanos(span.start_ms),
        "endTimeUnixNano": nanos(span.end_ms),
        "attributes": attributes(&span.attributes),
    });
    if let Some(parent) = span.parent {
        document["parentSpanId"] = format!("{parent:016x}").into();
    }
    if let Some(error) = &span.error {
        document["status"] = json!({ "code": STATUS_ERROR, "message": error });
    }
    document
}

fn attributes(pairs: &[(&str, Attribute)]) -> Vec<Value> {
    let value = |attribute: &Attribute| match attribute {
        Attribute::Text(text) => json!({ "stringValue": text }),
        Attribute::Number(number) => json!({ "intValue": number.to_string() }),
    };
    pairs.iter().map(|(key, attribute)| json!({ "key": key, "value": value(attribute) })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_as_the_protocol_says() {
        let span = Span {
            trace: 0xab,
            id: 1,
            parent: Some(2),
            name: "Checkpoint".to_owned(),
            start_ms: 5,
            end_ms: 7,
            error: Some("full".to_owned()),
            attributes: vec![("checkpointId", Attribute::Number(9))],
        };
        let document = document("headwater", &[span]);
        let expected = json!({
            "traceId": "000000000000000000000000000000ab", "spanId": "0000000000000001", "name": "Checkpoint", "kind": 1,
            "startTimeUnixNano": "5000000", "endTimeUnixNano": "7000000",
            "attributes": [{ "key": "checkpointId", "value": { "intValue": "9" } }],
            "parentSpanId": "0000000000000002", "status": { "code": 2, "message": "full" },
        });
        assert_eq!(document["resourceSpans"][0]["scopeSpans"][0]["spans"][0], expected);
    }
}
