//! Lowering: from optimised logical plans to a job graph.
//!
//! 1. [`Lowering`] walks each sink's logical plan bottom-up and adds operators to one [`Physical`] plan,
//!    which shares equal operators over equal inputs: a view used twice, a table scanned by two sinks or two
//!    halves of a join is read and computed once. Neighbouring calcs are fused as they are added.
//! 2. [`prune`] removes the columns, and the nested fields of scanned rows, that nobody reads.
//! 3. [`chain`] groups operators into vertices and fixes partitioning and parallelism.
//!
//! A window table function is not executed by itself where its window columns are only grouped by: the
//! [`Relation`](relation::Relation) carries the pending window until an aggregate takes it over or somebody needs
//! the columns.

mod aggregate;
mod calc;
mod chain;
pub mod changelog;
mod changelog_codes;
mod colocate;
mod constraints;
pub(crate) mod expr;
mod hints;
mod join;
mod match_recognize;
mod normalize;
mod not_null;
mod over;
mod patterns;
mod physical;
mod prune;
mod rank;
mod relation;
mod remap;
mod sort;
mod text;
mod uid;
mod window;

#[cfg(test)]
mod tests;

pub use physical::Physical;

use crate::logical::{
    self, Expand, FromChangelog, InlineValues, MatchRecognize, Over, Rank, Scan, Snapshot, StateTtl, ToChangelog,
    Unnest, WatermarkAssigner, WindowTvf,
};
use changelog::state::OperatorStateDescription;
use changelog::{Derived, SinkTraits};
use datafusion_expr::{Expr as DfExpr, LogicalPlan};
use headwater_connector_api::ChangelogMode;
use headwater_expressions::ExprContext;
use headwater_plan::operators::{AggregatePhase, GroupAggregateSpec};
use headwater_plan::{JobGraph, OperatorSpec, Partitioning, SinkSpec, SourceSpec, TableSpec};
use headwater_types::config::{self, Configuration};
use headwater_types::{Error, LogicalType, Result};
use physical::{Input, Node, Parallelism};
use relation::{Relation, Slot};

/// One output of a job: an optimised plan whose columns are exactly the sink's.
pub struct SinkRoot {
    /// The plan.
    pub plan: LogicalPlan,
    /// Unique names of the columns to write, in the sink's order.
    pub columns: Vec<String>,
    /// The write.
    pub sink: SinkSpec,
    /// The row kinds the sink takes, and what happens on conflicts.
    pub traits: SinkTraits,
}

/// What lowering depends on besides the plans.
pub struct LoweringContext<'a> {
    /// Session configuration; becomes the job's.
    pub config: &'a Configuration,
    /// Zone and clock for constants and windows.
    pub expressions: &'a ExprContext,
}

/// The outcome of lowering.
pub struct Lowered {
    /// The job.
    pub graph: JobGraph,
    /// The physical plan as text, for EXPLAIN.
    pub text: String,
    /// The same with the kinds of rows that every operator emits.
    pub changelog_text: String,
    /// What the operators keep.
    pub state: Vec<OperatorStateDescription>,
    /// Whether every source ends.
    pub bounded: bool,
    /// Whether the rows that reach the first sink are inserts only.
    pub append_only: bool,
}

/// Lowers the outputs of one job.
pub fn lower(name: &str, roots: Vec<SinkRoot>, context: &LoweringContext<'_>) -> Result<Lowered> {
    let mut lowering = Lowering::new(context)?;
    let traits: Vec<SinkTraits> = roots.iter().map(|root| root.traits).collect();
    let sinks = roots.into_iter().map(|root| lowering.sink(root)).collect::<Result<Vec<_>>>()?;
    let pruned = prune::prune(&lowering.physical, &sinks)?;
    let mut config = context.config.clone();
    config.set(config::LOCAL_TIME_ZONE.name, context.expressions.zone.name());
    let changelog =
        changelog::Context { config: &config, sources: &lowering.sources, sinks: &traits, batch: lowering.batch_mode };
    let mut derived = changelog::derive(&pruned.physical, &pruned.roots, &changelog)?;
    colocate::colocate(&mut derived.physical, &derived.roots);
    finish(name, &derived, &config)
}

/// The job of a plan whose changelog is decided.
fn finish(name: &str, derived: &Derived, config: &Configuration) -> Result<Lowered> {
    let Derived { physical, roots, kinds } = derived;
    let order = physical.reachable(roots);
    let uids = uid::uids(physical, &order, config);
    let first = roots.first().map(|root| physical.node(*root));
    let producers = first.iter().flat_map(|sink| sink.inputs.iter().flat_map(|i| &i.producers));
    Ok(Lowered {
        graph: chain::job_graph(name, physical, roots, &uids, config)?,
        text: text::explain(physical, roots, None),
        changelog_text: text::explain(physical, roots, Some(kinds)),
        state: changelog::state::describe(physical, &order, &uids),
        bounded: physical.all_bounded(roots),
        append_only: producers.into_iter().all(|p| kinds[*p].is_append()),
    })
}

