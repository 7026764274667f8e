//! Merging a base and the deltas after it.

use super::entries::key_head;
use super::{EntryRef, EntryStream};
use headwater_types::Result;
use std::cmp::Ordering;

/// Merges sorted streams into one: of entries with the same key the newest wins. Memory: one entry a stream.
pub struct Merge<S> {
    /// Oldest first.
    streams: Vec<S>,
    /// What the current entries begin with, which decides most comparisons of them.
    heads: Vec<[u64; 2]>,
    /// Streams that have an entry, as a binary heap: least entry first, newest first among equals.
    heap: Vec<usize>,
    keep_deletions: bool,
    started: bool,
}

impl<S: EntryStream> Merge<S> {
    /// The live entries of a base and its deltas, oldest first.
    pub fn live(streams: Vec<S>) -> Self {
        let heads = vec![[0; 2]; streams.len()];
        Self { streams, heads, heap: vec![], keep_deletions: false, started: false }
    }

    /// One delta out of several, oldest first: deletions are kept, because an older run may hold the entry.
    pub fn deltas(streams: Vec<S>) -> Self {
        Self { keep_deletions: true, ..Self::live(streams) }
    }

    fn start(&mut self) -> Result<()> {
        self.started = true;
        for index in 0..self.streams.len() {
            if self.advance_stream(index)? {
                self.heap.push(index);
            }
        }
        (0..self.heap.len() / 2).rev().for_each(|position| self.sift_down(position));
        Ok(())
    }

    fn advance_stream(&mut self, index: usize) -> Result<bool> {
        let more = self.streams[index].advance()?;
        if more {
            let entry = self.streams[index].entry();
            self.heads[index] = key_head(entry.group, entry.key);
        }
        Ok(more)
    }

    /// The order of the current entries of two streams.
    #[inline]
    fn order(&self, a: usize, b: usize) -> Ordering {
        let entries = || self.streams[a].entry().order(&self.streams[b].entry());
        self.heads[a].cmp(&self.heads[b]).then_with(entries)
    }

    /// Moves the first stream on and restores the heap.
    fn pop(&mut self) -> Result<()> {
        if !self.advance_stream(self.heap[0])? {
            self.heap.swap_remove(0);
        }
        self.sift_down(0);
        Ok(())
    }

    /// Moves past the first entry and older versions of it.
    fn skip_current(&mut self) -> Result<()> {
        let current = self.heap[0];
        while let Some(other) = self.second() {
            if self.order(current, other) != Ordering::Equal {
                break;
            }
            self.pop_second()?;
        }
        self.pop()
    }

    /// The position-independent second of the heap: the lesser child of the first.
    fn second(&self) -> Option<usize> {
        self.second_position().map(|position| self.heap[position])
    }

    fn second_position(&self) -> Option<usize> {
        match self.heap.len() {
            0 | 1 => None,
            2 => Some(1),
            _ => Some(if self.before(2, 1) { 2 } else { 1 }),
        }
    }

    fn pop_second(&mut self) -> Result<()> {
        let Some(position) = self.second_position() else { return Ok(()) };
        if !self.advance_stream(self.heap[position])? {
            self.heap.swap_remove(position);
        }
        if position < self.heap.len() {
            self.sift_down(position);
        }
        Ok(())
    }

    fn sift_down(&mut self, mut position: usize) {
        loop {
            let left = 2 * position + 1;
            if left >= self.heap.len() {
                return;
            }
            let right = left + 1;
            let child = if right < self.heap.len() && self.before(right, left) { right } else { left };
            if !self.before(child, position) {
                return;
            }
            self.heap.swap(child, position);
            position = child;
        }
    }

    /// Whether one heap position comes before another.
    fn before(&self, a: usize, b: usize) -> bool {
        let (a, b) = (self.heap[a], self.heap[b]);
        self.order(a, b).then(b.cmp(&a)) == Ordering::Less
    }
}

impl<S: EntryStream> EntryStream for Merge<S> {
    fn advance(&mut self) -> Result<bool> {
        if self.started {
            if !self.heap.is_empty() {
                self.skip_current()?;
            }
        } else {
            self.start()?;
        }
        while let Some(first) = self.heap.first() {
            if self.keep_deletions || self.streams[*first].entry().value.is_some() {
                return Ok(true);
            }
            self.skip_current()?;
        }
        Ok(false)
    }

    fn entry(&self) -> EntryRef<'_> {
        self.streams[self.heap[0]].entry()
    }
}

impl EntryStream for Box<dyn EntryStream> {
    fn advance(&mut self) -> Result<bool> {
        self.as_mut().advance()
    }

    fn entry(&self) -> EntryRef<'_> {
        self.as_ref().entry()
    }
}

impl EntryStream for Box<dyn EntryStream + Send> {
    fn advance(&mut self) -> Result<bool> {
        self.as_mut().advance()
    }

    fn entry(&self) -> EntryRef<'_> {
        self.as_ref().entry()
    }
}
