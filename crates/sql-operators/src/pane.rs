//! Panes: the groups of one slice of time with their accumulators, in columns.
//!
//! A pane is created when its slice gets its first row, merged into the panes of the windows that hold the
//! slice, and dropped as a whole. The [`PaneLayout`] of an operator knows what every pane is made of.

use crate::aggregate::factory::Rows;
use crate::aggregate::{Accumulator, Aggregates, Count, Input};
use crate::arrow_error;
use crate::keys::{KeyIndex, KeyReader, Keys};
use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, UInt32Array};
use arrow::compute::take;
use headwater_data::key_codec::EncodedKeys;
use headwater_types::{Error, Result};
use std::ops::Range;
use std::sync::Arc;

/// What the panes of an operator are made of.
pub(crate) struct PaneLayout {
    pub(crate) reader: KeyReader,
    pub(crate) aggregates: Aggregates,
    /// Whether rows may be taken back: a group without rows then has no result.
    pub(crate) retract: bool,
}

/// The groups of one slice.
pub(crate) struct Pane {
    pub(crate) index: KeyIndex,
    pub(crate) accumulators: Vec<Box<dyn Accumulator>>,
    /// Rows per group, counted only where rows may be taken back.
    pub(crate) live: Option<Count>,
    /// What changed since the last snapshot.
    pub(crate) dirty: DirtyGroups,
}

/// Which groups of a pane changed since the last snapshot. Costs nothing until a first snapshot was taken.
#[derive(Default)]
pub(crate) struct DirtyGroups {
    /// Groups `0..stored` are in the last snapshot, as they were then; all others are new.
    stored: usize,
    /// Which of them changed, and in which order.
    marks: Vec<bool>,
    changed: Vec<u32>,
}

impl DirtyGroups {
    /// Marks groups as changed.
    #[inline]
    fn mark(&mut self, groups: &[u32]) {
        if self.stored == 0 {
            return;
        }
        for group in groups {
            if let Some(mark) = self.marks.get_mut(*group as usize)
                && !std::mem::replace(mark, true)
            {
                self.changed.push(*group);
            }
        }
    }

    /// The changed groups of a pane of `groups` groups, which are taken as stored from now on.
    pub(crate) fn take(&mut self, groups: usize) -> Vec<u32> {
        let mut changed = std::mem::take(&mut self.changed);
        changed.iter().for_each(|group| self.marks[*group as usize] = false);
        changed.extend(self.stored as u32..groups as u32);
        self.all_stored(groups);
        changed
    }

    /// A snapshot holds all groups as they are.
    pub(crate) fn all_stored(&mut self, groups: usize) {
        self.stored = groups;
        self.marks.resize(groups, false);
    }

    /// Nothing of the pane is stored any more; the answer is how many groups were.
    pub(crate) fn forget(&mut self) -> usize {
        std::mem::take(self).stored
    }
}

impl Pane {
    /// Number of groups.
    pub(crate) fn groups(&self) -> usize {
        self.index.len()
    }

    /// Makes room for all groups of the index.
    fn grow(&mut self) {
        self.grow_to(self.index.len());
    }

    /// Makes room for `groups` groups.
    pub(crate) fn grow_to(&mut self, groups: usize) {
        self.all_mut().for_each(|a| a.grow(groups));
    }

    /// Empties a group.
    pub(crate) fn clear(&mut self, group: u32) {
        self.all_mut().for_each(|a| a.clear(group));
    }

    /// All accumulators, the row count included.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut dyn Accumulator> {
        let live = self.live.as_mut().map(|live| live as &mut dyn Accumulator);
        let calls = self.accumulators.iter_mut().map(|a| a.as_mut() as &mut dyn Accumulator);
        calls.chain(live)
    }

    /// Whether a group still has rows.
    pub(crate) fn is_live(&self, group: u32) -> bool {
        self.live.as_ref().is_none_or(|live| live.count(group as usize) > 0)
    }
}

impl PaneLayout {
    /// An empty pane.
    pub(crate) fn pane(&self) -> Result<Pane> {
        Ok(Pane {
            index: self.reader.index(),
            accumulators: self.aggregates.accumulators()?,
            live: self.retract.then(Count::default),
            dirty: DirtyGroups::default(),
        })
    }

