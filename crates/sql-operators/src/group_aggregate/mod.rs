//! Aggregation without windows: over bounded input ([`bounded`]), or as a changelog ([`changelog`]).

mod bounded;
mod calls;
mod changelog;
mod changes;
mod distinct;
mod extreme;
mod global;
mod kept;
mod lives;
mod local;
pub(crate) mod names;
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
use headwater_plan::graph::RowType;
use headwater_plan::operators::{AggregatePhase, GroupAggregateSpec};
use headwater_types::{Error, Result};

/// Builds the operator of an aggregation; `retract` when its input is a changelog.
pub(crate) fn build(spec: &GroupAggregateSpec, node: &OperatorNode, retract: bool) -> Result<Box<dyn Operator>> {
    let bundles = spec.mini_batch;
    match spec.phase {
        AggregatePhase::Local if bundles.is_some() => {
            let layout = layout(spec, node, counts_rows(&node.output, spec, retract)?)?;
            Ok(Box::new(Bundled::new(local::LocalAggregate::new(spec, node, layout), bundles)))
        }
        AggregatePhase::Global if bundles.is_some() => {
            let counted = counts_rows(&node.inputs[0], spec, retract)?;
            Ok(Box::new(Bundled::new(global::GlobalAggregate::new(spec, node, counted)?, bundles)))
        }
        AggregatePhase::Complete if !spec.final_only => {
            Ok(Box::new(Bundled::new(changelog::ChangelogAggregate::new(spec, node, retract)?, bundles)))
        }
        AggregatePhase::Complete => {
            Ok(Box::new(bounded::BoundedAggregate::new(spec, node, layout(spec, node, retract)?)?))
        }
        _ if retract => Err(Error::unsupported("two-phase aggregation over a changelog without bundles")),
        _ => Ok(Box::new(bounded::BoundedAggregate::new(spec, node, layout(spec, node, false)?)?)),
    }
}

/// Whether the rows between a local and a global half say how many rows they stand for. They must, if rows are taken
/// back.
fn counts_rows(between: &RowType, spec: &GroupAggregateSpec, retract: bool) -> Result<bool> {
    let counted = between.len() > spec.keys.len() + spec.calls.len();
    match retract && !counted {
        true => Err(Error::internal("a local aggregation does not count the rows of a changelog")),
        false => Ok(counted),
    }
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
