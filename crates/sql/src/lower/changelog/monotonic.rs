//! How the values of a row's columns change over its life: what lets a Top-N forget the rows it pushed out.

use super::super::physical::{Node, Physical};
use super::kinds::Kinds;
use headwater_plan::operators::{AggregateCall, SortKey};
use headwater_plan::{Expr, OperatorSpec};

/// How a value changes when its row is updated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Never.
    Constant,
    /// Upwards only.
    Increasing,
    /// Downwards only.
    Decreasing,
    /// In any way.
    Any,
}

/// How the columns of every operator's output change.
pub fn derive(physical: &Physical, order: &[usize], kinds: &[Kinds]) -> Vec<Vec<Change>> {
    let mut changes: Vec<Vec<Change>> = vec![vec![]; physical.node_count()];
    for id in order {
        let node = physical.node(*id);
        changes[*id] = match kinds[*id].is_append() {
            true => vec![Change::Constant; node.types.len()],
            false => output(node, &changes, kinds),
        };
    }
    changes
}

fn output(node: &Node, changes: &[Vec<Change>], kinds: &[Kinds]) -> Vec<Change> {
    let any = || vec![Change::Any; node.types.len()];
    let [producer] = node.inputs.first().map_or(&[][..], |input| &input.producers) else { return any() };
    let input = &changes[*producer];
    match &node.spec {
        OperatorSpec::Calc(calc) => calc.projection.iter().map(|expr| of_expression(expr, input)).collect(),
        OperatorSpec::GroupAggregate(spec) if kinds[*producer].is_append() => {
            let keys = spec.keys.iter().map(|_| Change::Constant);
            keys.chain(spec.calls.iter().map(of_call)).collect()
        }
        OperatorSpec::Deduplicate(spec) => {
            let mut columns = any();
            spec.keys.iter().for_each(|key| columns[*key] = Change::Constant);
            if let Some(rowtime) = spec.rowtime {
                columns[rowtime] = if spec.keep_last { Change::Increasing } else { Change::Decreasing };
            }
            columns
        }
        OperatorSpec::WatermarkAssigner(_) | OperatorSpec::DropUpdateBefore(_) => input.clone(),
        _ => any(),
    }
}

/// Aggregates over inserts.
fn of_call(call: &AggregateCall) -> Change {
    match call.function.as_str() {
        "COUNT" | "APPROX_COUNT_DISTINCT" | "MAX" => Change::Increasing,
        "MIN" => Change::Decreasing,
        "FIRST_VALUE" | "SINGLE_VALUE" => Change::Constant,
        _ => Change::Any,
    }
}

fn of_expression(expr: &Expr, input: &[Change]) -> Change {
    match expr {
        Expr::Column { index, .. } => input[*index],
        Expr::Literal { .. } => Change::Constant,
        Expr::Cast { input: inner, ty, .. } if inner.ty().root == ty.root => of_expression(inner, input),
        other => match super::is_deterministic(other)
            && other.children().into_iter().all(|child| of_expression(child, input) == Change::Constant)
        {
            true => Change::Constant,
            false => Change::Any,
        },
    }
}

/// Whether rows only ever move forward in an order.
pub fn only_improves(order: &[SortKey], columns: &[Change]) -> bool {
    !order.is_empty()
        && order.iter().all(|key| match columns[key.column] {
            Change::Constant => true,
            Change::Increasing => !key.ascending,
            Change::Decreasing => key.ascending,
            Change::Any => false,
        })
}
