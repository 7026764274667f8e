//! Row expansion for grouping sets: every row once per projection.
//!
//! The copies of a row stay together: what sees them one after the other (a changelog of results) must not see the
//! last copy of one row behind the first of another.

use crate::arrow_error;
use crate::columns::{record_batch, schema_of, types_of};
use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;
use arrow::datatypes::SchemaRef;
use headwater_data::{ChangeBatch, RowKinds};
use headwater_expressions::{EvaluatorSet, ExprContext, compile_all};
use headwater_operator_api::{Collector, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::operators::ExpandSpec;
use headwater_types::Result;

pub(crate) struct Expand {
    projections: Vec<EvaluatorSet>,
    output: SchemaRef,
}

impl Expand {
    pub(crate) fn new(spec: &ExpandSpec, node: &OperatorNode, context: &ExprContext) -> Result<Self> {
        let input = types_of(&node.inputs[0]);
        let compile = |projection: &Vec<_>| compile_all(None, projection, &input, context);
        let projections = spec.projections.iter().map(compile).collect::<Result<_>>()?;
        Ok(Self { projections, output: schema_of(&node.output) })
    }
}

impl Operator for Expand {
    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let copies = self.projections.len();
        let sets = self.projections.iter().map(|set| set.evaluate(batch.rows())).collect::<Result<Vec<_>>>()?;
        let rows = batch.num_rows();
        let places: Vec<(usize, usize)> = (0..rows * copies).map(|place| (place % copies, place / copies)).collect();
        let column = |position: usize| -> Result<ArrayRef> {
            let first = &sets[0].columns[position];
            let copies: Vec<&dyn Array> = sets.iter().map(|set| set.columns[position].as_ref()).collect();
            if let [_] = copies[..] {
                return Ok(first.clone());
            }
            interleave(&copies, &places).map_err(arrow_error)
        };
        let columns = (0..self.output.fields().len()).map(column).collect::<Result<Vec<_>>>()?;
        let expanded = record_batch(&self.output, columns, rows * copies)?;
        out.emit(match batch.kinds() {
            RowKinds::Append => ChangeBatch::append(expanded),
            RowKinds::Mixed(kinds) => {
                let kinds = kinds.iter().flat_map(|kind| std::iter::repeat_n(*kind, copies)).collect::<Vec<i8>>();
                crate::kinds::with_kinds(expanded, RowKinds::Mixed(kinds.into()))
            }
        });
        Ok(())
    }
}
