//! The operators that a cluster can run.

use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, Operator, Progress};
use headwater_plan::{OperatorNode, OperatorSpec};
use headwater_runtime::{BuildContext, OperatorFactory};
use headwater_types::{Error, Result};
use std::sync::Arc;

/// Builds the operators of a process.
pub fn operators() -> Arc<dyn OperatorFactory> {
    Arc::new(SqlOperators)
}

/// Builds the operators of SQL.
pub(crate) struct SqlOperators;

impl OperatorFactory for SqlOperators {
    fn build(&self, node: &OperatorNode, context: &BuildContext<'_>) -> Result<Box<dyn Operator>> {
        if let OperatorSpec::Values(spec) = &node.spec {
            let rows = headwater_sql_operators::values_batch(spec, &node.output)?;
            return Ok(Box::new(InlineRows { rows: Some(rows) }));
        }
        let context = headwater_sql_operators::BuildContext {
            config: context.config,
            env: context.env.clone(),
            input_changes: context.input_changes,
        };
        headwater_sql_operators::build(node, &context)
    }
}

/// VALUES: the head of a chain without input, asked once for its rows.
struct InlineRows {
    rows: Option<ChangeBatch>,
}

impl Operator for InlineRows {
    fn process(&mut self, _input: u8, _batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        Err(Error::internal("VALUES has no input"))
    }

    fn end_input(&mut self, _input: u8, out: &mut dyn Collector) -> Result<Progress> {
        if let Some(rows) = self.rows.take() {
            out.emit(rows);
        }
        Ok(Progress::Done)
    }
}
