//! What joins read of their inputs, and joins over fewer columns.

use crate::lower::prune::{Rewritten, all};
use crate::lower::remap::{ColumnMap, Kept, Usage, collect_usage, position, remap};
use headwater_plan::operators::{JoinInputKey, JoinKind};
use headwater_plan::{Expr, OperatorSpec};

/// The columns a join operator names.
struct Columns<'a> {
    kind: JoinKind,
    condition: Option<&'a mut Expr>,
    left: Vec<&'a mut usize>,
    right: Vec<&'a mut usize>,
}

/// The columns of any join operator; `None` for other operators.
fn named(spec: &mut OperatorSpec) -> Option<Columns<'_>> {
    Some(match spec {
        OperatorSpec::WindowJoin(s) => Columns {
            kind: s.kind,
            condition: s.condition.as_mut(),
            left: s.left_keys.iter_mut().chain([&mut s.left_window.0, &mut s.left_window.1]).collect(),
            right: s.right_keys.iter_mut().chain([&mut s.right_window.0, &mut s.right_window.1]).collect(),
        },
        OperatorSpec::Join(s) => Columns {
            kind: s.kind,
            condition: s.condition.as_mut(),
            left: s.left_keys.iter_mut().chain(unique(&mut s.left_unique)).collect(),
            right: s.right_keys.iter_mut().chain(unique(&mut s.right_unique)).collect(),
        },
        OperatorSpec::IntervalJoin(s) => Columns {
            kind: s.kind,
            condition: s.condition.as_mut(),
            left: s.left_keys.iter_mut().chain([&mut s.left_time]).collect(),
            right: s.right_keys.iter_mut().chain([&mut s.right_time]).collect(),
        },
        OperatorSpec::TemporalJoin(s) => {
            let (left_time, right_time) = s.rowtimes.as_mut().map(|(l, r)| (l, r)).unzip();
            Columns {
                kind: s.kind,
                condition: s.condition.as_mut(),
                left: s.left_keys.iter_mut().chain(left_time).collect(),
                right: s.right_keys.iter_mut().chain(right_time).collect(),
            }
        }
        _ => return None,
    })
}

fn unique(key: &mut JoinInputKey) -> impl Iterator<Item = &mut usize> {
    let columns = match key {
        JoinInputKey::Unique(columns) => columns.as_mut_slice(),
        JoinInputKey::JoinKeyUnique | JoinInputKey::None => &mut [],
    };
    columns.iter_mut()
}

/// What a join reads of both inputs, when `output` is read of it.
pub(in crate::lower) fn usages(
    spec: &OperatorSpec,
    output: &[Usage],
    left_width: usize,
    right_width: usize,
) -> Vec<Vec<Usage>> {
    let mut spec = spec.clone();
    let Some(named) = named(&mut spec) else { return vec![] };
    let mut reads = output.to_vec();
    reads.resize(left_width + right_width, Usage::None);
    if let Some(condition) = named.condition {
        collect_usage(condition, &Usage::All, &mut reads);
    }
    let mut right = reads.split_off(left_width);
    all(&mut reads, named.left.into_iter().map(|c| *c));
    all(&mut right, named.right.into_iter().map(|c| *c));
    vec![reads, right]
}

/// The join over what is left of its inputs.
pub(in crate::lower) fn rewrite(
    mut spec: OperatorSpec,
    left: &ColumnMap,
    right: &ColumnMap,
    left_width: usize,
) -> Rewritten {
    let shifted = |kept: &Kept| kept.index().map_or(Kept::Dropped, |i| kept.clone().at(left_width + i));
    let both: ColumnMap = left.iter().cloned().chain(right.iter().map(shifted)).collect();
    let mut map = both.clone();
    if let Some(named) = named(&mut spec) {
        if let Some(condition) = named.condition {
            remap(condition, &both);
        }
        named.left.into_iter().for_each(|c| *c = position(left, *c));
        named.right.into_iter().for_each(|c| *c = position(right, *c));
        if matches!(named.kind, JoinKind::Semi | JoinKind::Anti) {
            map.clone_from(left);
        }
    }
    Rewritten { spec, map }
}
