//! Join of rows whose times lie within bounds of each other.
//!
//! Rows are kept per key and time until no row of the other side can match them any more. The rows of a batch are
//! joined together: their partners are read once per key, and the condition sees all candidate pairs at once. A row
//! of the left side at `t` matches right rows in `[t - upper, t - lower]`, so it is kept until the watermark (or the
//! wall clock) passes `t - lower`; a right row until it passes `t + upper`. A row that comes later than that is
//! joined with what is there and not kept.
//!
//! Rows that may have to be padded are emitted when they expire, so results are later than their time by up to the
//! longer of the two bounds: the watermark is held back by as much, as in Flink.

mod side;
#[cfg(test)]
mod tests;

use crate::build::{BuildContext, expr_context};
use crate::columns::{relabelled_changes, schema_of, timestamps_ms};
use crate::hash_join::null_keys;
use crate::join::changes::{Changes, Sources};
use crate::joined::Condition;
use crate::mirror::Position;
use crate::row_values::KeyColumns;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{IntervalJoinSpec, JoinKind};
use headwater_state::Snapshot;
use headwater_types::{Error, MIN_WATERMARK, Result, RowKind};
use side::{Layout, Partners, Side};
use std::ops::Range;

/// Candidate pairs that are judged together.
const PAIRS_MAX: usize = 1 << 16;

/// Builds the operator.
pub(crate) fn build(
    spec: &IntervalJoinSpec,
    node: &OperatorNode,
    context: &BuildContext<'_>,
) -> Result<Box<dyn Operator>> {
    let [left, right] = node.inputs.as_slice() else {
        return Err(Error::internal("an interval join has two inputs"));
    };
    let expressions = expr_context(context)?;
    let condition = spec.condition.as_ref().map(|expr| Condition::new(expr, left, right, &expressions));
    let filters = matches!(spec.kind, JoinKind::Semi | JoinKind::Anti);
    let pads = |outer: JoinKind| spec.kind == outer || spec.kind == JoinKind::Full;
    // How long a row waits for partners, and whether what became of it matters when it expires.
    let layout = |name, row, keys: &[usize], wait_ms, tracks_matches| Layout {
        name,
        row: Clone::clone(row),
        keys: keys.to_vec(),
        wait_ms,
        slack_ms: if tracks_matches { 1 } else { (spec.upper_ms.saturating_sub(spec.lower_ms) / 2).max(1) },
        tracks_matches,
    };
    let tracks_left = pads(JoinKind::Left) || filters;
    let left_layout = layout("left", left, &spec.left_keys, spec.lower_ms.saturating_neg(), tracks_left);
    let right_layout = layout("right", right, &spec.right_keys, spec.upper_ms, pads(JoinKind::Right));
    Ok(Box::new(IntervalJoin {
        condition: condition.transpose()?,
        keys: [KeyColumns::new(left, &spec.left_keys)?, KeyColumns::new(right, &spec.right_keys)?],
        inputs: [schema_of(left), schema_of(right)],
        output: schema_of(&node.output),
        layouts: [left_layout, right_layout],
        sides: None,
        changes: Changes::default(),
        progress: MIN_WATERMARK,
        position: Position::default(),
        context: None,
        spec: spec.clone(),
    }))
}

struct IntervalJoin {
    spec: IntervalJoinSpec,
    condition: Option<Condition>,
    keys: [KeyColumns; 2],
    inputs: [SchemaRef; 2],
    output: SchemaRef,
    layouts: [Layout; 2],
    sides: Option<[Side; 2]>,
    changes: Changes,
    /// Watermark, or wall clock for processing time.
    progress: i64,
    position: Position,
    context: Option<OpenContext>,
}

/// The arriving batch.
struct Arriving<'a> {
    rows: &'a RecordBatch,
    keys: EncodedKeys,
    times: Vec<i64>,
    /// Rows that match nothing: a key or the time is NULL.
    null: Vec<bool>,
    from_left: bool,
}

