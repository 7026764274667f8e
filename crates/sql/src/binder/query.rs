//! Queries: WITH, ORDER BY, LIMIT.

use super::aggregate::column;
use super::context::{CteFrame, ExprEnv, QueryEnv};
use super::rank::directions;
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use super::select::ordinal;
use super::{Binder, BoundQuery, plan_error};
use crate::{SqlError, SqlResult};
use datafusion_expr::expr::Sort as SortExpr;
use datafusion_expr::{Limit, LogicalPlan, Projection, Sort};
use headwater_plan::Value;
use headwater_sql_parser::ast::{self, Cte, ExprKind, Literal, OrderByExpr, Query, SetExpr};
use std::sync::Arc;

impl Binder<'_> {
    /// Binds a query.
    pub(super) fn query(&self, query: &Query, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        self.with_ctes(&query.with, query, env)
    }

    /// Puts the common table expressions in sight one after the other, then binds the body.
    fn with_ctes(&self, ctes: &[Cte], query: &Query, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        match ctes.split_first() {
            None => self.query_body(query, env),
            Some((cte, rest)) => {
                let frame = CteFrame { cte, env };
                self.with_ctes(rest, query, QueryEnv { ctes: Some(&frame), ..env })
            }
        }
    }

    fn query_body(&self, query: &Query, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        let bound = match &query.body {
            SetExpr::Select(select) => self.select(select, &query.order_by, env)?,
            body => {
                let bound = self.set_expr(body, env)?;
                self.order_output(bound, &query.order_by, env)?
            }
        };
        self.limited(bound, query, env)
    }

    /// A query inside of another one, whose order counts only together with a limit.
    pub(super) fn inner_query(&self, query: &Query, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        let bound = self.query(query, env)?;
        Ok(BoundQuery { plan: without_order(bound.plan)?, columns: bound.columns })
    }

    /// A query without an order of its own.
    pub(super) fn set_expr(&self, body: &SetExpr, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        match body {
            SetExpr::Select(select) => self.select(select, &[], env),
            SetExpr::Values(values) => self.values(values, env),
            SetExpr::Query(query) => self.inner_query(query, env),
            SetExpr::Table(name) => self.whole_table(name, env),
            SetExpr::SetOperation { op, quantifier, left, right } => {
                self.set_operation(*op, *quantifier, left, right, env)
            }
        }
    }

    /// ORDER BY over the columns of a query.
    fn order_output(&self, bound: BoundQuery, order_by: &[OrderByExpr], env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        if order_by.is_empty() {
            return Ok(bound);
        }
        let columns: Vec<ScopeColumn> = bound.columns.iter().cloned().map(ScopeColumn::from).collect();
        let scope = Scope::new(vec![ScopeRelation { path: vec![], columns }], env.outer);
        let mut values = Vec::with_capacity(order_by.len());
        for order in order_by {
            values.push(match &order.expr.kind {
                ExprKind::Literal(Literal::Number(text)) => {
                    let position = ordinal(text, bound.columns.len(), order.expr.span)?;
                    super::resolve::column_value(&scope.relations[0].columns[position], false)
                }
                _ => self.expr(&order.expr, ExprEnv::rows(&scope, env, "ORDER BY"))?,
            });
        }
        let width = bound.plan.schema().fields().len();
        let (plan, names) = self.with_columns(bound.plan, values.iter())?;
        let has_hidden = plan.schema().fields().len() > width;
        let keys = names.into_iter().zip(order_by).map(|(name, order)| {
            let (ascending, nulls_first) = directions(order);
            (name, ascending, nulls_first)
        });
        let plan = self.sorted(plan, keys.collect());
        let bound = BoundQuery { plan, columns: bound.columns };
        if has_hidden { self.renamed(bound) } else { Ok(bound) }
    }

    /// The plan sorted by columns with directions and places of NULLs.
    pub(super) fn sorted(&self, plan: LogicalPlan, keys: Vec<(String, bool, bool)>) -> LogicalPlan {
        if keys.is_empty() {
            return plan;
        }
        let expr = keys.into_iter().map(|(name, asc, nulls_first)| SortExpr { expr: column(&name), asc, nulls_first });
        LogicalPlan::Sort(Sort { expr: expr.collect(), input: Arc::new(plan), fetch: None })
    }

    fn limited(&self, bound: BoundQuery, query: &Query, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        let skip = query.offset.as_ref().map(|e| self.row_count(e, "OFFSET", env)).transpose()?;
        let fetch = query.limit.as_ref().map(|e| self.row_count(e, "LIMIT", env)).transpose()?;
        let skip = skip.filter(|n| *n > 0);
        if skip.is_none() && fetch.is_none() {
            return Ok(bound);
        }
        let count = |n: u64| Box::new(self.count_literal(n));
        let limit = |input| LogicalPlan::Limit(Limit { skip: skip.map(count), fetch: fetch.map(count), input });
        let plan = match bound.plan {
            // Next to the sort, so that both become one Top-N.
            LogicalPlan::Projection(p) if matches!(p.input.as_ref(), LogicalPlan::Sort(_)) => {
                let projection = Projection::try_new(p.expr, Arc::new(limit(p.input)));
                LogicalPlan::Projection(projection.map_err(plan_error)?)
            }
            plan => limit(Arc::new(plan)),
        };
        Ok(BoundQuery { plan, columns: bound.columns })
    }

    fn row_count(&self, expr: &ast::Expr, clause: &str, env: QueryEnv<'_>) -> SqlResult<u64> {
        let value = self.constant_expr(expr, env)?;
        match self.fold(&value) {
            Some(Value::Int(n)) if n >= 0 && value.ty.is_integer() => Ok(n as u64),
            _ => {
                let message = format!("{clause} needs a whole number of rows, not negative");
                Err(SqlError::at("bad-limit", message, expr.span))
            }
        }
    }

    /// The query under new column names, where some were given.
    pub(super) fn with_column_names(
        &self,
        mut bound: BoundQuery,
        names: &[ast::Ident],
        what: &str,
    ) -> SqlResult<BoundQuery> {
        if names.is_empty() {
            return Ok(bound);
        }
        if names.len() != bound.columns.len() {
            let span = names[0].span.to(names[names.len() - 1].span);
            let message = format!("{what} names {} columns, but there are {}", names.len(), bound.columns.len());
            return Err(SqlError::at("column-count", message, span));
        }
        for (column, name) in bound.columns.iter_mut().zip(names) {
            column.name.clone_from(&name.value);
        }
        let exprs: Vec<_> = bound
            .columns
            .iter_mut()
            .map(|c| {
                let fresh = self.fresh(&c.name);
                let expr = column(&c.unique).alias(&fresh);
                c.unique = fresh;
                expr
            })
            .collect();
        let plan = Projection::try_new(exprs, Arc::new(bound.plan)).map_err(plan_error)?;
        Ok(BoundQuery { plan: LogicalPlan::Projection(plan), columns: bound.columns })
    }
}

/// The plan without the sort on its top, or right below the projection that removes sort keys.
fn without_order(plan: LogicalPlan) -> SqlResult<LogicalPlan> {
    match plan {
        LogicalPlan::Sort(sort) => Ok(Arc::unwrap_or_clone(sort.input)),
        LogicalPlan::Projection(p) if matches!(p.input.as_ref(), LogicalPlan::Sort(_)) => {
            let input = without_order(Arc::unwrap_or_clone(p.input))?;
            Projection::try_new(p.expr, Arc::new(input)).map(LogicalPlan::Projection).map_err(plan_error)
        }
        other => Ok(other),
    }
}
