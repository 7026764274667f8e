//! What the operators of changelogs read, and where their columns go when others are pruned.

use super::super::prune::{all, columns, sort_keys};
use super::super::remap::{ColumnMap, Kept, Usage, collect_usage, position, remap};
use headwater_plan::OperatorSpec;
use headwater_plan::operators::RankEnd;

/// Adds what an operator reads besides the columns it passes on.
pub fn usage(spec: &OperatorSpec, reads: &mut [Usage]) {
    match spec {
        OperatorSpec::Rank(rank) => {
            all(reads, rank.keys.iter().copied().chain(rank.order.iter().map(|k| k.column)));
            if let RankEnd::Column(column) = rank.end {
                all(reads, [column]);
            }
        }
        OperatorSpec::Deduplicate(deduplicate) => {
            all(reads, deduplicate.keys.iter().copied().chain(deduplicate.rowtime));
        }
        OperatorSpec::ChangelogNormalize(normalize) => {
            all(reads, normalize.keys.iter().copied());
            if let Some(condition) = &normalize.condition {
                collect_usage(condition, &Usage::All, reads);
            }
        }
        _ => reads.fill(Usage::All),
    }
}

/// Brings an operator to the new positions of its input, which begin its `output`.
pub fn rewrite(spec: &mut OperatorSpec, usage: &[Usage], map: &ColumnMap, output: &mut ColumnMap) {
    match spec {
        OperatorSpec::Rank(rank) => {
            columns(&mut rank.keys, map);
            sort_keys(&mut rank.order, map);
            if let RankEnd::Column(column) = &mut rank.end {
                *column = position(map, *column);
            }
            rank.with_rank &= usage.len() > map.len() && usage.last().is_some_and(Usage::is_used);
            if !rank.with_rank && output.len() > map.len() {
                output.pop();
                output.push(Kept::Dropped);
            }
        }
        OperatorSpec::Deduplicate(deduplicate) => {
            columns(&mut deduplicate.keys, map);
            deduplicate.rowtime = deduplicate.rowtime.map(|column| position(map, column));
        }
        OperatorSpec::ChangelogNormalize(normalize) => {
            columns(&mut normalize.keys, map);
            if let Some(condition) = &mut normalize.condition {
                remap(condition, map);
            }
        }
        _ => {}
    }
}
