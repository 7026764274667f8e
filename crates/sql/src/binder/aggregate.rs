//! Aggregate calls, and the aggregate node between rows and select list.
//!
//! A call is bound to a DataFusion aggregate expression that stays where it was written. [`Aggregation`] then
//! collects the calls of all clauses, builds
//!
//! ```text
//! Aggregate(keys, calls)
//!   [Expand]                       for grouping sets
//!     Projection(keys, arguments)
//!       rows
//! ```
//!
//! and rewrites the expressions of the clauses over its output.

use super::context::{Clause, ExprEnv};
use super::grouping::Grouping;
use super::{Binder, Typed, plan_error};
use crate::logical::aggregate::FlinkAggregate;
use crate::{SqlError, SqlResult};
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, DataFusionError};
use datafusion_expr::expr::{AggregateFunction, AggregateFunctionParams};
use datafusion_expr::{Aggregate, Expr, LogicalPlan, Projection};
use headwater_functions::types::aggregate_type;
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Function, FunctionArgValue, NullTreatment, SetQuantifier};
use headwater_types::{LogicalType, TypeRoot};
use std::collections::HashSet;
use std::sync::Arc;

/// Aggregate functions by canonical name.
pub(super) const FUNCTIONS: &[&str] = &[
    "COUNT",
    "SUM",
    "SUM0",
    "AVG",
    "MIN",
    "MAX",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "STDDEV",
    "VAR_POP",
    "VAR_SAMP",
    "VARIANCE",
    "FIRST_VALUE",
    "LAST_VALUE",
    "LISTAGG",
    "COLLECT",
    "ARRAY_AGG",
    "APPROX_COUNT_DISTINCT",
    "SINGLE_VALUE",
    "PERCENTILE",
    "BITMAP_BUILD_AGG",
    "BITMAP_BUILD_CARDINALITY_AGG",
    "BITMAP_AND_AGG",
    "BITMAP_AND_CARDINALITY_AGG",
    "BITMAP_OR_AGG",
    "BITMAP_OR_CARDINALITY_AGG",
    "BITMAP_XOR_AGG",
    "BITMAP_XOR_CARDINALITY_AGG",
];

/// Functions over the grouping set of a row.
pub(super) const GROUPING_FUNCTIONS: &[&str] = &["GROUPING", "GROUPING_ID", "GROUP_ID"];

/// Whether a name is that of an aggregate function.
pub(super) fn is_aggregate(name: &str) -> bool {
    FUNCTIONS.contains(&name) || matches!(name, "$SUM0" | "STRING_AGG")
}

