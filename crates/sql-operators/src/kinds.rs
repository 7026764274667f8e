//! What operators do to row kinds when they drop or repeat rows.

use arrow::array::{BooleanArray, RecordBatch};
use headwater_data::{ChangeBatch, RowKinds};
use headwater_types::RowKind::{Delete, Insert, UpdateAfter, UpdateBefore};

/// A batch of rows with these kinds.
pub(crate) fn with_kinds(rows: RecordBatch, kinds: RowKinds) -> ChangeBatch {
    match kinds {
        RowKinds::Append => ChangeBatch::append(rows),
        RowKinds::Mixed(kinds) => ChangeBatch::mixed(rows, kinds),
    }
}

/// The kinds of the rows that pass a filter. Where it keeps one half of a `-U`/`+U` pair, the other half is
/// what remains of the change: a lone `-U` deletes, a lone `+U` inserts.
pub(crate) fn filter_kinds(kinds: &RowKinds, mask: &BooleanArray) -> RowKinds {
    let RowKinds::Mixed(kinds) = kinds else { return RowKinds::Append };
    let (before, after) = (UpdateBefore as i8, UpdateAfter as i8);
    let kept = mask.values().set_indices().map(|row| {
        let kind = kinds[row];
        let partner_dropped = |partner: usize, expected: i8| kinds[partner] == expected && !mask.value(partner);
        if kind == before && row + 1 < kinds.len() && partner_dropped(row + 1, after) {
            Delete as i8
        } else if kind == after && row > 0 && partner_dropped(row - 1, before) {
            Insert as i8
        } else {
            kind
        }
    });
    RowKinds::Mixed(kept.collect::<Vec<_>>().into())
}

/// The kinds of rows that were repeated: the halves of an update are no longer adjacent, so they become
/// `-D` and `+I`.
pub(crate) fn separate_pairs(kinds: RowKinds) -> RowKinds {
    let RowKinds::Mixed(kinds) = kinds else { return RowKinds::Append };
    let separate = |kind: &i8| match *kind {
        kind if kind == UpdateBefore as i8 => Delete as i8,
        kind if kind == UpdateAfter as i8 => Insert as i8,
        kind => kind,
    };
    RowKinds::Mixed(kinds.iter().map(separate).collect())
}
