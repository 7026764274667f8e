//! Joins of inputs whose windows are equal.

use super::super::Lowering;
use super::super::relation::{Relation, WindowState};
use super::super::window::wants_event_time;
use super::{JoinOutput, Pair, Sides, all_of, positions};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{JoinKind, WindowJoinSpec};
use headwater_types::{Error, Result};

/// Positions of window start and end on each side.
pub(super) struct Windows {
    left: (usize, usize),
    right: (usize, usize),
}

/// The windows of both sides, if the conditions make them equal.
pub(super) fn equal_windows(sides: &Sides) -> Option<Windows> {
    let windows = Windows { left: window_columns(&sides.left)?, right: window_columns(&sides.right)? };
    let equal = |left: usize, right: usize| sides.pairs.iter().any(|p| p.left == left && p.right == right);
    let same = equal(windows.left.0, windows.right.0) && equal(windows.left.1, windows.right.1);
    same.then_some(windows)
}

fn window_columns(relation: &Relation) -> Option<(usize, usize)> {
    match relation.window.as_ref()?.state {
        WindowState::Attached { start: Some(start), end: Some(end) } => Some((start, end)),
        _ => None,
    }
}

impl Lowering<'_> {
    pub(super) fn window_join(&mut self, sides: Sides, windows: Windows) -> Result<Relation> {
        let of_window = |p: &&Pair| {
            (p.left, p.right) == (windows.left.0, windows.right.0)
                || (p.left, p.right) == (windows.left.1, windows.right.1)
        };
        let (null_safe, keys): (Vec<Pair>, Vec<Pair>) =
            sides.pairs.iter().filter(|p| !of_window(p)).partition(|p| p.null_safe);
        let mut conditions: Vec<_> = null_safe.into_iter().map(|p| self.pair_condition(&sides, p)).collect();
        conditions.extend(sides.residual.iter().cloned());
        let window = sides.left.window.clone().ok_or_else(|| Error::internal("a window join without a window"))?;
        let (left_keys, right_keys) = positions(&keys);
        wants_event_time(&window, "a window join")?;
        let spec = WindowJoinSpec {
            kind: sides.kind,
            left_window: windows.left,
            right_window: windows.right,
            left_keys,
            right_keys,
            condition: all_of(conditions),
            zone: window.spec.zone.clone(),
            proctime: window.proctime,
        };
        let output = JoinOutput { emits_changes: false, keeps_time: [true, true] };
        let joined = self.add_join(&sides, &keys, output, OperatorSpec::WindowJoin(spec));
        let keeps_window = !matches!(sides.kind, JoinKind::Right | JoinKind::Full);
        Ok(Relation { window: keeps_window.then_some(window), ..joined })
    }
}