impl IntervalJoin {
    fn arriving<'a>(&self, rows: &'a RecordBatch, from_left: bool) -> Result<Arriving<'a>> {
        let columns = &self.keys[usize::from(!from_left)];
        let mut keys = EncodedKeys::new();
        columns.encode(rows, &mut keys)?;
        let key_columns: Vec<ArrayRef> = columns.columns().iter().map(|c| rows.column(*c).clone()).collect();
        let mut null = null_keys(&key_columns, &[], rows.num_rows());
        if self.spec.proctime {
            let times = vec![self.now_ms(); rows.num_rows()];
            return Ok(Arriving { rows, keys, times, null, from_left });
        }
        let column = if from_left { self.spec.left_time } else { self.spec.right_time };
        let times = timestamps_ms(rows.column(column))?;
        if let Some(nulls) = &times.nulls {
            null.iter_mut().enumerate().for_each(|(row, null)| *null |= nulls.is_null(row));
        }
        Ok(Arriving { rows, keys, times: times.ms.to_vec(), null, from_left })
    }

    fn now_ms(&self) -> i64 {
        self.context.as_ref().map_or(0, |context| context.env.now_ms())
    }

    fn batch_rows(&self) -> usize {
        self.context.as_ref().map_or(4096, |context| context.batch_rows.max(1))
    }

    /// The times of the rows of the other side that match a row.
    fn bounds(&self, time: i64, from_left: bool) -> (i64, i64) {
        let (lower, upper) = (self.spec.lower_ms, self.spec.upper_ms);
        match from_left {
            true => (time.saturating_sub(upper), time.saturating_sub(lower)),
            false => (time.saturating_add(lower), time.saturating_add(upper)),
        }
    }

    /// Joins the rows of a batch and keeps them.
    fn join(
        &mut self,
        arriving: &Arriving<'_>,
        partners: &mut Partners,
        own: &mut Side,
        out: &mut dyn Collector,
    ) -> Result<()> {
        let mut start = 0;
        while start < arriving.rows.num_rows() {
            let (mut pairs, mut ranges) = (vec![], vec![]);
            let mut row = start;
            while row < arriving.rows.num_rows() && pairs.len() < PAIRS_MAX {
                let first = pairs.len();
                if !arriving.null[row] {
                    let (from, to) = self.bounds(arriving.times[row], arriving.from_left);
                    pairs.extend(partners.between(row, from, to));
                }
                ranges.push(first..pairs.len());
                row += 1;
            }
            let (pairs, ranges) = self.matching(arriving, partners, start, pairs, ranges)?;
            for (row, range) in (start..row).zip(ranges) {
                self.join_row(arriving, partners, own, row, &pairs[range])?;
            }
            self.emit(arriving, &partners.rows, out)?;
            start = row;
        }
        Ok(())
    }

    /// The candidate pairs that satisfy the condition.
    fn matching(
        &self,
        arriving: &Arriving<'_>,
        partners: &Partners,
        start: usize,
        pairs: Vec<u32>,
        ranges: Vec<Range<usize>>,
    ) -> Result<(Vec<u32>, Vec<Range<usize>>)> {
        let Some(condition) = self.condition.as_ref().filter(|_| !pairs.is_empty()) else { return Ok((pairs, ranges)) };
        let mut rows = Vec::with_capacity(pairs.len());
        for (position, range) in ranges.iter().enumerate() {
            rows.extend(std::iter::repeat_n((start + position) as u32, range.len()));
        }
        let mask = match arriving.from_left {
            true => condition.matching(arriving.rows, &rows, &partners.rows, &pairs)?,
            false => condition.matching(&partners.rows, &pairs, arriving.rows, &rows)?,
        };
        let (mut kept, mut kept_ranges) = (vec![], Vec::with_capacity(ranges.len()));
        for range in ranges {
            let first = kept.len();
            kept.extend(range.filter(|i| mask.value(*i)).map(|i| pairs[i]));
            kept_ranges.push(first..kept.len());
        }
        Ok((kept, kept_ranges))
    }

    fn join_row(
        &mut self,
        arriving: &Arriving<'_>,
        partners: &mut Partners,
        own: &mut Side,
        row: usize,
        found: &[u32],
    ) -> Result<()> {
        let filters = matches!(self.spec.kind, JoinKind::Semi | JoinKind::Anti);
        for partner in found {
            let first = partners.mark(*partner);
            if !filters {
                self.changes.pair(RowKind::Insert, row as u32, *partner);
            } else if !arriving.from_left && first && self.spec.kind == JoinKind::Semi {
                self.changes.kept(RowKind::Insert, *partner, 1);
            }
        }
        let matched = !found.is_empty();
        if matched && arriving.from_left && self.spec.kind == JoinKind::Semi {
            self.changes.arriving(RowKind::Insert, row as u32);
        }
        // A filtered row that found a partner is settled.
        if matched && filters && arriving.from_left {
            return Ok(());
        }
        let waits = !arriving.null[row] && own.waits(arriving.times[row], self.progress);
        if waits {
            return own.keep(arriving.keys.key(row), arriving.times[row], row, matched);
        }
        if !matched && self.emits_unmatched(arriving.from_left) {
            self.changes.arriving(RowKind::Insert, row as u32);
        }
        Ok(())
    }

    /// Whether rows of a side are emitted when they found no partner.
    fn emits_unmatched(&self, left: bool) -> bool {
        match self.spec.kind {
            JoinKind::Full => true,
            JoinKind::Left | JoinKind::Anti => left,
            JoinKind::Right => !left,
            JoinKind::Inner | JoinKind::Semi => false,
        }
    }

    fn emit(&mut self, arriving: &Arriving<'_>, kept: &RecordBatch, out: &mut dyn Collector) -> Result<()> {
        let batch_rows = self.batch_rows();
        let sources = Sources {
            output: &self.output,
            arriving: arriving.rows,
            kept,
            from_left: arriving.from_left,
            both_sides: !matches!(self.spec.kind, JoinKind::Semi | JoinKind::Anti),
        };
        self.changes.emit(&sources, batch_rows, out)
    }

    /// Drops rows that no partner can come for, and emits those that never had one.
    fn expire(&mut self, out: &mut dyn Collector) -> Result<Progress> {
        let batch_rows = self.batch_rows();
        let Some(mut sides) = self.sides.take() else { return Ok(Progress::Done) };
        let mut progress = Progress::Done;
        for (number, left) in [(0, true), (1, false)] {
            let expired = sides[number].expire(self.progress, batch_rows)?;
            if expired.more {
                progress = Progress::More;
            }
            if self.emits_unmatched(left) && expired.unmatched.num_rows() > 0 {
                (0..expired.unmatched.num_rows()).for_each(|row| self.changes.kept(RowKind::Insert, row as u32, 1));
                let nothing = RecordBatch::new_empty(sides[1 - number].schema().clone());
                let sources = Sources {
                    output: &self.output,
                    arriving: &nothing,
                    kept: &expired.unmatched,
                    from_left: !left,
                    both_sides: self.spec.kind != JoinKind::Anti,
                };
                self.changes.emit(&sources, batch_rows, out)?;
            }
        }
        self.sides = Some(sides);
        Ok(progress)
    }
}

