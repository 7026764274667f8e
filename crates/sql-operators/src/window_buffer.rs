//! Rows kept per window until the window ends, for operators that need them whole (join, rank).
//!
//! Windows are those that earlier operators attached to the rows: (start, end) in wall-clock time.

use crate::arrow_error;
use crate::columns::schema_of;
use crate::row_mirror::{KeptRows, RowMirror};
use crate::window::WallClock;
use crate::window::assign::{SliceSource, assign};
use crate::window::runs::{DROPPED, arrange};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use headwater_plan::graph::RowType;
use headwater_state::{Snapshot, StateContext};
use headwater_types::Result;
use std::collections::BTreeMap;

/// A window by its end and start, so that windows are ordered by end.
pub(crate) type WindowId = (i64, i64);

/// The rows of open windows of one input.
pub(crate) struct WindowBuffer {
    schema: SchemaRef,
    source: SliceSource,
    windows: BTreeMap<WindowId, Vec<KeptRows>>,
    mirror: RowMirror,
}

impl WindowBuffer {
    /// A buffer for rows whose window is in the columns (start, end); `keys` is their exchange key.
    pub(crate) fn new(name: &str, row: &RowType, window: (usize, usize), keys: &[usize]) -> Result<Self> {
        Ok(Self {
            schema: schema_of(row),
            source: SliceSource::Attached { start: window.0, end: window.1 },
            windows: BTreeMap::new(),
            mirror: RowMirror::new(name, row, keys, true)?,
        })
    }

    /// Takes over the rows of a restored checkpoint.
    pub(crate) fn open(&mut self, state: &StateContext) -> Result<()> {
        for (window, kept) in self.mirror.open(state)? {
            self.windows.entry(window).or_default().push(kept);
        }
        Ok(())
    }

    /// Keeps rows by window; the answer is the number of rows whose window has fired.
    pub(crate) fn push(&mut self, rows: &RecordBatch, clock: &WallClock, fired: impl Fn(i64) -> bool) -> Result<usize> {
        let target = &mut |end: i64| if fired(end) { DROPPED } else { end };
        let assigned = assign(self.source, None, clock, 0, rows, target)?;
        let needed = vec![true; rows.num_columns()];
        let runs = arrange(rows.columns(), &needed, None, &assigned.ends, &assigned.starts)?;
        let arranged = RecordBatch::try_new(self.schema.clone(), runs.columns).map_err(arrow_error)?;
        for (window, range) in runs.ranges {
            let kept = self.mirror.keep(arranged.slice(range.start, range.len()));
            self.windows.entry(window).or_default().push(kept);
        }
        Ok(runs.dropped)
    }

    /// The window that ends first.
    pub(crate) fn first(&self) -> Option<WindowId> {
        self.windows.first_key_value().map(|(window, _)| *window)
    }

    /// Takes the rows of a window; none when it has none.
    pub(crate) fn take(&mut self, window: WindowId) -> Result<RecordBatch> {
        let batches = self.windows.remove(&window).unwrap_or_default();
        for kept in &batches {
            self.mirror.forget_all(window, kept)?;
        }
        concat_batches(&self.schema, batches.iter().map(|kept| &kept.rows)).map_err(arrow_error)
    }

    /// Cuts windows of more than `batches_max` batches back to the rows that `wanted` picks: rising positions.
    pub(crate) fn cut_back(
        &mut self,
        batches_max: usize,
        wanted: impl Fn(&RecordBatch) -> Result<Vec<u32>>,
    ) -> Result<()> {
        for (window, batches) in self.windows.iter_mut().filter(|(_, batches)| batches.len() > batches_max) {
            let rows = concat_batches(&self.schema, batches.iter().map(|kept| &kept.rows)).map_err(arrow_error)?;
            let picked = wanted(&rows)?;
            // Stored rows came before the others and stay apart from them.
            let (mut stored, mut new) = (vec![], vec![]);
            let mut start = 0;
            for kept in batches.drain(..) {
                let end = start + kept.numbers.len() as u32;
                let of_batch = |row: &&u32| (start..end).contains(*row);
                let positions: Vec<u32> = picked.iter().filter(of_batch).map(|row| row - start).collect();
                let dropped: Vec<u32> = (0..end - start).filter(|row| positions.binary_search(row).is_err()).collect();
                self.mirror.forget(*window, &kept, &dropped)?;
                if !positions.is_empty() {
                    if kept.stored { &mut stored } else { &mut new }.push(kept.pick(positions)?);
                }
                start = end;
            }
            batches.extend([merged(&self.schema, stored)?, merged(&self.schema, new)?].into_iter().flatten());
        }
        Ok(())
    }

    /// Hands over the rows that came and went since the last barrier.
    pub(crate) fn snapshot(&mut self, snapshot: &mut Snapshot) -> Result<()> {
        for (window, batches) in &mut self.windows {
            for kept in batches.iter_mut().rev().take_while(|kept| !kept.stored) {
                self.mirror.store(*window, kept, |_| true)?;
            }
        }
        self.mirror.snapshot(snapshot);
        Ok(())
    }
}

/// One batch out of several of the same standing.
fn merged(schema: &SchemaRef, batches: Vec<KeptRows>) -> Result<Option<KeptRows>> {
    let Some(first) = batches.first() else { return Ok(None) };
    let rows = concat_batches(schema, batches.iter().map(|kept| &kept.rows)).map_err(arrow_error)?;
    let numbers = batches.iter().flat_map(|kept| kept.numbers.iter().copied()).collect();
    Ok(Some(KeptRows { rows, numbers, stored: first.stored }))
}
