//! Filter and projection, fused.
//!
//! Columns that are only passed on are not copied unless rows are filtered out; then only the columns that
//! the projection reads are filtered.

use crate::calc_watermark::WatermarkColumns;
use crate::columns::{record_batch, schema_of, types_of};
use crate::kinds::{filter_kinds, with_kinds};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_expressions::{EvaluatorSet, ExprContext, compile_all};
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::CalcSpec;
use headwater_types::Result;

pub(crate) struct Calc {
    evaluators: EvaluatorSet,
    watermark: WatermarkColumns,
    output: SchemaRef,
}

impl Calc {
    pub(crate) fn new(spec: &CalcSpec, node: &OperatorNode, context: &ExprContext) -> Result<Self> {
        let mut spec = spec.clone();
        let mut input = types_of(&node.inputs[0]);
        let watermark = WatermarkColumns::take(&mut spec, input.len());
        input.extend_from_slice(watermark.types());
        let evaluators = compile_all(spec.condition.as_ref(), &spec.projection, &input, context)?;
        Ok(Self { evaluators, watermark, output: schema_of(&node.output) })
    }
}

impl Operator for Calc {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.watermark.restore(context.restored_watermark);
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let evaluated = match self.watermark.types() {
            [] => self.evaluators.evaluate(batch.rows())?,
            _ => self.evaluators.evaluate(&self.watermark.append(batch.rows())?)?,
        };
        if evaluated.rows == 0 {
            return Ok(());
        }
        let rows = record_batch(&self.output, evaluated.columns, evaluated.rows)?;
        let kinds = match evaluated.mask {
            Some(mask) => filter_kinds(batch.kinds(), &mask),
            None => batch.kinds().clone(),
        };
        out.emit(with_kinds(rows, kinds));
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, _out: &mut dyn Collector) -> Result<Progress> {
        self.watermark.advance(watermark);
        Ok(Progress::Done)
    }
}