impl Operator for IntervalJoin {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        let (progress, numbered) = self.position.open(&context.state)?;
        self.progress = progress;
        let open = |layout: &Layout| Side::open(layout, &context.state, numbered);
        self.sides = Some([open(&self.layouts[0])?, open(&self.layouts[1])?]);
        self.context = Some(context.clone());
        Ok(())
    }

    fn process(&mut self, input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("an interval join over a changelog"));
        }
        if self.spec.proctime {
            self.progress = self.progress.max(self.now_ms());
        }
        let from_left = input == 0;
        let batch = relabelled_changes(batch, &self.inputs[usize::from(!from_left)])?;
        let arriving = self.arriving(batch.rows(), from_left)?;
        let Some([mut left, mut right]) = self.sides.take() else {
            return Err(Error::internal("an interval join was used before it was opened"));
        };
        let (own, other) = if from_left { (&mut left, &mut right) } else { (&mut right, &mut left) };
        let bounds = |row: usize| self.bounds(arriving.times[row], from_left);
        let mut partners = Partners::fetch(&arriving.keys, &arriving.null, bounds, other)?;
        own.read(batch.rows())?;
        self.join(&arriving, &mut partners, own, out)?;
        partners.store(other)?;
        self.sides = Some([left, right]);
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.spec.proctime {
            return Ok(Progress::Done);
        }
        self.progress = self.progress.max(watermark);
        self.expire(out)
    }

    fn next_timer_ms(&self) -> Option<i64> {
        let sides = self.sides.as_ref().filter(|_| self.spec.proctime)?;
        sides.iter().filter_map(Side::next_expiry_ms).min()
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(now_ms);
        self.expire(out)
    }

    fn output_watermark(&self, watermark: i64) -> i64 {
        if self.spec.proctime {
            return watermark;
        }
        let delay_ms = self.spec.lower_ms.saturating_neg().max(self.spec.upper_ms).max(0);
        // A padded row leaves one millisecond after the last moment at which it could have matched.
        let padding_ms = i64::from(self.emits_unmatched(true) || self.emits_unmatched(false));
        watermark.saturating_sub(delay_ms).saturating_sub(padding_ms)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        let mut numbered = 0;
        for side in self.sides.iter_mut().flatten() {
            side.snapshot(snapshot);
            numbered = numbered.max(side.numbered());
        }
        self.position.snapshot(self.progress, numbered, snapshot);
        Ok(())
    }
}
