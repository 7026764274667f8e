//! Removes columns, and nested fields of scanned rows, that nobody reads.
//!
//! First every operator, consumers before producers, says what it reads of its inputs given what is read of
//! it; then the plan is rebuilt, producers before consumers, each answering where its columns went. Working on
//! the shared physical plan instead of the logical one keeps shared operators shared: they keep the union of
//! what their consumers read.

use super::physical::{Input, Node, Parallelism, Physical};
use super::remap::{ColumnMap, Kept, Usage, collect_usage, identity, position, prune_type, remap};
use super::{changelog, join, patterns};
use headwater_plan::operators::{
    AggregateCall, AggregatePhase, CalcSpec, ExpandSpec, OverTime, SortKey, WindowAggregateSpec, WindowSpec, WindowTime,
};
use headwater_plan::{Expr, OperatorSpec, Partitioning, ProducedColumn};
use headwater_types::{LogicalType, Result};

/// A pruned plan.
pub struct Pruned {
    /// The plan.
    pub physical: Physical,
    /// Its sinks, in the order they were given.
    pub roots: Vec<usize>,
}

/// Prunes what the sinks `roots` do not need.
pub fn prune(physical: &Physical, roots: &[usize]) -> Result<Pruned> {
    let order = physical.reachable(roots);
    let usage = usages(physical, &order);
    let mut rebuild = Rebuild {
        old: physical,
        usage,
        new: Physical::default(),
        ids: vec![None; physical.node_count()],
        maps: vec![vec![]; physical.node_count()],
    };
    for id in order {
        rebuild.node(id);
    }
    let roots = roots.iter().map(|r| rebuild.ids[*r].expect("every root was rebuilt")).collect();
    Ok(Pruned { physical: rebuild.new, roots })
}

/// What is read of each operator's output columns.
fn usages(physical: &Physical, order: &[usize]) -> Vec<Vec<Usage>> {
    let mut usage: Vec<Vec<Usage>> =
        (0..physical.node_count()).map(|id| vec![Usage::None; physical.node(id).types.len()]).collect();
    for id in order.iter().rev() {
        let node = physical.node(*id);
        let reads = input_usages(physical, node, &usage[*id]);
        for (input, mut reads) in node.inputs.iter().zip(reads) {
            if input.producers.len() > 1 {
                widen(&mut reads);
            }
            for producer in &input.producers {
                usage[*producer].iter_mut().zip(&reads).for_each(|(all, one)| all.merge(one));
            }
        }
    }
    usage
}

/// The producers of a union must agree on a layout, so nested fields are not pruned through one.
fn widen(reads: &mut [Usage]) {
    reads.iter_mut().filter(|u| u.is_used()).for_each(|u| *u = Usage::All);
}

