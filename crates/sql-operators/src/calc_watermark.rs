//! The watermark as a column: what `CURRENT_WATERMARK` is in a filter or projection.
//!
//! A call is replaced by a column behind those of the input, which holds the operator's watermark; NULL before the first
//! one, as after a restore.

use crate::arrow_error;
use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use headwater_data::arrow_type;
use headwater_functions::temporal::stamps::timestamp_array;
use headwater_functions::temporal::watermark::CURRENT_WATERMARK;
use headwater_plan::Expr;
use headwater_plan::operators::CalcSpec;
use headwater_types::{LogicalType, MIN_WATERMARK, Result};
use std::sync::Arc;

/// The watermark of an operator, as columns of its input.
pub(crate) struct WatermarkColumns {
    /// One type per column: calls may differ in it.
    types: Vec<LogicalType>,
    watermark: Option<i64>,
    /// Event time at the checkpoint that the operator was restored from: it is only known when it has moved on.
    restored: i64,
}

impl WatermarkColumns {
    /// Replaces the calls of a calc over rows of `width` columns.
    pub(crate) fn take(calc: &mut CalcSpec, width: usize) -> Self {
        let mut columns = Self { types: vec![], watermark: None, restored: MIN_WATERMARK };
        let exprs = calc.projection.iter_mut().chain(calc.condition.as_mut());
        exprs.for_each(|expr| columns.replace(expr, width));
        columns
    }

    fn replace(&mut self, expr: &mut Expr, width: usize) {
        if let Expr::Call { function, ty, .. } = expr
            && function == CURRENT_WATERMARK
        {
            let known = self.types.iter().position(|known| known == ty);
            let position = known.unwrap_or_else(|| {
                self.types.push(ty.clone());
                self.types.len() - 1
            });
            *expr = Expr::column(width + position, ty.clone());
            return;
        }
        expr.children_mut().into_iter().for_each(|child| self.replace(child, width));
    }

    /// The types of the columns.
    pub(crate) fn types(&self) -> &[LogicalType] {
        &self.types
    }

    /// Event time had come to here at the checkpoint that the operator is restored from.
    pub(crate) fn restore(&mut self, watermark: i64) {
        self.restored = watermark;
    }

    /// Event time has come to here.
    pub(crate) fn advance(&mut self, watermark: i64) {
        if watermark > self.restored {
            self.watermark = Some(watermark);
        }
    }

    /// Rows with the columns behind their own.
    pub(crate) fn append(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let count = rows.num_rows();
        let mut fields: Vec<_> = rows.schema().fields().iter().cloned().collect();
        let mut columns = rows.columns().to_vec();
        for ty in &self.types {
            let ty = arrow_type(ty);
            let column: ArrayRef = match self.watermark {
                Some(watermark) => {
                    let ticks = watermark.saturating_mul(ticks_per_ms(&ty));
                    timestamp_array(vec![ticks; count], None, &ty)?
                }
                None => new_null_array(&ty, count),
            };
            fields.push(Arc::new(Field::new("watermark", ty, true)));
            columns.push(column);
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(arrow_error)
    }
}

fn ticks_per_ms(ty: &DataType) -> i64 {
    match ty {
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1_000_000,
        _ => 1,
    }
}
