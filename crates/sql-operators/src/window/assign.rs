//! From the rows of a batch to the slices they belong to.

use super::runs::DROPPED;
use super::{Slices, WallClock};
use crate::columns::timestamps_ms;
use arrow::array::RecordBatch;
use headwater_plan::operators::WindowTime;
use headwater_types::{Error, Result};

/// Where the slice of a row comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum SliceSource {
    /// The event time in this column.
    Rowtime(usize),
    /// The wall clock.
    Proctime,
    /// Window start and end columns.
    Attached { start: usize, end: usize },
    /// A column with the slice end (the global half of a two-phase aggregation).
    SliceEnd(usize),
}

impl From<&WindowTime> for SliceSource {
    fn from(time: &WindowTime) -> Self {
        match *time {
            WindowTime::Rowtime(column) => Self::Rowtime(column),
            WindowTime::Proctime => Self::Proctime,
            WindowTime::Attached { start, end } => Self::Attached { start, end },
        }
    }
}

/// The slice of every row of a batch.
pub(crate) struct Assigned {
    /// Slice ends; [`DROPPED`] for rows that have none.
    pub(crate) ends: Vec<i64>,
    /// Window starts of attached windows; empty otherwise.
    pub(crate) starts: Vec<i64>,
}

/// Assigns rows to slices. `target` maps a slice end to the pane that takes its rows, or to [`DROPPED`]
/// when it is too late for them; it is asked once per change of slice, not once per row.
pub(crate) fn assign(
    source: SliceSource,
    slices: Option<&Slices>,
    clock: &WallClock,
    now_ms: i64,
    rows: &RecordBatch,
    target: &mut dyn FnMut(i64) -> i64,
) -> Result<Assigned> {
    match source {
        SliceSource::Rowtime(column) => by_rowtime(slices_of(slices)?, clock, rows, column, target),
        SliceSource::Proctime => {
            let end = target(slices_of(slices)?.slice_end(clock.to_wall(now_ms)));
            Ok(Assigned { ends: vec![end; rows.num_rows()], starts: vec![] })
        }
        SliceSource::SliceEnd(column) => by_end(rows, column, target),
        SliceSource::Attached { start, end } => {
            let mut assigned = by_end(rows, end, target)?;
            let starts = timestamps_ms(rows.column(start))?;
            assigned.starts = starts.ms.to_vec();
            Ok(assigned)
        }
    }
}

fn slices_of(slices: Option<&Slices>) -> Result<&Slices> {
    slices.ok_or_else(|| Error::internal("windows that are assigned here have slices"))
}

fn by_rowtime(
    slices: &Slices,
    clock: &WallClock,
    rows: &RecordBatch,
    column: usize,
    target: &mut dyn FnMut(i64) -> i64,
) -> Result<Assigned> {
    let times = timestamps_ms(rows.column(column))?;
    let mut ends = Vec::with_capacity(times.ms.len());
    // The slice of the row before: most rows are in it.
    let (mut from, mut to, mut end) = (i64::MAX, i64::MIN, DROPPED);
    for time in times.ms.iter() {
        let wall = clock.to_wall(*time);
        if wall < from || wall >= to {
            to = slices.slice_end(wall);
            from = to.saturating_sub(slices.width_ms());
            end = target(to);
        }
        ends.push(end);
    }
    drop_nulls(&mut ends, times.nulls.as_ref());
    Ok(Assigned { ends, starts: vec![] })
}

fn by_end(rows: &RecordBatch, column: usize, target: &mut dyn FnMut(i64) -> i64) -> Result<Assigned> {
    let times = timestamps_ms(rows.column(column))?;
    let mut ends = Vec::with_capacity(times.ms.len());
    let (mut known, mut end) = (DROPPED, DROPPED);
    for time in times.ms.iter() {
        if *time != known {
            known = *time;
            end = target(known);
        }
        ends.push(end);
    }
    drop_nulls(&mut ends, times.nulls.as_ref());
    Ok(Assigned { ends, starts: vec![] })
}

fn drop_nulls(ends: &mut [i64], nulls: Option<&arrow::buffer::NullBuffer>) {
    if let Some(nulls) = nulls {
        let missing = (0..ends.len()).filter(|row| nulls.is_null(*row));
        missing.for_each(|row| ends[row] = DROPPED);
    }
}
