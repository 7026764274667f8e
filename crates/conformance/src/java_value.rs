//! Java expressions of case files whose values are plain to see.

use crate::value::timestamp;
use chrono::DateTime;
use serde_json::{Value as Json, json};

/// The value of an expression in the form case files use; `None` when it is not understood.
pub(crate) fn parse(expression: &str) -> Option<Json> {
    formatted(expression).map(Json::from).or_else(|| map(expression)).or_else(|| bitmap(expression))
}

/// `2020-02-29T01:56.format(DateTimeFormatter.ofPattern(yyyy-MM-dd' 'HH:mm:ss.SSS))`.
fn formatted(expression: &str) -> Option<String> {
    let (moment, pattern) = expression.split_once(".format(DateTimeFormatter.ofPattern(")?;
    let format = match pattern {
        "yyyy-MM-dd' 'HH:mm:ss.SSS))" => "%Y-%m-%d %H:%M:%S%.3f",
        _ => return None,
    };
    let moment = DateTime::from_timestamp_millis(timestamp(moment, 3)?)?;
    Some(moment.format(format).to_string())
}

/// `CollectionUtil.map(entry(1,a),entry(2,b))` and `singletonMap(nested,1)`, of plain keys and values.
fn map(expression: &str) -> Option<Json> {
    let entry = |text: &str| {
        let (key, value) = text.split_once(',')?;
        let plain = !text.contains(['(', '[', '{']);
        plain.then(|| json!([scalar(key), scalar(value)]))
    };
    if let Some(only) = expression.strip_prefix("singletonMap(") {
        return Some(json!({"$map": [entry(only.strip_suffix(')')?)?]}));
    }
    let entries = expression.trim_start_matches("CollectionUtil.").strip_prefix("map(entry(")?.strip_suffix("))")?;
    let entries = entries.split("),entry(").map(entry).collect::<Option<Vec<_>>>()?;
    Some(json!({ "$map": entries }))
}

/// `Bitmap.empty()` and `Bitmap.fromArray([1, -2])`: the members.
fn bitmap(expression: &str) -> Option<Json> {
    if expression == "Bitmap.empty()" {
        return Some(json!({"$bitmap": []}));
    }
    let members = expression.strip_prefix("Bitmap.fromArray(")?.strip_suffix(')')?;
    let members: Vec<i32> = serde_json::from_str(members).ok()?;
    Some(json!({ "$bitmap": members }))
}

/// A number where the text is one.
fn scalar(text: &str) -> Json {
    text.parse::<i64>().map_or_else(|_| Json::from(text), Json::from)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use serde_json::json;

    #[test]
    fn plain_expressions_have_values() {
        for (java, expected) in [
            (
                "2020-02-29T01:56.format(DateTimeFormatter.ofPattern(yyyy-MM-dd' 'HH:mm:ss.SSS))",
                Some(json!("2020-02-29 01:56:00.000")),
            ),
            ("CollectionUtil.map(entry(1,a),entry(2,b))", Some(json!({"$map": [[1, "a"], [2, "b"]]}))),
            ("singletonMap(nested,1)", Some(json!({"$map": [["nested", 1]]}))),
            ("Bitmap.fromArray([1, -2])", Some(json!({"$bitmap": [1, -2]}))),
            ("Bitmap.empty()", Some(json!({"$bitmap": []}))),
            ("map(entry(1,['a']))", None),
            ("jsonValue", None),
        ] {
            assert_eq!(parse(java), expected, "{java}");
        }
    }
}
