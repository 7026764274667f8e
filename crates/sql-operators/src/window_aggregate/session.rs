//! Aggregation over session windows.
//!
//! Every open session owns a slot in the accumulators; a batch is first assigned to slots row by row and
//! then aggregated in one pass. Sessions that a row connects are merged slot into slot.

use super::layout;
use super::properties::Properties;
use super::session_mirror::SessionMirror;
use crate::aggregate::factory::{Rows, signs_of};
use crate::columns::{schema_of, timestamps_ms};
use crate::mirror::Position;
use crate::output::Output;
use crate::pane::{Pane, PaneLayout};
use crate::window::WallClock;
use crate::window::sessions::{Ended, Merges, SessionTable, resolve};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{WindowAggregateSpec, WindowShape, WindowTime};
use headwater_state::Snapshot;
use headwater_types::{Error, MIN_WATERMARK, Result};

pub(super) struct SessionAggregate {
    rowtime: Option<usize>,
    clock: WallClock,
    keys: Vec<usize>,
    encoder: KeyEncoder,
    encoded: EncodedKeys,
    table: SessionTable,
    layout: PaneLayout,
    /// Accumulators by slot; its key index is not used.
    state: Pane,
    properties: Properties,
    progress: i64,
    context: Option<OpenContext>,
    output: Output,
    rows_seen: u64,
    mirror: SessionMirror,
    position: Position,
}

impl SessionAggregate {
    pub(super) fn new(spec: &WindowAggregateSpec, node: &OperatorNode, retract: bool) -> Result<Self> {
        let WindowShape::Session { gap_ms } = spec.window.shape else {
            return Err(Error::internal("a session aggregation needs a session window"));
        };
        let rowtime = match spec.window.time {
            WindowTime::Rowtime(column) => Some(column),
            _ => None,
        };
        let layout = layout(spec, node, retract)?;
        let schema = schema_of(&node.output);
        let key_types: Vec<DataType> =
            spec.keys.iter().map(|key| headwater_data::arrow_type(&node.inputs[0][*key].1)).collect();
        Ok(Self {
            rowtime,
            clock: WallClock::new(spec.window.zone.as_deref())?,
            keys: spec.keys.clone(),
            encoder: KeyEncoder::new(&key_types)?,
            encoded: EncodedKeys::new(),
            table: SessionTable::new(gap_ms),
            state: layout.pane()?,
            layout,
            properties: Properties::new(&spec.properties, &schema),
            progress: MIN_WATERMARK,
            context: None,
            output: Output::new(schema),
            rows_seen: 0,
            mirror: SessionMirror::new(spec, &node.inputs[0], retract)?,
            position: Position::default(),
        })
    }

    /// The slot of every row that is not late, with the number of late rows. Late rows get sign zero.
    fn assign(&mut self, rows: &RecordBatch, signs: &mut Vec<i8>) -> Result<(Vec<u32>, Merges, u64)> {
        let times = self.rowtime.map(|column| timestamps_ms(rows.column(column))).transpose()?;
        let now = self.context.as_ref().map_or(0, |context| context.env.now_ms());
        let now = WallClock::arrival(now, self.progress);
        let mut late = 0;
        let mut merges = Merges::new();
        let mut slots = Vec::with_capacity(rows.num_rows());
        for row in 0..rows.num_rows() {
            let missing = times.as_ref().and_then(|t| t.nulls.as_ref()).is_some_and(|n| n.is_null(row));
            let time = self.clock.to_wall(times.as_ref().map_or(now, |t| t.ms[row]));
            let (progress, clock) = (self.progress, &self.clock);
            let is_late = |end: i64| progress >= clock.timer_instant(end - 1);
            let slot = match missing {
                true => None,
                false => {
                    let merged = merges.len();
                    let key = self.encoded.key(row);
                    let slot = self.table.assign(key, time, is_late, &mut merges);
                    merges[merged..].iter().for_each(|(from, _)| self.mirror.forget(key, *from));
                    slot.inspect(|slot| self.mirror.mark(key, *slot))
                }
            };
            if slot.is_none() {
                late += 1;
                signs.resize(rows.num_rows(), 1);
                signs[row] = 0;
            }
            slots.push(slot.unwrap_or(0));
        }
        slots.iter_mut().for_each(|slot| *slot = resolve(*slot, &merges));
        Ok((slots, merges, late))
    }

