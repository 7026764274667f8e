//! The output of a join for one batch: which rows beside which, with their kinds.

use crate::joined::{PADDED, joined_batch};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::Collector;
use headwater_types::{Result, RowKind};

/// Output rows by position: of the arriving batch, and among the kept rows of the other side.
#[derive(Default)]
pub(crate) struct Changes {
    kinds: Vec<i8>,
    arriving: Vec<u32>,
    kept: Vec<u32>,
}

/// Where the columns of output rows come from.
pub(crate) struct Sources<'a> {
    pub(crate) output: &'a SchemaRef,
    pub(crate) arriving: &'a RecordBatch,
    pub(crate) kept: &'a RecordBatch,
    /// Whether the arriving rows are left rows.
    pub(crate) from_left: bool,
    /// Whether the output has the columns of the right side, too.
    pub(crate) both_sides: bool,
}

impl Changes {
    /// An arriving row beside a kept one.
    pub(crate) fn pair(&mut self, kind: RowKind, arriving: u32, kept: u32) {
        self.kinds.push(kind as i8);
        self.arriving.push(arriving);
        self.kept.push(kept);
    }

    /// An arriving row alone.
    pub(crate) fn arriving(&mut self, kind: RowKind, row: u32) {
        self.pair(kind, row, PADDED);
    }

    /// A kept row alone, as often as it is there.
    pub(crate) fn kept(&mut self, kind: RowKind, row: u32, count: u32) {
        (0..count).for_each(|_| self.pair(kind, PADDED, row));
    }

    /// Emits the rows in batches of about `batch_rows` and starts anew.
    pub(crate) fn emit(&mut self, sources: &Sources<'_>, batch_rows: usize, out: &mut dyn Collector) -> Result<()> {
        let mut start = 0;
        while start < self.kinds.len() {
            let end = self.cut(start, batch_rows);
            let (mut left, mut right) = (&self.arriving[start..end], &self.kept[start..end]);
            let (mut left_rows, mut right_rows) = (sources.arriving, sources.kept);
            if !sources.from_left {
                std::mem::swap(&mut left, &mut right);
                std::mem::swap(&mut left_rows, &mut right_rows);
            }
            let right = sources.both_sides.then_some((right_rows, right));
            let rows = joined_batch(sources.output, (left_rows, left), right)?;
            out.emit(with_kind_bytes(rows, &self.kinds[start..end]));
            start = end;
        }
        self.kinds.clear();
        self.arriving.clear();
        self.kept.clear();
        Ok(())
    }

    /// The end of the batch that starts here; the halves of an update stay together.
    fn cut(&self, start: usize, batch_rows: usize) -> usize {
        let end = self.kinds.len().min(start + batch_rows.max(2));
        let splits_pair = end < self.kinds.len() && self.kinds[end - 1] == RowKind::UpdateBefore as i8;
        if splits_pair { end + 1 } else { end }
    }
}

fn with_kind_bytes(rows: RecordBatch, kinds: &[i8]) -> ChangeBatch {
    if kinds.iter().all(|kind| *kind == RowKind::Insert as i8) {
        return ChangeBatch::append(rows);
    }
    ChangeBatch::mixed(rows, kinds.to_vec().into())
}
