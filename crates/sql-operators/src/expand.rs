//! Row expansion for grouping sets: every row once per projection.

use crate::columns::{record_batch, schema_of, types_of};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
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
        for projection in &self.projections {
            let evaluated = projection.evaluate(batch.rows())?;
            let rows = record_batch(&self.output, evaluated.columns, evaluated.rows)?;
            out.emit(batch.with_rows(rows));
        }
        Ok(())
    }
}
