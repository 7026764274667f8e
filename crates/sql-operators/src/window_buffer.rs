//! Rows kept per window until the window ends, for operators that need them whole (join, rank).
//!
//! Windows are those that earlier operators attached to the rows: (start, end) in wall-clock time.

use crate::arrow_error;
use crate::window::WallClock;
use crate::window::assign::{SliceSource, assign};
use crate::window::runs::{DROPPED, arrange};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use headwater_types::Result;
use std::collections::BTreeMap;

/// A window by its end and start, so that windows are ordered by end.
pub(crate) type WindowId = (i64, i64);

/// The rows of open windows of one input.
pub(crate) struct WindowBuffer {
    schema: SchemaRef,
    source: SliceSource,
    windows: BTreeMap<WindowId, Vec<RecordBatch>>,
}

impl WindowBuffer {
    /// A buffer for rows whose window is in the columns (start, end).
    pub(crate) fn new(schema: SchemaRef, window: (usize, usize)) -> Self {
        Self { schema, source: SliceSource::Attached { start: window.0, end: window.1 }, windows: BTreeMap::new() }
    }

    /// Keeps rows by window; the answer is the number of rows whose window has fired.
    pub(crate) fn push(&mut self, rows: &RecordBatch, clock: &WallClock, fired: impl Fn(i64) -> bool) -> Result<usize> {
        let target = &mut |end: i64| if fired(end) { DROPPED } else { end };
        let assigned = assign(self.source, None, clock, 0, rows, target)?;
        let needed = vec![true; rows.num_columns()];
        let runs = arrange(rows.columns(), &needed, None, &assigned.ends, &assigned.starts)?;
        let arranged = RecordBatch::try_new(self.schema.clone(), runs.columns).map_err(arrow_error)?;
        for (window, range) in runs.ranges {
            self.windows.entry(window).or_default().push(arranged.slice(range.start, range.len()));
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
        concat_batches(&self.schema, &batches).map_err(arrow_error)
    }

    /// The kept batches of every window, to shrink them in place.
    pub(crate) fn batches_mut(&mut self) -> impl Iterator<Item = &mut Vec<RecordBatch>> {
        self.windows.values_mut()
    }
}