/// What an operator reads of each input, when `output` is read of it.
fn input_usages(physical: &Physical, node: &Node, output: &[Usage]) -> Vec<Vec<Usage>> {
    let width = |input: usize| physical.node(node.inputs[input].producers[0]).types.len();
    let Some(first) = (!node.inputs.is_empty()).then(|| width(0)) else { return vec![] };
    let mut reads = vec![Usage::None; first];
    let passed = output.len().min(first);
    match &node.spec {
        OperatorSpec::Source(_) | OperatorSpec::Values(_) => return vec![],
        OperatorSpec::Sink(_) => reads.fill(Usage::All),
        OperatorSpec::Calc(calc) => calc_usage(calc, output, &mut reads),
        OperatorSpec::Expand(expand) => expand_usage(expand, output, &mut reads),
        OperatorSpec::WindowAggregate(spec) => window_aggregate_usage(spec, &mut reads),
        OperatorSpec::GroupAggregate(spec) if spec.phase == AggregatePhase::Global => reads.fill(Usage::All),
        OperatorSpec::GroupAggregate(spec) => {
            all(&mut reads, spec.keys.iter().copied());
            calls_usage(&spec.calls, &mut reads);
        }
        OperatorSpec::WindowJoin(_)
        | OperatorSpec::Join(_)
        | OperatorSpec::IntervalJoin(_)
        | OperatorSpec::TemporalJoin(_) => return join::prune::usages(&node.spec, output, first, width(1)),
        OperatorSpec::WatermarkAssigner(spec) => {
            reads.clone_from_slice(&output[..passed]);
            all(&mut reads, [spec.rowtime]);
            collect_usage(&spec.expr, &Usage::All, &mut reads);
        }
        OperatorSpec::WindowTableFunction(spec) => {
            reads.clone_from_slice(&output[..passed]);
            window_usage(spec, &mut reads);
        }
        OperatorSpec::WindowRank(spec) => {
            reads.clone_from_slice(&output[..passed]);
            let order = spec.order.iter().map(|k| k.column);
            all(&mut reads, spec.keys.iter().copied().chain(order).chain([spec.window.0, spec.window.1]));
        }
        OperatorSpec::OverAggregate(spec) => {
            reads.clone_from_slice(&output[..passed]);
            all(&mut reads, spec.keys.iter().copied().chain(spec.order.iter().map(|k| k.column)));
            calls_usage(&spec.calls, &mut reads);
        }
        OperatorSpec::Sort(_) | OperatorSpec::TemporalSort(_) | OperatorSpec::SortLimit(_) => {
            reads.clone_from_slice(&output[..passed]);
            sort_usage(&node.spec, &mut reads);
        }
        OperatorSpec::Rank(_)
        | OperatorSpec::Deduplicate(_)
        | OperatorSpec::ChangelogNormalize(_)
        | OperatorSpec::SinkMaterialize(_) => {
            reads.clone_from_slice(&output[..passed]);
            changelog::prune::usage(&node.spec, &mut reads);
        }
        OperatorSpec::DropUpdateBefore(_) | OperatorSpec::Limit(_) => reads.clone_from_slice(&output[..passed]),
        OperatorSpec::ToChangelog(_) | OperatorSpec::FromChangelog(_) => reads.fill(Usage::All),
        OperatorSpec::MatchRecognize(spec) => all(&mut reads, patterns::columns_of(spec)),
        OperatorSpec::Unnest(spec) => {
            reads.clone_from_slice(&output[..passed]);
            collect_usage(&spec.collection, &Usage::All, &mut reads);
        }
    }
    vec![reads]
}

pub(super) fn all(reads: &mut [Usage], columns: impl IntoIterator<Item = usize>) {
    columns.into_iter().for_each(|c| reads[c] = Usage::All);
}

fn sort_usage(spec: &OperatorSpec, reads: &mut [Usage]) {
    let order = match spec {
        OperatorSpec::Sort(spec) => &spec.order,
        OperatorSpec::SortLimit(spec) => &spec.order,
        OperatorSpec::TemporalSort(spec) => {
            all(reads, [spec.rowtime]);
            &spec.order
        }
        _ => return,
    };
    all(reads, order.iter().map(|k| k.column));
}

fn calc_usage(calc: &CalcSpec, output: &[Usage], reads: &mut [Usage]) {
    if let Some(condition) = &calc.condition {
        collect_usage(condition, &Usage::All, reads);
    }
    for (expr, usage) in calc.projection.iter().zip(output).filter(|(_, u)| u.is_used()) {
        collect_usage(expr, usage, reads);
    }
}

fn expand_usage(expand: &ExpandSpec, output: &[Usage], reads: &mut [Usage]) {
    for set in &expand.projections {
        let used = set.iter().zip(output).filter(|(_, u)| u.is_used());
        used.for_each(|(expr, _)| collect_usage(expr, &Usage::All, reads));
    }
}

fn window_usage(window: &WindowSpec, reads: &mut [Usage]) {
    all(reads, window.partition_by.iter().copied());
    match window.time {
        WindowTime::Rowtime(i) => all(reads, [i]),
        WindowTime::Attached { start, end } => all(reads, [start, end]),
        WindowTime::Proctime => {}
    }
}

fn calls_usage(calls: &[AggregateCall], reads: &mut [Usage]) {
    calls.iter().for_each(|call| all(reads, call.args.iter().copied().chain(call.filter)));
}

fn window_aggregate_usage(spec: &WindowAggregateSpec, reads: &mut [Usage]) {
    if spec.phase == AggregatePhase::Global {
        return reads.fill(Usage::All);
    }
    all(reads, spec.keys.iter().copied());
    calls_usage(&spec.calls, reads);
    window_usage(&spec.window, reads);
}

/// The plan being rebuilt.
struct Rebuild<'a> {
    old: &'a Physical,
    usage: Vec<Vec<Usage>>,
    new: Physical,
    ids: Vec<Option<usize>>,
    maps: Vec<ColumnMap>,
}

/// A rewritten operator: what it does now and where its output columns went.
pub(super) struct Rewritten {
    pub spec: OperatorSpec,
    pub map: ColumnMap,
}

