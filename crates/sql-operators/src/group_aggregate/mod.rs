//! Aggregation without windows: over bounded input ([`bounded`]), or as a changelog ([`changelog`]).

mod bounded;
mod calls;
mod changelog;
mod changes;
mod distinct;
mod extreme;
mod kept;
mod lives;
mod names;
mod ordered;
mod table;
#[cfg(test)]
mod tests;

use crate::aggregate::Aggregates;
use crate::columns::types_of;
use crate::keys::KeyReader;
use crate::mini_batch::Bundled;
use crate::pane::PaneLayout;
use headwater_data::arrow_type;
use headwater_operator_api::Operator;
use headwater_plan::OperatorNode;
use headwater_plan::operators::{AggregatePhase, GroupAggregateSpec};
use headwater_types::{Error, Result};

/// Builds the operator of an aggregation; `retract` when its input is a changelog.
pub(crate) fn build(spec: &GroupAggregateSpec, node: &OperatorNode, retract: bool) -> Result<Box<dyn Operator>> {
    if retract && spec.phase != AggregatePhase::Complete {
        return Err(Error::unsupported("two-phase aggregation over a changelog"));
    }
    if spec.final_only || spec.phase != AggregatePhase::Complete {
        let layout = layout(spec, node, retract)?;
        return Ok(Box::new(bounded::BoundedAggregate::new(spec, node, layout)?));
    }
    let aggregate = changelog::ChangelogAggregate::new(spec, node, retract)?;
    Ok(Box::new(Bundled::new(aggregate, spec.mini_batch)))
}

fn layout(spec: &GroupAggregateSpec, node: &OperatorNode, retract: bool) -> Result<PaneLayout> {
    let input = types_of(&node.inputs[0]);
    let key_types: Vec<_> = spec.keys.iter().map(|key| arrow_type(&input[*key])).collect();
    Ok(PaneLayout {
        reader: KeyReader::new(&key_types)?,
        aggregates: Aggregates::new(&spec.calls, &spec.input_types, retract)?,
        retract,
    })
}
