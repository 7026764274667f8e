//! The entries of one key in the order of their map keys: references, kept sorted.
//!
//! One entry needs no allocation, a few are one sorted list, many are a list of sorted lists of bounded length,
//! so that an insertion moves little memory. Comparisons are the caller's: the references mean nothing here.

use super::Ref;
use std::cmp::Ordering;

/// Longest list.
const LIST_MAX: usize = 256;

#[derive(Debug, Default)]
pub(crate) enum Order {
    #[default]
    Empty,
    One(Ref),
    Few(Vec<Ref>),
    Many(Vec<Vec<Ref>>),
}

/// A place in the order: list and index. One place follows the last entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    list: usize,
    index: usize,
}

impl Order {
    /// The order of entries that are sorted.
    pub fn of_sorted(entries: impl Iterator<Item = Ref>) -> Self {
        let mut list: Vec<Ref> = entries.collect();
        if list.len() > LIST_MAX {
            return Self::Many(list.chunks(LIST_MAX).map(<[Ref]>::to_vec).collect());
        }
        list.shrink_to_fit();
        let mut order = Self::Few(list);
        order.normalize();
        order
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = Ref> {
        let lists = match self {
            Self::Empty => &[][..],
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Few(list) => list,
            Self::Many(_) => &[],
        };
        let many: &[Vec<Ref>] = if let Self::Many(lists) = self { lists } else { &[] };
        lists.iter().chain(many.iter().flatten()).copied()
    }

    /// The first place whose entry is not `Less`.
    #[inline]
    pub fn lower_bound(&self, mut compare: impl FnMut(Ref) -> Ordering) -> Place {
        let mut before = |entry: &Ref| compare(*entry) == Ordering::Less;
        let index_in = |list: &[Ref], before: &mut dyn FnMut(&Ref) -> bool| list.partition_point(before);
        match self {
            Self::Empty => Place { list: 0, index: 0 },
            Self::One(entry) => Place { list: 0, index: usize::from(before(entry)) },
            Self::Few(list) => Place { list: 0, index: index_in(list, &mut before) },
            Self::Many(lists) => {
                // The last list whose first entry is before; the bound is in it or right behind it.
                let list = lists.partition_point(|list| before(&list[0])).saturating_sub(1);
                self.normal(Place { list, index: index_in(&lists[list], &mut before) })
            }
        }
    }

    /// Whether there are more entries than `count`.
    pub fn has_more_than(&self, count: usize) -> bool {
        match self {
            Self::Empty => false,
            Self::One(_) => count == 0,
            Self::Few(list) => list.len() > count,
            Self::Many(lists) => lists.iter().map(Vec::len).sum::<usize>() > count,
        }
    }

    /// The first place.
    pub fn start(&self) -> Place {
        Place { list: 0, index: 0 }
    }

    /// The place behind the last entry.
    pub fn end(&self) -> Place {
        match self {
            Self::Empty => Place { list: 0, index: 0 },
            Self::One(_) => Place { list: 0, index: 1 },
            Self::Few(list) => Place { list: 0, index: list.len() },
            Self::Many(lists) => Place { list: lists.len(), index: 0 },
        }
    }

    /// The entry at a place.
    #[inline]
    pub fn get(&self, place: Place) -> Option<Ref> {
        match self {
            Self::Empty => None,
            Self::One(entry) => (place.index == 0).then_some(*entry),
            Self::Few(list) => list.get(place.index).copied(),
            Self::Many(lists) => lists.get(place.list).and_then(|list| list.get(place.index)).copied(),
        }
    }

    /// The next place.
    #[inline]
    pub fn next(&self, place: Place) -> Place {
        self.normal(Place { index: place.index + 1, ..place })
    }

    /// The place before; the start has none.
    pub fn previous(&self, place: Place) -> Option<Place> {
        match (self, place.index.checked_sub(1)) {
            (_, Some(index)) => Some(Place { index, ..place }),
            (Self::Many(lists), None) => {
                let list = place.list.checked_sub(1)?;
                Some(Place { list, index: lists[list].len() - 1 })
            }
            _ => None,
        }
    }

    /// Replaces the entry at a place.
    pub fn set(&mut self, place: Place, entry: Ref) {
        match self {
            Self::Empty => {}
            Self::One(one) => *one = entry,
            Self::Few(list) => list[place.index] = entry,
            Self::Many(lists) => lists[place.list][place.index] = entry,
        }
    }

    /// Inserts an entry before the one at a place.
    pub fn insert(&mut self, place: Place, entry: Ref) {
        match self {
            Self::Empty => *self = Self::One(entry),
            Self::One(other) => {
                let list = if place.index == 0 { vec![entry, *other] } else { vec![*other, entry] };
                *self = Self::Few(list);
            }
            Self::Few(list) => {
                list.insert(place.index, entry);
                if list.len() > LIST_MAX {
                    let upper = list.split_off(LIST_MAX / 2);
                    *self = Self::Many(vec![std::mem::take(list), upper]);
                }
            }
            Self::Many(lists) => insert_many(lists, place, entry),
        }
    }

    /// Removes the entry at a place.
    pub fn remove(&mut self, place: Place) {
        match self {
            Self::Empty => {}
            Self::One(_) => *self = Self::Empty,
            Self::Few(list) => {
                list.remove(place.index);
                self.normalize();
            }
            Self::Many(lists) => {
                lists[place.list].remove(place.index);
                if lists[place.list].is_empty() {
                    lists.remove(place.list);
                }
                self.normalize();
            }
        }
    }

    /// Keeps the entries of one list of which `keep` is true; lists are counted from 0, over and over. Returns the
    /// number of entries looked at.
    pub fn retain_in_list(&mut self, list: usize, mut keep: impl FnMut(Ref) -> bool) -> usize {
        match self {
            Self::Empty => 0,
            Self::One(entry) => {
                if !keep(*entry) {
                    *self = Self::Empty;
                }
                1
            }
            Self::Few(entries) => {
                let looked_at = entries.len();
                entries.retain(|entry| keep(*entry));
                self.normalize();
                looked_at
            }
            Self::Many(lists) => {
                let list = list % lists.len();
                let looked_at = lists[list].len();
                lists[list].retain(|entry| keep(*entry));
                if lists[list].is_empty() {
                    lists.remove(list);
                }
                self.normalize();
                looked_at
            }
        }
    }

    /// Makes the smallest form of what is left after a removal.
    fn normalize(&mut self) {
        if let Self::Many(lists) = self
            && let [list] = lists.as_mut_slice()
        {
            *self = Self::Few(std::mem::take(list));
        }
        if let Self::Few(list) = self {
            match list.as_slice() {
                [] => *self = Self::Empty,
                [one] => *self = Self::One(*one),
                _ => {}
            }
        }
    }

    /// Memory in use beside the value itself, bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Empty | Self::One(_) => 0,
            Self::Few(list) => list.capacity() * size_of::<Ref>(),
            Self::Many(lists) => lists.len() * (LIST_MAX * size_of::<Ref>() + size_of::<Vec<Ref>>()),
        }
    }

    /// Makes the place behind a list that of the next list's first entry.
    #[inline]
    fn normal(&self, place: Place) -> Place {
        match self {
            Self::Many(lists) if lists.get(place.list).is_some_and(|list| list.len() == place.index) => {
                Place { list: place.list + 1, index: 0 }
            }
            _ => place,
        }
    }
}