impl Rebuild<'_> {
    fn node(&mut self, id: usize) {
        let old = self.old.node(id);
        let ports: Vec<_> = (0..old.inputs.len()).map(|port| self.port(id, port)).collect();
        let maps: Vec<&ColumnMap> = ports.iter().map(|(_, map)| map).collect();
        let Rewritten { spec, map } = self.rewrite(id, &maps, &ports);
        if let (OperatorSpec::Calc(calc), [(producers, _)]) = (&spec, &ports[..])
            && let [producer] = producers[..]
            && is_identity(calc, self.new.node(producer).types.len())
        {
            self.ids[id] = Some(producer);
            self.maps[id] = map;
            return;
        }
        let inputs = old.inputs.iter().zip(&ports).map(|(input, (producers, map))| Input {
            producers: producers.clone(),
            partitioning: repartition(&input.partitioning, map),
        });
        let (types, names) = output_row(old, &map);
        let node = Node { spec, inputs: inputs.collect(), types, names, ..old.clone() };
        let sink = matches!(node.spec, OperatorSpec::Sink(_));
        self.ids[id] = Some(if sink { self.new.add_unshared(node) } else { self.new.add(node) });
        self.maps[id] = map;
    }

    /// The rebuilt producers of an input and where their columns went; producers of a union that kept
    /// different columns are brought to one layout, and what crosses an exchange loses the columns that only
    /// others read.
    fn port(&mut self, id: usize, port: usize) -> (Vec<usize>, ColumnMap) {
        let input = &self.old.node(id).inputs[port];
        let first = self.maps[input.producers[0]].clone();
        let new_ids = |rebuild: &Self| -> Vec<usize> {
            input.producers.iter().map(|p| rebuild.ids[*p].expect("inputs are rebuilt before consumers")).collect()
        };
        let reads = &input_usages(self.old, self.old.node(id), &self.usage[id])[port];
        let wanted: Vec<usize> = (0..reads.len()).filter(|c| reads[*c].is_used()).collect();
        let same = input.producers.iter().all(|p| self.maps[*p] == first);
        let kept = first.iter().filter(|kept| **kept != Kept::Dropped).count();
        let narrow = input.partitioning == Partitioning::Forward || wanted.len() == kept || wanted.is_empty();
        if same && narrow {
            return (new_ids(self), first);
        }
        let producers = input.producers.iter().map(|p| self.aligned(*p, &wanted)).collect();
        let mut map = vec![Kept::Dropped; reads.len()];
        for (new, old) in wanted.iter().enumerate() {
            map[*old] = if same { first[*old].clone().at(new) } else { Kept::Whole(new) };
        }
        (producers, map)
    }

    /// A calc that puts exactly the wanted (old) columns of a producer in a row.
    fn aligned(&mut self, producer: usize, wanted: &[usize]) -> usize {
        let old = self.old.node(producer);
        let map = &self.maps[producer];
        let types: Vec<LogicalType> = wanted.iter().map(|c| map[*c].ty(&old.types[*c])).collect();
        let column = |(c, ty): (&usize, &LogicalType)| Expr::column(position(map, *c), ty.clone());
        let calc = CalcSpec { condition: None, projection: wanted.iter().zip(&types).map(column).collect() };
        let id = self.ids[producer].expect("inputs are rebuilt before consumers");
        let node = Node {
            spec: OperatorSpec::Calc(calc),
            inputs: vec![super::one_input(&[id], Partitioning::Forward)],
            types,
            names: wanted.iter().map(|c| old.names[*c].clone()).collect(),
            parallelism: Parallelism::Inherit,
            ..old.clone()
        };
        self.new.add(node)
    }

    fn rewrite(&self, id: usize, maps: &[&ColumnMap], ports: &[(Vec<usize>, ColumnMap)]) -> Rewritten {
        let old = self.old.node(id);
        let usage = &self.usage[id];
        let input_types = || ports.first().map(|(p, _)| self.new.node(p[0]).types.clone()).unwrap_or_default();
        match old.spec.clone() {
            OperatorSpec::Source(mut source) => {
                let map = source_map(&source.produced, usage);
                source.produced = kept_columns(&source.produced, &map);
                Rewritten { spec: OperatorSpec::Source(source), map }
            }
            OperatorSpec::Calc(calc) => rewrite_calc(&calc, usage, maps[0]),
            OperatorSpec::Expand(expand) => rewrite_expand(expand, usage, maps[0]),
            OperatorSpec::WindowAggregate(spec) => {
                let local = (spec.phase == AggregatePhase::Global).then(|| self.new.node(ports[0].0[0]));
                let spec = rewrite_window_aggregate(spec, maps[0], input_types(), local);
                Rewritten { spec: OperatorSpec::WindowAggregate(spec), map: identity(old.types.len()) }
            }
            OperatorSpec::GroupAggregate(mut spec) => {
                // A global half speaks of the columns of its local one's input, so it takes over its rewriting.
                let local = ports.first().map(|(producers, _)| &self.new.node(producers[0]).spec);
                match (spec.phase, local) {
                    (AggregatePhase::Global, Some(OperatorSpec::GroupAggregate(local))) => {
                        spec.calls.clone_from(&local.calls);
                        spec.input_types.clone_from(&local.input_types);
                    }
                    _ => {
                        columns(&mut spec.keys, maps[0]);
                        rewrite_calls(&mut spec.calls, maps[0]);
                        spec.input_types = input_types();
                    }
                }
                Rewritten { spec: OperatorSpec::GroupAggregate(spec), map: identity(old.types.len()) }
            }
            spec @ (OperatorSpec::WindowJoin(_)
            | OperatorSpec::Join(_)
            | OperatorSpec::IntervalJoin(_)
            | OperatorSpec::TemporalJoin(_)) => join::prune::rewrite(spec, maps[0], maps[1], input_types().len()),
            OperatorSpec::MatchRecognize(spec) => {
                let spec = OperatorSpec::MatchRecognize(patterns::rewrite(spec, maps[0]));
                Rewritten { spec, map: identity(old.types.len()) }
            }
            spec @ (OperatorSpec::Values(_)
            | OperatorSpec::Sink(_)
            | OperatorSpec::ToChangelog(_)
            | OperatorSpec::FromChangelog(_)) => Rewritten { spec, map: identity(old.types.len()) },
            spec => rewrite_passing(spec, usage, maps[0], input_types().len()),
        }
    }
}

