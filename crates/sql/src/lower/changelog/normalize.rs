//! Filters at the normalisation of upsert streams.
//!
//! A filter on the key drops a key's rows altogether, so it moves below the normalisation and keeps its state small.
//! Any other filter moves into it: only there is it known that a row that no longer passes did so before.

use super::super::one_input;
use super::super::physical::{Input, Node, Parallelism, Physical};
use super::before::columns_of;
use headwater_functions::temporal::watermark::CURRENT_WATERMARK;
use headwater_plan::operators::{CalcSpec, ChangelogNormalizeSpec};
use headwater_plan::{Expr, OperatorSpec, Partitioning};

/// A plan with the filters moved, and where its roots went.
pub fn push_filters(physical: &Physical, roots: &[usize]) -> (Physical, Vec<usize>) {
    let order = physical.reachable(roots);
    let mut consumers = vec![0usize; physical.node_count()];
    for id in &order {
        let producers = physical.node(*id).inputs.iter().flat_map(|i| &i.producers);
        producers.for_each(|p| consumers[*p] += 1);
    }
    let mut pushed = Physical::default();
    let mut ids = vec![0usize; physical.node_count()];
    for id in order {
        let mut node = remapped(physical.node(id), &ids);
        if let (OperatorSpec::Calc(calc), [input]) = (&mut node.spec, &mut node.inputs[..])
            && let [producer] = input.producers[..]
            && let OperatorSpec::ChangelogNormalize(_) = &pushed.node(producer).spec
            && consumers[physical.node(id).inputs[0].producers[0]] == 1
            && let Some(condition) = calc.condition.take_if(|condition| !reads_watermark(condition))
        {
            input.producers = vec![normalize_with(&mut pushed, producer, condition)];
            if is_identity(calc, pushed.node(input.producers[0]).types.len()) {
                ids[id] = input.producers[0];
                continue;
            }
        }
        ids[id] = match node.spec {
            OperatorSpec::Sink(_) => pushed.add_unshared(node),
            _ => pushed.add(node),
        };
    }
    let roots = roots.iter().map(|root| ids[*root]).collect();
    (pushed, roots)
}

fn remapped(node: &Node, ids: &[usize]) -> Node {
    let input = |input: &Input| Input {
        producers: input.producers.iter().map(|p| ids[*p]).collect(),
        partitioning: input.partitioning.clone(),
    };
    Node { inputs: node.inputs.iter().map(input).collect(), ..node.clone() }
}

/// The normalisation with a condition on its rows: the part on its key goes below.
fn normalize_with(plan: &mut Physical, normalize: usize, condition: Expr) -> usize {
    let mut node = plan.node(normalize).clone();
    let OperatorSpec::ChangelogNormalize(spec) = &mut node.spec else { return normalize };
    let conjuncts = if let Expr::And(operands) = condition { operands } else { vec![condition] };
    let (on_key, on_values): (Vec<_>, Vec<_>) = conjuncts.into_iter().partition(|c| reads_only_key(c, spec));
    spec.condition = conjunction(spec.condition.take().into_iter().chain(on_values).collect());
    if let Some(condition) = conjunction(on_key) {
        let below = node.inputs[0].producers[0];
        let filtered = plan.node(below);
        let projection = filtered.types.iter().enumerate().map(|(i, ty)| Expr::column(i, ty.clone())).collect();
        let filter = Node {
            spec: OperatorSpec::Calc(CalcSpec { condition: Some(condition), projection }),
            inputs: vec![one_input(&[below], Partitioning::Forward)],
            parallelism: Parallelism::Inherit,
            ..filtered.clone()
        };
        node.inputs[0].producers = vec![plan.add(filter)];
    }
    plan.add(node)
}

fn reads_only_key(condition: &Expr, spec: &ChangelogNormalizeSpec) -> bool {
    super::is_deterministic(condition) && columns_of(condition).iter().all(|column| spec.keys.contains(column))
}

/// Whether a condition needs the watermark, which only filters know.
fn reads_watermark(condition: &Expr) -> bool {
    let own = matches!(condition, Expr::Call { function, .. } if function == CURRENT_WATERMARK);
    own || condition.children().into_iter().any(reads_watermark)
}

fn conjunction(mut conditions: Vec<Expr>) -> Option<Expr> {
    match conditions.len() {
        0 | 1 => conditions.pop(),
        _ => Some(Expr::And(conditions)),
    }
}

fn is_identity(calc: &CalcSpec, width: usize) -> bool {
    let same = |(i, e): (usize, &Expr)| matches!(e, Expr::Column { index, .. } if *index == i);
    calc.projection.len() == width && calc.projection.iter().enumerate().all(same)
}