impl Binder<'_> {
    /// An aggregate call, left inside the expression.
    pub(super) fn aggregate_call(&self, name: &str, call: &Function, env: ExprEnv<'_>) -> SqlResult<Typed> {
        check_place(name, call, env)?;
        let inner = env.inside_aggregate();
        let (args, mut parameters) = self.aggregate_args(name, call, inner)?;
        if call.null_treatment == Some(NullTreatment::Ignore) {
            parameters.push(Value::Boolean(true));
        }
        let filter = call.filter.as_ref().map(|f| self.condition(f, inner)).transpose()?;
        let ty = match args.first() {
            None => LogicalType::from(TypeRoot::BigInt).not_null(),
            // Of several percentages there are several results.
            Some(_) if matches!(parameters.first(), Some(Value::List(_))) => {
                TypeRoot::Array(Box::new(TypeRoot::Double.into())).into()
            }
            Some(arg) => aggregate_type(name, &arg.ty).map_err(|e| SqlError::from(e).with_span(call.span))?,
        };
        let counts = matches!(name, "COUNT" | "APPROX_COUNT_DISTINCT" | "SUM0" | "$SUM0" | "COLLECT");
        let nullable = ty.nullable || (!counts && (filter.is_some() || env.global_groups));
        let ty = ty.with_nullable(nullable);
        let distinct = call.quantifier == Some(SetQuantifier::Distinct) && !matches!(name, "MIN" | "MAX");
        let expr = AggregateFunction::new_udf(
            FlinkAggregate::udf(name, ty.clone(), parameters),
            args.into_iter().map(|a| a.expr).collect(),
            distinct,
            filter.map(|f| Box::new(f.expr)),
            vec![],
            None,
        );
        Ok(Typed::new(Expr::AggregateFunction(expr), ty))
    }

    /// The argument columns and, behind them, literal parameters.
    pub(super) fn aggregate_args(
        &self,
        name: &str,
        call: &Function,
        env: ExprEnv<'_>,
    ) -> SqlResult<(Vec<Typed>, Vec<Value>)> {
        if name == "COUNT" && call.args.len() > 1 {
            return Ok((vec![self.counted_row(call, env)?], vec![]));
        }
        let mut args = Vec::with_capacity(1);
        let mut parameters = vec![];
        for (position, arg) in call.args.iter().enumerate() {
            match &arg.value {
                FunctionArgValue::Star if name == "COUNT" && call.args.len() == 1 => return Ok((vec![], vec![])),
                FunctionArgValue::Expr(expr) if position == 0 => args.push(self.expr(expr, env)?),
                FunctionArgValue::Expr(expr) if name == "PERCENTILE" && position == 1 => {
                    parameters.push(self.percentage(expr, env)?);
                }
                FunctionArgValue::Expr(expr) if name == "PERCENTILE" => args.push(self.frequency(expr, env)?),
                FunctionArgValue::Expr(expr) => {
                    let value = self.expr(expr, env)?;
                    let folded = self.fold(&value).ok_or_else(|| {
                        let message = format!("argument {} of {name} must be a literal", position + 1);
                        SqlError::at("bad-function-call", message, expr.span)
                    })?;
                    parameters.push(folded);
                }
                _ => {
                    let message = format!("{name} does not take such an argument");
                    return Err(SqlError::at("bad-function-call", message, arg.span));
                }
            }
        }
        check_arity(name, args.len(), parameters.len(), call.span)?;
        if let Some(arg) = args.first_mut().filter(|a| a.ty.root == TypeRoot::Null) {
            *arg = self.null_of(TypeRoot::Int)?;
        }
        Ok((args, parameters))
    }

    /// GROUPING and its like, left inside the expression as a pseudo aggregate.
    pub(super) fn grouping_call(&self, name: &str, call: &Function, env: ExprEnv<'_>) -> SqlResult<Typed> {
        check_place(name, call, env)?;
        let mut args = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            match &arg.value {
                FunctionArgValue::Expr(expr) => args.push(self.expr(expr, env.inside_aggregate())?.expr),
                _ => {
                    let message = format!("{name} takes expressions of GROUP BY");
                    return Err(SqlError::at("bad-function-call", message, arg.span));
                }
            }
        }
        if args.is_empty() != (name == "GROUP_ID") {
            let message = if args.is_empty() { "needs expressions of GROUP BY" } else { "takes no arguments" };
            return Err(SqlError::at("bad-function-call", format!("{name} {message}"), call.span));
        }
        let ty = LogicalType::from(TypeRoot::BigInt).not_null();
        let udf = FlinkAggregate::udf(name, ty.clone(), vec![]);
        let expr = AggregateFunction::new_udf(udf, args, false, None, vec![], None);
        Ok(Typed::new(Expr::AggregateFunction(expr), ty))
    }
}

/// Whether an aggregate call may stand here.
pub(super) fn check_clause(name: &str, span: Span, env: ExprEnv<'_>) -> SqlResult<()> {
    if env.in_aggregate {
        let message = format!("aggregate functions cannot be nested: '{name}' stands inside another one");
        return Err(SqlError::at("nested-aggregate", message, span));
    }
    if let Clause::Rows(clause) = env.clause {
        let message = format!("the aggregate function '{name}' is not allowed in {clause}");
        let hint = if clause == "WHERE" { "conditions on groups stand in HAVING" } else { "aggregate in a subquery" };
        return Err(SqlError::at("misplaced-aggregate", message, span).with_hint(hint));
    }
    Ok(())
}

