//! Ranking functions: `ROW_NUMBER() OVER (…)` and its like.
//!
//! A call becomes a column that a [`Rank`] node appends below the select list.

use super::aggregate::column;
use super::context::ExprEnv;
use super::over::{OverWindow, OverWindows, WindowParts, window_parts};
use super::{Binder, Typed, plan_error};
use crate::logical::nodes::extension;
use crate::logical::{Rank, RankOrder};
use crate::{SqlError, SqlResult};
use datafusion_expr::{Expr, LogicalPlan, Projection};
use headwater_plan::operators::RankFunction;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Function, NamedWindow, NullsOrder, OrderByExpr, SortDirection};
use std::cell::RefCell;
use std::sync::Arc;

/// A sort key.
#[derive(Clone)]
pub(super) struct OrderKey {
    pub value: Typed,
    pub span: Span,
    pub ascending: bool,
    pub nulls_first: bool,
}

/// A ranking call.
pub(super) struct RankCall {
    function: RankFunction,
    pub partition: Vec<(Typed, Span)>,
    pub order: Vec<OrderKey>,
    pub output: String,
}

/// The ranking calls of a query, collected while its expressions are bound.
pub(super) struct RankCalls<'a> {
    /// The WINDOW clause.
    windows: &'a [NamedWindow],
    calls: RefCell<Vec<RankCall>>,
    overs: OverWindows,
}

impl<'a> RankCalls<'a> {
    /// Nothing collected yet.
    pub fn new(windows: &'a [NamedWindow]) -> Self {
        Self { windows, calls: RefCell::default(), overs: OverWindows::default() }
    }

    /// The collected ranks, and the windows of other calls.
    pub fn into_calls(self) -> (Vec<RankCall>, Vec<OverWindow>) {
        (self.calls.into_inner(), self.overs.into_windows())
    }
}

/// The ranking function of a name.
pub(super) fn function(name: &str) -> Option<RankFunction> {
    match name {
        "ROW_NUMBER" => Some(RankFunction::RowNumber),
        "RANK" => Some(RankFunction::Rank),
        "DENSE_RANK" => Some(RankFunction::DenseRank),
        _ => None,
    }
}

/// Direction and place of NULLs of a sort key: NULL counts as the smallest value.
pub(super) fn directions(order: &OrderByExpr) -> (bool, bool) {
    let ascending = order.direction != Some(SortDirection::Desc);
    let nulls_first = order.nulls.map_or(ascending, |nulls| nulls == NullsOrder::First);
    (ascending, nulls_first)
}

impl Binder<'_> {
    /// A call with OVER.
    pub(super) fn over(&self, name: &str, call: &Function, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let Some(ranks) = env.ranks else {
            let message = format!("OVER is not allowed in {}", env.clause.name());
            let hint = "compute the rank in a subquery and filter outside, or use QUALIFY";
            return Err(SqlError::at("misplaced-over", message, call.span).with_hint(hint));
        };
        let Some(function) = function(name) else {
            return self.over_call(name, call, (ranks.windows, &ranks.overs), env);
        };
        if !call.args.is_empty() {
            return Err(SqlError::at("bad-function-call", format!("{name} takes no arguments"), call.span));
        }
        let spec = window_parts(call, ranks.windows)?;
        let bound = self.rank_call(function, &spec, env)?;
        let mut calls = ranks.calls.borrow_mut();
        let output = match calls.iter().find(|c| c.is_same(&bound)) {
            Some(known) => known.output.clone(),
            None => {
                let output = bound.output.clone();
                calls.push(bound);
                output
            }
        };
        Ok(Typed::column(&output, Rank::output_type()))
    }

    fn rank_call(&self, function: RankFunction, spec: &WindowParts<'_>, env: ExprEnv<'_>) -> SqlResult<RankCall> {
        if let Some(frame) = spec.frame {
            let message = "a ranking function takes no frame (ROWS or RANGE)";
            return Err(SqlError::at("bad-window", message, frame.span));
        }
        if spec.order_by.is_empty() {
            let message = "a ranking function needs ORDER BY in its OVER clause";
            return Err(SqlError::at("bad-window", message, spec.span));
        }
        let env = ExprEnv { ranks: None, ..env };
        let partition = spec.partition_by.iter().map(|p| Ok((self.expr(p, env)?, p.span)));
        let partition = partition.collect::<SqlResult<Vec<_>>>()?;
        let order = spec.order_by.iter().map(|o| self.order_key(o, env)).collect::<SqlResult<Vec<_>>>()?;
        Ok(RankCall { function, partition, order, output: self.fresh("w0$o0") })
    }

    /// A sort key that is an expression over rows.
    pub(super) fn order_key(&self, order: &OrderByExpr, env: ExprEnv<'_>) -> SqlResult<OrderKey> {
        let (ascending, nulls_first) = directions(order);
        Ok(OrderKey { value: self.expr(&order.expr, env)?, span: order.expr.span, ascending, nulls_first })
    }

    /// Adds the nodes of ranking calls, whose expressions are over `plan`.
    pub(super) fn rank_nodes(&self, mut plan: LogicalPlan, calls: Vec<RankCall>) -> SqlResult<LogicalPlan> {
        for call in calls {
            let keys = call.partition.iter().map(|(v, _)| v).chain(call.order.iter().map(|o| &o.value));
            let (input, names) = self.with_columns(plan, keys)?;
            let (partition_by, order_names) = names.split_at(call.partition.len());
            let order = call.order.iter().zip(order_names);
            let order_by = order.map(|(key, name)| RankOrder {
                column: name.clone(),
                ascending: key.ascending,
                nulls_first: key.nulls_first,
            });
            let schema = Rank::schema_over(&input, &call.output).map_err(plan_error)?;
            plan = extension(Rank {
                function: call.function,
                partition_by: partition_by.to_vec(),
                order_by: order_by.collect(),
                output: call.output,
                schema,
                input,
            });
        }
        Ok(plan)
    }

    /// The plan with a column for each value: the columns themselves, or new ones of a projection that
    /// keeps all others.
    pub(super) fn with_columns<'v>(
        &self,
        plan: LogicalPlan,
        values: impl Iterator<Item = &'v Typed>,
    ) -> SqlResult<(LogicalPlan, Vec<String>)> {
        let mut names = vec![];
        let mut computed: Vec<Expr> = vec![];
        for value in values {
            names.push(match value.column_name() {
                Some(name) => name.to_owned(),
                None => {
                    let name = self.fresh(&crate::logical::computed_name(&value.expr));
                    computed.push(value.expr.clone().alias(&name));
                    name
                }
            });
        }
        if computed.is_empty() {
            return Ok((plan, names));
        }
        let kept = plan.schema().fields().iter().map(|f| column(f.name()));
        let exprs = kept.chain(computed).collect();
        let projection = Projection::try_new(exprs, Arc::new(plan)).map_err(plan_error)?;
        Ok((LogicalPlan::Projection(projection), names))
    }
}

impl RankCall {
    fn is_same(&self, other: &RankCall) -> bool {
        let same_order = |a: &OrderKey, b: &OrderKey| {
            a.value.expr == b.value.expr && a.ascending == b.ascending && a.nulls_first == b.nulls_first
        };
        self.function == other.function
            && self.partition.len() == other.partition.len()
            && self.order.len() == other.order.len()
            && self.partition.iter().zip(&other.partition).all(|((a, _), (b, _))| a.expr == b.expr)
            && self.order.iter().zip(&other.order).all(|(a, b)| same_order(a, b))
    }
}
