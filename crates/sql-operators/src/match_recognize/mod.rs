//! MATCH_RECOGNIZE: a row for every sequence of rows that matches a pattern.
//!
//! With event time, rows wait per key until the watermark passes them, and are then taken in their order. With
//! processing time they are taken as they arrive. What is under way is kept per key: the rows that some run may still
//! read, numbered as they were taken, and the runs themselves ([`runs`]). [`values`] evaluates conditions and measures.
//!
//! Rows that the watermark has passed are late: they are dropped and counted.

mod operator;
mod runs;
mod tables;
mod values;

#[cfg(test)]
mod tests;

use crate::build::{BuildContext, expr_context};
use headwater_operator_api::Operator;
use headwater_plan::OperatorNode;
use headwater_plan::operators::MatchRecognizeSpec;
use headwater_types::Result;

/// Builds the operator.
pub(crate) fn build(
    spec: &MatchRecognizeSpec,
    node: &OperatorNode,
    context: &BuildContext<'_>,
) -> Result<Box<dyn Operator>> {
    Ok(Box::new(operator::MatchRecognize::new(spec, node, &expr_context(context)?)?))
}
