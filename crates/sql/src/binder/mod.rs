//! The binder: from the syntax tree to DataFusion's logical plan with Flink's types.
//!
//! Binding resolves names, types every expression by Flink's rules, makes implicit casts explicit, and
//! builds the plan that [`crate::logical`] describes. It happens in one pass over the tree:
//!
//! * `query`, `select`, `set_operation`, `values`: the shape of queries;
//! * `from`, `join`, `table`, `window_tvf`, `unnest`: where rows come from;
//! * `expr`, `typed`, `literal`: scalar expressions, each with its type;
//! * `aggregate`, `grouping`, `group_window`, `rank`, `over`: what needs a node of its own between rows and select list;
//! * `insert`: the way into a sink.
//!
//! A select list is bound against the rows of FROM with aggregate calls left inside the expressions; once all
//! are known, the aggregate node is built and the expressions are rewritten over its output. Every error carries
//! the place in the statement and, for a name, the nearest valid one.
//!
//! The binder trusts nothing about depth but the parser's bound on nesting; views and common table expressions
//! are expanded at every use, bounded by [`RELATIONS_MAX`].

mod aggregate;
mod changelog_codes;
mod context;
mod count;
mod data_type;
mod expr;
mod from;
mod group_window;
mod grouping;
mod hints;
mod insert;
mod join;
mod json_aggregate;
mod literal;
mod lookup;
mod match_recognize;
mod notes;
mod object;
mod over;
mod pattern_scope;
mod percentile;
mod query;
mod rank;
mod resolve;
mod scope;
mod select;
mod select_list;
mod set_all;
mod set_operation;
mod table;
mod table_function;
mod temporal;
mod typed;
mod unnest;
mod values;
mod window_tvf;

#[cfg(test)]
pub(crate) mod tests;

pub use data_type::logical_type;
pub use insert::BoundInsert;
pub use lookup::RelationLookup;
pub use table::ResolvedTable;

use crate::logical::ColumnNames;
use crate::{SqlError, SqlResult};
use context::QueryEnv;
use datafusion_common::DataFusionError;
use datafusion_expr::LogicalPlan;
use headwater_connector_api::Registry;
use headwater_expressions::ExprContext;
use headwater_sql_parser::{Span, ast};
use headwater_types::config::{self, Configuration};
use headwater_types::{LogicalType, TimeAttribute};
use std::cell::{Cell, RefCell};
use typed::Typed;

/// How many tables, views and common table expressions one statement may expand to.
pub const RELATIONS_MAX: usize = 1024;

/// How many operators may lie between the output of a statement and its deepest source.
pub const PLAN_DEPTH_MAX: usize = 300;

/// How deep views and common table expressions may refer to each other.
pub const EXPANSION_DEPTH_MAX: usize = 64;

/// A column of a bound query.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputColumn {
    /// Name that the user sees.
    pub name: String,
    /// Name within the plan.
    pub unique: String,
    /// Type.
    pub ty: LogicalType,
}

/// A bound query.
#[derive(Debug, Clone)]
pub struct BoundQuery {
    /// The plan. It may have more columns than the query (sort keys never are among them).
    pub plan: LogicalPlan,
    /// The query's columns, in order.
    pub columns: Vec<OutputColumn>,
}

impl BoundQuery {
    /// Names and types of the columns as a table of them would declare: without time attributes.
    pub fn schema(&self) -> Vec<(String, LogicalType)> {
        let plain = |c: &OutputColumn| (c.name.clone(), c.ty.clone().with_time_attribute(TimeAttribute::None));
        self.columns.iter().map(plain).collect()
    }
}

/// Binds the statements of one job. Column names are unique over everything one binder made.
pub struct Binder<'a> {
    catalog: &'a dyn RelationLookup,
    connectors: &'a Registry,
    context: ExprContext,
    streaming: bool,
    names: RefCell<ColumnNames>,
    relations_bound: Cell<usize>,
    /// What names stand for, while somebody wants to know.
    notes: RefCell<Option<notes::Notes>>,
}

impl<'a> Binder<'a> {
    /// A binder over a catalog. `config` decides streaming or batch semantics.
    pub fn new(
        catalog: &'a dyn RelationLookup,
        connectors: &'a Registry,
        config: &Configuration,
        context: ExprContext,
    ) -> Self {
        let streaming = !config.text(config::RUNTIME_MODE).eq_ignore_ascii_case("batch");
        Self {
            catalog,
            connectors,
            context,
            streaming,
            names: RefCell::default(),
            relations_bound: Cell::new(0),
            notes: RefCell::default(),
        }
    }

    /// Binds a query.
    pub fn bind_query(&self, query: &ast::Query) -> SqlResult<BoundQuery> {
        self.relations_bound.set(0);
        let defaults = self.catalog.defaults();
        let bound = self.query(query, QueryEnv::new(&defaults))?;
        check_depth(&bound.plan, query.span)?;
        Ok(bound)
    }

    /// Binds an expression that refers to no column and evaluates to a constant, such as an argument of a
    /// procedure.
    pub fn bind_constant(&self, expr: &ast::Expr) -> SqlResult<(headwater_plan::Value, LogicalType)> {
        let defaults = self.catalog.defaults();
        let value = self.constant_expr(expr, QueryEnv::new(&defaults))?;
        let folded = self
            .fold(&value)
            .ok_or_else(|| SqlError::at("not-constant", "the expression is not a constant", expr.span))?;
        Ok((folded, value.ty))
    }

    fn fresh(&self, display: &str) -> String {
        self.names.borrow_mut().fresh(display)
    }

    /// Counts one more expanded relation.
    fn count_relation(&self, span: Span) -> SqlResult<()> {
        self.relations_bound.set(self.relations_bound.get() + 1);
        if self.relations_bound.get() <= RELATIONS_MAX {
            return Ok(());
        }
        let message = format!("the statement expands to more than {RELATIONS_MAX} tables and views");
        Err(SqlError::at("statement-too-large", message, span))
    }
}

/// Refuses plans that would exhaust the stack of what walks them.
fn check_depth(plan: &LogicalPlan, span: Span) -> SqlResult<()> {
    let mut open = vec![(plan, 1)];
    while let Some((node, depth)) = open.pop() {
        if depth > PLAN_DEPTH_MAX {
            let message = format!("the statement needs more than {PLAN_DEPTH_MAX} operators on top of each other");
            return Err(SqlError::at("statement-too-large", message, span));
        }
        open.extend(node.inputs().into_iter().map(|input| (input, depth + 1)));
    }
    Ok(())
}

/// A failure of a plan constructor: the binder built something DataFusion refuses.
fn plan_error(error: DataFusionError) -> SqlError {
    SqlError::internal(format!("the plan could not be built: {}", error.strip_backtrace()))
}
