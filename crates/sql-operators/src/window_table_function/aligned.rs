//! TUMBLE, HOP and CUMULATE: one row per row and window. Rows without a time are dropped and counted;
//! no row is late here, because nothing is kept.

use super::window_columns;
use crate::arrow_error;
use crate::columns::{record_batch, schema_of, timestamps_ms};
use crate::kinds::{separate_pairs, with_kinds};
use crate::window::{Slices, WallClock};
use arrow::array::UInt32Array;
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{WindowSpec, WindowTime};
use headwater_types::Result;

pub(super) struct AlignedWindows {
    rowtime: Option<usize>,
    slices: Slices,
    clock: WallClock,
    output: SchemaRef,
    context: Option<OpenContext>,
}

/// The rows of an output batch.
#[derive(Default)]
struct Assignment {
    /// The input row of every output row.
    rows: Vec<u32>,
    /// Its window.
    windows: Vec<(i64, i64)>,
    /// Input rows without a time.
    dropped: u64,
}

impl AlignedWindows {
    pub(super) fn new(spec: &WindowSpec, node: &OperatorNode) -> Result<Self> {
        let rowtime = match spec.time {
            WindowTime::Rowtime(column) => Some(column),
            _ => None,
        };
        Ok(Self {
            rowtime,
            slices: Slices::new(spec.shape, spec.offset_ms)?,
            clock: WallClock::new(spec.zone.as_deref())?,
            output: schema_of(&node.output),
            context: None,
        })
    }

    fn windows(&self, batch: &ChangeBatch) -> Result<Assignment> {
        let times = self.rowtime.map(|column| timestamps_ms(batch.rows().column(column))).transpose()?;
        let now = self.context.as_ref().map_or(0, |context| context.env.now_ms());
        let mut assignment = Assignment::default();
        for row in 0..batch.num_rows() {
            if times.as_ref().and_then(|t| t.nulls.as_ref()).is_some_and(|n| n.is_null(row)) {
                assignment.dropped += 1;
                continue;
            }
            let time = self.clock.to_wall(times.as_ref().map_or(now, |t| t.ms[row]));
            self.slices.windows(time, &mut |start, end| {
                assignment.rows.push(row as u32);
                assignment.windows.push((start, end));
            });
        }
        Ok(assignment)
    }
}

impl Operator for AlignedWindows {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.context = Some(context.clone());
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let Assignment { rows, windows, dropped } = self.windows(&batch)?;
        if let (Some(context), true) = (&self.context, dropped > 0) {
            context.metrics.add_late(dropped);
        }
        let one_each = dropped == 0 && rows.len() == batch.num_rows();
        let repeated = if one_each { batch } else { batch.take(&UInt32Array::from(rows)).map_err(arrow_error)? };
        let (input, kinds) = repeated.into_parts();
        let mut columns = input.columns().to_vec();
        columns.extend(window_columns(&windows, &self.output, &self.clock)?);
        let rows = record_batch(&self.output, columns, input.num_rows())?;
        out.emit(with_kinds(rows, if one_each { kinds } else { separate_pairs(kinds) }));
        Ok(())
    }
}
