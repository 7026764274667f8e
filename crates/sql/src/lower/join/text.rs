//! Joins as text, in the manner of Flink's EXPLAIN.

use crate::lower::text::{list, render};
use headwater_plan::operators::{IntervalJoinSpec, JoinInputKey, JoinKind, JoinSpec, TemporalJoinSpec};
use headwater_plan::{Expr, OperatorSpec};

/// Column names of two rows as one: a name that is taken gets the first free number.
pub(in crate::lower) fn side_by_side(left: &[String], right: &[String]) -> Vec<String> {
    let mut names = left.to_vec();
    for name in right {
        let taken = |n: &String| names.contains(n);
        let numbered = (0..).map(|i| format!("{name}{i}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|n| !taken(n));
        names.extend(free);
    }
    names
}

/// What a join does, over inputs with these column names.
pub(in crate::lower) fn describe(spec: &OperatorSpec, left: &[String], right: &[String]) -> String {
    let right = &side_by_side(left, right)[left.len()..];
    match spec {
        OperatorSpec::WindowJoin(s) => {
            let pairs = s.left_keys.iter().zip(&s.right_keys).map(|(l, r)| (*l, *r, false));
            joined(s.kind, pairs, s.condition.as_ref(), left, right)
        }
        OperatorSpec::Join(s) => regular(s, left, right),
        OperatorSpec::IntervalJoin(s) => interval(s, left, right),
        OperatorSpec::TemporalJoin(s) => temporal(s, left, right),
        _ => String::new(),
    }
}

fn joined(
    kind: JoinKind,
    pairs: impl Iterator<Item = (usize, usize, bool)>,
    condition: Option<&Expr>,
    left: &[String],
    right: &[String],
) -> String {
    let pair = |(l, r, null_safe): (usize, usize, bool)| {
        format!("{} {} {}", left[l], if null_safe { "IS NOT DISTINCT FROM" } else { "=" }, right[r])
    };
    let condition = condition.map(|c| render(c, &[left, right].concat()));
    let terms: Vec<_> = pairs.map(pair).chain(condition).collect();
    let terms = if terms.is_empty() { "true".to_owned() } else { terms.join(" AND ") };
    format!("joinType=[{kind:?}], where=[{terms}]")
}

fn regular(spec: &JoinSpec, left: &[String], right: &[String]) -> String {
    let pairs = spec.left_keys.iter().zip(&spec.right_keys).zip(&spec.null_safe).map(|((l, r), n)| (*l, *r, *n));
    let joined = joined(spec.kind, pairs, spec.condition.as_ref(), left, right);
    let inputs = [("leftInputSpec", &spec.left_unique, left), ("rightInputSpec", &spec.right_unique, right)];
    let inputs = inputs.map(|(name, key, columns)| format!(", {name}=[{}]", input_key(key, columns)));
    format!("{joined}{}", inputs.concat())
}

fn input_key(key: &JoinInputKey, names: &[String]) -> String {
    match key {
        JoinInputKey::JoinKeyUnique => "JoinKeyContainsUniqueKey".to_owned(),
        JoinInputKey::Unique(columns) => format!("HasUniqueKey({})", list(columns, names)),
        JoinInputKey::None => "NoUniqueKey".to_owned(),
    }
}

fn interval(spec: &IntervalJoinSpec, left: &[String], right: &[String]) -> String {
    let pairs = spec.left_keys.iter().zip(&spec.right_keys).map(|(l, r)| (*l, *r, false));
    let joined = joined(spec.kind, pairs, spec.condition.as_ref(), left, right);
    format!(
        "{joined}, windowBounds=[isRowTime={}, leftLowerBound={}, leftUpperBound={}, leftTime={}, rightTime={}]",
        !spec.proctime, spec.lower_ms, spec.upper_ms, left[spec.left_time], right[spec.right_time]
    )
}

fn temporal(spec: &TemporalJoinSpec, left: &[String], right: &[String]) -> String {
    let pairs = spec.left_keys.iter().zip(&spec.right_keys).map(|(l, r)| (*l, *r, false));
    let joined = joined(spec.kind, pairs, spec.condition.as_ref(), left, right);
    if let Some(load_until_ms) = spec.load_until_ms {
        return format!("{joined}, asOf=[present rows], loadUntil=[{load_until_ms}]");
    }
    match spec.rowtimes {
        Some((l, r)) => format!("{joined}, asOf=[{}], versionedBy=[{}]", left[l], right[r]),
        None => format!("{joined}, asOf=[processing time]"),
    }
}
