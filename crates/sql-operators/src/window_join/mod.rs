//! Join of two inputs window by window.
//!
//! Rows of both sides are kept until their window ends, then joined by a hash table over the keys of the
//! right side. A residual condition decides over candidate pairs before a row counts as matched.

#[cfg(test)]
mod tests;

use crate::arrow_error;
use crate::columns::{record_batch, schema_of, types_of};
use crate::window::WallClock;
use crate::window_buffer::{WindowBuffer, WindowId};
use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use hashbrown::HashMap;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_expressions::{Evaluator, ExprContext, compile};
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{JoinKind, WindowJoinSpec};
use headwater_types::{Error, MIN_WATERMARK, Result};

pub(crate) struct WindowJoin {
    spec: WindowJoinSpec,
    clock: WallClock,
    condition: Option<Evaluator>,
    /// Schema of left columns followed by right columns, for the condition.
    pair: SchemaRef,
    output: SchemaRef,
    left: WindowBuffer,
    right: WindowBuffer,
    progress: i64,
    firing: Option<Firing>,
    context: Option<OpenContext>,
    batch_rows: usize,
}

/// A window being joined.
struct Firing {
    left: RecordBatch,
    right: RecordBatch,
    left_keys: EncodedKeys,
    /// Right rows by key.
    table: HashMap<Box<[u8]>, Vec<u32>>,
    right_matched: Vec<bool>,
    /// Next left row to probe.
    next: usize,
}

impl WindowJoin {
    pub(crate) fn new(spec: &WindowJoinSpec, node: &OperatorNode, context: &ExprContext) -> Result<Self> {
        let [left, right] = node.inputs.as_slice() else {
            return Err(Error::internal("a window join has two inputs"));
        };
        let pair: Vec<_> = left.iter().chain(right).cloned().collect();
        let compile = |expr| compile(expr, &types_of(&pair), context);
        Ok(Self {
            clock: WallClock::new(spec.zone.as_deref())?,
            condition: spec.condition.as_ref().map(compile).transpose()?,
            pair: schema_of(&pair),
            output: schema_of(&node.output),
            left: WindowBuffer::new(schema_of(left), spec.left_window),
            right: WindowBuffer::new(schema_of(right), spec.right_window),
            progress: MIN_WATERMARK,
            firing: None,
            context: None,
            batch_rows: 4096,
            spec: spec.clone(),
        })
    }

    fn start(&self, left: RecordBatch, right: RecordBatch) -> Result<Firing> {
        let (left_keys, _) = encode_keys(&left, &self.spec.left_keys)?;
        let (right_keys, right_nulls) = encode_keys(&right, &self.spec.right_keys)?;
        let mut table: HashMap<Box<[u8]>, Vec<u32>> = HashMap::new();
        for (row, null) in right_nulls.iter().enumerate() {
            if !null {
                table.entry_ref(right_keys.key(row)).or_default().push(row as u32);
            }
        }
        let right_matched = vec![false; right.num_rows()];
        Ok(Firing { left, right, left_keys, table, right_matched, next: 0 })
    }

    fn fire(&mut self, progress: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(progress);
        loop {
            if let Some(mut firing) = self.firing.take() {
                if self.probe(&mut firing, out)? {
                    self.firing = Some(firing);
                    return Ok(Progress::More);
                }
                self.finish(&firing, out)?;
            }
            let Some(window) = self.first_window().filter(|window| self.fired(window.0)) else {
                return Ok(Progress::Done);
            };
            let (left, right) = (self.left.take(window)?, self.right.take(window)?);
            self.firing = Some(self.start(left, right)?);
        }
    }

    fn first_window(&self) -> Option<WindowId> {
        [self.left.first(), self.right.first()].into_iter().flatten().min()
    }

    fn fired(&self, window_end: i64) -> bool {
        self.progress >= self.clock.timer_instant(window_end - 1)
    }

    /// Joins the next left rows; `true` when more are left.
    fn probe(&self, firing: &mut Firing, out: &mut dyn Collector) -> Result<bool> {
        let (mut lefts, mut rights) = (vec![], vec![]);
        let first = firing.next;
        while firing.next < firing.left.num_rows() && lefts.len() < self.batch_rows {
            for right in firing.table.get(firing.left_keys.key(firing.next)).into_iter().flatten() {
                lefts.push(firing.next as u32);
                rights.push(*right);
            }
            firing.next += 1;
        }
        let (lefts, rights) = self.matching(firing, lefts, rights)?;
        let mut left_matched = vec![false; firing.next - first];
        lefts.iter().for_each(|row| left_matched[*row as usize - first] = true);
        rights.iter().for_each(|row| firing.right_matched[*row as usize] = true);
        let unmatched = |matched: bool| {
            let rows = left_matched.iter().enumerate().filter(move |(_, m)| **m == matched);
            rows.map(|(row, _)| (row + first) as u32).collect::<Vec<_>>()
        };
        match self.spec.kind {
            JoinKind::Semi => self.emit_left(firing, unmatched(true), false, out)?,
            JoinKind::Anti => self.emit_left(firing, unmatched(false), false, out)?,
            kind => {
                self.emit_pairs(firing, lefts, rights, out)?;
                if matches!(kind, JoinKind::Left | JoinKind::Full) {
                    self.emit_left(firing, unmatched(false), true, out)?;
                }
            }
        }
        Ok(firing.next < firing.left.num_rows())
    }

