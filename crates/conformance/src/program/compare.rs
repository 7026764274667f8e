//! Comparing the contents of a sink.

use crate::outcome::Stop;
use crate::text;
use crate::value::changelog_row;
use headwater_connectors::values::Row;
use headwater_types::{LogicalType, RowKind};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Rows shown of a difference.
const SHOWN_MAX: usize = 5;

/// What a sink should hold, and how to look at it.
pub(super) struct Expectation<'a> {
    pub(super) sink: &'a str,
    /// Types of the columns a sink consumes.
    pub(super) types: &'a [LogicalType],
    /// Positions of the primary key; empty without one.
    pub(super) key: &'a [usize],
    /// Expected rows, typed or as text.
    pub(super) expected: &'a [&'a Json],
    /// Compare the final table, not the changelog.
    pub(super) materialized: bool,
    /// Whether a changelog with other intermediate results is right, too: changes of several tables meet in an order that
    /// is not specified.
    pub(super) any_order: bool,
}

/// Compares as multisets: the order of rows is not specified.
pub(super) fn compare(expectation: &Expectation<'_>, actual: &[Row]) -> Result<(), Stop> {
    let expected = expectation.expected.iter().map(|row| expected_text(row, expectation.types));
    let expected = expected.collect::<Result<Vec<_>, _>>()?;
    let actual = match expectation.materialized {
        true => text::rows(expectation.types, &materialize(expectation.key, actual)?)?,
        false => text::rows(expectation.types, actual)?,
    };
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for row in &expected {
        *counts.entry(row).or_default() += 1;
    }
    for row in &actual {
        *counts.entry(row).or_default() -= 1;
    }
    let missing = differing(&counts, 1);
    let unexpected = differing(&counts, -1);
    if missing.is_empty() && unexpected.is_empty() {
        return Ok(());
    }
    if expectation.any_order && left_over(&expected) == left_over(&actual) {
        return Ok(());
    }
    let part = |name: &str, rows: &str| if rows.is_empty() { String::new() } else { format!("; {name} {rows}") };
    Err(Stop::failed(format!(
        "the contents of '{}' differ{}{}",
        expectation.sink,
        part("missing", &missing),
        part("unexpected", &unexpected)
    )))
}

/// An expected row as text; rows that are written as text are taken as they are.
fn expected_text(row: &Json, types: &[LogicalType]) -> Result<String, Stop> {
    match row.as_str() {
        Some(text) => Ok(text.to_string()),
        None => text::rows(types, &[changelog_row(row, types)?]).map(|mut rows| rows.swap_remove(0)),
    }
}

/// How often each row is there when all is added and taken back.
fn left_over(changes: &[String]) -> BTreeMap<&str, i64> {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for change in changes {
        let (kind, row) = change.split_at_checked(2).unwrap_or_default();
        *counts.entry(row).or_default() += if kind.starts_with('+') { 1 } else { -1 };
    }
    counts.retain(|_, count| *count != 0);
    counts
}

fn differing(counts: &BTreeMap<&str, i64>, sign: i64) -> String {
    let rows: Vec<String> = counts
        .iter()
        .filter(|(_, count)| **count * sign > 0)
        .map(|(row, count)| if count.abs() > 1 { format!("{row} ({} times)", count.abs()) } else { row.to_string() })
        .collect();
    let shown = rows.iter().take(SHOWN_MAX).cloned().collect::<Vec<_>>().join(", ");
    match rows.len().saturating_sub(SHOWN_MAX) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}

/// The table that a changelog describes. With a key later rows replace earlier ones; without one every
/// retraction takes back an equal row.
fn materialize(key: &[usize], changelog: &[Row]) -> Result<Vec<Row>, Stop> {
    let mut table: Vec<Row> = vec![];
    for (kind, values) in changelog {
        let same = |row: &Row| match key.is_empty() {
            true => row.1 == *values,
            false => key.iter().all(|i| row.1.get(*i) == values.get(*i)),
        };
        let at = table.iter().rposition(same);
        match (kind.is_add(), at) {
            (true, Some(at)) if !key.is_empty() => table[at] = (RowKind::Insert, values.clone()),
            (true, _) => table.push((RowKind::Insert, values.clone())),
            (false, Some(at)) => {
                table.remove(at);
            }
            (false, None) if key.is_empty() => {
                return Err(Stop::failed("the changelog retracts a row that is not there"));
            }
            (false, None) => {}
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_plan::Value;
    use headwater_types::TypeRoot;
    use serde_json::json;

    fn check(key: &[usize], materialized: bool, expected: &[Json], actual: &[(RowKind, i64, i64)]) -> Result<(), Stop> {
        let types = [LogicalType::from(TypeRoot::BigInt), LogicalType::from(TypeRoot::BigInt)];
        let expected: Vec<&Json> = expected.iter().collect();
        let rows: Vec<Row> = actual.iter().map(|(k, a, b)| (*k, vec![Value::Int(*a), Value::Int(*b)])).collect();
        let expectation =
            Expectation { sink: "s", types: &types, key, expected: &expected, materialized, any_order: false };
        compare(&expectation, &rows)
    }

    #[test]
    fn changelogs_are_multisets_of_rows_with_kinds() {
        use RowKind::{Insert, UpdateAfter};
        let expected = [json!("+I[1, 2]"), json!({"kind": "+U", "row": [1, 3]})];
        assert_eq!(check(&[], false, &expected, &[(UpdateAfter, 1, 3), (Insert, 1, 2)]), Ok(()));
        let stop = check(&[], false, &expected, &[(Insert, 1, 2), (Insert, 1, 2)]).expect_err("they differ");
        assert_eq!(stop.reason, "the contents of 's' differ; missing +U[1, 3]; unexpected +I[1, 2]");
    }

    #[test]
    fn what_is_left_over_forgets_intermediate_results() {
        let changes = |changes: &[&str]| changes.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let long = changes(&["+I[2]", "-D[2]", "+I[2]", "+I[3]", "-U[3]", "+U[4]"]);
        assert_eq!(left_over(&long), left_over(&changes(&["+I[4]", "+I[2]"])));
        assert_ne!(left_over(&long), left_over(&changes(&["+I[4]", "+I[2]", "+I[2]"])));
    }

    #[test]
    fn the_final_table_forgets_how_it_came_about() {
        use RowKind::{Delete, Insert, UpdateAfter, UpdateBefore};
        let log = [(Insert, 1, 2), (UpdateBefore, 1, 2), (UpdateAfter, 1, 3), (Insert, 2, 2), (Delete, 2, 2)];
        assert_eq!(check(&[], true, &[json!("+I[1, 3]")], &log), Ok(()));
        assert_eq!(check(&[0], true, &[json!("+I[1, 3]")], &log), Ok(()));
    }
}
