//! Two-phase aggregation of unbounded input: a local half before the exchange sums up a bundle of rows, a global half
//! behind it adds the sums.
//!
//! It needs mini-batches (without them there is nothing to sum up) and calls whose accumulators can be merged. The two
//! halves are planned at every parallelism alike: checkpoints that hold rows of exchanges need the same exchanges.

use super::super::Lowering;
use super::super::relation::Relation;
use headwater_plan::OperatorSpec;
use headwater_plan::operators::{AggregateCall, AggregatePhase, GroupAggregateSpec};
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{Error, LogicalType, Result, TypeRoot, config};

/// `table.optimizer.agg-phase-strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phases {
    /// Whatever is cheaper.
    Auto,
    /// `ONE_PHASE`.
    One,
    /// `TWO_PHASE`.
    Two,
}

impl Lowering<'_> {
    pub(super) fn phases(&self) -> Result<Phases> {
        let strategy = self.context.config.text(config::AGG_PHASE_STRATEGY).to_ascii_uppercase();
        match strategy.as_str() {
            "AUTO" => Ok(Phases::Auto),
            "ONE_PHASE" => Ok(Phases::One),
            "TWO_PHASE" => Ok(Phases::Two),
            other => {
                let message = format!(
                    "'{other}' is not a value of '{}': AUTO, ONE_PHASE or TWO_PHASE",
                    config::AGG_PHASE_STRATEGY.name
                );
                Err(Error::user("bad-config-value", message))
            }
        }
    }

    /// One operator, or a local and a global one. Answers the last.
    pub(super) fn group_aggregate_nodes(
        &mut self,
        input: &Relation,
        spec: GroupAggregateSpec,
        types: Vec<LogicalType>,
        names: Vec<String>,
    ) -> Result<usize> {
        let retract = self.emits_changes(input);
        let merges = !spec.calls.is_empty() && spec.calls.iter().all(|call| merges(call, retract));
        if spec.mini_batch.is_none() || !merges || self.phases()? == Phases::One {
            let node = self.group_aggregate_node(input, spec, types, names);
            return Ok(self.physical.add(node));
        }
        let local = Relation::new(self.local_aggregate(input, &spec, retract), vec![]);
        let keys = (0..spec.keys.len()).collect();
        let global = GroupAggregateSpec { phase: AggregatePhase::Global, keys, ..spec };
        let node = self.group_aggregate_node(&local, global, types, names);
        Ok(self.physical.add(node))
    }

    /// Row: keys, the number of rows where they may be taken back, accumulators.
    fn local_aggregate(&mut self, input: &Relation, spec: &GroupAggregateSpec, retract: bool) -> usize {
        let of_input = self.names(input).to_vec();
        let mut types: Vec<LogicalType> = spec.keys.iter().map(|key| self.types(input)[*key].clone()).collect();
        let mut names: Vec<String> = spec.keys.iter().map(|key| of_input[*key].clone()).collect();
        if retract {
            types.push(LogicalType::new(TypeRoot::BigInt, false));
            names.push("count1$".to_owned());
        }
        let accumulator = LogicalType::new(TypeRoot::VarBinary(LENGTH_MAX), false);
        types.extend(spec.calls.iter().map(|_| accumulator.clone()));
        names.extend(state_names(&spec.calls, &of_input));
        let local = GroupAggregateSpec { phase: AggregatePhase::Local, ..spec.clone() };
        let mut node = self.unary_node(input, OperatorSpec::GroupAggregate(local), types, names);
        node.emits_changes = false;
        self.physical.add(node)
    }
}

/// Whether accumulators of a call over parts of the rows can be merged into that over all.
fn merges(call: &AggregateCall, retract: bool) -> bool {
    match call.function.as_str() {
        "COUNT" | "SUM" | "SUM0" | "$SUM0" | "AVG" => !call.distinct,
        "MIN" | "MAX" => !retract,
        "STDDEV_POP" | "STDDEV_SAMP" | "STDDEV" | "VAR_POP" | "VAR_SAMP" | "VARIANCE" => !retract && !call.distinct,
        _ => false,
    }
}

/// The names under which an aggregation in one phase keeps its accumulators: state is found by them.
pub(super) fn state_names(calls: &[AggregateCall], input: &[String]) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for call in calls {
        let mut args: Vec<String> = call.args.iter().map(|arg| input[*arg].clone()).collect();
        args.extend(call.parameters.iter().map(|parameter| format!("{parameter:?}")));
        let args = if args.is_empty() { "*".to_owned() } else { args.join(", ") };
        let distinct = if call.distinct { "DISTINCT " } else { "" };
        let filter = call.filter.map_or_else(String::new, |column| format!(" FILTER (WHERE {})", input[column]));
        let text = format!("{}({distinct}{args}){filter}", call.function);
        let copies = names.iter().filter(|known| known.split(" #").next() == Some(&text)).count();
        names.push(if copies == 0 { text } else { format!("{text} #{}", copies + 1) });
    }
    names
}
