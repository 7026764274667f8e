//! Windows in GROUP BY: `GROUP BY TUMBLE(ts, INTERVAL '1' HOUR)` with TUMBLE_START and its like.
//!
//! The older form of windows. It is bound as the table function of the same name over the rows of FROM: the
//! window in GROUP BY stands for its start, end and time columns, the auxiliary functions for one of them.

use super::aggregate::column;
use super::context::{ExprEnv, QueryEnv};
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use super::window_tvf::{Window, positive, shape, time_attribute};
use super::{Binder, BoundQuery, OutputColumn, Typed};
use crate::logical::display_name;
use crate::{SqlError, SqlResult};
use datafusion_expr::{Expr as DfExpr, LogicalPlan};
use headwater_sql_parser::ast::{Expr, ExprKind, Function, FunctionArgValue, GroupBy, GroupByItem, GroupByKind};

/// Name of the relation that holds the window's columns in the scope.
const RELATION: &str = "$window";

impl Binder<'_> {
    /// Adds the window of GROUP BY, if there is one, below the groups.
    pub(super) fn group_window_node(
        &self,
        plan: LogicalPlan,
        group_by: Option<&GroupBy>,
        scope: &mut Scope<'_>,
        env: QueryEnv<'_>,
    ) -> SqlResult<LogicalPlan> {
        let calls: Vec<&Function> = group_by.into_iter().flat_map(|g| &g.items).flat_map(window_calls).collect();
        let Some(call) = calls.first() else { return Ok(plan) };
        if calls.len() > 1 {
            return Err(SqlError::unsupported("more than one window in GROUP BY", Some(calls[1].span)));
        }
        let name = call.name.as_single().map(|n| n.value.to_ascii_uppercase()).unwrap_or_default();
        let args = expr_args(call);
        let expected: &[&str] = match name.as_str() {
            "TUMBLE" => &["SIZE"],
            "HOP" => &["SLIDE", "SIZE"],
            _ => &["GAP"],
        };
        if args.len() != expected.len() + 1 {
            let message = format!("{name} in GROUP BY takes the time column and {}", expected.join(", "));
            return Err(SqlError::at("bad-window", message, call.span));
        }
        let time = self.expr(args[0], ExprEnv::rows(scope, env, "GROUP BY"))?;
        let Some(unique) = time.column_name() else {
            return Err(SqlError::at("bad-window", "the time of a window is a column", args[0].span));
        };
        let time =
            OutputColumn { name: display_name(unique).to_owned(), unique: unique.to_owned(), ty: time.ty.clone() };
        let time = time_attribute(&time, &plan, args[0].span)?;
        let duration = |param: &str| {
            let position = expected.iter().position(|p| *p == param).unwrap_or_default() + 1;
            positive(param, self.interval_ms(param, args[position], env)?, args[position].span)
        };
        let shape = shape(&name, duration, call.span)?;
        let input = BoundQuery { plan, columns: vec![] };
        let window = Window { shape, offset_ms: 0, partition_by: vec![], per_group: true };
        let bound = self.windowed(input, &time, window)?;
        let hidden = bound.columns.into_iter().map(|c| ScopeColumn { merged: true, ..ScopeColumn::from(c) });
        scope.relations.push(ScopeRelation { path: vec![RELATION.to_owned()], columns: hidden.collect() });
        Ok(bound.plan)
    }

    /// The start, end and time of the window that an item of GROUP BY is.
    pub(super) fn group_window_bounds(&self, expr: &Expr, env: ExprEnv<'_>) -> SqlResult<Option<Vec<Typed>>> {
        let ExprKind::Function(call) = &expr.kind else { return Ok(None) };
        if !is_window_call(call) {
            return Ok(None);
        }
        let columns = window_columns(env.scope);
        Ok(columns.map(|columns| columns.iter().map(|c| Typed::column(&c.unique, c.ty.clone())).collect()))
    }

    /// TUMBLE_START and its like.
    pub(super) fn group_window_call(&self, name: &str, call: &Function, env: ExprEnv<'_>) -> SqlResult<Option<Typed>> {
        let Some((window, property)) = name.split_once('_') else { return Ok(None) };
        if !matches!(window, "TUMBLE" | "HOP" | "SESSION") {
            return Ok(None);
        }
        let position = match property {
            "START" => 0,
            "END" => 1,
            "ROWTIME" | "PROCTIME" => 2,
            _ => return Ok(None),
        };
        let Some(columns) = window_columns(env.scope) else {
            let message = format!("{name} needs the window {window}(…) in GROUP BY");
            return Err(SqlError::at("misplaced-window", message, call.span));
        };
        let found = &columns[position];
        Ok(Some(Typed::new(DfExpr::clone(&column(&found.unique)), found.ty.clone())))
    }
}

fn window_columns<'s>(scope: &'s Scope<'_>) -> Option<&'s [ScopeColumn]> {
    let relation = scope.relations.last().filter(|r| r.path.len() == 1 && r.path[0] == RELATION);
    relation.map(|r| r.columns.as_slice()).filter(|columns| columns.len() == 3)
}

/// The windows among an item, those of grouping sets included.
fn window_calls(item: &GroupByItem) -> Vec<&Function> {
    match &item.kind {
        GroupByKind::Expr(expr) => window_call(expr).into_iter().collect(),
        GroupByKind::Tuple(exprs) => exprs.iter().filter_map(window_call).collect(),
        GroupByKind::GroupingSets(items) | GroupByKind::Cube(items) | GroupByKind::Rollup(items) => {
            items.iter().flat_map(window_calls).collect()
        }
    }
}

fn window_call(expr: &Expr) -> Option<&Function> {
    match &expr.kind {
        ExprKind::Function(call) if is_window_call(call) => Some(call),
        _ => None,
    }
}

fn is_window_call(call: &Function) -> bool {
    let name = call.name.as_single().map(|n| n.value.to_ascii_uppercase());
    matches!(name.as_deref(), Some("TUMBLE" | "HOP" | "SESSION"))
}

fn expr_args(call: &Function) -> Vec<&Expr> {
    let args = call.args.iter().filter_map(|a| match &a.value {
        FunctionArgValue::Expr(expr) => Some(expr),
        _ => None,
    });
    args.collect()
}