/// Operators that pass their input row through, possibly with columns added.
fn rewrite_passing(mut spec: OperatorSpec, usage: &[Usage], map: &ColumnMap, width: usize) -> Rewritten {
    let mut output = map.clone();
    let added = usage.len() - map.len();
    output.extend((0..added).map(|i| Kept::Whole(width + i)));
    match &mut spec {
        OperatorSpec::WatermarkAssigner(assigner) => {
            assigner.rowtime = position(map, assigner.rowtime);
            remap(&mut assigner.expr, map);
        }
        OperatorSpec::WindowTableFunction(window) => rewrite_window(window, map),
        OperatorSpec::WindowRank(rank) => {
            columns(&mut rank.keys, map);
            sort_keys(&mut rank.order, map);
            rank.window = (position(map, rank.window.0), position(map, rank.window.1));
            rank.with_rank = usage.last().is_some_and(Usage::is_used);
            if !rank.with_rank {
                output.pop();
                output.push(Kept::Dropped);
            }
        }
        OperatorSpec::OverAggregate(over) => {
            columns(&mut over.keys, map);
            sort_keys(&mut over.order, map);
            rewrite_calls(&mut over.calls, map);
            if let OverTime::Rowtime(column) = &mut over.time {
                *column = position(map, *column);
            }
        }
        OperatorSpec::Sort(sort) => sort_keys(&mut sort.order, map),
        OperatorSpec::SortLimit(sort) => sort_keys(&mut sort.order, map),
        OperatorSpec::TemporalSort(sort) => {
            sort.rowtime = position(map, sort.rowtime);
            sort_keys(&mut sort.order, map);
        }
        OperatorSpec::Unnest(unnest) => {
            remap(&mut unnest.collection, map);
        }
        OperatorSpec::Rank(_) | OperatorSpec::Deduplicate(_) | OperatorSpec::ChangelogNormalize(_) => {
            changelog::prune::rewrite(&mut spec, usage, map, &mut output);
        }
        _ => {}
    }
    Rewritten { spec, map: output }
}

fn source_map(produced: &[ProducedColumn], usage: &[Usage]) -> ColumnMap {
    let mut next = 0;
    let mut map = vec![];
    for (column, usage) in produced.iter().zip(usage) {
        let kept = prune_type(&column.ty, usage, next);
        next += usize::from(kept != Kept::Dropped);
        map.push(kept);
    }
    map
}

