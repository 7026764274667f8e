//! OVER aggregates: every row with aggregates over the rows before it.
//!
//! Rows are brought into a script of additions and removals ([`frame`]) that the accumulators run through once,
//! with a result after every step ([`calls`]). [`timed`] does so for streams ordered by a time attribute, where a
//! result never changes; [`changelog`] for any other order, where it may; [`bounded`] for finite input.

mod bounded;
mod calls;
mod changelog;
mod frame;
mod functions;
mod partition;
#[cfg(test)]
mod tests;
mod timed;

use crate::build::BuildContext;
use headwater_operator_api::Operator;
use headwater_plan::OperatorNode;
use headwater_plan::operators::{OverAggregateSpec, OverTime};
use headwater_types::{Error, Result};

/// Builds the operator.
pub(crate) fn build(
    spec: &OverAggregateSpec,
    node: &OperatorNode,
    _context: &BuildContext<'_>,
) -> Result<Box<dyn Operator>> {
    if spec.final_only {
        return Ok(Box::new(bounded::BoundedOver::new(spec, node)?));
    }
    if let Some(call) = spec.calls.iter().find(|call| partition::is_partition_function(&call.function)) {
        return Err(Error::unsupported(format!("{} Function is not supported in stream mode.", call.function)));
    }
    match spec.time {
        OverTime::Column => Ok(Box::new(changelog::ChangelogOver::new(spec, node)?)),
        OverTime::Rowtime(_) | OverTime::Proctime => Ok(Box::new(timed::TimedOver::new(spec, node)?)),
    }
}
