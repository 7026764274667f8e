//! What all joins share: putting the rows of two sides next to each other, and the residual condition.

use crate::arrow_error;
use crate::columns::{record_batch, schema_of, types_of};
use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array, new_null_array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use headwater_expressions::{Evaluator, ExprContext, compile};
use headwater_plan::Expr;
use headwater_plan::graph::RowType;
use headwater_types::Result;

/// The row of a side that is padded with NULLs.
pub(crate) const PADDED: u32 = u32::MAX;

/// The condition of a join beyond its keys, over left columns followed by right columns.
pub(crate) struct Condition {
    evaluator: Evaluator,
    /// The columns of the pair that the condition reads.
    reads: Vec<bool>,
    pair: SchemaRef,
    left_width: usize,
}

impl Condition {
    /// Compiles a condition.
    pub(crate) fn new(expr: &Expr, left: &RowType, right: &RowType, context: &ExprContext) -> Result<Self> {
        let pair: RowType = left.iter().chain(right).cloned().collect();
        let mut reads = vec![false; pair.len()];
        mark_columns(expr, &mut reads);
        let evaluator = compile(expr, &types_of(&pair), context)?;
        Ok(Self { evaluator, reads, pair: schema_of(&pair), left_width: left.len() })
    }

    /// Which candidate pairs satisfy the condition: `lefts[i]` with `rights[i]`.
    pub(crate) fn matching(
        &self,
        left: &RecordBatch,
        lefts: &[u32],
        right: &RecordBatch,
        rights: &[u32],
    ) -> Result<BooleanBuffer> {
        let (left_rows, right_rows) = (UInt32Array::from(lefts.to_vec()), UInt32Array::from(rights.to_vec()));
        let column = |position: usize| {
            let (side, rows, index) = match position.checked_sub(self.left_width) {
                None => (left, &left_rows, position),
                Some(index) => (right, &right_rows, index),
            };
            match self.reads[position] {
                true => take(side.column(index), rows, None).map_err(arrow_error),
                false => Ok(new_null_array(self.pair.field(position).data_type(), lefts.len())),
            }
        };
        let columns = (0..self.reads.len()).map(column).collect::<Result<Vec<_>>>()?;
        let mask = self.evaluator.evaluate_predicate(&record_batch(&self.pair, columns, lefts.len())?)?;
        Ok(mask.values().clone())
    }
}

fn mark_columns(expr: &Expr, reads: &mut [bool]) {
    if let Expr::Column { index, .. } = expr
        && let Some(read) = reads.get_mut(*index)
    {
        *read = true;
    }
    expr.children().into_iter().for_each(|child| mark_columns(child, reads));
}

/// The columns of one side for some output rows; [`PADDED`] rows are NULL.
pub(crate) fn side_columns(side: &RecordBatch, rows: &[u32]) -> Result<Vec<ArrayRef>> {
    let whole = rows.len() == side.num_rows() && rows.iter().enumerate().all(|(i, row)| i == *row as usize);
    if whole {
        return Ok(side.columns().to_vec());
    }
    if rows.iter().all(|row| *row == PADDED) {
        return Ok(side.columns().iter().map(|c| new_null_array(c.data_type(), rows.len())).collect());
    }
    let indices = optional_rows(rows);
    side.columns().iter().map(|column| take(column, &indices, None).map_err(arrow_error)).collect()
}

fn optional_rows(rows: &[u32]) -> UInt32Array {
    if !rows.contains(&PADDED) {
        return UInt32Array::from(rows.to_vec());
    }
    let valid: NullBuffer = rows.iter().map(|row| *row != PADDED).collect();
    let values = rows.iter().map(|row| if *row == PADDED { 0 } else { *row }).collect::<Vec<_>>();
    UInt32Array::new(values.into(), Some(valid))
}

/// Output rows of left rows beside right rows.
pub(crate) fn joined_batch(
    output: &SchemaRef,
    left: (&RecordBatch, &[u32]),
    right: Option<(&RecordBatch, &[u32])>,
) -> Result<RecordBatch> {
    let mut columns = side_columns(left.0, left.1)?;
    if let Some((rows, indices)) = right {
        columns.extend(side_columns(rows, indices)?);
    }
    record_batch(output, columns, left.1.len())
}
