//! The local half of a two-phase window aggregation: pre-aggregates slices before the exchange.
//!
//! A slice is handed on when the watermark passes its end, when the operator holds too many groups, and at
//! the end of input. Nothing is late here: the global half decides. A barrier takes everything along: the operator
//! has no state.

use super::{layout, needed_columns};
use crate::aggregate::factory::Rows;
use crate::columns::schema_of;
use crate::output::Output;
use crate::pane::{Pane, PaneLayout};
use crate::window::assign::{SliceSource, assign};
use crate::window::runs::arrange;
use crate::window::{Slices, WallClock};
use arrow::array::{ArrayRef, Int64Array};
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{WindowAggregateSpec, WindowTime};
use headwater_state::Snapshot;
use headwater_types::{Error, MAX_WATERMARK, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Groups over all slices beyond which everything is handed on.
const GROUPS_MAX: usize = 64 * 1024;

pub(super) struct LocalAggregate {
    source: SliceSource,
    slices: Option<Slices>,
    clock: WallClock,
    layout: PaneLayout,
    keys: Vec<usize>,
    needed: Vec<bool>,
    panes: BTreeMap<i64, Pane>,
    context: Option<OpenContext>,
    output: Output,
    rows_seen: u64,
    groups: Vec<u32>,
}

impl LocalAggregate {
    pub(super) fn new(spec: &WindowAggregateSpec, node: &OperatorNode) -> Result<Self> {
        if spec.window.proctime {
            return Err(Error::unsupported("two-phase aggregation over processing time"));
        }
        let slices = match spec.window.time {
            WindowTime::Attached { .. } => None,
            _ => Some(Slices::new(spec.window.shape, spec.window.offset_ms)?),
        };
        Ok(Self {
            source: SliceSource::from(&spec.window.time),
            slices,
            clock: WallClock::new(spec.window.zone.as_deref())?,
            layout: layout(spec, node, false)?,
            keys: spec.keys.clone(),
            needed: needed_columns(spec, node.inputs[0].len()),
            panes: BTreeMap::new(),
            context: None,
            output: Output::new(schema_of(&node.output)),
            rows_seen: 0,
            groups: vec![],
        })
    }

    fn emit_pane(&mut self, slice_end: i64, pane: &Pane, out: &mut dyn Collector) -> Result<()> {
        let step = self.output.batch_rows();
        for start in (0..pane.groups()).step_by(step) {
            let range = start..pane.groups().min(start + step);
            let rows = range.len();
            let (mut columns, partials) = self.layout.partials(pane, range)?;
            let ends: ArrayRef = Arc::new(Int64Array::from(vec![slice_end; rows]));
            columns.push(ends);
            columns.extend(partials);
            self.output.push(columns, rows, out)?;
        }
        Ok(())
    }

    fn emit_until(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        while let Some(entry) = self.panes.first_entry() {
            if watermark < self.clock.timer_instant(*entry.key() - 1) {
                break;
            }
            let (slice_end, pane) = entry.remove_entry();
            self.emit_pane(slice_end, &pane, out)?;
            if self.output.should_yield() {
                return Ok(Progress::More);
            }
        }
        self.output.flush(out)?;
        Ok(Progress::Done)
    }
}

impl Operator for LocalAggregate {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.output.set_batch_rows(context.batch_rows);
        self.context = Some(context.clone());
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::internal("a local aggregation received a changelog"));
        }
        let assigned =
            assign(self.source, self.slices.as_ref(), &self.clock, 0, batch.rows(), &mut |slice_end| slice_end)?;
        let runs = arrange(batch.rows().columns(), &self.needed, None, &assigned.ends, &[])?;
        if let (Some(context), true) = (&self.context, runs.dropped > 0) {
            context.metrics.add_late(runs.dropped as u64);
        }
        let key_columns: Vec<_> = self.keys.iter().map(|key| runs.columns[*key].clone()).collect();
        let keys = self.layout.reader.read(&key_columns, batch.num_rows())?;
        for ((slice_end, _), range) in runs.ranges {
            let pane = match self.panes.entry(slice_end) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => entry.insert(self.layout.pane()?),
            };
            let rows = Rows { columns: &runs.columns, range, signs: None, sequence: self.rows_seen };
            self.layout.update(pane, &keys, &rows, &mut self.groups)?;
        }
        self.rows_seen += batch.num_rows() as u64;
        if self.panes.values().map(Pane::groups).sum::<usize>() > GROUPS_MAX {
            while self.emit_until(MAX_WATERMARK, out)? == Progress::More {}
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.emit_until(watermark, out)
    }

    fn snapshot(&mut self, _snapshot: &mut Snapshot, out: &mut dyn Collector) -> Result<()> {
        while self.emit_until(MAX_WATERMARK, out)? == Progress::More {}
        Ok(())
    }

    fn end_input(&mut self, _input: u8, out: &mut dyn Collector) -> Result<Progress> {
        self.emit_until(MAX_WATERMARK, out)
    }
}
