//! Scattering loses no row, keeps order and pairs, and agrees with the owner of each key group.

use super::*;
use arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::{Field, Int64Type, Schema};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::Arc;

/// Rows `(key, position)` with kinds.
fn batch(rows: &[(i64, RowKind)]) -> ChangeBatch {
    let schema =
        Schema::new(vec![Field::new("key", DataType::Int64, true), Field::new("position", DataType::Int64, true)]);
    let keys = Int64Array::from(rows.iter().map(|(key, _)| *key).collect::<Vec<_>>());
    let positions = Int64Array::from((0..rows.len() as i64).collect::<Vec<_>>());
    let rows_batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(keys), Arc::new(positions)]).unwrap();
    ChangeBatch::from_kinds(rows_batch, rows.iter().map(|(_, kind)| *kind))
}

fn scatter(batch: ChangeBatch, targets: u32, groups: u32) -> Vec<(u32, ChangeBatch)> {
    let types = [DataType::Int64, DataType::Int64];
    let mut parts = vec![];
    Scatter::new(vec![0], &types, targets, groups).unwrap().scatter(batch, &mut parts).unwrap();
    parts
}

fn values(batch: &ChangeBatch, column: usize) -> Vec<i64> {
    batch.rows().column(column).as_primitive::<Int64Type>().values().to_vec()
}

fn owner_of(key: i64, targets: u32, groups: u32) -> u32 {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![key]));
    let mut keys = EncodedKeys::new();
    KeyEncoder::new(&[DataType::Int64]).unwrap().encode(&[column], 1, &mut keys).unwrap();
    owner(key_group(stable_hash(keys.key(0)), groups), targets, groups)
}

/// Single rows and `-U/+U` pairs whose key may change.
fn changelog() -> impl Strategy<Value = Vec<(i64, RowKind)>> {
    let key = -20i64..20;
    let single = (key.clone(), prop_oneof![Just(RowKind::Insert), Just(RowKind::Delete)]).prop_map(|row| vec![row]);
    let upsert = key.clone().prop_map(|k| vec![(k, RowKind::UpdateAfter)]);
    let pair = (key.clone(), key).prop_map(|(a, b)| vec![(a, RowKind::UpdateBefore), (b, RowKind::UpdateAfter)]);
    vec(prop_oneof![single, upsert, pair], 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn rows_reach_their_owner_in_order(rows in changelog(), targets in 1u32..20, groups in 20u32..200) {
        let parts = scatter(batch(&rows), targets, groups);
        let mut seen = vec![];
        for (target, part) in &parts {
            prop_assert!(part.num_rows() > 0);
            for key in values(part, 0) {
                prop_assert_eq!(owner_of(key, targets, groups), *target);
            }
            let positions = values(part, 1);
            prop_assert!(positions.is_sorted());
            seen.extend(positions);
        }
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..rows.len() as i64).collect::<Vec<_>>());
    }

    #[test]
    fn pairs_stay_adjacent_or_become_delete_and_insert(rows in changelog(), targets in 1u32..20) {
        let target = |row: usize| owner_of(rows[row].0, targets, 128);
        for (_, part) in scatter(batch(&rows), targets, 128) {
            let positions = values(&part, 1);
            for (at, position) in positions.iter().map(|p| *p as usize).enumerate() {
                let separated = |first: usize| {
                    rows[first].1 == RowKind::UpdateBefore && target(first) != target(first + 1)
                };
                let expected = match rows[position].1 {
                    RowKind::UpdateBefore if separated(position) => RowKind::Delete,
                    RowKind::UpdateAfter if position > 0 && separated(position - 1) => RowKind::Insert,
                    kind => kind,
                };
                prop_assert_eq!(part.kind(at), expected);
                if expected == RowKind::UpdateBefore {
                    prop_assert_eq!(positions[at + 1] as usize, position + 1, "pairs stay adjacent");
                }
            }
        }
    }
}

#[test]
fn batches_for_one_target_are_passed_on_uncopied() {
    let rows = batch(&[(5, RowKind::Insert), (5, RowKind::Insert)]);
    let buffer = rows.rows().column(0).to_data().buffers()[0].as_ptr();
    let parts = scatter(rows, 4, 128);
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].1.rows().column(0).to_data().buffers()[0].as_ptr(), buffer);
}

#[test]
fn more_targets_than_groups_are_refused() {
    assert!(Scatter::new(vec![0], &[DataType::Int64], 129, 128).is_err());
    assert!(Scatter::new(vec![3], &[DataType::Int64], 1, 128).is_err());
}
