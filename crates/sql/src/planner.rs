//! From a bound statement to a job: bind, optimise, lower.

use crate::binder::{Binder, BoundInsert, BoundQuery, RelationLookup};
use crate::catalog::Table;
use crate::lower::changelog::SinkTraits;
use crate::lower::{self, Lowered, LoweringContext, SinkRoot};
use crate::{SqlError, SqlResult, lineage, optimizer, zone};
use headwater_connector_api::{ChangelogMode, Registry};
use headwater_env::Env;
use headwater_expressions::ExprContext;
use headwater_lineage::JobLineage;
use headwater_plan::{JobGraph, SinkSpec, TableSpec};
use headwater_sql_parser::ast;
use headwater_types::LogicalType;
use headwater_types::config::{self, Configuration};
use std::collections::BTreeMap;

pub use crate::binder::ResolvedTable as ResolvedSchema;
pub use crate::lower::changelog::state::{Bound, OperatorStateDescription, StateColumn, StateTable};

/// Connector that hands the rows of a query to the client.
pub const COLLECT_CONNECTOR: &str = "collect";

/// A query ready to run; its rows go to the `collect` connector.
#[derive(Debug)]
pub struct PlannedQuery {
    /// Names and types of the result's columns.
    pub columns: Vec<(String, LogicalType)>,
    /// Whether the result is inserts only.
    pub append_only: bool,
    /// Whether the result ends.
    pub bounded: bool,
    /// The bound plan as text.
    pub ast_text: String,
    /// The physical plan as text.
    pub optimized_text: String,
    /// The same with the kinds of rows that every operator emits.
    pub changelog_text: String,
    /// What the operators keep.
    pub state: Vec<OperatorStateDescription>,
    /// What the user should know before the job runs, such as state that grows for ever.
    pub warnings: Vec<String>,
    /// What it reads.
    pub lineage: JobLineage,
    /// The job.
    pub graph: JobGraph,
}

/// Inserts ready to run as one job.
#[derive(Debug)]
pub struct PlannedJob {
    /// The bound plans as text.
    pub ast_text: String,
    /// The physical plan as text.
    pub optimized_text: String,
    /// The same with the kinds of rows that every operator emits.
    pub changelog_text: String,
    /// What the operators keep.
    pub state: Vec<OperatorStateDescription>,
    /// What the user should know before the job runs, such as state that grows for ever.
    pub warnings: Vec<String>,
    /// Whether every source ends.
    pub bounded: bool,
    /// What they read and write, down to columns.
    pub lineage: JobLineage,
    /// The job.
    pub graph: JobGraph,
}

/// Plans the statements of one session.
pub struct Planner<'a> {
    catalog: &'a dyn RelationLookup,
    connectors: &'a Registry,
    config: &'a Configuration,
    env: Env,
}

impl<'a> Planner<'a> {
    /// A planner over a catalog.
    pub fn new(catalog: &'a dyn RelationLookup, connectors: &'a Registry, config: &'a Configuration, env: Env) -> Self {
        Self { catalog, connectors, config, env }
    }

    /// Plans a query whose rows go to the client. `source` is the statement's text.
    pub fn plan_query(&self, query: &ast::Query, source: &str) -> SqlResult<PlannedQuery> {
        let context = self.context()?;
        let bound = self.binder(&context).bind_query(query)?;
        let columns = bound.schema();
        let ast_text = bound.plan.display_indent().to_string();
        let roots = vec![self.collect_root(bound, &columns)?];
        let name = self.job_name("collect");
        let lineage = self.lineage(&name, &roots, &[query.span.text(source)]);
        let lowered = self.lower(&name, roots, &context)?;
        Ok(PlannedQuery {
            columns,
            append_only: lowered.append_only,
            bounded: lowered.bounded,
            ast_text,
            optimized_text: lowered.text,
            changelog_text: lowered.changelog_text,
            warnings: warnings(&lowered.state),
            state: lowered.state,
            lineage,
            graph: lowered.graph,
        })
    }

    /// Plans inserts as one job.
    pub fn plan_inserts(&self, inserts: &[ast::Insert], source: &str) -> SqlResult<PlannedJob> {
        let context = self.context()?;
        let binder = self.binder(&context);
        let mut roots = vec![];
        let mut texts = vec![];
        let mut tables = vec![];
        for insert in inserts {
            let bound = binder.bind_insert(insert)?;
            texts.push(bound.plan.display_indent().to_string());
            tables.push(bound.sink.table.path.join("."));
            roots.push(self.insert_root(bound)?);
        }
        let name = self.job_name(&format!("insert-into_{}", tables.join(",")));
        let statements: Vec<&str> = inserts.iter().map(|insert| statement_text(insert, source)).collect();
        let lineage = self.lineage(&name, &roots, &statements);
        let lowered = self.lower(&name, roots, &context)?;
        Ok(PlannedJob {
            ast_text: texts.join("\n\n"),
            optimized_text: lowered.text,
            changelog_text: lowered.changelog_text,
            warnings: warnings(&lowered.state),
            state: lowered.state,
            bounded: lowered.bounded,
            lineage,
            graph: lowered.graph,
        })
    }