fn insert_many(lists: &mut Vec<Vec<Ref>>, place: Place, entry: Ref) {
    // In front of a list is behind the one before it, which keeps lists full when keys ascend.
    let (at, index) = match (place.index, place.list.checked_sub(1)) {
        (0, Some(before)) => (before, lists[before].len()),
        (index, _) => (place.list, index),
    };
    let list = &mut lists[at];
    list.insert(index, entry);
    if list.len() > LIST_MAX {
        // Ascending keys leave full lists behind; others are split in halves.
        let split = if index == LIST_MAX { LIST_MAX } else { LIST_MAX / 2 };
        let upper = list.split_off(split);
        lists.insert(at + 1, upper);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entries(order: &Order) -> Vec<u32> {
        let (mut place, mut found) = (order.start(), vec![]);
        while let Some(entry) = order.get(place) {
            found.push(entry.0);
            place = order.next(place);
        }
        assert_eq!(place, order.end());
        found
    }

    fn backwards(order: &Order) -> Vec<u32> {
        let (mut place, mut found) = (order.end(), vec![]);
        while let Some(before) = order.previous(place) {
            found.push(order.get(before).unwrap().0);
            place = before;
        }
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn it_is_a_sorted_set(values in prop::collection::vec((0u32..2000, prop::bool::weighted(0.8)), 0..2500), ascending: bool) {
            let (mut order, mut model) = (Order::default(), std::collections::BTreeSet::new());
            for (i, (value, insert)) in values.into_iter().enumerate() {
                let value = if ascending { i as u32 } else { value };
                let place = order.lower_bound(|entry| entry.0.cmp(&value));
                let there = order.get(place) == Some(Ref(value));
                prop_assert_eq!(there, model.contains(&value));
                match (insert, there) {
                    (true, false) => { order.insert(place, Ref(value)); model.insert(value); }
                    (false, true) => { order.remove(place); model.remove(&value); }
                    _ => {}
                }
            }
            let mut expected: Vec<u32> = model.into_iter().collect();
            prop_assert_eq!(entries(&order), expected.clone());
            expected.reverse();
            prop_assert_eq!(backwards(&order), expected);
        }
    }
}
