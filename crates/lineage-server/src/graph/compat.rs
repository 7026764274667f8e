//! What a change of schema means for those who read the data.
//!
//! *Backward*: a reader of the new schema can read data of the old one. *Forward*: a reader of the old schema can read
//! data of the new one; without it, the change breaks consumers that are not changed with it. Columns that are added
//! are taken to be nullable, since producers do not tell.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Types of whole numbers and fractions, each fitting into the next.
const WIDENING: [&[&str]; 3] =
    [&["TINYINT", "SMALLINT", "INT", "BIGINT"], &["INT2", "INT4", "INT8"], &["FLOAT", "DOUBLE"]];
/// Spellings of the same type.
const SAME: [(&str, &str); 5] =
    [("INTEGER", "INT"), ("LONG", "BIGINT"), ("VARCHAR", "STRING"), ("TEXT", "STRING"), ("DOUBLE PRECISION", "DOUBLE")];
/// Deepest nesting that is compared.
const DEPTH_MAX: usize = 32;

/// The outcome of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// See the module.
    pub backward: bool,
    /// See the module.
    pub forward: bool,
    /// What changed, one sentence each.
    pub changes: Vec<String>,
}

impl Verdict {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match (self.backward, self.forward) {
            (true, true) => "FULL",
            (true, false) => "BACKWARD",
            (false, true) => "FORWARD",
            (false, false) => "BREAKING",
        }
    }

    /// As the API shows it.
    pub fn json(&self) -> Value {
        json!({"verdict": self.name(), "changes": self.changes})
    }
}

/// Compares two schemas, as they are stored.
pub fn compare(old: &Value, new: &Value) -> Verdict {
    let mut verdict = Verdict { backward: true, forward: true, changes: vec![] };
    fields("", old, new, &mut verdict, 0);
    verdict
}

fn by_name(fields: &Value) -> BTreeMap<&str, &Value> {
    let all = fields.as_array().map_or(&[][..], Vec::as_slice);
    all.iter().filter_map(|field| Some((field["name"].as_str()?, field))).collect()
}

fn fields(path: &str, old: &Value, new: &Value, verdict: &mut Verdict, depth: usize) {
    if depth >= DEPTH_MAX {
        return;
    }
    let (old, new) = (by_name(old), by_name(new));
    for (name, before) in &old {
        let full = format!("{path}{name}");
        match new.get(name) {
            None => {
                verdict.forward = false;
                verdict.changes.push(format!("column '{full}' is gone"));
            }
            Some(after) => {
                types(&full, before, after, verdict);
                fields(&format!("{full}."), &before["fields"], &after["fields"], verdict, depth + 1);
            }
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        verdict.changes.push(format!("column '{path}{name}' is new"));
    }
}

fn types(column: &str, old: &Value, new: &Value, verdict: &mut Verdict) {
    let read = |field: &Value| field.get("type").and_then(Value::as_str).map(canonical);
    let (Some(before), Some(after)) = (read(old), read(new)) else { return };
    if before == after {
        return;
    }
    verdict.changes.push(format!("column '{column}' changes from {before} to {after}"));
    match widens(&before, &after) {
        Some(true) => verdict.forward = false,
        Some(false) => verdict.backward = false,
        None => (verdict.backward, verdict.forward) = (false, false),
    }
}

fn canonical(name: &str) -> String {
    let upper = name.trim().to_uppercase().replace(" NOT NULL", "");
    SAME.iter().find(|(spelling, _)| *spelling == upper).map_or(upper, |(_, same)| (*same).to_owned())
}

/// Whether the second type holds all of the first (true) or the first all of the second (false).
fn widens(before: &str, after: &str) -> Option<bool> {
    for chain in WIDENING {
        let place = |name: &str| chain.iter().position(|known| *known == name);
        if let (Some(before), Some(after)) = (place(before), place(after)) {
            return Some(before < after);
        }
    }
    let (old, new) = (arguments(before)?, arguments(after)?);
    if old.0 != new.0 || old.1.len() != new.1.len() {
        return None;
    }
    // DECIMAL(10, 2) fits into DECIMAL(12, 2), not into DECIMAL(12, 4): what is before the point counts too.
    let whole = |args: &[i64]| args.first().copied().unwrap_or(0) - args.get(1).copied().unwrap_or(0);
    let scale = |args: &[i64]| args.get(1).copied().unwrap_or(0);
    let holds = |a: &[i64], b: &[i64]| whole(a) <= whole(b) && scale(a) <= scale(b);
    if holds(&old.1, &new.1) {
        return Some(true);
    }
    holds(&new.1, &old.1).then_some(false)
}

/// `NAME(1, 2)`.
fn arguments(name: &str) -> Option<(String, Vec<i64>)> {
    let (head, rest) = name.split_once('(')?;
    let inner = rest.strip_suffix(')')?;
    let numbers: Option<Vec<i64>> = inner.split(',').map(|part| part.trim().parse().ok()).collect();
    Some((head.trim().to_owned(), numbers?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(text: &str) -> Value {
        let field = |part: &str| {
            let (name, kind) = part.split_once(':').unwrap();
            json!({"name": name, "type": kind})
        };
        text.split(';').filter(|part| !part.is_empty()).map(field).collect()
    }

    #[test]
    fn verdicts() {
        let cases = [
            ("a:INT", "a:INT", "FULL"),
            ("a:INTEGER", "a:int", "FULL"),
            ("a:INT;b:STRING", "b:STRING;a:INT", "FULL"),
            ("a:INT", "a:INT;b:STRING", "FULL"),
            ("a:INT;b:STRING", "a:INT", "BACKWARD"),
            ("a:INT", "a:BIGINT", "BACKWARD"),
            ("a:BIGINT", "a:INT", "FORWARD"),
            ("a:DECIMAL(10, 2)", "a:DECIMAL(12, 2)", "BACKWARD"),
            ("a:DECIMAL(12, 2)", "a:DECIMAL(10, 2)", "FORWARD"),
            ("a:DECIMAL(10, 2)", "a:DECIMAL(10, 4)", "BREAKING"),
            ("a:INT", "a:STRING", "BREAKING"),
            ("a:BIGINT;b:INT", "a:INT", "BREAKING"),
        ];
        for (old, new, expected) in cases {
            assert_eq!(compare(&schema(old), &schema(new)).name(), expected, "{old} -> {new}");
        }
    }
}
