//! From results before and after to changes.

use super::lives::Step;
use crate::arrow_error;
use crate::columns::record_batch;
use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{interleave, take};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_types::{Result, RowKind};

/// How changes of results are emitted.
pub(super) struct ChangeRules {
    /// Whether consumers need `-U` rows.
    pub(super) update_before: bool,
    /// Whether an update to the same result is left out.
    pub(super) skip_unchanged: bool,
}

/// The results of some groups, one after the other.
pub(super) struct Results<'a> {
    /// What happened to each group.
    pub(super) steps: &'a [Step],
    /// A row of the input with its key.
    pub(super) rows: &'a [u32],
    /// Results before, one column per call.
    pub(super) before: Vec<ArrayRef>,
    /// Results after.
    pub(super) after: Vec<ArrayRef>,
}

/// The changes of results as a batch: key columns, then results. `None` when nothing changed.
pub(super) fn change_batch(
    keys: &[ArrayRef],
    results: &Results<'_>,
    rules: &ChangeRules,
    schema: &SchemaRef,
) -> Result<Option<ChangeBatch>> {
    let (places, kinds) = places(results, rules)?;
    if places.is_empty() {
        return Ok(None);
    }
    let rows: UInt32Array = places.iter().map(|(_, place)| results.rows[*place]).collect::<Vec<_>>().into();
    let key = |key: &ArrayRef| take(key, &rows, None).map_err(arrow_error);
    let mut columns = keys.iter().map(key).collect::<Result<Vec<_>>>()?;
    let only_after = places.iter().all(|(side, _)| *side == 1);
    let positions = UInt32Array::from_iter_values(places.iter().map(|(_, place)| *place as u32));
    for (before, after) in results.before.iter().zip(&results.after) {
        let sources: [&dyn Array; 2] = [before.as_ref(), after.as_ref()];
        columns.push(match only_after {
            true => take(after, &positions, None).map_err(arrow_error)?,
            false => interleave(&sources, &places).map_err(arrow_error)?,
        });
    }
    Ok(Some(ChangeBatch::from_kinds(record_batch(schema, columns, kinds.len())?, kinds)))
}

/// The side (0 before, 1 after) and place of every changed row, with its kind.
#[expect(clippy::type_complexity, reason = "the two lists run in parallel")]
fn places(results: &Results<'_>, rules: &ChangeRules) -> Result<(Vec<(usize, usize)>, Vec<RowKind>)> {
    let same = match rules.skip_unchanged && results.steps.contains(&Step::Update) {
        true => equal_rows(&results.before, &results.after, results.steps.len())?,
        false => vec![],
    };
    let (mut places, mut kinds) = (vec![], vec![]);
    let mut push = |kind, side, place| {
        kinds.push(kind);
        places.push((side, place));
    };
    for (place, step) in results.steps.iter().enumerate() {
        match step {
            Step::Insert => push(RowKind::Insert, 1, place),
            Step::Delete => push(RowKind::Delete, 0, place),
            Step::Update if !same.get(place).copied().unwrap_or(false) => {
                if rules.update_before {
                    push(RowKind::UpdateBefore, 0, place);
                }
                push(RowKind::UpdateAfter, 1, place);
            }
            Step::Update | Step::Nothing => {}
        }
    }
    Ok((places, kinds))
}

/// For every row of a batch the results of its group before it: those after the group's row before, or the initial
/// ones.
pub(super) fn results_before(initial: &[ArrayRef], scanned: &[ArrayRef], groups: &[u32]) -> Result<Vec<ArrayRef>> {
    let mut last: Vec<(usize, usize)> = vec![];
    let before = groups.iter().enumerate().map(|(row, group)| {
        let group = *group as usize;
        if group >= last.len() {
            last.extend((last.len()..=group).map(|group| (0, group)));
        }
        std::mem::replace(&mut last[group], (1, row))
    });
    let places: Vec<(usize, usize)> = before.collect();
    let column = |(initial, scanned): (&ArrayRef, &ArrayRef)| {
        let sources: [&dyn Array; 2] = [initial.as_ref(), scanned.as_ref()];
        interleave(&sources, &places).map_err(arrow_error)
    };
    initial.iter().zip(scanned).map(column).collect()
}

/// Which rows are equal in all columns, NULL being equal to NULL.
fn equal_rows(left: &[ArrayRef], right: &[ArrayRef], rows: usize) -> Result<Vec<bool>> {
    let mut equal = vec![true; rows];
    for (left, right) in left.iter().zip(right) {
        if left.data_type().is_nested() {
            let (left, right) = (encoded(left)?, encoded(right)?);
            equal.iter_mut().enumerate().for_each(|(row, equal)| *equal &= left.key(row) == right.key(row));
        } else {
            let same = not_distinct(left, right).map_err(arrow_error)?;
            equal.iter_mut().enumerate().for_each(|(row, equal)| *equal &= same.value(row));
        }
    }
    Ok(equal)
}

fn encoded(column: &ArrayRef) -> Result<EncodedKeys> {
    let mut keys = EncodedKeys::new();
    let encoder = KeyEncoder::new(&[column.data_type().clone()])?;
    encoder.encode(std::slice::from_ref(column), column.len(), &mut keys)?;
    Ok(keys)
}
