//! Which runs of a table to merge, so that neither their number nor their size runs away.
//!
//! Runs are tiers, as in a log-structured merge tree: the newest runs are merged with the run before them when
//! together they are at least as large. So a byte is written a number of times that grows with the logarithm of
//! the state, and a table has about as many runs. When the oldest run takes part, the result is a base and the
//! deletions are gone; else it is a larger delta.

use crate::groups::GroupSet;
use crate::manifest::{Run, RunKind};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Runs of a slice of key groups below which nothing is merged.
pub const RUNS_MIN: usize = 16;
/// Runs of a slice above which the newest are merged whatever their sizes.
pub const RUNS_MAX: usize = 48;

/// Runs to be merged into one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merge {
    /// The runs, oldest first, restricted to the slice.
    pub runs: Vec<Run>,
    /// The groups of the result.
    pub groups: GroupSet,
    /// Whether the result is a base.
    pub kind: RunKind,
    /// Checkpoint of the run before the first; `None` when the first is the oldest.
    pub since: Option<u64>,
    /// Checkpoint of the last run, which becomes that of the result.
    pub checkpoint: u64,
}

/// The merge that a table's slice of key groups needs, if any. `runs` are all runs of the table, oldest first.
pub fn choose(runs: &[Run], slice: &Range<u32>) -> Option<Merge> {
    let in_slice = |run: &Run| {
        let groups = run.groups.within(slice);
        (!groups.is_empty()).then(|| (share(run, &groups), Run { groups, ..run.clone() }))
    };
    let sliced: Vec<(u64, Run)> = runs.iter().filter_map(in_slice).collect();
    if sliced.len() < RUNS_MIN {
        return None;
    }
    let mut first = first_of_tier(&sliced)?;
    // Of the runs of one checkpoint, whose groups are disjoint, a merge takes all or none.
    while first > 0 && sliced[first - 1].1.checkpoint == sliced[first].1.checkpoint {
        first -= 1;
    }
    let since = first.checked_sub(1).map(|before| sliced[before].1.checkpoint);
    let runs: Vec<Run> = sliced.into_iter().skip(first).map(|(_, run)| run).collect();
    let checkpoint = runs.last()?.checkpoint;
    let kind = if since.is_none() { RunKind::Base } else { RunKind::Delta };
    Some(Merge { runs, groups: GroupSet::of(slice.clone()), kind, since, checkpoint })
}

/// Where the runs to merge begin: as early as what follows is at least as large as the run before.
fn first_of_tier(sliced: &[(u64, Run)]) -> Option<usize> {
    let mut first = sliced.len() - 1;
    let mut bytes = sliced[first].0;
    while let Some(before) = first.checked_sub(1) {
        let too_many = first + 1 > RUNS_MAX;
        if sliced[before].0 > bytes && !too_many {
            break;
        }
        bytes += sliced[before].0;
        first = before;
    }
    let merged = sliced.len() - first;
    let too_many = sliced.len() > RUNS_MAX;
    (merged >= RUNS_MIN.div_ceil(2) || too_many).then_some(first).filter(|_| merged > 1)
}

/// Bytes of a run that fall upon some of its groups, supposing that all are alike.
fn share(run: &Run, groups: &GroupSet) -> u64 {
    let (all, some) = (u64::from(run.groups.count().max(1)), u64::from(groups.count()));
    run.place.bytes / all * some + run.place.bytes % all * some / all
}

#[cfg(test)]
mod tests;