    /// Adds rows. `keys` holds the keys of all rows of the columns; `groups` is scratch space that
    /// afterwards holds the group of every row.
    pub(crate) fn update(&self, pane: &mut Pane, keys: &Keys, rows: &Rows<'_>, groups: &mut Vec<u32>) -> Result<()> {
        pane.index.intern(keys, rows.range.clone(), groups);
        pane.grow();
        pane.dirty.mark(groups);
        self.update_groups(pane, groups, rows)
    }

    /// The groups of encoded keys, added where they are new.
    pub(crate) fn intern(&self, pane: &mut Pane, keys: &EncodedKeys) -> Result<Vec<u32>> {
        let mut groups = vec![];
        pane.index.intern(&self.reader.read_encoded(keys)?, 0..keys.len(), &mut groups);
        pane.grow();
        Ok(groups)
    }

    /// Adds rows whose groups are known and have room.
    pub(crate) fn update_groups(&self, pane: &mut Pane, groups: &[u32], rows: &Rows<'_>) -> Result<()> {
        if let Some(live) = &mut pane.live {
            let signs = rows.signs.map(|signs| &signs[rows.range.clone()]);
            live.update(groups, &Input { args: &[], signs, sequence: 0 })?;
        }
        self.aggregates.update(&mut pane.accumulators, groups, rows)
    }

    /// Adds all groups of `from`.
    pub(crate) fn merge(&self, into: &mut Pane, from: &Pane) -> Result<()> {
        let groups = into.index.merge(&from.index);
        into.grow();
        into.dirty.mark(&groups);
        if let (Some(live), Some(theirs)) = (&mut into.live, &from.live) {
            live.merge(theirs, &groups)?;
        }
        for (mine, theirs) in into.accumulators.iter_mut().zip(&from.accumulators) {
            mine.merge(theirs.as_ref(), &groups)?;
        }
        Ok(())
    }

    /// Adds partial accumulators: one BINARY column per call.
    pub(crate) fn merge_partials(
        &self,
        pane: &mut Pane,
        keys: &Keys,
        partials: &[ArrayRef],
        rows: Range<usize>,
        groups: &mut Vec<u32>,
    ) -> Result<()> {
        pane.index.intern(keys, rows.clone(), groups);
        pane.grow();
        pane.dirty.mark(groups);
        for (accumulator, column) in pane.accumulators.iter_mut().zip(partials) {
            let column = column
                .as_binary_opt::<i32>()
                .ok_or_else(|| Error::internal(format!("a partial aggregate has Arrow type {}", column.data_type())))?;
            for (row, group) in rows.clone().zip(groups.iter()) {
                accumulator.merge_encoded(*group, column.value(row))?;
            }
        }
        Ok(())
    }

    /// Keys and results of a range of groups, without groups that have lost all their rows.
    pub(crate) fn results(&self, pane: &Pane, range: Range<usize>) -> Result<(Vec<ArrayRef>, usize)> {
        let mut columns = self.reader.columns(&pane.index, range.clone())?;
        let mut groups: Vec<u32> = (range.start as u32..range.end as u32).collect();
        if groups.iter().any(|group| !pane.is_live(*group)) {
            groups.retain(|group| pane.is_live(*group));
            let kept: UInt32Array = groups.iter().map(|g| g - range.start as u32).collect::<Vec<_>>().into();
            let keep = |column: &ArrayRef| take(column, &kept, None).map_err(arrow_error);
            columns = columns.iter().map(keep).collect::<Result<_>>()?;
        }
        for accumulator in &pane.accumulators {
            columns.push(accumulator.evaluate(&groups)?);
        }
        Ok((columns, groups.len()))
    }

    /// The key columns and the encoded accumulators of a range of groups.
    pub(crate) fn partials(&self, pane: &Pane, range: Range<usize>) -> Result<(Vec<ArrayRef>, Vec<ArrayRef>)> {
        let keys = self.reader.columns(&pane.index, range.clone())?;
        let mut state = vec![];
        let mut encode = |accumulator: &dyn Accumulator| -> ArrayRef {
            let mut builder = BinaryBuilder::with_capacity(range.len(), range.len() * 16);
            for group in range.clone() {
                state.clear();
                accumulator.encode(group as u32, &mut state);
                builder.append_value(&state);
            }
            Arc::new(builder.finish())
        };
        let accumulators = pane.accumulators.iter().map(|a| encode(a.as_ref())).collect();
        Ok((keys, accumulators))
    }
}