    fn merge(&mut self, merges: Merges) -> Result<()> {
        let mut bytes = vec![];
        for (from, to) in merges {
            for accumulator in self.state.all_mut() {
                bytes.clear();
                accumulator.encode(from, &mut bytes);
                accumulator.merge_encoded(to, &bytes)?;
                accumulator.clear(from);
            }
            self.table.release(from);
        }
        Ok(())
    }

    fn fire(&mut self, progress: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(progress);
        loop {
            let ended = self.due_sessions();
            if ended.is_empty() {
                self.output.flush(out)?;
                return Ok(Progress::Done);
            }
            self.emit(ended, out)?;
            if self.output.should_yield() {
                return Ok(Progress::More);
            }
        }
    }

    fn due_sessions(&mut self) -> Vec<Ended> {
        let (progress, clock) = (self.progress, &self.clock);
        let is_due = |end: i64| progress >= clock.timer_instant(end - 1);
        let limit = self.output.batch_rows();
        std::iter::from_fn(|| self.table.pop_due(is_due)).take(limit).collect()
    }

    fn emit(&mut self, mut ended: Vec<Ended>, out: &mut dyn Collector) -> Result<()> {
        let slots: Vec<u32> = ended.iter().map(|session| session.slot).collect();
        ended.iter().for_each(|session| self.mirror.forget(&session.key, session.slot));
        ended.retain(|session| self.state.is_live(session.slot));
        if !ended.is_empty() {
            let columns = self.columns(&ended)?;
            self.output.push(columns, ended.len(), out)?;
        }
        for slot in slots {
            self.state.clear(slot);
            self.table.release(slot);
        }
        Ok(())
    }

    fn columns(&self, ended: &[Ended]) -> Result<Vec<ArrayRef>> {
        let mut keys = EncodedKeys::new();
        ended.iter().for_each(|session| keys.push(&session.key));
        let mut columns = self.encoder.decode(&keys)?;
        let slots: Vec<u32> = ended.iter().map(|session| session.slot).collect();
        for accumulator in &self.state.accumulators {
            columns.push(accumulator.evaluate(&slots)?);
        }
        let windows = ended.iter().map(|session| (session.start, session.end));
        self.properties.append(windows, &self.clock, &mut columns)?;
        Ok(columns)
    }
}

impl Operator for SessionAggregate {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.output.set_batch_rows(context.batch_rows);
        self.context = Some(context.clone());
        (self.progress, self.rows_seen) = self.position.open(&context.state)?;
        self.mirror.open(&context.state, &mut self.table, &mut self.state)
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        let rows = batch.rows();
        let key_columns: Vec<_> = self.keys.iter().map(|key| rows.column(*key).clone()).collect();
        self.encoder.encode(&key_columns, rows.num_rows(), &mut self.encoded)?;
        let mut signs = signs_of(batch.kinds()).unwrap_or_default();
        let (slots, merges, late) = self.assign(rows, &mut signs)?;
        if let (Some(context), true) = (&self.context, late > 0) {
            context.metrics.add_late(late);
        }
        // A batch of late rows alone still needs a slot to ignore them in.
        self.state.grow_to(self.table.slots().max(1));
        self.merge(merges)?;
        let signs = (!signs.is_empty()).then_some(signs.as_slice());
        let input = Rows { columns: rows.columns(), range: 0..rows.num_rows(), signs, sequence: self.rows_seen };
        self.layout.update_groups(&mut self.state, &slots, &input)?;
        self.rows_seen += rows.num_rows() as u64;
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.rowtime.is_some() { self.fire(watermark, out) } else { Ok(Progress::Done) }
    }

    fn next_timer_ms(&self) -> Option<i64> {
        let end = self.table.next_end().filter(|_| self.rowtime.is_none())?;
        Some(self.clock.proctime_timer(end))
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.rowtime.is_none() { self.fire(WallClock::over_by(now_ms), out) } else { Ok(Progress::Done) }
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, out: &mut dyn Collector) -> Result<()> {
        self.output.flush(out)?;
        self.mirror.snapshot(&self.table, &self.state, snapshot)?;
        self.position.snapshot(self.progress, self.rows_seen, snapshot);
        Ok(())
    }
}
