//! Changes of an output with ranks: a row that enters or leaves shifts all rows behind it.

use super::top::Ranking;
use crate::change_rows::{ChangeRows, RowRef};
use headwater_types::{Result, RowKind};
use std::ops::{Bound, ControlFlow};

/// How ranks are emitted.
#[derive(Debug, Clone, Copy)]
pub(super) struct RankRules {
    /// The first rank that is shown, from 1.
    pub(super) start: u64,
    /// Whether the rank is a column.
    pub(super) with_rank: bool,
    /// Whether consumers need `-U` rows.
    pub(super) update_before: bool,
}

impl RankRules {
    /// Whether rows that stay change with their rank, so that a change shifts them.
    pub(super) fn shifts(&self) -> bool {
        self.with_rank || self.start > 1
    }

    /// Emits a row with its rank, if the rank is shown.
    pub(super) fn push(&self, kind: RowKind, row: RowRef<'_>, rank: u64, changes: &mut ChangeRows) {
        let wanted = rank >= self.start && (self.update_before || kind != RowKind::UpdateBefore);
        match (wanted, self.with_rank) {
            (true, true) => changes.push_ranked(kind, row, rank as i64),
            (true, false) => changes.push(kind, row),
            (false, _) => {}
        }
    }

    /// Emits that one row replaces another at a rank.
    pub(super) fn update(&self, before: RowRef<'_>, after: RowRef<'_>, rank: u64, changes: &mut ChangeRows) {
        self.push(RowKind::UpdateBefore, before, rank, changes);
        self.push(RowKind::UpdateAfter, after, rank, changes);
    }
}

/// Whether a row enters or leaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shift {
    Enter,
    Leave,
}

/// Emits what it means for ranks up to `end` that the row at a place entered (it is in the map now) or leaves (it is
/// in the map still).
pub(super) fn shift(
    ranking: &mut Ranking,
    key: &[u8],
    place: &[u8],
    shift: Shift,
    end: u64,
    rules: &RankRules,
    changes: &mut ChangeRows,
) -> Result<()> {
    let mut position = 0;
    // The row at the position before, from the changed place on.
    let mut previous: Option<RowRef<'static>> = None;
    ranking.rows.scan(key, (Bound::Unbounded, Bound::Unbounded), false, &mut |known, row| {
        position += 1;
        if previous.is_none() && known != place {
            return ControlFlow::Continue(());
        }
        let row = changes.keep(row);
        if let Some(previous) = previous.replace(row) {
            let (before, after) = if shift == Shift::Enter { (row, previous) } else { (previous, row) };
            rules.update(before, after, position - 1, changes);
        }
        if position > end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if let Some(last) = previous.filter(|_| position <= end) {
        let kind = if shift == Shift::Enter { RowKind::Insert } else { RowKind::Delete };
        rules.push(kind, last, position, changes);
    }
    Ok(())
}
