//! Aggregates: per window, or as a changelog.

mod local;
mod split;
#[cfg(test)]
mod tests;

use super::calc::{Output, plain_column};
use super::hints::state_ttl_hint;
use super::physical::{Node, Parallelism};
use super::relation::{Relation, Slot, Window, WindowState};
use super::{Lowering, keyed, logical};
use crate::logical::WindowTvf;
use crate::logical::aggregate::FlinkAggregate;
use datafusion_expr::expr::AggregateFunction;
use datafusion_expr::{Aggregate, Expr as DfExpr};
use headwater_plan::operators::{
    AggregateCall, AggregatePhase, GroupAggregateSpec, WindowAggregateSpec, WindowProperty, WindowShape, WindowSpec,
    WindowTime,
};
use headwater_plan::{OperatorSpec, Partitioning};
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use local::Phases;

/// The window columns every window aggregate emits, so that equal aggregates are shared whatever of
/// them is read.
const PROPERTIES: [WindowProperty; 3] = [WindowProperty::Start, WindowProperty::End, WindowProperty::Time];

impl Lowering<'_> {
    pub(super) fn aggregate(&mut self, aggregate: &Aggregate) -> Result<Relation> {
        let input = self.plan(&aggregate.input)?;
        let names: Vec<String> = aggregate.schema.fields().iter().map(|f| f.name().clone()).collect();
        let (group_names, call_names) = names.split_at(aggregate.group_expr.len());
        let groups = aggregate.group_expr.iter().map(group_column).collect::<Result<Vec<_>>>()?;
        let properties: Vec<_> = groups.iter().map(|c| input.window_property(c)).collect();
        let windowed =
            properties.contains(&Some(WindowProperty::Start)) && properties.contains(&Some(WindowProperty::End));
        let calls = aggregate.aggr_expr.iter().map(aggregate_call).collect::<Result<Vec<_>>>()?;
        let keyed: Vec<_> = groups.iter().copied().zip(properties).collect();
        if windowed && !foreign_sessions(&input, &keyed) {
            let groups = keyed;
            self.window_aggregate(input, &groups, group_names, &calls, call_names)
        } else {
            let input = self.flat(input)?;
            let ttl = state_ttl_hint(&aggregate.input).unwrap_or(0);
            self.group_aggregate(input, &groups, group_names, &calls, call_names, ttl)
        }
    }

    fn group_aggregate(
        &mut self,
        input: Relation,
        groups: &[&str],
        group_names: &[String],
        calls: &[Call<'_>],
        call_names: &[String],
        state_ttl_ms: i64,
    ) -> Result<Relation> {
        let input = Relation { window: None, ..input };
        let (input, layout) = self.aggregate_input(input, groups, calls, &[])?;
        let final_only = self.final_only(&input);
        let spec = GroupAggregateSpec {
            phase: AggregatePhase::Complete,
            keys: layout.keys.clone(),
            calls: layout.calls.clone(),
            final_only,
            emits_update_before: true,
            mini_batch: if final_only { None } else { self.mini_batch()? },
            state_ttl_ms,
            input_types: self.types(&input).to_vec(),
        };
        let (types, names) = self.aggregate_output(&input, &layout, group_names, call_names);
        let (input, spec) = match self.distinct_buckets(&spec)? {
            Some(buckets) => self.split_distinct(input, spec, buckets, &names)?,
            None => (input, spec),
        };
        let producer = self.group_aggregate_nodes(&input, spec, types, names)?;
        let outputs = group_names.iter().chain(call_names).enumerate();
        Ok(Relation::new(producer, outputs.map(|(i, n)| (n.clone(), Slot::Physical(i))).collect()))
    }

    fn window_aggregate(
        &mut self,
        input: Relation,
        groups: &[(&str, Option<WindowProperty>)],
        group_names: &[String],
        calls: &[Call<'_>],
        call_names: &[String],
    ) -> Result<Relation> {
        let keys: Vec<&str> = groups.iter().filter(|(_, p)| p.is_none()).map(|(c, _)| *c).collect();
        let key_names: Vec<String> =
            group_names.iter().zip(groups).filter(|(_, g)| g.1.is_none()).map(|(n, _)| n.clone()).collect();
        let extra: Vec<usize> = attached_columns(input.window.as_ref());
        let (input, layout) = self.aggregate_input(input, &keys, calls, &extra)?;
        let window = input.window.clone().ok_or_else(|| Error::internal("a window aggregate without a window"))?;
        let spec = WindowAggregateSpec {
            phase: AggregatePhase::Complete,
            window: executed_window(&window)?,
            keys: layout.keys.clone(),
            calls: layout.calls.clone(),
            properties: PROPERTIES.to_vec(),
            input_types: self.types(&input).to_vec(),
        };
        let (mut types, mut names) = self.aggregate_output(&input, &layout, &key_names, call_names);
        let width = types.len();
        types.extend(WindowTvf::output_types(&window.time_type));
        names.extend(["window_start", "window_end", "window_time"].map(str::to_owned));
        let producer = self.window_aggregate_nodes(&input, spec, types, names)?;
        let mut columns = vec![];
        let mut next_key = 0;
        for ((_, property), name) in groups.iter().zip(group_names) {
            let slot = match property {
                Some(property) => {
                    width + PROPERTIES.iter().position(|p| p == property).expect("all properties are emitted")
                }
                None => {
                    next_key += 1;
                    next_key - 1
                }
            };
            columns.push((name.clone(), Slot::Physical(slot)));
        }
        columns.extend(call_names.iter().enumerate().map(|(i, n)| (n.clone(), Slot::Physical(keys.len() + i))));
        let state = WindowState::Attached { start: Some(width), end: Some(width + 1) };
        Ok(Relation { producers: vec![producer], columns, window: Some(Window { state, ..window }) })
    }

    /// One operator, or a local one before the exchange and a global one after it.
    fn window_aggregate_nodes(
        &mut self,
        input: &Relation,
        spec: WindowAggregateSpec,
        types: Vec<LogicalType>,
        names: Vec<String>,
    ) -> Result<usize> {
        let changes = self.emits_changes(input);
        if !self.two_phase(&spec, changes)? {
            let (partitioning, parallelism) = keyed(&spec.keys);
            let inputs = vec![input.input(partitioning)];
            return Ok(self.physical.add(self.window_aggregate_node(input, spec, inputs, types, names, parallelism)));
        }
        let keys = spec.keys.len();
        let mut local_types: Vec<LogicalType> = types[..keys].to_vec();
        local_types.push(LogicalType::new(TypeRoot::BigInt, false));
        let accumulator = LogicalType::new(TypeRoot::VarBinary(LENGTH_MAX), false);
        local_types.extend(spec.calls.iter().map(|_| accumulator.clone()));
        let mut local_names = names[..keys].to_vec();
        local_names.push("slice_end".to_owned());
        local_names.extend(local::state_names(&spec.calls, self.names(input)));
        let local = WindowAggregateSpec { phase: AggregatePhase::Local, ..spec.clone() };
        let forward = vec![input.input(Partitioning::Forward)];
        let local = self.window_aggregate_node(input, local, forward, local_types, local_names, Parallelism::Inherit);
        let local = Relation::new(self.physical.add(local), vec![]);
        let global_keys: Vec<usize> = (0..keys).collect();
        let (partitioning, parallelism) = keyed(&global_keys);
        let global = WindowAggregateSpec { phase: AggregatePhase::Global, keys: global_keys, ..spec };
        let inputs = vec![local.input(partitioning)];
        let global = self.window_aggregate_node(&local, global, inputs, types, names, parallelism);
        Ok(self.physical.add(global))
    }

    fn window_aggregate_node(
        &self,
        input: &Relation,
        spec: WindowAggregateSpec,
        inputs: Vec<super::physical::Input>,
        types: Vec<LogicalType>,
        names: Vec<String>,
        parallelism: Parallelism,
    ) -> Node {
        Node {
            spec: OperatorSpec::WindowAggregate(spec),
            inputs,
            types,
            names,
            bounded: self.bounded(input),
            emits_changes: false,
            parallelism,
        }
    }

    /// Local aggregation pays where an exchange follows and partial results can be merged.
    fn two_phase(&self, spec: &WindowAggregateSpec, changes: bool) -> Result<bool> {
        let wanted = match self.phases()? {
            Phases::One => false,
            Phases::Two => true,
            // Checkpoints that hold rows of exchanges need the same exchanges at every parallelism.
            Phases::Auto => self.parallelism > 1 || self.takes_unaligned_checkpoints(),
        };
        let sliced = matches!(spec.window.time, WindowTime::Rowtime(_))
            && !matches!(spec.window.shape, WindowShape::Session { .. });
        Ok(wanted && sliced && !changes)
    }

    /// Whether barriers may overtake rows: when the configuration says so, or does not say otherwise of a job that
    /// takes checkpoints, one at a time.
    fn takes_unaligned_checkpoints(&self) -> bool {
        let config = self.context.config;
        let names = ["execution.checkpointing.unaligned.enabled", "execution.checkpointing.unaligned"];
        match names.iter().find_map(|name| config.get(name)) {
            Some(text) => text.trim().eq_ignore_ascii_case("true"),
            None => {
                let periodic = config
                    .duration(headwater_types::config::CHECKPOINTING_INTERVAL)
                    .is_ok_and(|interval| !interval.is_zero());
                let concurrent = config.get("execution.checkpointing.max-concurrent-checkpoints");
                periodic && !self.batch_mode && concurrent.is_none_or(|number| number.trim() == "1")
            }
        }
    }

    /// A calc that puts keys, arguments and filters of the calls (and `extra` physical columns) in a row.
    fn aggregate_input(
        &mut self,
        input: Relation,
        keys: &[&str],
        calls: &[Call<'_>],
        extra: &[usize],
    ) -> Result<(Relation, Layout)> {
        let mut names: Vec<String> = keys.iter().map(|k| (*k).to_owned()).collect();
        for call in calls {
            names.extend(call.args.iter().chain(call.filter.iter()).map(|c| (*c).to_owned()));
        }
        let virtual_column = names.iter().any(|n| matches!(input.slot(n), Some(Slot::Window(_))));
        let input = if virtual_column { self.materialize(input)? } else { input };
        let mut outputs = vec![];
        for name in names {
            if !outputs.iter().any(|(n, _)| *n == name) {
                let column = self.physical_column(&input, &name)?;
                outputs.push((name, Output::Expr(column)));
            }
        }
        let extra = if virtual_column { attached_columns(input.window.as_ref()) } else { extra.to_vec() };
        for i in extra {
            let column = headwater_plan::Expr::column(i, self.types(&input)[i].clone());
            outputs.push((format!("window {i}"), Output::Expr(column)));
        }
        let input = self.calc(input, None, outputs)?;
        let position = |name: &str| self.position_of(&input, name);
        let keys = keys.iter().map(|k| position(k)).collect::<Result<Vec<_>>>()?;
        let mut bound = vec![];
        for call in calls {
            bound.push(AggregateCall {
                function: call.function.name.clone(),
                args: call.args.iter().map(|a| position(a)).collect::<Result<_>>()?,
                distinct: call.distinct,
                filter: call.filter.map(position).transpose()?,
                parameters: call.function.parameters.clone(),
                ty: call.function.return_type.clone(),
            });
        }
        Ok((input, Layout { keys, calls: bound }))
    }

    fn aggregate_output(
        &self,
        input: &Relation,
        layout: &Layout,
        keys: &[String],
        calls: &[String],
    ) -> (Vec<LogicalType>, Vec<String>) {
        let key_types = layout.keys.iter().map(|k| self.types(input)[*k].clone());
        let types = key_types.chain(layout.calls.iter().map(|c| c.ty.clone())).collect();
        let names = keys.iter().chain(calls).map(|n| logical::display_name(n).to_owned()).collect();
        (types, names)
    }
}

/// Positions of keys, and calls, over the calc below an aggregate.
struct Layout {
    keys: Vec<usize>,
    calls: Vec<AggregateCall>,
}

/// An aggregate call of the logical plan.
struct Call<'a> {
    function: &'a FlinkAggregate,
    args: Vec<&'a str>,
    filter: Option<&'a str>,
    distinct: bool,
}

/// Whether sessions are cut by other keys than the rows are grouped by. Flink then aggregates the rows of closed
/// sessions without regard to the window.
fn foreign_sessions(input: &Relation, groups: &[(&str, Option<WindowProperty>)]) -> bool {
    let Some(window) = &input.window else { return false };
    if window.per_group
        || window.state != WindowState::Pending
        || !matches!(window.spec.shape, WindowShape::Session { .. })
    {
        return false;
    }
    let keys = groups.iter().filter(|(_, property)| property.is_none());
    let mut grouped: Vec<_> = keys.map(|(name, _)| input.slot(name)).collect();
    let mut cut: Vec<_> = window.spec.partition_by.iter().map(|i| Some(Slot::Physical(*i))).collect();
    let order = |slot: &Option<Slot>| if let Some(Slot::Physical(i)) = slot { *i } else { usize::MAX };
    grouped.sort_by_key(order);
    cut.sort_by_key(order);
    grouped.dedup();
    cut.dedup();
    grouped != cut
}

fn attached_columns(window: Option<&Window>) -> Vec<usize> {
    match window.map(|w| w.state) {
        Some(WindowState::Attached { start, end }) => [start, end].into_iter().flatten().collect(),
        _ => vec![],
    }
}

/// The window an aggregate runs with: its own assignment, or the columns of an earlier one.
fn executed_window(window: &Window) -> Result<WindowSpec> {
    match window.state {
        WindowState::Pending => {
            check_slices(window.spec.shape)?;
            Ok(window.spec.clone())
        }
        WindowState::Attached { start: Some(start), end: Some(end) } => {
            let time = WindowTime::Attached { start, end };
            Ok(WindowSpec { time, partition_by: vec![], ..window.spec.clone() })
        }
        WindowState::Attached { .. } => Err(Error::internal("a window column was lost below an aggregate")),
    }
}

/// Aggregates share the slices of overlapping windows, which therefore must begin where slices do.
fn check_slices(shape: WindowShape) -> Result<()> {
    match shape {
        WindowShape::Hop { slide_ms, size_ms } if size_ms % slide_ms != 0 => {
            let message = format!(
                "HOP table function based aggregate requires size must be an integral multiple of slide, but got size {size_ms} ms and slide {slide_ms} ms"
            );
            Err(Error::user("bad-window", message))
        }
        _ => Ok(()),
    }
}

fn group_column(expr: &DfExpr) -> Result<&str> {
    plain_column(expr).ok_or_else(|| Error::internal(format!("the group expression {expr} is not a column")))
}

fn aggregate_call(expr: &DfExpr) -> Result<Call<'_>> {
    match expr {
        DfExpr::Alias(alias) => aggregate_call(&alias.expr),
        DfExpr::AggregateFunction(AggregateFunction { func, params }) => {
            let function = FlinkAggregate::downcast(func)
                .ok_or_else(|| Error::internal(format!("{} is not an aggregate of Flink", func.name())))?;
            let args = params.args.iter().map(group_column).collect::<Result<_>>()?;
            let filter = params.filter.as_deref().map(group_column).transpose()?;
            Ok(Call { function, args, filter, distinct: params.distinct })
        }
        other => Err(Error::internal(format!("{other} is not an aggregate call"))),
    }
}