fn kept_columns(produced: &[ProducedColumn], map: &ColumnMap) -> Vec<ProducedColumn> {
    let kept = produced.iter().zip(map).filter(|(_, kept)| **kept != Kept::Dropped);
    kept.map(|(column, kept)| ProducedColumn { ty: kept.ty(&column.ty), ..column.clone() }).collect()
}

fn rewrite_calc(calc: &CalcSpec, usage: &[Usage], map: &ColumnMap) -> Rewritten {
    let mut condition = calc.condition.clone();
    if let Some(condition) = &mut condition {
        remap(condition, map);
    }
    let mut projection = vec![];
    let mut output = vec![];
    for (expr, usage) in calc.projection.iter().zip(usage) {
        if !usage.is_used() {
            output.push(Kept::Dropped);
            continue;
        }
        let mut expr = expr.clone();
        let at = projection.len();
        output.push(match remap(&mut expr, map) {
            Some(kept) => kept.at(at),
            None => Kept::Whole(at),
        });
        projection.push(expr);
    }
    Rewritten { spec: OperatorSpec::Calc(CalcSpec { condition, projection }), map: output }
}

fn rewrite_expand(mut expand: ExpandSpec, usage: &[Usage], map: &ColumnMap) -> Rewritten {
    for set in &mut expand.projections {
        let kept = std::mem::take(set).into_iter().zip(usage).filter(|(_, u)| u.is_used());
        *set = kept.map(|(expr, _)| expr).collect();
        set.iter_mut().for_each(|expr| {
            remap(expr, map);
        });
    }
    let mut next = 0;
    let position = |usage: &Usage| {
        if !usage.is_used() {
            return Kept::Dropped;
        }
        next += 1;
        Kept::Whole(next - 1)
    };
    let output = usage.iter().map(position).collect();
    Rewritten { spec: OperatorSpec::Expand(expand), map: output }
}

fn rewrite_window(window: &mut WindowSpec, map: &ColumnMap) {
    columns(&mut window.partition_by, map);
    match &mut window.time {
        WindowTime::Rowtime(i) => *i = position(map, *i),
        WindowTime::Attached { start, end } => (*start, *end) = (position(map, *start), position(map, *end)),
        WindowTime::Proctime => {}
    }
}

pub(super) fn rewrite_calls(calls: &mut [AggregateCall], map: &ColumnMap) {
    for call in calls {
        columns(&mut call.args, map);
        call.filter = call.filter.map(|c| position(map, c));
    }
}

/// A global aggregate speaks of the columns of its local one's input, so it takes over its rewriting.
fn rewrite_window_aggregate(
    mut spec: WindowAggregateSpec,
    map: &ColumnMap,
    input_types: Vec<LogicalType>,
    local: Option<&Node>,
) -> WindowAggregateSpec {
    if let Some(OperatorSpec::WindowAggregate(local)) = local.map(|n| &n.spec) {
        return WindowAggregateSpec {
            phase: spec.phase,
            keys: spec.keys,
            properties: spec.properties,
            ..local.clone()
        };
    }
    columns(&mut spec.keys, map);
    rewrite_calls(&mut spec.calls, map);
    rewrite_window(&mut spec.window, map);
    spec.input_types = input_types;
    spec
}

pub(super) fn columns(positions: &mut [usize], map: &ColumnMap) {
    positions.iter_mut().for_each(|c| *c = position(map, *c));
}

pub(super) fn sort_keys(keys: &mut [SortKey], map: &ColumnMap) {
    keys.iter_mut().for_each(|k| k.column = position(map, k.column));
}

fn repartition(partitioning: &Partitioning, map: &ColumnMap) -> Partitioning {
    match partitioning {
        Partitioning::Hash(keys) => Partitioning::Hash(keys.iter().map(|c| position(map, *c)).collect()),
        other => other.clone(),
    }
}

/// Types and names of the kept columns, in their new order.
fn output_row(old: &Node, map: &ColumnMap) -> (Vec<LogicalType>, Vec<String>) {
    let mut kept: Vec<_> = map.iter().enumerate().filter_map(|(i, k)| k.index().map(|at| (at, i, k))).collect();
    kept.sort_by_key(|(at, ..)| *at);
    let row = kept.into_iter().map(|(_, i, k)| (k.ty(&old.types[i]), old.names[i].clone()));
    row.unzip()
}

fn is_identity(calc: &CalcSpec, width: usize) -> bool {
    let same = |(i, e): (usize, &Expr)| matches!(e, Expr::Column { index, .. } if *index == i);
    calc.condition.is_none() && calc.projection.len() == width && calc.projection.iter().enumerate().all(same)
}
