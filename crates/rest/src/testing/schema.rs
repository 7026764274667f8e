//! Compares a document with a schema of Flink's snapshots, which list the calls of an API with what they answer.

use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::Path;

/// What may be null because there is none, as in Flink.
const NULLABLE: [&str; 9] = [
    "savepoint",
    "failed",
    "restored",
    "completed",
    "ignored",
    "savepointFormat",
    "schedulerExecutionMode",
    "operation",
    "failure_message",
];

/// Fields that Flink sends by subtype, of which the snapshot only has the base: checkpoints and their subtasks.
const OF_SUBTYPES: [&str; 14] = [
    "className",
    "external_path",
    "discarded",
    "failure_timestamp",
    "failure_message",
    "ack_timestamp",
    "checkpoint",
    "alignment",
    "start_delay",
    "unaligned_checkpoint",
    "aborted",
    "end_to_end_duration",
    "checkpointed_size",
    "state_size",
];

/// What Flink's messages leave out where there is none of it (`JsonInclude` in Flink 2.3), so that a document may, too: the
/// end of the schema's id, and the field.
const LEFT_OUT: [(&str, &str); 15] = [
    (":JobDetailsInfo", "stream-graph"),
    (":Plan:Node", "inputs"),
    (":Plan:Node:Input", "local_strategy"),
    (":Plan:Node:Input", "caching"),
    (":RootExceptionInfo", "taskName"),
    (":RootExceptionInfo", "endpoint"),
    (":RootExceptionInfo", "taskManagerId"),
    (":JobExecutionResultResponseBody", "job-execution-result"),
    (":SubtaskBackPressureInfo", "attempt-number"),
    (":SubtaskBackPressureInfo", "other-concurrent-attempts"),
    (":SubtaskExecutionAttemptDetailsInfo", "other-concurrent-attempts"),
    (":ClusterOverviewWithVersion", "taskmanagers-blocked"),
    (":ClusterOverviewWithVersion", "slots-free-and-blocked"),
    (":TaskManagerInfo", "blocked"),
    (":TaskManagerDetailsInfo", "blocked"),
];

/// A snapshot that is a file below `shared/spec/rest`, beside the workspace; `None`, said on stdout, when it is not there.
///
/// # Panics
/// When it is no JSON.
#[allow(clippy::print_stdout, reason = "a skipped test says so")]
pub fn snapshot(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/rest").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return None;
    };
    Some(serde_json::from_str(&text).expect("the snapshot is JSON"))
}

/// Schemas by their ids, for references.
pub fn ids(snapshot: &Value) -> BTreeMap<String, Value> {
    let mut ids = BTreeMap::new();
    collect(snapshot, &mut ids);
    ids
}

fn collect(value: &Value, ids: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            if let (Some(Value::String(id)), true) = (fields.get("id"), fields.contains_key("type")) {
                ids.entry(id.clone()).or_insert_with(|| value.clone());
            }
            fields.values().for_each(|value| collect(value, ids));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, ids)),
        _ => {}
    }
}

/// Adds to `wrong` what is wrong with a document; `at` says where it comes from.
///
/// # Panics
/// When the schema has a type that schemas do not have.
pub fn compare(document: &Value, schema: &Value, ids: &BTreeMap<String, Value>, at: &str, wrong: &mut Vec<String>) {
    if let Some(Value::String(id)) = schema.get("$ref") {
        // Only raw JSON has none.
        if let Some(schema) = ids.get(id) {
            compare(document, schema, ids, at, wrong);
        }
        return;
    }
    let last = at.rsplit('.').next().unwrap_or(at);
    if document.is_null() && NULLABLE.contains(&last) {
        return;
    }
    let is_right = match schema.get("type").and_then(Value::as_str).unwrap_or("any") {
        "any" => true,
        "string" => document.is_string() && is_listed(document, schema),
        "integer" => document.is_i64() || document.is_u64(),
        "number" => document.is_number(),
        "boolean" => document.is_boolean(),
        "array" => return array(document, schema, ids, at, wrong),
        "object" => return object(document, schema, ids, at, wrong),
        other => panic!("{at}: unknown type {other}"),
    };
    if !is_right {
        wrong.push(format!("{at}: {document} is not {schema}"));
    }
}

fn is_listed(document: &Value, schema: &Value) -> bool {
    schema.get("enum").and_then(Value::as_array).is_none_or(|names| names.contains(document))
}

fn array(document: &Value, schema: &Value, ids: &BTreeMap<String, Value>, at: &str, wrong: &mut Vec<String>) {
    let Some(items) = document.as_array() else { return wrong.push(format!("{at}: {document} is no array")) };
    let any = Value::Object(Map::new());
    let of = schema.get("items").unwrap_or(&any);
    items.iter().for_each(|item| compare(item, of, ids, at, wrong));
}

fn object(document: &Value, schema: &Value, ids: &BTreeMap<String, Value>, at: &str, wrong: &mut Vec<String>) {
    let Some(fields) = document.as_object() else { return wrong.push(format!("{at}: {document} is no object")) };
    if let Some(of) = schema.get("additionalProperties") {
        fields.iter().for_each(|(key, value)| compare(value, of, ids, &format!("{at}.{key}"), wrong));
        return;
    }
    let empty = Map::new();
    let known = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    for (key, of) in known {
        match fields.get(key) {
            Some(value) => compare(value, of, ids, &format!("{at}.{key}"), wrong),
            None if may_be_left_out(schema, key) => {}
            None => wrong.push(format!("{at}.{key}: is missing")),
        }
    }
    // The snapshot says of results of operations only that they are objects.
    if at.ends_with(".operation") {
        return;
    }
    let is_checkpoint = schema.get("id").and_then(Value::as_str).is_some_and(|id| id.contains("heckpointStatistics"));
    for key in fields.keys().filter(|key| !known.contains_key(*key)) {
        if !(is_checkpoint && OF_SUBTYPES.contains(&key.as_str())) {
            wrong.push(format!("{at}.{key}: is not in the schema"));
        }
    }
}

fn may_be_left_out(schema: &Value, key: &str) -> bool {
    let id = schema.get("id").and_then(Value::as_str).unwrap_or_default();
    // Only a vertex whose threads are sampled has a flame graph.
    let is_sampled = |id: &str| id.ends_with(":VertexFlameGraph") && key == "data";
    is_sampled(id) || LEFT_OUT.iter().any(|(of, field)| *field == key && id.ends_with(of))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comparison_finds_what_is_wrong() {
        let schema = serde_json::json!({ "type": "object", "properties": {
            "a": { "type": "integer" }, "b": { "type": "array", "items": { "type": "string", "enum": ["X"] } }
        } });
        for (document, expected) in [
            (serde_json::json!({ "a": 1, "b": ["X"] }), 0),
            (serde_json::json!({ "a": 1.5, "b": ["Y", 3] }), 3),
            (serde_json::json!({ "a": null, "c": 1 }), 3),
        ] {
            let mut wrong = vec![];
            compare(&document, &schema, &BTreeMap::new(), "at", &mut wrong);
            assert_eq!(wrong.len(), expected, "{wrong:?}");
        }
    }
}