fn check_place(name: &str, call: &Function, env: ExprEnv<'_>) -> SqlResult<()> {
    check_clause(name, call.span, env)?;
    if !call.order_by.is_empty() || !call.within_group.is_empty() {
        return Err(SqlError::unsupported(format!("ORDER BY inside {name}"), Some(call.span)));
    }
    if call.null_treatment.is_some() && name != "ARRAY_AGG" {
        return Err(SqlError::unsupported(format!("IGNORE and RESPECT NULLS of {name}"), Some(call.span)));
    }
    Ok(())
}

fn check_arity(name: &str, args: usize, parameters: usize, span: Span) -> SqlResult<()> {
    if name == "PERCENTILE" && parameters == 1 && matches!(args, 1 | 2) {
        return Ok(());
    }
    let most = match name {
        "PERCENTILE" => 2,
        "LISTAGG" | "STRING_AGG" => 1,
        _ => 0,
    };
    if args == 1 && parameters <= most {
        return Ok(());
    }
    let message = format!("{name} takes {} argument{}", most + 1, if most == 0 { "" } else { "s at most" });
    Err(SqlError::at("bad-function-call", message, span))
}

/// Whether an expression holds an aggregate call.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    expr.exists(|e| Ok(matches!(e, Expr::AggregateFunction(_)))).unwrap_or(false)
}

/// A call of the aggregate node.
struct Call {
    /// As it stands in the expressions of the clauses.
    written: Expr,
    /// Its output column.
    output: String,
}

/// The aggregate node of a query and the way from expressions over rows to expressions over groups.
pub(super) struct Aggregation {
    grouping: Grouping,
    calls: Vec<Call>,
    /// Columns other than groups and calls that expressions may keep: those of ranking functions.
    kept: HashSet<String>,
}

impl Aggregation {
    /// Collects the calls of these expressions.
    pub fn collect<'e>(
        binder: &Binder<'_>,
        grouping: Grouping,
        exprs: impl Iterator<Item = &'e Expr>,
        kept: HashSet<String>,
    ) -> Self {
        let mut calls: Vec<Call> = vec![];
        for expr in exprs {
            // The visitor never fails.
            let _ = expr.apply(|e| {
                if let Expr::AggregateFunction(call) = e
                    && !GROUPING_FUNCTIONS.contains(&call.func.name())
                    && calls.iter().all(|c| c.written != *e)
                {
                    calls.push(Call { written: e.clone(), output: binder.fresh(call.func.name()) });
                }
                Ok(TreeNodeRecursion::Continue)
            });
        }
        Self { grouping, calls, kept }
    }

    /// Builds the nodes over `rows`.
    pub fn build(&mut self, binder: &Binder<'_>, rows: LogicalPlan) -> SqlResult<LogicalPlan> {
        let mut projected: Vec<Expr> = vec![];
        for group in &mut self.grouping.groups {
            group.column = binder.fresh(&group.name);
            projected.push(group.input.expr.clone().alias(&group.column));
        }
        let group_count = projected.len();
        let mut arguments: Vec<(Expr, String)> = vec![];
        let aggregates: Vec<Expr> = self.calls.iter().map(|c| c.over_columns(binder, &mut arguments)).collect();
        projected.extend(arguments.iter().map(|(expr, name)| expr.clone().alias(name)));
        let mut input = rows;
        if !projected.is_empty() {
            input = LogicalPlan::Projection(Projection::try_new(projected, Arc::new(input)).map_err(plan_error)?);
        }
        let (input, renamed) = self.grouping.expand(binder, input, group_count)?;
        let aggregates = aggregates.into_iter().map(|a| renamed.apply(a)).collect::<SqlResult<Vec<_>>>()?;
        let keys = self.grouping.keys();
        if keys.is_empty() && aggregates.is_empty() {
            return self.empty_group(binder, input);
        }
        Aggregate::try_new(Arc::new(input), keys, aggregates).map(LogicalPlan::Aggregate).map_err(plan_error)
    }

    /// `GROUP BY ()` without aggregates: one row; counted, because DataFusion has no such node.
    fn empty_group(&self, binder: &Binder<'_>, input: LogicalPlan) -> SqlResult<LogicalPlan> {
        let udf = FlinkAggregate::udf("COUNT", LogicalType::from(TypeRoot::BigInt).not_null(), vec![]);
        let count = AggregateFunction::new_udf(udf, vec![], false, None, vec![], None);
        let count = Expr::AggregateFunction(count).alias(binder.fresh("COUNT"));
        Aggregate::try_new(Arc::new(input), vec![], vec![count]).map(LogicalPlan::Aggregate).map_err(plan_error)
    }

    /// The expression over groups. `span` is where it was written.
    pub fn rewrite(&self, value: &mut Typed, span: Span) -> SqlResult<()> {
        let mut stray: Option<String> = None;
        let mut widened = false;
        let rewritten = value.expr.clone().transform_down(|e| self.step(e, &mut stray, &mut widened));
        if has_correlation(&value.expr) {
            return Err(SqlError::unsupported("a correlated subquery over groups", Some(span)));
        }
        if let Some(column) = stray {
            let message = format!("expression '{}' is not being grouped", crate::logical::display_name(&column));
            let hint = "add it to GROUP BY, or aggregate it";
            return Err(SqlError::at("not-grouped", message, span).with_hint(hint));
        }
        value.expr = rewritten.map_err(plan_error)?.data;
        value.ty.nullable |= widened;
        Ok(())
    }

    fn step(
        &self,
        expr: Expr,
        stray: &mut Option<String>,
        widened: &mut bool,
    ) -> Result<Transformed<Expr>, DataFusionError> {
        let replaced = |e: Expr| Ok(Transformed::new(e, true, TreeNodeRecursion::Jump));
        if let Some(group) = self.grouping.groups.iter().find(|g| g.input.expr == expr) {
            *widened |= group.padded;
            return replaced(column(&group.column));
        }
        match &expr {
            Expr::AggregateFunction(call) if GROUPING_FUNCTIONS.contains(&call.func.name()) => {
                match self.grouping.indicator(call.func.name(), &call.params.args) {
                    Some(indicator) => replaced(indicator),
                    None => {
                        *stray = Some(format!("{}(…)", call.func.name()));
                        Ok(Transformed::no(expr))
                    }
                }
            }
            Expr::AggregateFunction(_) => match self.calls.iter().find(|c| c.written == expr) {
                Some(call) => replaced(column(&call.output)),
                None => Ok(Transformed::no(expr)),
            },
            Expr::Column(c) if !self.kept.contains(&c.name) => {
                stray.get_or_insert_with(|| c.name.clone());
                Ok(Transformed::no(expr))
            }
            _ => Ok(Transformed::no(expr)),
        }
    }
}

