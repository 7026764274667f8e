//! Aggregation of bounded input: one final row per key at the end.
//!
//! The local half emits `keys, one BINARY accumulator per call`; the global half merges them. The local half
//! hands its groups on early when it holds too many.

use crate::aggregate::factory::{Rows, signs_of};
use crate::columns::schema_of;
use crate::output::Output;
use crate::pane::{Pane, PaneLayout};
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{AggregatePhase, GroupAggregateSpec};
use headwater_types::Result;

/// Groups beyond which the local half hands on what it has.
const LOCAL_GROUPS_MAX: usize = 64 * 1024;

pub(super) struct BoundedAggregate {
    phase: AggregatePhase,
    keys: Vec<usize>,
    layout: PaneLayout,
    pane: Pane,
    /// Next group to emit.
    next: usize,
    output: Output,
    rows_seen: u64,
    groups: Vec<u32>,
}

impl BoundedAggregate {
    pub(super) fn new(spec: &GroupAggregateSpec, node: &OperatorNode, layout: PaneLayout) -> Result<Self> {
        Ok(Self {
            phase: spec.phase,
            keys: spec.keys.clone(),
            pane: layout.pane()?,
            layout,
            next: 0,
            output: Output::new(schema_of(&node.output)),
            rows_seen: 0,
            groups: vec![],
        })
    }

    /// Without keys there is always one result, even of no rows.
    fn ensure_global_group(&mut self) -> Result<()> {
        if !self.keys.is_empty() || self.phase == AggregatePhase::Local || self.pane.groups() > 0 {
            return Ok(());
        }
        self.pane.index = crate::keys::KeyIndex::Unit { present: true };
        self.pane.accumulators.iter_mut().for_each(|a| a.grow(1));
        // The group exists although no row is in it.
        self.pane.live = None;
        Ok(())
    }

    fn emit_chunk(&mut self, out: &mut dyn Collector) -> Result<bool> {
        let range = self.next..self.pane.groups().min(self.next + self.output.batch_rows());
        if range.is_empty() {
            return Ok(false);
        }
        self.next = range.end;
        if self.phase == AggregatePhase::Local {
            let rows = range.len();
            let (mut columns, partials) = self.layout.partials(&self.pane, range)?;
            columns.extend(partials);
            self.output.push(columns, rows, out)?;
        } else {
            let (columns, rows) = self.layout.results(&self.pane, range)?;
            self.output.push(columns, rows, out)?;
        }
        Ok(true)
    }

    fn emit_all(&mut self, out: &mut dyn Collector) -> Result<Progress> {
        while self.emit_chunk(out)? {
            if self.output.should_yield() {
                return Ok(Progress::More);
            }
        }
        self.output.flush(out)?;
        self.pane = self.layout.pane()?;
        self.next = 0;
        Ok(Progress::Done)
    }
}

impl Operator for BoundedAggregate {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.output.set_batch_rows(context.batch_rows);
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let rows = batch.rows();
        let key_columns: Vec<_> = self.keys.iter().map(|key| rows.column(*key).clone()).collect();
        let keys = self.layout.reader.read(&key_columns, rows.num_rows())?;
        let range = 0..rows.num_rows();
        if self.phase == AggregatePhase::Global {
            let partials = &rows.columns()[self.keys.len()..];
            return self.layout.merge_partials(&mut self.pane, &keys, partials, range, &mut self.groups);
        }
        let signs = signs_of(batch.kinds());
        let input = Rows { columns: rows.columns(), range, signs: signs.as_deref(), sequence: self.rows_seen };
        self.layout.update(&mut self.pane, &keys, &input, &mut self.groups)?;
        self.rows_seen += rows.num_rows() as u64;
        if self.phase == AggregatePhase::Local && self.pane.groups() > LOCAL_GROUPS_MAX {
            while self.emit_all(out)? == Progress::More {}
        }
        Ok(())
    }

    fn end_input(&mut self, _input: u8, out: &mut dyn Collector) -> Result<Progress> {
        if self.next == 0 {
            self.ensure_global_group()?;
        }
        self.emit_all(out)
    }
}