/// The state of one lowering.
struct Lowering<'a> {
    physical: Physical,
    /// The row kinds of scanned tables that are not append-only.
    sources: Vec<(TableSpec, ChangelogMode)>,
    context: &'a LoweringContext<'a>,
    batch_mode: bool,
    parallelism: u32,
}

impl<'a> Lowering<'a> {
    fn new(context: &'a LoweringContext<'a>) -> Result<Self> {
        let mode = context.config.text(config::RUNTIME_MODE);
        let parallelism = chain::default_parallelism(context.config)?;
        let batch_mode = mode.eq_ignore_ascii_case("batch");
        Ok(Self { physical: Physical::default(), sources: vec![], context, batch_mode, parallelism })
    }

    fn sink(&mut self, root: SinkRoot) -> Result<usize> {
        let relation = self.plan(&root.plan)?;
        let relation = self.select(&relation, &root.columns)?;
        let relation = self.enforce_not_null(relation, &root.sink)?;
        let relation = self.enforce_constraints(relation, &root.sink)?;
        let parallelism = option_parallelism(&root.sink.table.options, "sink.parallelism")?;
        let node = Node {
            spec: OperatorSpec::Sink(root.sink),
            inputs: vec![relation.input(Partitioning::Forward)],
            types: vec![],
            names: vec![],
            bounded: true,
            emits_changes: false,
            parallelism: parallelism.map_or(Parallelism::Inherit, Parallelism::Fixed),
        };
        Ok(self.physical.add_unshared(node))
    }

    /// Lowers any plan node.
    fn plan(&mut self, plan: &LogicalPlan) -> Result<Relation> {
        match plan {
            LogicalPlan::Projection(p) => {
                let input = self.plan(&p.input)?;
                self.projection(&p.expr, input, plan)
            }
            LogicalPlan::Filter(f) => self.filter(f),
            LogicalPlan::Aggregate(a) => self.aggregate(a),
            LogicalPlan::Join(j) => self.join(j),
            LogicalPlan::Union(u) => self.union(u),
            LogicalPlan::Sort(s) => self.sort(s),
            LogicalPlan::Limit(l) => self.limit(l),
            LogicalPlan::Extension(e) => self.extension(e.node.as_any(), plan),
            LogicalPlan::EmptyRelation(e) => self.empty(e.produce_one_row, plan),
            other => Err(Error::unsupported(format!("{} is not supported yet", other.display()))),
        }
    }

    fn extension(&mut self, node: &dyn std::any::Any, plan: &LogicalPlan) -> Result<Relation> {
        if let Some(scan) = node.downcast_ref::<Scan>() {
            return self.scan(scan);
        }
        if let Some(values) = node.downcast_ref::<InlineValues>() {
            return self.values(&values.rows, &values.columns);
        }
        if let Some(assigner) = node.downcast_ref::<WatermarkAssigner>() {
            return self.watermark_assigner(assigner);
        }
        if let Some(tvf) = node.downcast_ref::<WindowTvf>() {
            return self.window_tvf(tvf);
        }
        if let Some(expand) = node.downcast_ref::<Expand>() {
            return self.expand(expand);
        }
        if let Some(unnest) = node.downcast_ref::<Unnest>() {
            return self.unnest(unnest);
        }
        if let Some(hint) = node.downcast_ref::<StateTtl>() {
            return self.plan(&hint.input);
        }
        if let Some(over) = node.downcast_ref::<Over>() {
            return self.over(over);
        }
        if let Some(rank) = node.downcast_ref::<Rank>() {
            return self.rank_over(rank);
        }
        if let Some(codes) = node.downcast_ref::<ToChangelog>() {
            return self.lower_to_changelog(codes);
        }
        if let Some(codes) = node.downcast_ref::<FromChangelog>() {
            return self.lower_from_changelog(codes);
        }
        if let Some(pattern) = node.downcast_ref::<MatchRecognize>() {
            return self.match_recognize(pattern);
        }
        if node.is::<Snapshot>() {
            return Err(Error::unsupported("a table FOR SYSTEM_TIME AS OF stands on the right of a join only"));
        }
        Err(Error::internal(format!("no lowering for {}", plan.display())))
    }

    fn scan(&mut self, scan: &Scan) -> Result<Relation> {
        let parallelism = option_parallelism(&scan.table.options, "scan.parallelism")?;
        let produced = scan.columns.iter().map(|(_, c)| c.clone()).collect::<Vec<_>>();
        let node = Node {
            types: produced.iter().map(|c| c.ty.clone()).collect(),
            names: produced.iter().map(|c| c.name.clone()).collect(),
            spec: OperatorSpec::Source(SourceSpec { table: scan.table.clone(), produced, limit: None }),
            inputs: vec![],
            bounded: scan.bounded,
            emits_changes: scan.mode != ChangelogMode::Append,
            parallelism: parallelism.map_or(Parallelism::Default, Parallelism::Fixed),
        };
        let columns = scan.columns.iter().enumerate().map(|(i, (n, _))| (n.clone(), Slot::Physical(i)));
        if scan.mode != ChangelogMode::Append {
            self.sources.push((scan.table.clone(), scan.mode));
        }
        let source = Relation::new(self.physical.add(node), columns.collect());
        self.normalized(scan, source)
    }