impl Call {
    /// The call over plain columns; `arguments` collects what they are computed from.
    fn over_columns(&self, binder: &Binder<'_>, arguments: &mut Vec<(Expr, String)>) -> Expr {
        let Expr::AggregateFunction(call) = &self.written else { return self.written.clone() };
        let mut as_column = |expr: &Expr| {
            if let Some((_, name)) = arguments.iter().find(|(known, _)| known == expr) {
                return column(name);
            }
            let name = match expr {
                Expr::Column(c) => binder.fresh(crate::logical::display_name(&c.name)),
                _ => binder.fresh(&crate::logical::computed_name(expr)),
            };
            arguments.push((expr.clone(), name.clone()));
            column(&name)
        };
        let params = AggregateFunctionParams {
            args: call.params.args.iter().map(&mut as_column).collect(),
            filter: call.params.filter.as_ref().map(|f| Box::new(as_column(f))),
            ..call.params.clone()
        };
        Expr::AggregateFunction(AggregateFunction { func: call.func.clone(), params }).alias(&self.output)
    }
}

/// Whether a subquery inside refers to columns outside of it.
fn has_correlation(expr: &Expr) -> bool {
    let correlated = |e: &Expr| match e {
        Expr::ScalarSubquery(subquery) => !subquery.outer_ref_columns.is_empty(),
        Expr::Exists(exists) => !exists.subquery.outer_ref_columns.is_empty(),
        Expr::InSubquery(inner) => !inner.subquery.outer_ref_columns.is_empty(),
        _ => false,
    };
    expr.exists(|e| Ok(correlated(e))).unwrap_or(false)
}

/// A plan column.
pub(super) fn column(unique: &str) -> Expr {
    Expr::Column(Column::new_unqualified(unique))
}
