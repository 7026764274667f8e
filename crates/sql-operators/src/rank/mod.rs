//! First rows per key, as a changelog (Top-N).
//!
//! The rows of a partition are in an ordered map, by their place: order, then arrival. What is emitted when the map
//! changes depends on whether the output shows ranks.
//!
//! | | without ranks | with ranks, or with an offset |
//! |---|---|---|
//! | a row enters | `-D` of the row it pushes out, `+I` | `-U`/`+U` of every rank from its own on; `+I` of a new last rank |
//! | a row leaves | `-D`, `+I` of the row that moves up | `-U`/`+U` of every rank from its own on; `-D` of a lost last rank |
//! | a row is replaced | `-U`, `+U` | `-U`/`+U` of every rank between the old one and the new one |
//!
//! A row that is not among the first costs one comparison: the place of the last kept row is in memory.

mod operator;
mod shift;
#[cfg(test)]
mod tests;
mod top;
mod unique;

use crate::build::BuildContext;
use headwater_operator_api::Operator;
use headwater_plan::OperatorNode;
use headwater_plan::operators::{RankEnd, RankFunction, RankSpec, RankStrategy, SortKey};
use headwater_types::{Error, Result};

/// Builds the operator.
pub(crate) fn build(spec: &RankSpec, node: &OperatorNode, _context: &BuildContext<'_>) -> Result<Box<dyn Operator>> {
    if spec.function != RankFunction::RowNumber {
        let name = if spec.function == RankFunction::Rank { "RANK" } else { "DENSE_RANK" };
        return Err(Error::unsupported(format!("Streaming tables do not support {name} rank function.")));
    }
    Ok(Box::new(operator::Rank::new(spec, node)?))
}

/// Builds a rank of all rows in one partition: those after `offset` rows, at most `fetch`.
pub(crate) fn build_global(
    order: &[SortKey],
    offset: u64,
    fetch: Option<u64>,
    node: &OperatorNode,
    changes: bool,
) -> Result<Box<dyn Operator>> {
    let rank = RankSpec {
        function: RankFunction::RowNumber,
        keys: vec![],
        order: order.to_vec(),
        start: offset.saturating_add(1),
        end: RankEnd::Constant(fetch.map_or(u64::MAX, |fetch| offset.saturating_add(fetch))),
        with_rank: false,
        strategy: if changes { RankStrategy::Retract } else { RankStrategy::Append },
        emits_update_before: true,
        state_ttl_ms: 0,
    };
    Ok(Box::new(operator::Rank::new(&rank, node)?))
}
