//! First or last row per key, by event time or by arrival.
//!
//! | | order | a row replaces the kept one when |
//! |---|---|---|
//! | first | arrival | never: the output has inserts only |
//! | last | arrival | always |
//! | first | rowtime | it is earlier |
//! | last | rowtime | it is not earlier |
//!
//! Event time needs no watermark here: the result is corrected when an earlier (or later) row comes. What is emitted
//! for the first row of a key and for a replacement is what the consumers asked for: `+I` or `+U`; `-U` or not.

mod first;
mod last;
#[cfg(test)]
mod tests;

use crate::build::BuildContext;
use crate::mini_batch::Bundled;
use headwater_operator_api::Operator;
use headwater_plan::OperatorNode;
use headwater_plan::operators::DeduplicateSpec;
use headwater_types::{Error, Result};

/// Builds the operator.
pub(crate) fn build(
    spec: &DeduplicateSpec,
    node: &OperatorNode,
    context: &BuildContext<'_>,
) -> Result<Box<dyn Operator>> {
    if context.input_changes {
        return Err(Error::unsupported("deduplication over a changelog"));
    }
    if spec.rowtime.is_none() && !spec.keep_last {
        return Ok(Box::new(Bundled::new(first::KeepFirst::new(spec, node)?, spec.mini_batch)));
    }
    Ok(Box::new(Bundled::new(last::KeepBest::new(spec, node)?, spec.mini_batch)))
}
