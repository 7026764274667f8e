//! Which runs of a table to merge, so that neither their number nor their size runs away.
//!
//! Runs are tiers, as in a log-structured merge tree: the newest runs are merged with the run before them when
//! together they are at least as large. So a byte is written a number of times that grows with the logarithm of
//! the state, and a table has about as many runs. When the oldest run takes part, the result is a base and the
//! deletions are gone; else it is a larger delta.
//!
//! Where it is known how many entries a table has, it is also known how many of the stored ones were replaced. While
//! these are fewer than half, there is nothing to gain by looking for them: merges only make few runs of many, which
//! are gathered as they are, and runs that are large stay until there are too many. When they are more than half,
//! everything is merged into a base.

use crate::groups::GroupSet;
use crate::manifest::{Run, RunKind};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Runs of a slice of key groups below which nothing is merged.
pub const RUNS_MIN: usize = 16;
/// Runs of a slice above which the newest are merged whatever their sizes.
pub const RUNS_MAX: usize = 48;
/// Runs that are merged at once: each takes memory while it is read. The oldest come first, others with the next merge.
pub const RUNS_AT_ONCE: usize = 64;
/// Runs that are larger than this on average are not merged only because there are some of them.
const LARGE_BYTES: u64 = 4 << 20;

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
        (!groups.is_empty()).then(|| (share(run, run.place.bytes, &groups), Run { groups, ..run.clone() }))
    };
    let sliced: Vec<(u64, Run)> = runs.iter().filter_map(in_slice).collect();
    if sliced.len() < RUNS_MIN {
        return None;
    }
    let Picked { mut first, compact } = pick(&sliced, runs, slice)?;
    // Of the runs of one checkpoint, whose groups are disjoint, a merge takes all or none.
    while first > 0 && sliced[first - 1].1.checkpoint == sliced[first].1.checkpoint {
        first -= 1;
    }
    let since = first.checked_sub(1).map(|before| sliced[before].1.checkpoint);
    let mut runs: Vec<Run> = sliced.into_iter().skip(first).map(|(_, run)| run).collect();
    runs.truncate(at_once(&runs));
    let checkpoint = runs.last()?.checkpoint;
    let kind = if since.is_none() && compact { RunKind::Base } else { RunKind::Delta };
    Some(Merge { runs, groups: GroupSet::of(slice.clone()), kind, since, checkpoint })
}

/// How many of some runs are merged at once: those of one checkpoint together, and two checkpoints at least.
fn at_once(runs: &[Run]) -> usize {
    let ends =
        (1..=runs.len()).filter(|end| runs.get(*end).is_none_or(|next| next.checkpoint != runs[end - 1].checkpoint));
    let (mut taken, mut checkpoints) = (runs.len(), 0);
    for end in ends {
        if checkpoints >= 2 && end > RUNS_AT_ONCE {
            break;
        }
        (taken, checkpoints) = (end, checkpoints + 1);
    }
    taken
}

/// What to merge.
struct Picked {
    /// The oldest run.
    first: usize,
    /// Whether replaced entries are worth looking for.
    compact: bool,
}

fn pick(sliced: &[(u64, Run)], runs: &[Run], slice: &Range<u32>) -> Option<Picked> {
    let Some(live) = live_entries(runs, slice) else {
        return first_of_tier(sliced).map(|first| Picked { first, compact: true });
    };
    if entries(runs, slice) / 2 > live {
        return Some(Picked { first: 0, compact: true });
    }
    let first = first_of_tier(sliced)?;
    let merged = &sliced[first..];
    let is_large = merged.iter().map(|(bytes, _)| bytes).sum::<u64>() > LARGE_BYTES * merged.len() as u64;
    (!is_large || sliced.len() > RUNS_MAX).then_some(Picked { first, compact: false })
}

/// Entries that are stored for a slice, about.
fn entries(runs: &[Run], slice: &Range<u32>) -> u64 {
    runs.iter().map(|run| share(run, run.entries, &run.groups.within(slice))).sum()
}

/// Entries of a slice that count, about: the newest run of each group knows. `None` where one does not.
fn live_entries(runs: &[Run], slice: &Range<u32>) -> Option<u64> {
    let (mut rest, mut live) = (GroupSet::of(slice.clone()), 0);
    for run in runs.iter().rev() {
        let groups = rest.without(&rest.without(&run.groups));
        if !groups.is_empty() {
            live += share(run, run.live?, &groups);
            rest = rest.without(&groups);
        }
    }
    Some(live)
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

/// What of an amount of a run falls upon some of its groups, supposing that all are alike.
fn share(run: &Run, amount: u64, groups: &GroupSet) -> u64 {
    let (all, some) = (u64::from(run.groups.count().max(1)), u64::from(groups.count()));
    amount / all * some + amount % all * some / all
}

#[cfg(test)]
mod tests;
