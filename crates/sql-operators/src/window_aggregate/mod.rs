//! Aggregation per key and window.
//!
//! [`sliced`] handles windows that are aligned to the clock or attached to the rows before, [`session`]
//! windows that depend on the rows of a key, [`local`] the half of a two-phase aggregation that runs before the
//! exchange.

mod local;
mod properties;
mod session;
mod session_mirror;
mod sliced;
#[cfg(test)]
mod tests;

use crate::aggregate::Aggregates;
use crate::columns::types_of;
use crate::keys::KeyReader;
use crate::pane::PaneLayout;
use headwater_data::arrow_type;
use headwater_operator_api::Operator;
use headwater_plan::OperatorNode;
use headwater_plan::operators::{AggregatePhase, WindowAggregateSpec, WindowShape, WindowTime};
use headwater_types::{Error, Result};

/// Builds the operator of a window aggregation; `retract` when its input is a changelog.
pub(crate) fn build(spec: &WindowAggregateSpec, node: &OperatorNode, retract: bool) -> Result<Box<dyn Operator>> {
    if retract && spec.phase != AggregatePhase::Complete {
        return Err(Error::unsupported("two-phase window aggregation over a changelog"));
    }
    let assigned_here = !matches!(spec.window.time, WindowTime::Attached { .. });
    match (spec.phase, spec.window.shape) {
        (AggregatePhase::Complete, WindowShape::Session { .. }) if assigned_here => {
            Ok(Box::new(session::SessionAggregate::new(spec, node, retract)?))
        }
        (AggregatePhase::Local | AggregatePhase::Global, WindowShape::Session { .. }) => {
            Err(Error::internal("session windows are aggregated in one phase"))
        }
        (AggregatePhase::Local, _) => Ok(Box::new(local::LocalAggregate::new(spec, node)?)),
        _ => Ok(Box::new(sliced::SlicedAggregate::new(spec, node, retract)?)),
    }
}

/// What the panes of the aggregation hold.
fn layout(spec: &WindowAggregateSpec, node: &OperatorNode, retract: bool) -> Result<PaneLayout> {
    let input = types_of(&node.inputs[0]);
    let key_types = spec.keys.iter().map(|key| {
        let missing = || Error::internal(format!("key column {key} is not in the input"));
        input.get(*key).map(arrow_type).ok_or_else(missing)
    });
    Ok(PaneLayout {
        reader: KeyReader::new(&key_types.collect::<Result<Vec<_>>>()?)?,
        aggregates: Aggregates::new(&spec.calls, &spec.input_types, retract)?,
        retract,
    })
}

/// Which input columns the aggregation reads row by row.
fn needed_columns(spec: &WindowAggregateSpec, width: usize) -> Vec<bool> {
    let mut needed = vec![spec.phase == AggregatePhase::Global; width];
    let calls = spec.calls.iter().flat_map(|call| call.args.iter().chain(&call.filter));
    for position in spec.keys.iter().chain(calls) {
        if let Some(needed) = needed.get_mut(*position) {
            *needed = true;
        }
    }
    needed
}
