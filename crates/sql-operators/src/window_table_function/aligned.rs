//! TUMBLE, HOP and CUMULATE: one row per row and window. Rows without a time are dropped and counted;
//! no row is late here, because nothing is kept.
//!
//! A row of HOP and CUMULATE has as many copies as windows, so output leaves in pieces of bounded size.

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
use headwater_plan::operators::{WindowShape, WindowSpec, WindowTime};
use headwater_types::{Error, Result};

/// Most windows of a row.
const WINDOWS_PER_ROW_MAX: i64 = 100_000;

/// Output rows after which a batch is emitted.
const OUTPUT_ROWS: usize = 1 << 14;

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
}

/// Refuses windows so many that the copies of a single row would fill the memory.
pub(super) fn check_count(shape: WindowShape) -> Result<()> {
    let count = match shape {
        WindowShape::Hop { slide_ms, size_ms } => size_ms / slide_ms.max(1),
        WindowShape::Cumulate { step_ms, max_ms } => max_ms / step_ms.max(1),
        _ => 1,
    };
    if count <= WINDOWS_PER_ROW_MAX {
        return Ok(());
    }
    let message = format!("every row would lie in {count} windows: at most {WINDOWS_PER_ROW_MAX} are possible");
    Err(Error::user("too-many-windows", message))
}

impl AlignedWindows {
    pub(super) fn new(spec: &WindowSpec, node: &OperatorNode) -> Result<Self> {
        let rowtime = match spec.time {
            WindowTime::Rowtime(column) => Some(column),
            _ => None,
        };
        check_count(spec.shape)?;
        Ok(Self {
            rowtime,
            slices: Slices::assigning(spec.shape, spec.offset_ms)?,
            clock: WallClock::new(spec.zone.as_deref())?,
            output: schema_of(&node.output),
            context: None,
        })
    }

    /// Emits the rows of an assignment.
    fn emit(&self, batch: &ChangeBatch, assignment: Assignment, out: &mut dyn Collector) -> Result<()> {
        let Assignment { rows, windows } = assignment;
        // Rows are in order: as many as the batch has, from its first to its last, are the batch.
        let whole = rows.len() == batch.num_rows() && rows.iter().enumerate().all(|(i, row)| i == *row as usize);
        let repeated = if whole { batch.clone() } else { batch.take(&UInt32Array::from(rows)).map_err(arrow_error)? };
        let (input, kinds) = repeated.into_parts();
        let mut columns = input.columns().to_vec();
        columns.extend(window_columns(&windows, &self.output, &self.clock)?);
        let rows = record_batch(&self.output, columns, input.num_rows())?;
        out.emit(with_kinds(rows, if whole { kinds } else { separate_pairs(kinds) }));
        Ok(())
    }
}

impl Operator for AlignedWindows {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.context = Some(context.clone());
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let times = self.rowtime.map(|column| timestamps_ms(batch.rows().column(column))).transpose()?;
        let now = self.context.as_ref().map_or(0, |context| context.env.now_ms());
        let mut assignment = Assignment::default();
        let mut dropped = 0;
        for row in 0..batch.num_rows() {
            if times.as_ref().and_then(|t| t.nulls.as_ref()).is_some_and(|n| n.is_null(row)) {
                dropped += 1;
                continue;
            }
            let time = self.clock.to_wall(times.as_ref().map_or(now, |t| t.ms[row]));
            self.slices.windows(time, &mut |start, end| {
                assignment.rows.push(row as u32);
                assignment.windows.push((start, end));
            });
            if assignment.rows.len() >= OUTPUT_ROWS {
                self.emit(&batch, std::mem::take(&mut assignment), out)?;
            }
        }
        if let (Some(context), true) = (&self.context, dropped > 0) {
            context.metrics.add_late(dropped);
        }
        self.emit(&batch, assignment, out)
    }
}
