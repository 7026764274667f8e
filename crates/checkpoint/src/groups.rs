//! Sets of key groups as sorted, disjoint ranges.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A set of key groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupSet {
    /// Sorted, disjoint, none empty.
    ranges: Vec<(u32, u32)>,
}

impl GroupSet {
    /// The groups of a range.
    pub fn of(range: Range<u32>) -> Self {
        Self { ranges: if range.is_empty() { vec![] } else { vec![(range.start, range.end)] } }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// Whether `group` is in the set.
    pub fn contains(&self, group: u32) -> bool {
        let at = self.ranges.partition_point(|(_, end)| *end <= group);
        self.ranges.get(at).is_some_and(|(start, _)| *start <= group)
    }

    /// The ranges, sorted and disjoint.
    pub fn ranges(&self) -> impl Iterator<Item = Range<u32>> + '_ {
        self.ranges.iter().map(|(start, end)| *start..*end)
    }

    /// Number of groups.
    pub fn count(&self) -> u32 {
        self.ranges.iter().map(|(start, end)| end - start).sum()
    }

    /// The groups that are also in `range`.
    #[must_use]
    pub fn within(&self, range: &Range<u32>) -> Self {
        let cut = self.ranges.iter().map(|(start, end)| ((*start).max(range.start), (*end).min(range.end)));
        Self { ranges: cut.filter(|(start, end)| start < end).collect() }
    }

    /// The groups that are not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut left = vec![];
        for (start, end) in &self.ranges {
            let mut from = *start;
            for (cut_start, cut_end) in &other.ranges {
                if *cut_start >= *end || *cut_end <= from {
                    continue;
                }
                if from < *cut_start {
                    left.push((from, *cut_start));
                }
                from = (*cut_end).max(from);
            }
            if from < *end {
                left.push((from, *end));
            }
        }
        Self { ranges: left }
    }

    /// The groups of both sets.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all: Vec<(u32, u32)> = self.ranges.iter().chain(&other.ranges).copied().collect();
        all.sort_unstable();
        let mut ranges: Vec<(u32, u32)> = vec![];
        for (start, end) in all {
            match ranges.last_mut() {
                Some(last) if start <= last.1 => last.1 = last.1.max(end),
                _ => ranges.push((start, end)),
            }
        }
        Self { ranges }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set(ranges: &[(u32, u32)]) -> (GroupSet, BTreeSet<u32>) {
        let groups = ranges.iter().fold(GroupSet::default(), |set, (a, n)| set.union(&GroupSet::of(*a..a + n)));
        (groups, ranges.iter().flat_map(|(a, n)| *a..a + n).collect())
    }

    fn listed(groups: &GroupSet) -> BTreeSet<u32> {
        groups.ranges().flatten().collect()
    }

    proptest! {
        #[test]
        fn sets_agree_with_a_tree(a in prop::collection::vec((0u32..40, 0u32..10), 0..6),
                                  b in prop::collection::vec((0u32..40, 0u32..10), 0..6)) {
            let ((a, a_model), (b, b_model)) = (set(&a), set(&b));
            prop_assert_eq!(listed(&a), a_model.clone());
            prop_assert_eq!(listed(&a.without(&b)), &a_model - &b_model);
            prop_assert_eq!(listed(&a.union(&b)), &a_model | &b_model);
            prop_assert_eq!(listed(&a.within(&(10..20))), a_model.iter().copied().filter(|g| (10..20).contains(g)).collect());
            prop_assert_eq!(a.count() as usize, a_model.len());
            for group in 0..50 {
                prop_assert_eq!(a.contains(group), a_model.contains(&group));
            }
        }
    }
}
