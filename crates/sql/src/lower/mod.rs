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
mod expr;
mod join;
mod not_null;
mod physical;
mod prune;
mod rank;
mod relation;
mod remap;
mod sort;
mod text;
mod window;

#[cfg(test)]
mod tests;

pub use physical::Physical;

use crate::logical::{self, Expand, InlineValues, Rank, Scan, Unnest, WatermarkAssigner, WindowTvf};
use datafusion_expr::{Expr as DfExpr, LogicalPlan};
use headwater_connector_api::ChangelogMode;
use headwater_expressions::ExprContext;
use headwater_plan::operators::{AggregatePhase, GroupAggregateSpec};
use headwater_plan::{JobGraph, OperatorSpec, Partitioning, SinkSpec, SourceSpec};
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
    /// The row kinds the sink takes.
    pub mode: ChangelogMode,
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
    /// Whether every source ends.
    pub bounded: bool,
    /// Whether the rows that reach the first sink are inserts only.
    pub append_only: bool,
}

/// Lowers the outputs of one job.
pub fn lower(name: &str, roots: Vec<SinkRoot>, context: &LoweringContext<'_>) -> Result<Lowered> {
    let mut lowering = Lowering::new(context)?;
    let mut sinks = vec![];
    let mut append_only = true;
    for (position, root) in roots.into_iter().enumerate() {
        let (node, append) = lowering.sink(root)?;
        if position == 0 {
            append_only = append;
        }
        sinks.push(node);
    }
    let pruned = prune::prune(&lowering.physical, &sinks)?;
    let text = text::explain(&pruned.physical, &pruned.roots);
    let bounded = pruned.physical.all_bounded(&pruned.roots);
    let mut config = context.config.clone();
    config.set(config::LOCAL_TIME_ZONE.name, context.expressions.zone.name());
    let graph = chain::job_graph(name, &pruned.physical, &pruned.roots, &config)?;
    Ok(Lowered { graph, text, bounded, append_only })
}

/// The state of one lowering.
struct Lowering<'a> {
    physical: Physical,
    context: &'a LoweringContext<'a>,
    batch_mode: bool,
    parallelism: u32,
}

impl<'a> Lowering<'a> {
    fn new(context: &'a LoweringContext<'a>) -> Result<Self> {
        let mode = context.config.text(config::RUNTIME_MODE);
        let parallelism = chain::default_parallelism(context.config)?;
        Ok(Self { physical: Physical::default(), context, batch_mode: mode.eq_ignore_ascii_case("batch"), parallelism })
    }

    fn sink(&mut self, root: SinkRoot) -> Result<(usize, bool)> {
        let relation = self.plan(&root.plan)?;
        let append = !self.emits_changes(&relation);
        if !append {
            self.check_changes(&root, &relation)?;
        }
        let relation = self.select(&relation, &root.columns)?;
        let relation = self.enforce_not_null(relation, &root.sink)?;
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
        Ok((self.physical.add_unshared(node), append))
    }

    /// Whether a sink can take the changelog of an updating query.
    fn check_changes(&self, root: &SinkRoot, relation: &Relation) -> Result<()> {
        let table = root.sink.table.path.join(".");
        match root.mode {
            ChangelogMode::Retract => Ok(()),
            ChangelogMode::Upsert => {
                let message =
                    format!("an updating query into '{table}', a table with a primary key, is not supported yet");
                Err(Error::unsupported(message))
            }
            ChangelogMode::Append => {
                let producer = self.physical.node(relation.producers[0]).spec_name();
                let message = format!(
                    "Table sink '{table}' doesn't support consuming update changes which is produced by node {producer}"
                );
                Err(Error::user("sink-changelog", message))
            }
        }
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
        if node.is::<Rank>() {
            let what = "a ranking function without a filter on its rank (WHERE rownum <= N)";
            return Err(Error::unsupported(format!("{what} is not supported yet")));
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
            emits_changes: !scan.append_only,
            parallelism: parallelism.map_or(Parallelism::Default, Parallelism::Fixed),
        };
        let columns = scan.columns.iter().enumerate().map(|(i, (n, _))| (n.clone(), Slot::Physical(i)));
        Ok(Relation::new(self.physical.add(node), columns.collect()))
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
        let emits_changes = !spec.final_only && spec.phase != AggregatePhase::Local;
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
