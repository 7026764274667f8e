//! Scanning entries of one key, forward or backward.

use super::{BlockBuf, Entries, Place, Run};
use headwater_types::Result;
use std::ops::Bound;

/// Bounds of map keys.
pub type MapBounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// The entries of a key of a run whose map keys lie within bounds, in order or in reverse, deletions included. Reads
/// blocks as it comes to them.
pub struct KeyScan {
    run: Run,
    group: u32,
    key: Vec<u8>,
    start: Bound<Vec<u8>>,
    end: Bound<Vec<u8>>,
    reverse: bool,
    buf: BlockBuf,
    /// The current block; `None` before the first.
    block: Option<usize>,
    /// Backward: the entries of the block that are in the scan, those from `left` on are done.
    entries: Entries,
    left: usize,
    done: bool,
}

impl KeyScan {
    /// A scan of a run.
    pub fn new(run: &Run, group: u32, key: &[u8], bounds: MapBounds<'_>, reverse: bool) -> Self {
        let owned = |bound: Bound<&[u8]>| bound.map(<[u8]>::to_vec);
        Self {
            run: run.clone(),
            group,
            key: key.to_vec(),
            start: owned(bounds.0),
            end: owned(bounds.1),
            reverse,
            buf: BlockBuf::default(),
            block: None,
            entries: Entries::new(),
            left: 0,
            done: false,
        }
    }

    /// Moves to the next entry; false at the end.
    ///
    /// # Errors
    /// As of [`Run::get`].
    pub fn advance(&mut self) -> Result<bool> {
        let more = match (self.done, self.reverse) {
            (true, _) => Ok(false),
            (false, false) => self.forward(),
            (false, true) => self.backward(),
        };
        let more = more.map_err(|e| self.run.failed(e))?;
        self.done = !more;
        Ok(more)
    }

    /// Map key of the entry that [`KeyScan::advance`] moved to.
    pub fn map_key(&self) -> &[u8] {
        if self.reverse { self.entries.get(self.left).map_key } else { self.buf.cursor.place().map_key }
    }

    /// Value of that entry; `None` for a deletion.
    pub fn value(&self) -> Option<&[u8]> {
        if self.reverse { self.entries.get(self.left).value } else { self.buf.cursor.entry(self.buf.rows()).value }
    }

    fn forward(&mut self) -> Result<bool> {
        let mut found = match self.block {
            Some(_) => self.buf.advance()?,
            None => self.start_forward()?,
        };
        loop {
            if found && !self.is_skipped() {
                return Ok(self.is_before_end());
            }
            found = if found { self.buf.advance()? } else { self.next_block()? };
            if !found && self.block.is_none_or(|block| block + 1 >= self.run.index().len()) {
                return Ok(false);
            }
        }
    }

    /// Goes to the first entry that may be in the scan; whether its block has one.
    fn start_forward(&mut self) -> Result<bool> {
        self.run.check_indexed()?;
        if self.run.index().len() == 0 {
            return Ok(false);
        }
        let from = Place { group: self.group, key: &self.key, map_key: map_key_of(&self.start) };
        let block = self.run.index().find(from).unwrap_or(0);
        self.block = Some(block);
        self.buf.start(&self.run, block)?;
        self.buf.seek(from)
    }

    /// Goes to the first entry of the next block; whether there is one.
    fn next_block(&mut self) -> Result<bool> {
        let Some(next) = self.block.map(|block| block + 1).filter(|next| *next < self.run.index().len()) else {
            return Ok(false);
        };
        self.block = Some(next);
        self.buf.start(&self.run, next)?;
        self.buf.advance()
    }

    /// Whether the current entry is before the scan. Only the one at the start is.
    fn is_skipped(&self) -> bool {
        let place = self.buf.cursor.place();
        match &self.start {
            Bound::Excluded(start) => (place.group, place.key, place.map_key) == (self.group, &self.key, start),
            _ => false,
        }
    }

    /// Whether the current entry is not behind the scan.
    fn is_before_end(&self) -> bool {
        let place = self.buf.cursor.place();
        (place.group, place.key) == (self.group, &self.key)
            && match &self.end {
                Bound::Unbounded => true,
                Bound::Included(end) => place.map_key <= end.as_slice(),
                Bound::Excluded(end) => place.map_key < end.as_slice(),
            }
    }

    fn backward(&mut self) -> Result<bool> {
        while self.left == 0 {
            let from = Place { group: self.group, key: &self.key, map_key: map_key_of(&self.start) };
            let block = match self.block {
                None => self.last_block()?,
                Some(block) if self.run.index().first(block) <= from => None,
                Some(block) => block.checked_sub(1),
            };
            let Some(block) = block else { return Ok(false) };
            self.block = Some(block);
            self.collect(block)?;
            self.left = self.entries.len();
        }
        self.left -= 1;
        Ok(true)
    }

    fn last_block(&self) -> Result<Option<usize>> {
        self.run.check_indexed()?;
        Ok(match &self.end {
            Bound::Unbounded => self.run.index().find_last_of_key(self.group, &self.key),
            Bound::Included(end) | Bound::Excluded(end) => {
                self.run.index().find(Place { group: self.group, key: &self.key, map_key: end })
            }
        })
    }

    /// Takes over the entries of a block that are in the scan.
    fn collect(&mut self, block: usize) -> Result<()> {
        self.entries.clear();
        self.buf.start(&self.run, block)?;
        let from = Place { group: self.group, key: &self.key, map_key: map_key_of(&self.start) };
        let mut more = self.buf.seek(from)?;
        while more && self.is_before_end() {
            if !self.is_skipped() {
                self.entries.push(self.buf.cursor.entry(self.buf.rows()));
            }
            more = self.buf.advance()?;
        }
        Ok(())
    }
}

fn map_key_of(bound: &Bound<Vec<u8>>) -> &[u8] {
    match bound {
        Bound::Included(map_key) | Bound::Excluded(map_key) => map_key,
        Bound::Unbounded => &[],
    }
}
