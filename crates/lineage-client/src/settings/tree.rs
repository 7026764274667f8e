//! Options as a tree, however they were written.

use serde_json::{Map, Value};

/// How deep options nest.
const DEPTH_MAX: usize = 16;

/// Puts `over` into `tree`; its values win, maps are joined.
pub(super) fn merge(tree: &mut Value, over: Value) {
    match (tree, over) {
        (Value::Object(known), Value::Object(new)) => {
            for (key, value) in new {
                merge(known.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (known, new) => *known = new,
    }
}

/// Sets the option at a path.
pub(super) fn set(tree: &mut Value, path: &[&str], value: Value) {
    let nested = path
        .iter()
        .take(DEPTH_MAX)
        .rev()
        .fold(value, |value, key| Value::Object(Map::from_iter([((*key).to_owned(), value)])));
    merge(tree, nested);
}

/// The option at a path.
pub(super) fn get<'a>(tree: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(tree, |node, key| node.get(key)).filter(|value| !value.is_null())
}

/// The option at a path, as text.
pub(super) fn text(tree: &Value, path: &str) -> Option<String> {
    match get(tree, path)? {
        Value::String(text) => Some(text.clone()),
        other @ (Value::Number(_) | Value::Bool(_)) => Some(other.to_string()),
        _ => None,
    }
}

/// The option at a path, as a list: a list, or text with semicolons, possibly in brackets.
pub(super) fn list(tree: &Value, path: &str) -> Vec<String> {
    match get(tree, path) {
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(|item| item.as_str().map_or_else(|| Some(item.to_string()), |s| Some(s.to_owned())))
            .collect(),
        Some(Value::String(text)) => {
            let inner = text.trim().strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
            inner.split(';').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
        }
        _ => vec![],
    }
}
