//! Looking into JSON of any shape: what is not there or is something else counts as absent.

use super::clean;
use serde_json::Value;

/// A non-null member.
pub fn child<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|v| !v.is_null())
}

/// A member's text; numbers and truth values are taken as their text. Empty counts as absent.
pub fn string(value: &Value, key: &str) -> Option<String> {
    let text = match child(value, key)? {
        Value::String(text) => clean(text),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A member's whole number; absurd ones, such as 2^63 - 1 for "unknown", count as absent.
pub fn integer(value: &Value, key: &str) -> Option<i64> {
    let number = child(value, key)?;
    let number = number.as_i64().or_else(|| number.as_str()?.trim().parse().ok())?;
    (number != i64::MAX).then_some(number)
}

/// Whether a member is true.
pub fn flag(value: &Value, key: &str) -> bool {
    matches!(value.get(key), Some(Value::Bool(true)))
}

/// A member that is a list.
pub fn array<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    child(value, key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The entries of a member that is an object.
pub fn object<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    child(value, key).and_then(Value::as_object).into_iter().flatten()
}

/// A value that is a list, or nothing.
pub fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
