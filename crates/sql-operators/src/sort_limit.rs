//! ORDER BY with LIMIT over a stream: the first rows so far, as a changelog. It is a rank with one partition.

use crate::rank;
use headwater_operator_api::Operator;
use headwater_plan::OperatorNode;
use headwater_plan::operators::SortLimitSpec;
use headwater_types::Result;

/// Builds the operator; `changes` when rows may be taken back.
pub(crate) fn build(spec: &SortLimitSpec, node: &OperatorNode, changes: bool) -> Result<Box<dyn Operator>> {
    rank::build_global(&spec.order, 0, Some(spec.fetch), node, changes)
}
