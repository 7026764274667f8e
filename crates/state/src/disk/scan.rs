//! Scanning the entries of a key over all runs of a tree.

use super::sorted::Slot;
use super::tree::Version;
use crate::engine::Bounds;
use headwater_data::run::{KeyHashes, KeyScan};
use headwater_types::Result;
use std::cmp::Ordering;
use std::ops::Bound;

/// Is called with map key and value until it returns false.
pub(crate) type VisitWhile<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<bool>;

/// The scanned key and how.
#[derive(Clone, Copy)]
pub(super) struct Range<'a> {
    pub group: u32,
    pub key: &'a [u8],
    pub bounds: Bounds<'a>,
    pub reverse: bool,
}

impl Version {
    /// Calls `visit` with the live entries of a key in order until it returns false.
    pub fn scan(&self, range: Range<'_>, visit: VisitWhile<'_>) -> Result<()> {
        let hashes = KeyHashes::of(range.key, &[]);
        let mut sources = vec![];
        for run in &self.runs {
            let mut source = Source::new(run.slots_of(range.group, range.key), range, hashes);
            if source.advance()? {
                sources.push(source);
            }
        }
        while let Some(first) = first_of(&sources, range.reverse) {
            if let Some(value) = sources[first].scan().value()
                && !visit(sources[first].scan().map_key(), value)?
            {
                return Ok(());
            }
            pass(&mut sources, first)?;
        }
        Ok(())
    }
}

/// The newest source of those with the next map key.
fn first_of(sources: &[Source<'_>], reverse: bool) -> Option<usize> {
    let before = if reverse { Ordering::Greater } else { Ordering::Less };
    let mut first: Option<usize> = None;
    for (at, source) in sources.iter().enumerate() {
        if first.is_none_or(|first| source.scan().map_key().cmp(sources[first].scan().map_key()) == before) {
            first = Some(at);
        }
    }
    first
}

/// Moves all sources past the entry of the first one.
fn pass(sources: &mut Vec<Source<'_>>, first: usize) -> Result<()> {
    for at in (0..sources.len()).rev() {
        // The first is the newest, so those behind it go first, and its entry stays until they did.
        let same = at >= first && sources[at].scan().map_key() == sources[first].scan().map_key();
        if same && !sources[at].advance()? {
            sources.remove(at);
        }
    }
    Ok(())
}

/// The entries of a key in one run: in one file after the other.
struct Source<'a> {
    /// Files that are not started yet.
    slots: &'a [Slot],
    range: Range<'a>,
    hashes: KeyHashes,
    scan: Option<KeyScan>,
}

impl<'a> Source<'a> {
    fn new(slots: &'a [Slot], range: Range<'a>, hashes: KeyHashes) -> Self {
        Self { slots, range, hashes, scan: None }
    }

    fn scan(&self) -> &KeyScan {
        self.scan.as_ref().expect("a source without an entry is dropped")
    }

    fn advance(&mut self) -> Result<bool> {
        loop {
            if let Some(scan) = &mut self.scan
                && scan.advance()?
            {
                return Ok(true);
            }
            let next = if self.range.reverse { self.slots.split_last() } else { self.slots.split_first() };
            let Some((slot, rest)) = next else { return Ok(false) };
            self.slots = rest;
            self.start(slot);
        }
    }

    fn start(&mut self, slot: &Slot) {
        let Range { group, key, mut bounds, reverse } = self.range;
        self.scan = None;
        if group >= slot.end_group || !slot.run.may_contain_key(group, key, self.hashes) {
            return;
        }
        let first = slot.first.as_place();
        if (first.group, first.key) == (group, key) {
            bounds.0 = later(bounds.0, first.map_key);
        }
        self.scan = Some(KeyScan::new(&slot.run, group, key, bounds, reverse));
    }
}

/// The later of two starts.
fn later<'a>(start: Bound<&'a [u8]>, first: &'a [u8]) -> Bound<&'a [u8]> {
    match start {
        Bound::Included(start) if start >= first => Bound::Included(start),
        Bound::Excluded(start) if start >= first => Bound::Excluded(start),
        _ => Bound::Included(first),
    }
}
