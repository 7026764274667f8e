//! The physical plan as text, in the manner of Flink's EXPLAIN.

use super::changelog::{self, Kinds};
use super::physical::{Input, Physical};
use super::{join, over, patterns};
use headwater_expressions::render;
use headwater_plan::operators::{
    AggregateCall, AggregatePhase, GroupAggregateSpec, SortKey, WindowRankSpec, WindowShape, WindowSpec, WindowTime,
};
use headwater_plan::{Expr, OperatorSpec, Partitioning};
use std::fmt::Write;

/// The trees of all sinks; an operator that was printed before is referred to by its number.
/// With `kinds`, every operator shows which kinds of rows it emits.
pub fn explain(physical: &Physical, roots: &[usize], kinds: Option<&[Kinds]>) -> String {
    let mut text = String::new();
    let mut consumers = vec![0usize; physical.node_count()];
    for id in physical.reachable(roots) {
        let producers = physical.node(id).inputs.iter().flat_map(|i| &i.producers);
        producers.for_each(|p| consumers[*p] += 1);
    }
    let mut printer = Printer { physical, kinds, consumers, reuse: vec![], text: &mut text };
    for root in roots {
        printer.tree(*root, 0, "");
        printer.text.push('\n');
    }
    text
}

/// An expression over columns of these names.
pub(super) fn render(expr: &Expr, names: &[String]) -> String {
    render::render(expr, &|column| names.get(column).cloned().unwrap_or_else(|| format!("${column}")))
}

struct Printer<'a> {
    physical: &'a Physical,
    kinds: Option<&'a [Kinds]>,
    consumers: Vec<usize>,
    reuse: Vec<usize>,
    text: &'a mut String,
}

impl Printer<'_> {
    fn tree(&mut self, id: usize, depth: usize, exchange: &str) {
        let indent = if depth == 0 { String::new() } else { format!("{}+- ", "   ".repeat(depth - 1)) };
        let shared = self.consumers[id] > 1;
        if let Some(number) = self.reuse.iter().position(|r| *r == id) {
            let _ = writeln!(self.text, "{indent}{exchange}Reused(reference_id=[{}])", number + 1);
            return;
        }
        let mark = if shared {
            self.reuse.push(id);
            format!("(reuse_id=[{}])", self.reuse.len())
        } else {
            String::new()
        };
        let _ = writeln!(self.text, "{indent}{exchange}{}{mark}", self.operator(id));
        let inputs: Vec<Input> = self.physical.node(id).inputs.clone();
        for input in inputs {
            let exchange = exchange_text(&input.partitioning, &self.physical.node(input.producers[0]).names);
            for producer in &input.producers {
                self.tree(*producer, depth + 1, &exchange);
            }
        }
    }
}

impl Printer<'_> {
    fn operator(&self, id: usize) -> String {
        let mut text = describe(self.physical, id);
        if let Some(kinds) = self.kinds {
            let mode = match self.physical.node(id).spec {
                OperatorSpec::Sink(_) => "NONE".to_owned(),
                _ => kinds[id].to_string(),
            };
            text.pop();
            let separator = if text.ends_with('(') { "" } else { ", " };
            let _ = write!(text, "{separator}changelogMode=[{mode}])");
        }
        text
    }
}

fn exchange_text(partitioning: &Partitioning, names: &[String]) -> String {
    match partitioning {
        Partitioning::Forward => String::new(),
        Partitioning::Hash(keys) => format!("Exchange(distribution=[hash[{}]]) <- ", list(keys, names)),
        Partitioning::Global => "Exchange(distribution=[single]) <- ".to_owned(),
        Partitioning::Rebalance => "Exchange(distribution=[rebalance]) <- ".to_owned(),
        Partitioning::Broadcast => "Exchange(distribution=[broadcast]) <- ".to_owned(),
    }
}

pub(super) fn list(columns: &[usize], names: &[String]) -> String {
    let names: Vec<_> = columns.iter().map(|c| names[*c].as_str()).collect();
    names.join(", ")
}