    fn empty(&mut self, one_row: bool, plan: &LogicalPlan) -> Result<Relation> {
        let types = logical::types::column_types(plan)?;
        let names = plan.schema().fields().iter().map(|f| f.name().clone());
        let columns: Vec<_> = names.zip(types).collect();
        let rows = if one_row { vec![vec![]] } else { vec![] };
        self.values(&rows, &columns)
    }

    fn values(&mut self, rows: &[Vec<DfExpr>], columns: &[(String, LogicalType)]) -> Result<Relation> {
        let types: Vec<_> = columns.iter().map(|(_, t)| t.clone()).collect();
        let mut values = Vec::with_capacity(rows.len());
        for row in rows {
            let row = row.iter().zip(&types).map(|(e, t)| expr::constant(e, t, self.context.expressions));
            values.push(row.collect::<Result<Vec<_>>>()?);
        }
        let node = Node {
            spec: OperatorSpec::Values(headwater_plan::operators::ValuesSpec { rows: values }),
            inputs: vec![],
            types,
            names: columns.iter().map(|(n, _)| logical::display_name(n).to_owned()).collect(),
            bounded: true,
            emits_changes: false,
            parallelism: Parallelism::Fixed(1),
        };
        let slots = columns.iter().enumerate().map(|(i, (n, _))| (n.clone(), Slot::Physical(i)));
        Ok(Relation::new(self.physical.add(node), slots.collect()))
    }

    fn union(&mut self, union: &datafusion_expr::logical_plan::Union) -> Result<Relation> {
        let names: Vec<String> = union.schema.fields().iter().map(|f| f.name().clone()).collect();
        let mut producers = vec![];
        for input in &union.inputs {
            let relation = self.plan(input)?;
            let own: Vec<String> = input.schema().fields().iter().map(|f| f.name().clone()).collect();
            producers.extend(self.select(&relation, &own)?.producers);
        }
        let columns = names.into_iter().enumerate().map(|(i, n)| (n, Slot::Physical(i))).collect();
        Ok(Relation { producers, columns, window: None })
    }

    /// Batch aggregates and sorts may wait for the end of input; streaming ones over unbounded input not.
    fn final_only(&self, input: &Relation) -> bool {
        self.batch_mode && self.bounded(input)
    }

    fn bounded(&self, relation: &Relation) -> bool {
        relation.producers.iter().all(|p| self.physical.node(*p).bounded)
    }

    fn emits_changes(&self, relation: &Relation) -> bool {
        relation.producers.iter().any(|p| self.physical.node(*p).emits_changes)
    }

    fn types(&self, relation: &Relation) -> &[LogicalType] {
        &self.physical.node(relation.producers[0]).types
    }

    fn names(&self, relation: &Relation) -> &[String] {
        &self.physical.node(relation.producers[0]).names
    }

    fn group_aggregate_node(
        &self,
        input: &Relation,
        spec: GroupAggregateSpec,
        types: Vec<LogicalType>,
        names: Vec<String>,
    ) -> Node {
        // The groups of a DISTINCT over inserts do not change.
        let updates = !spec.calls.is_empty() || self.emits_changes(input);
        let emits_changes = updates && !spec.final_only && spec.phase != AggregatePhase::Local;
        let (partitioning, parallelism) = keyed(&spec.keys);
        Node {
            spec: OperatorSpec::GroupAggregate(spec),
            inputs: vec![input.input(partitioning)],
            types,
            names,
            bounded: self.bounded(input),
            emits_changes,
            parallelism,
        }
    }
}

/// How rows reach an operator keyed by these columns, and how many subtasks it has.
fn keyed(keys: &[usize]) -> (Partitioning, Parallelism) {
    match keys {
        [] => (Partitioning::Global, Parallelism::Fixed(1)),
        keys => (Partitioning::Hash(keys.to_vec()), Parallelism::Default),
    }
}

fn option_parallelism(options: &std::collections::BTreeMap<String, String>, name: &str) -> Result<Option<u32>> {
    let Some(value) = headwater_connector_api::Options(options).integer(name)? else { return Ok(None) };
    match u32::try_from(value) {
        Ok(parallelism) if parallelism > 0 => Ok(Some(parallelism)),
        _ => Err(headwater_connector_api::options::bad_option(name, &value.to_string(), "a positive number")),
    }
}

/// Keeps the inputs of a node readable where the node is built.
fn one_input(producers: &[usize], partitioning: Partitioning) -> Input {
    Input { producers: producers.to_vec(), partitioning }
}
