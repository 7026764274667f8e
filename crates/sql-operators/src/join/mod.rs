//! Join of two inputs without a bound in time.
//!
//! [`streaming`] joins every arriving row with what the other side holds and keeps both sides in state ([`side`]);
//! [`bounded`] joins finite inputs once, at their end.

mod bounded;
pub(crate) mod changes;
mod side;
mod streaming;
#[cfg(test)]
mod tests;

use crate::build::{BuildContext, expr_context};
use headwater_operator_api::Operator;
use headwater_plan::OperatorNode;
use headwater_plan::operators::JoinSpec;
use headwater_types::Result;

/// Builds the operator.
pub(crate) fn build(spec: &JoinSpec, node: &OperatorNode, context: &BuildContext<'_>) -> Result<Box<dyn Operator>> {
    let expressions = expr_context(context)?;
    if spec.final_only {
        return Ok(Box::new(bounded::BoundedJoin::new(spec, node, &expressions)?));
    }
    Ok(Box::new(streaming::StreamingJoin::new(spec, node, &expressions)?))
}