/// One operator, as Flink's plans show it.
pub fn describe(physical: &Physical, id: usize) -> String {
    let node = physical.node(id);
    let input = node.inputs.first().map(|i| physical.node(i.producers[0]));
    let names: &[String] = input.map_or(&[], |n| &n.names);
    let kind = node.spec_name();
    let detail = match &node.spec {
        OperatorSpec::Source(s) => {
            let fields: Vec<_> = s.produced.iter().map(|c| c.name.as_str()).collect();
            format!("table=[[{}]], fields=[{}]", s.table.path.join(", "), fields.join(", "))
        }
        OperatorSpec::Sink(s) => format!("table=[{}], fields=[{}]", s.table.path.join("."), names.join(", ")),
        OperatorSpec::Values(v) => format!("rows=[{}]", v.rows.len()),
        OperatorSpec::Calc(c) => calc_text(c.condition.as_ref(), &c.projection, names, &node.names),
        OperatorSpec::WatermarkAssigner(w) => {
            format!("rowtime=[{}], watermark=[{}]", names[w.rowtime], render(&w.expr, names))
        }
        OperatorSpec::Expand(e) => {
            format!("projects=[{} grouping sets], fields=[{}]", e.projections.len(), node.names.join(", "))
        }
        OperatorSpec::WindowTableFunction(w) => window_text(w, names),
        OperatorSpec::WindowAggregate(a) => {
            let original: &[String] = if a.phase == AggregatePhase::Global { &[] } else { names };
            let keys = if a.keys.is_empty() { String::new() } else { format!("groupBy=[{}], ", list(&a.keys, names)) };
            format!("{keys}{}, select=[{}]", window_text(&a.window, original), calls_text(&a.calls, original))
        }
        OperatorSpec::GroupAggregate(a) => group_aggregate_text(a, names),
        OperatorSpec::WindowJoin(_)
        | OperatorSpec::Join(_)
        | OperatorSpec::IntervalJoin(_)
        | OperatorSpec::TemporalJoin(_) => {
            let right = node.inputs.get(1).map_or(&[][..], |i| &physical.node(i.producers[0]).names);
            join::text::describe(&node.spec, names, right)
        }
        OperatorSpec::OverAggregate(o) => over::describe(o, names),
        OperatorSpec::WindowRank(r) => window_rank_text(r, names),
        OperatorSpec::Sort(_) | OperatorSpec::TemporalSort(_) | OperatorSpec::SortLimit(_) => {
            order_text(&node.spec, names)
        }
        OperatorSpec::Rank(_)
        | OperatorSpec::Deduplicate(_)
        | OperatorSpec::ChangelogNormalize(_)
        | OperatorSpec::SinkMaterialize(_)
        | OperatorSpec::DropUpdateBefore(_) => changelog::text::describe(&node.spec, names),
        OperatorSpec::Limit(l) => {
            format!("offset=[{}], fetch=[{}]", l.offset, l.fetch.map_or_else(|| "all".to_owned(), |n| n.to_string()))
        }
        OperatorSpec::ToChangelog(_) | OperatorSpec::FromChangelog(_) | OperatorSpec::MatchRecognize(_) => {
            patterns::describe(&node.spec, names, &node.names)
        }
        OperatorSpec::Unnest(u) => {
            let kind = if u.left { "LEFT" } else { "INNER" };
            format!("unnest=[{}], joinType=[{kind}]", render(&u.collection, names))
        }
    };
    format!("{kind}({detail})")
}

fn group_aggregate_text(aggregate: &GroupAggregateSpec, names: &[String]) -> String {
    let keys = match aggregate.keys.as_slice() {
        [] => String::new(),
        keys => format!("groupBy=[{}], ", list(keys, names)),
    };
    // The columns between a local and a global half are named after the calls.
    let calls = match aggregate.phase {
        AggregatePhase::Global => names[names.len().saturating_sub(aggregate.calls.len())..].join(", "),
        _ => calls_text(&aggregate.calls, names),
    };
    format!("{keys}select=[{calls}]")
}