    /// Types the columns of a table as declared and checks its expressions.
    pub fn resolve_table(&self, table: &Table) -> SqlResult<ResolvedSchema> {
        let context = self.context()?;
        self.binder(&context).resolve_table(table)
    }

    /// Names and types of the columns of a query, without planning it.
    pub fn query_columns(&self, query: &ast::Query, _source: &str) -> SqlResult<Vec<(String, LogicalType)>> {
        let context = self.context()?;
        Ok(self.binder(&context).bind_query(query)?.schema())
    }

    /// As [`Self::query_columns`], with types that say which columns are time attributes.
    pub fn view_columns(&self, query: &ast::Query) -> SqlResult<Vec<(String, LogicalType)>> {
        let context = self.context()?;
        let bound = self.binder(&context).bind_query(query)?;
        Ok(bound.columns.into_iter().map(|column| (column.name, column.ty)).collect())
    }

    /// The query with all names written out, in Flink's layout, where that is possible.
    pub fn expanded_query(&self, query: &ast::Query, source: &str) -> SqlResult<Option<String>> {
        let context = self.context()?;
        let expanded = self.binder(&context).expanded_text(query, source)?;
        Ok(expanded.and_then(|text| crate::catalog::query_text(&text)))
    }

    fn context(&self) -> SqlResult<ExprContext> {
        Ok(ExprContext { zone: zone::session_zone(self.config)?, env: self.env.clone() })
    }

    fn binder(&self, context: &ExprContext) -> Binder<'a> {
        Binder::new(self.catalog, self.connectors, self.config, context.clone())
    }

    /// Flink names a job after its sinks unless `pipeline.name` is set.
    fn job_name(&self, derived: &str) -> String {
        match self.config.text(config::PIPELINE_NAME) {
            "" => derived.to_owned(),
            name => name.to_owned(),
        }
    }

    fn collect_root(&self, bound: BoundQuery, columns: &[(String, LogicalType)]) -> SqlResult<SinkRoot> {
        let options = BTreeMap::from([("connector".to_owned(), COLLECT_CONNECTOR.to_owned())]);
        let path = ["default_catalog", "default_database", "collect"].map(str::to_owned);
        let table = TableSpec { path, columns: columns.to_vec(), partition_keys: vec![], primary_key: vec![], options };
        let sink = SinkSpec { table, metadata: vec![], overwrite: false, target_columns: vec![] };
        let columns = bound.columns.into_iter().map(|c| c.unique).collect();
        let traits = SinkTraits { mode: ChangelogMode::Retract, on_conflict: None };
        Ok(SinkRoot { plan: optimizer::optimize(bound.plan)?, columns, sink, traits })
    }

    fn insert_root(&self, bound: BoundInsert) -> SqlResult<SinkRoot> {
        let connector = bound.sink.table.options.get("connector").map_or("", String::as_str);
        let mode = self.connectors.get(connector)?.sink_mode(&bound.sink.table)?;
        let traits = SinkTraits { mode, on_conflict: bound.on_conflict };
        Ok(SinkRoot { plan: optimizer::optimize(bound.plan)?, columns: bound.columns, sink: bound.sink, traits })
    }

    fn lineage(&self, name: &str, roots: &[SinkRoot], statements: &[&str]) -> JobLineage {
        let context = lineage::Context { catalog: self.catalog, connectors: self.connectors, config: self.config };
        lineage::extract(name, roots, statements, &context)
    }

    fn lower(&self, name: &str, roots: Vec<SinkRoot>, context: &ExprContext) -> SqlResult<Lowered> {
        let context = LoweringContext { config: self.config, expressions: context };
        lower::lower(name, roots, &context).map_err(SqlError::from)
    }
}

/// The text of an INSERT; empty when `source` is the text of another statement, as at a prompt for the members of a
/// statement set.
fn statement_text<'a>(insert: &ast::Insert, source: &'a str) -> &'a str {
    let text = insert.span.text(source);
    let is_insert = text.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("INSERT"));
    if is_insert { text } else { "" }
}

fn warnings(state: &[OperatorStateDescription]) -> Vec<String> {
    state.iter().filter_map(OperatorStateDescription::warning).collect()
}