    /// The candidate pairs that satisfy the condition.
    fn matching(&self, firing: &Firing, lefts: Vec<u32>, rights: Vec<u32>) -> Result<(Vec<u32>, Vec<u32>)> {
        let Some(condition) = &self.condition else { return Ok((lefts, rights)) };
        if lefts.is_empty() {
            return Ok((lefts, rights));
        }
        let rows = lefts.len();
        let columns = pair_columns(firing, lefts.clone(), rights.clone())?;
        let mask = condition.evaluate_predicate(&record_batch(&self.pair, columns, rows)?)?;
        let keep = |rows: Vec<u32>| mask.values().set_indices().map(|i| rows[i]).collect();
        Ok((keep(lefts), keep(rights)))
    }

    fn emit_pairs(&self, firing: &Firing, lefts: Vec<u32>, rights: Vec<u32>, out: &mut dyn Collector) -> Result<()> {
        let rows = lefts.len();
        let columns = pair_columns(firing, lefts, rights)?;
        self.emit(columns, rows, out)
    }

    fn emit_left(&self, firing: &Firing, rows: Vec<u32>, padded: bool, out: &mut dyn Collector) -> Result<()> {
        let count = rows.len();
        let mut columns = take_columns(&firing.left, rows)?;
        if padded {
            columns.extend(nulls(&firing.right, count));
        }
        self.emit(columns, count, out)
    }

    /// Emits the right rows without a match, where the kind asks for them.
    fn finish(&self, firing: &Firing, out: &mut dyn Collector) -> Result<()> {
        if !matches!(self.spec.kind, JoinKind::Right | JoinKind::Full) {
            return Ok(());
        }
        let unmatched = firing.right_matched.iter().enumerate().filter(|(_, matched)| !**matched);
        let rows: Vec<u32> = unmatched.map(|(row, _)| row as u32).collect();
        for rows in rows.chunks(self.batch_rows) {
            let mut columns: Vec<_> = nulls(&firing.left, rows.len()).collect();
            columns.extend(take_columns(&firing.right, rows.to_vec())?);
            self.emit(columns, rows.len(), out)?;
        }
        Ok(())
    }

    fn emit(&self, columns: Vec<ArrayRef>, rows: usize, out: &mut dyn Collector) -> Result<()> {
        if rows > 0 {
            out.emit(ChangeBatch::append(record_batch(&self.output, columns, rows)?));
        }
        Ok(())
    }
}

fn take_columns(rows: &RecordBatch, indices: Vec<u32>) -> Result<Vec<ArrayRef>> {
    let indices = UInt32Array::from(indices);
    rows.columns().iter().map(|column| take(column, &indices, None).map_err(arrow_error)).collect()
}

fn pair_columns(firing: &Firing, lefts: Vec<u32>, rights: Vec<u32>) -> Result<Vec<ArrayRef>> {
    let mut columns = take_columns(&firing.left, lefts)?;
    columns.extend(take_columns(&firing.right, rights)?);
    Ok(columns)
}

fn nulls(side: &RecordBatch, rows: usize) -> impl Iterator<Item = ArrayRef> {
    side.columns().iter().map(move |column| new_null_array(column.data_type(), rows))
}

/// Encodes the key columns; the second part tells which rows have a NULL key, which equals nothing.
fn encode_keys(rows: &RecordBatch, keys: &[usize]) -> Result<(EncodedKeys, Vec<bool>)> {
    let columns: Vec<ArrayRef> = keys.iter().map(|key| rows.column(*key).clone()).collect();
    let types: Vec<_> = columns.iter().map(|c| c.data_type().clone()).collect();
    let mut encoded = EncodedKeys::new();
    KeyEncoder::new(&types)?.encode(&columns, rows.num_rows(), &mut encoded)?;
    let null = |row: usize| columns.iter().any(|c| c.is_null(row));
    Ok((encoded, (0..rows.num_rows()).map(null).collect()))
}

impl Operator for WindowJoin {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        self.context = Some(context.clone());
        Ok(())
    }

    fn process(&mut self, input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("a window join over a changelog"));
        }
        let (progress, clock) = (self.progress, &self.clock);
        let fired = |end: i64| progress >= clock.timer_instant(end - 1);
        let side = if input == 0 { &mut self.left } else { &mut self.right };
        let late = side.push(batch.rows(), clock, fired)?;
        if let (Some(context), true) = (&self.context, late > 0) {
            context.metrics.add_late(late as u64);
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.spec.proctime { Ok(Progress::Done) } else { self.fire(watermark, out) }
    }

    fn next_timer_ms(&self) -> Option<i64> {
        let window = self.first_window().filter(|_| self.spec.proctime)?;
        Some(self.clock.timer_instant(window.0 - 1))
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.spec.proctime { self.fire(now_ms, out) } else { Ok(Progress::Done) }
    }
}
