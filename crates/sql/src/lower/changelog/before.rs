//! Who needs `-U` rows.
//!
//! Two questions. Can an operator leave `-U` out ([`can_omit`]): does the rest still tell everything, because a `+U`
//! replaces the row of the same key? And does a consumer need them ([`Needs`])? An operator that can choose emits `-U`
//! when one of its consumers needs them; the others get them dropped on their edge.

use super::super::physical::{Node, Physical};
use super::keys::{Keys, is_unique};
use super::kinds::Kinds;
use super::rank::Strategies;
use super::sink::Writes;
use headwater_connector_api::ChangelogMode;
use headwater_plan::operators::{CalcSpec, JoinSpec, RankStrategy};
use headwater_plan::{Expr, OperatorSpec};
use headwater_types::RowKind;

/// What is known about the operators of a plan.
pub struct Facts<'a> {
    /// The plan.
    pub physical: &'a Physical,
    /// Its operators, inputs first.
    pub order: &'a [usize],
    /// What they emit, if everything emits all it can.
    pub kinds: &'a [Kinds],
    /// Their keys.
    pub keys: &'a Keys,
}

impl Facts<'_> {
    /// Whether an input of an operator holds updates.
    fn updates(&self, node: &Node, port: usize) -> bool {
        node.inputs[port].producers.iter().any(|p| self.kinds[*p].update_after)
    }
}

/// For each operator, whether its output makes sense without `-U`.
pub fn can_omit(facts: &Facts<'_>) -> Vec<bool> {
    let mut can = vec![true; facts.physical.node_count()];
    for id in facts.order {
        let node = facts.physical.node(*id);
        let inputs_can = |can: &[bool]| node.inputs.iter().flat_map(|i| &i.producers).all(|p| can[*p]);
        can[*id] = match &node.spec {
            _ if !facts.kinds[*id].update_after => true,
            OperatorSpec::Calc(calc) => !filters_by_values(facts, node, calc) && inputs_can(&can),
            OperatorSpec::Join(join) => joins_by_key(facts, node, join) && inputs_can(&can),
            OperatorSpec::TemporalJoin(join) => join.condition.is_none() && inputs_can(&can),
            OperatorSpec::Unnest(_) => false,
            OperatorSpec::FromChangelog(spec) => spec.is_upsert(),
            OperatorSpec::WatermarkAssigner(_)
            | OperatorSpec::Expand(_)
            | OperatorSpec::WindowTableFunction(_)
            | OperatorSpec::Limit(_) => inputs_can(&can),
            _ => true,
        };
    }
    can
}

/// Whether a calc may drop the new half of a change: its condition reads more than an upsert key.
fn filters_by_values(facts: &Facts<'_>, node: &Node, calc: &CalcSpec) -> bool {
    let Some(condition) = &calc.condition else { return false };
    let read = columns_of(condition);
    facts.updates(node, 0)
        && !facts.keys.before_exchange(node, 0).iter().any(|key| read.iter().all(|column| key.contains(column)))
}

/// Whether updates of the inputs never move a row to another join key or in and out of the condition.
fn joins_by_key(facts: &Facts<'_>, node: &Node, join: &JoinSpec) -> bool {
    let left_width = facts.physical.node(node.inputs[0].producers[0]).types.len();
    let read = join.condition.as_ref().map(columns_of).unwrap_or_default();
    let side = |port: usize, on: &[usize], offset: usize| {
        let columns = read.iter().filter(|c| if port == 0 { **c < left_width } else { **c >= left_width });
        let mut fixed = columns.map(|c| c - offset).chain(on.iter().copied());
        let keys = facts.keys.before_exchange(node, port);
        let fixed: Vec<usize> = fixed.by_ref().collect();
        !facts.updates(node, port) || keys.iter().any(|key| fixed.iter().all(|column| key.contains(column)))
    };
    side(0, &join.left_keys, 0) && side(1, &join.right_keys, left_width)
}

/// Positions of the columns an expression reads.
pub fn columns_of(expr: &Expr) -> Vec<usize> {
    match expr {
        Expr::Column { index, .. } => vec![*index],
        other => other.children().into_iter().flat_map(columns_of).collect(),
    }
}

/// For each operator, whether a consumer needs its `-U` rows, and for each edge, whether that consumer does.
pub struct Needs {
    /// By operator.
    pub wanted: Vec<bool>,
    /// By operator and input: whether it needs the `-U` rows of that input.
    pub by_input: Vec<Vec<bool>>,
}

impl Needs {
    /// Asks the consumers, last ones first.
    pub fn derive(facts: &Facts<'_>, can_omit: &[bool], strategies: &Strategies, writes: &Writes) -> Self {
        let count = facts.physical.node_count();
        let mut needs = Self { wanted: vec![false; count], by_input: vec![vec![]; count] };
        for id in facts.order.iter().rev() {
            let node = facts.physical.node(*id);
            for (port, input) in node.inputs.iter().enumerate() {
                let omitted = input.producers.iter().all(|p| can_omit[*p]);
                let needed = match &node.spec {
                    OperatorSpec::Sink(_) => match writes.of(*id).mode {
                        ChangelogMode::Retract => true,
                        _ => writes.of(*id).materialize || !writes.of(*id).by_key || !omitted,
                    },
                    OperatorSpec::ChangelogNormalize(_) => false,
                    OperatorSpec::ToChangelog(spec) => spec.code(RowKind::UpdateBefore).is_some() || !omitted,
                    OperatorSpec::Rank(_) => !matches!(strategies.of(*id), RankStrategy::Update(_)),
                    OperatorSpec::TemporalJoin(spec) if port == 1 => !omitted || spec.load_until_ms.is_some(),
                    OperatorSpec::Calc(_)
                    | OperatorSpec::Join(_)
                    | OperatorSpec::TemporalJoin(_)
                    | OperatorSpec::WatermarkAssigner(_)
                    | OperatorSpec::Expand(_)
                    | OperatorSpec::WindowTableFunction(_)
                    | OperatorSpec::Limit(_) => needs.wanted[*id] || !can_omit[*id],
                    _ => true,
                };
                needs.by_input[*id].push(needed);
                if needed {
                    input.producers.iter().for_each(|p| needs.wanted[*p] = true);
                }
            }
        }
        needs
    }
}

/// Whether an input's rows have at most one row per value of these columns.
pub fn unique_by(facts: &Facts<'_>, node: &Node, port: usize, columns: &[usize]) -> bool {
    is_unique(facts.keys.before_exchange(node, port), columns)
}