fn window_rank_text(rank: &WindowRankSpec, names: &[String]) -> String {
    let order = sort_text(&rank.order, names);
    let keys = list(&rank.keys, names);
    format!(
        "rankType=[{:?}], rankRange=[{}..{}], partitionBy=[{keys}], orderBy=[{order}]",
        rank.function, rank.start, rank.end
    )
}

fn order_text(spec: &OperatorSpec, names: &[String]) -> String {
    match spec {
        OperatorSpec::Sort(s) => {
            let fetch = s.fetch.map(|n| format!(", offset=[{}], fetch=[{n}]", s.offset)).unwrap_or_default();
            format!("orderBy=[{}]{fetch}", sort_text(&s.order, names))
        }
        OperatorSpec::TemporalSort(s) => format!("orderBy=[{}]", sort_text(&s.order, names)),
        OperatorSpec::SortLimit(s) => {
            format!("orderBy=[{}], offset=[0], fetch=[{}]", sort_text(&s.order, names), s.fetch)
        }
        _ => String::new(),
    }
}

fn calc_text(condition: Option<&Expr>, projection: &[Expr], names: &[String], outputs: &[String]) -> String {
    let column = |(expr, output): (&Expr, &String)| {
        let text = render(expr, names);
        if text == *output { text } else { format!("{text} AS {output}") }
    };
    let select: Vec<_> = projection.iter().zip(outputs).map(column).collect();
    let filter = condition.map(|c| format!(", where=[{}]", render(c, names))).unwrap_or_default();
    format!("select=[{}]{filter}", select.join(", "))
}

pub(super) fn sort_text(keys: &[SortKey], names: &[String]) -> String {
    let key = |k: &SortKey| format!("{} {}", names[k.column], if k.ascending { "ASC" } else { "DESC" });
    let keys: Vec<_> = keys.iter().map(key).collect();
    keys.join(", ")
}

pub(super) fn calls_text(calls: &[AggregateCall], names: &[String]) -> String {
    let call = |c: &AggregateCall| {
        let arg = |a: &usize| names.get(*a).cloned().unwrap_or_else(|| format!("${a}"));
        let args: Vec<_> = c.args.iter().map(arg).collect();
        let args = if args.is_empty() { "*".to_owned() } else { args.join(", ") };
        let distinct = if c.distinct { "DISTINCT " } else { "" };
        let filter = c.filter.as_ref().map(|f| format!(" FILTER {}", arg(f))).unwrap_or_default();
        format!("{}({distinct}{args}){filter}", c.function)
    };
    let calls: Vec<_> = calls.iter().map(call).collect();
    calls.join(", ")
}

fn window_text(window: &WindowSpec, names: &[String]) -> String {
    let seconds = |ms: i64| if ms % 1000 == 0 { format!("{} s", ms / 1000) } else { format!("{ms} ms") };
    let shape = match window.shape {
        WindowShape::Tumble { size_ms } => format!("TUMBLE(size=[{}]", seconds(size_ms)),
        WindowShape::Hop { slide_ms, size_ms } => {
            format!("HOP(size=[{}], slide=[{}]", seconds(size_ms), seconds(slide_ms))
        }
        WindowShape::Cumulate { step_ms, max_ms } => {
            format!("CUMULATE(max_size=[{}], step=[{}]", seconds(max_ms), seconds(step_ms))
        }
        WindowShape::Session { gap_ms } => format!("SESSION(gap=[{}]", seconds(gap_ms)),
    };
    let offset =
        if window.offset_ms == 0 { String::new() } else { format!(", offset=[{}]", seconds(window.offset_ms)) };
    let name = |i: usize| names.get(i).cloned().unwrap_or_else(|| format!("${i}"));
    let origin = match window.time {
        WindowTime::Rowtime(i) => format!("time_col=[{}], ", name(i)),
        WindowTime::Proctime => "proctime, ".to_owned(),
        WindowTime::Attached { start, end } => format!("win_start=[{}], win_end=[{}], ", name(start), name(end)),
    };
    format!("window=[{origin}{shape}{offset})]")
}
