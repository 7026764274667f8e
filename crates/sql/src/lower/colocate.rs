//! Exchanges that would move no row.
//!
//! An operator that is the only consumer of one whose rows lie on the subtasks by the very columns it is keyed by needs
//! no exchange: it is chained instead. The order of the columns counts, because it decides the key group, and so do
//! both parallelisms. Only what can be chained is changed, so every edge of the job still spreads rows itself.

use super::physical::{Node, Parallelism, Physical};
use headwater_plan::operators::{AggregatePhase, JoinKind};
use headwater_plan::{Expr, OperatorSpec, Partitioning};
use std::collections::HashMap;

/// For each column of a key, the positions that hold its value.
type Spread = Vec<Vec<usize>>;

/// Replaces such exchanges below `roots`.
pub fn colocate(physical: &mut Physical, roots: &[usize]) {
    let order = physical.reachable(roots);
    let mut consumers: HashMap<usize, usize> = HashMap::new();
    for producer in order.iter().flat_map(|id| physical.node(*id).inputs.iter().flat_map(|i| &i.producers)) {
        *consumers.entry(*producer).or_default() += 1;
    }
    let mut spreads: HashMap<usize, Option<Spread>> = HashMap::new();
    for id in order {
        if let Some(producer) = chainable(physical, id, &consumers)
            && let degree @ Some(_) = parallelism(physical, id)
            && degree == parallelism(physical, producer)
            && is_spread(physical.node(id), degree, spreads.get(&producer).and_then(Option::as_ref))
        {
            physical.forward(id);
        }
        let spread = spread(physical, id, &spreads);
        spreads.insert(id, spread);
    }
}

/// The only producer of an operator that is its only consumer.
fn chainable(physical: &Physical, id: usize, consumers: &HashMap<usize, usize>) -> Option<usize> {
    let [input] = physical.node(id).inputs.as_slice() else { return None };
    let [producer] = input.producers[..] else { return None };
    (consumers.get(&producer) == Some(&1)).then_some(producer)
}

/// Whether rows spread so are where the exchange in front of an operator would put them.
fn is_spread(node: &Node, degree: Option<Parallelism>, spread: Option<&Spread>) -> bool {
    match (&node.inputs[0].partitioning, spread) {
        (Partitioning::Global, _) => degree == Some(Parallelism::Fixed(1)),
        (Partitioning::Hash(keys), Some(spread)) => {
            keys.len() == spread.len() && keys.iter().zip(spread).all(|(key, equal)| equal.contains(key))
        }
        _ => false,
    }
}

/// The parallelism an operator will have, as far as it is its own or its input's.
fn parallelism(physical: &Physical, mut id: usize) -> Option<Parallelism> {
    loop {
        let node = physical.node(id);
        match node.parallelism {
            Parallelism::Inherit => {
                let [producer] = node.inputs.first()?.producers[..] else { return None };
                id = producer;
            }
            known => return Some(known),
        }
    }
}

/// By which output columns the rows of an operator lie on its subtasks.
fn spread(physical: &Physical, id: usize, spreads: &HashMap<usize, Option<Spread>>) -> Option<Spread> {
    let node = physical.node(id);
    let input = node.inputs.first()?;
    let incoming: Spread = match &input.partitioning {
        Partitioning::Hash(keys) => keys.iter().map(|k| vec![*k]).collect(),
        Partitioning::Forward => match input.producers[..] {
            [producer] => spreads.get(&producer)?.clone()?,
            _ => return None,
        },
        _ => return None,
    };
    match &node.spec {
        OperatorSpec::Calc(calc) => moved(&incoming, |column| {
            let is_column = |e: &Expr| matches!(e, Expr::Column { index, .. } if *index == column);
            positions(calc.projection.iter().map(is_column))
        }),
        OperatorSpec::GroupAggregate(spec) => {
            let keys = if spec.phase == AggregatePhase::Global { None } else { Some(&spec.keys) };
            moved(&incoming, |column| match keys {
                Some(keys) => positions(keys.iter().map(|k| *k == column)),
                None => vec![column],
            })
        }
        OperatorSpec::Join(spec) => joined(physical, node, &incoming, spec.kind),
        OperatorSpec::IntervalJoin(spec) => joined(physical, node, &incoming, spec.kind),
        OperatorSpec::TemporalJoin(spec) => joined(physical, node, &incoming, spec.kind),
        OperatorSpec::Rank(_)
        | OperatorSpec::Deduplicate(_)
        | OperatorSpec::OverAggregate(_)
        | OperatorSpec::ChangelogNormalize(_)
        | OperatorSpec::DropUpdateBefore(_)
        | OperatorSpec::WatermarkAssigner(_)
        | OperatorSpec::Unnest(_) => Some(incoming),
        _ => None,
    }
}

/// Keys of a join: left columns stay where they are unless they are padded; right ones equal them in an inner join.
fn joined(physical: &Physical, node: &Node, left: &Spread, kind: JoinKind) -> Option<Spread> {
    match kind {
        JoinKind::Left | JoinKind::Semi | JoinKind::Anti => Some(left.clone()),
        JoinKind::Right | JoinKind::Full => None,
        JoinKind::Inner => {
            let width = physical.node(node.inputs[0].producers[0]).types.len();
            let Partitioning::Hash(right) = &node.inputs.get(1)?.partitioning else { return Some(left.clone()) };
            let both = left.iter().zip(right).map(|(columns, r)| {
                let mut columns = columns.clone();
                columns.push(width + r);
                columns
            });
            Some(both.collect())
        }
    }
}

/// The spread where each column is found at other positions; `None` when one is found nowhere.
fn moved(spread: &Spread, to: impl Fn(usize) -> Vec<usize>) -> Option<Spread> {
    let moved = spread.iter().map(|columns| {
        let columns: Vec<usize> = columns.iter().flat_map(|c| to(*c)).collect();
        (!columns.is_empty()).then_some(columns)
    });
    moved.collect()
}

fn positions(matches: impl Iterator<Item = bool>) -> Vec<usize> {
    matches.enumerate().filter(|(_, is_match)| *is_match).map(|(i, _)| i).collect()
}
