//! Subqueries as values and conditions: left to DataFusion's decorrelation.

use super::super::{Binder, BoundQuery, Typed, plan_error};
use super::compare::{conjunction, disjunction, operator};
use crate::binder::aggregate::column;
use crate::binder::context::ExprEnv;
use crate::logical::InlineValues;
use crate::logical::aggregate::FlinkAggregate;
use crate::logical::membership::row_membership;
use crate::{SqlError, SqlResult};
use datafusion_common::Spans;
use datafusion_expr::expr::{AggregateFunction, Exists, InSubquery};
use datafusion_expr::{Aggregate, Expr, Filter, LogicalPlan, Operator, Projection, Subquery};
use headwater_functions::types::comparison_type;
use headwater_sql_parser::ast::{self, BinaryOp, ExprKind, QuantifiedRight, Quantifier};
use headwater_types::{LogicalType, TimeAttribute};
use std::sync::Arc;

impl Binder<'_> {
    pub(super) fn exists(&self, query: &ast::Query, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let bound = self.inner_query(query, env.subquery())?;
        Ok(exists_of(bound.plan))
    }

    pub(super) fn scalar_subquery(&self, query: &ast::Query, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let bound = self.single_column(query, env)?;
        let ty = bound.columns[0].ty.clone().with_nullable(true).with_time_attribute(TimeAttribute::None);
        let plan = if has_one_row(&bound.plan) { bound.plan } else { self.single_value(bound, &ty)? };
        Ok(Typed::new(Expr::ScalarSubquery(subquery(plan)), ty))
    }

    /// The only row of a query, or NULL; more rows are an error when they come.
    fn single_value(&self, bound: BoundQuery, ty: &LogicalType) -> SqlResult<LogicalPlan> {
        let value = column(&bound.columns[0].unique);
        let udf = FlinkAggregate::udf("SINGLE_VALUE", ty.clone(), vec![]);
        let call = AggregateFunction::new_udf(udf, vec![value], false, None, vec![], None);
        let call = Expr::AggregateFunction(call).alias(self.fresh(&bound.columns[0].name));
        let single = Aggregate::try_new(Arc::new(bound.plan), vec![], vec![call]).map_err(plan_error)?;
        Ok(LogicalPlan::Aggregate(single))
    }

    pub(super) fn in_subquery(
        &self,
        needle: &ast::Expr,
        query: &ast::Query,
        negated: bool,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        if let ExprKind::Row { values, .. } = &needle.kind {
            return self.row_in_subquery(values, query, negated, env);
        }
        let value = self.expr(needle, env)?;
        let bound = self.single_column(query, env)?;
        let column = &bound.columns[0];
        let Some(ty) = comparison_type(&value.ty, &column.ty) else {
            let message = format!("a value of type {} cannot be IN a column of type {}", value.ty, column.ty);
            return Err(SqlError::at("bad-comparison", message, needle.span));
        };
        let nullable = value.ty.nullable || column.ty.nullable;
        let bound = self.column_cast(bound, &ty)?;
        let value = self.cast(value, &ty)?;
        let expr = InSubquery::new(Box::new(value.expr), subquery(bound.plan), negated);
        Ok(Typed::boolean(Expr::InSubquery(expr), nullable))
    }

    /// `(a, b) IN (query)` as EXISTS over the rows of the query that are, or may be, equal.
    fn row_in_subquery(
        &self,
        values: &[ast::Expr],
        query: &ast::Query,
        negated: bool,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        let bound = self.inner_query(query, env.subquery())?;
        if bound.columns.len() != values.len() {
            let message = format!("a row of {} values is IN a query of {} columns", values.len(), bound.columns.len());
            return Err(SqlError::at("bad-subquery", message, query.span));
        }
        let mut equal = Vec::with_capacity(values.len());
        for (value, column) in values.iter().zip(&bound.columns) {
            let outer = as_outer(self.expr(value, env)?);
            let inner = Typed::column(&column.unique, column.ty.clone());
            equal.push(self.compare(outer, Operator::Eq, inner, value.span)?);
        }
        let nullable = equal.iter().any(|condition| condition.ty.nullable);
        let found = matching(&bound.plan, equal.clone())?;
        let membership = if nullable {
            let is_possible = |e: Typed| match e.ty.nullable {
                true => Typed::boolean(Expr::IsNotFalse(Box::new(e.expr)), false),
                false => e,
            };
            row_membership(found, matching(&bound.plan, equal.into_iter().map(is_possible).collect())?)
        } else {
            Expr::Exists(found)
        };
        let value = if negated { Expr::Not(Box::new(membership)) } else { membership };
        Ok(Typed::boolean(value, nullable))
    }

    /// `= ANY` is IN and `<> ALL` is NOT IN; a list is spelled out.
    pub(super) fn quantified(&self, expr: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let ExprKind::Quantified { left, op, quantifier, right } = &expr.kind else {
            return Err(SqlError::internal("not a quantified comparison"));
        };
        match (right, op, quantifier) {
            (QuantifiedRight::Query(query), BinaryOp::Eq, Quantifier::Any) => self.in_subquery(left, query, false, env),
            (QuantifiedRight::Query(query), BinaryOp::NotEq, Quantifier::All) => {
                self.in_subquery(left, query, true, env)
            }
            (QuantifiedRight::Query(query), ..) => {
                let what = "a quantified comparison with a subquery other than = ANY and <> ALL";
                Err(SqlError::unsupported(what, Some(query.span)))
            }
            (QuantifiedRight::List(list), ..) => {
                let value = self.expr(left, env)?;
                let compare = |e: &ast::Expr| self.compare(value.clone(), operator(*op), self.expr(e, env)?, e.span);
                let parts = list.iter().map(compare).collect::<SqlResult<Vec<_>>>()?;
                Ok(match quantifier {
                    Quantifier::All => conjunction(parts),
                    Quantifier::Any => disjunction(parts),
                })
            }
        }
    }

    fn single_column(&self, query: &ast::Query, env: ExprEnv<'_>) -> SqlResult<BoundQuery> {
        let bound = self.inner_query(query, env.subquery())?;
        if bound.columns.len() == 1 {
            return Ok(bound);
        }
        let message = format!("a subquery used as a value must have one column, not {}", bound.columns.len());
        Err(SqlError::at("bad-subquery", message, query.span))
    }

    /// The query of one column with that column cast.
    fn column_cast(&self, bound: BoundQuery, ty: &LogicalType) -> SqlResult<BoundQuery> {
        let mut column = bound.columns[0].clone();
        let value = self.cast(Typed::column(&column.unique, column.ty.clone()), ty)?;
        if value.column_name().is_some() {
            return Ok(bound);
        }
        column.unique = self.fresh(&column.name);
        column.ty = value.ty;
        let aliased = value.expr.alias(&column.unique);
        let plan = Projection::try_new(vec![aliased], Arc::new(bound.plan)).map_err(plan_error)?;
        Ok(BoundQuery { plan: LogicalPlan::Projection(plan), columns: vec![column] })
    }
}

/// Whether a query has exactly one row: an aggregate of everything, or nothing to read.
fn has_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => has_one_row(&projection.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Extension(extension) => {
            extension.node.as_any().downcast_ref::<InlineValues>().is_some_and(|values| values.rows.len() == 1)
        }
        _ => false,
    }
}

fn subquery(plan: LogicalPlan) -> Subquery {
    let outer_ref_columns = plan.all_out_ref_exprs();
    Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() }
}

fn exists_of(plan: LogicalPlan) -> Typed {
    Typed::boolean(Expr::Exists(Exists::new(subquery(plan), false)), false)
}

/// Whether a query has rows that satisfy all conditions.
fn matching(query: &LogicalPlan, conditions: Vec<Typed>) -> SqlResult<Exists> {
    let filter = Filter::try_new(conjunction(conditions).expr, Arc::new(query.clone())).map_err(plan_error)?;
    Ok(Exists::new(subquery(LogicalPlan::Filter(filter)), false))
}

/// Columns of the current query, seen from inside a subquery.
fn as_outer(value: Typed) -> Typed {
    use datafusion_common::tree_node::{Transformed, TreeNode};
    use headwater_data::arrow_field;
    let ty = value.ty.clone();
    let moved = value.expr.clone().transform(|e| match e {
        Expr::Column(column) => {
            let field = Arc::new(arrow_field(&column.name, &ty));
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        other => Ok(Transformed::no(other)),
    });
    match moved {
        Ok(moved) => Typed { expr: moved.data, ..value },
        Err(_) => value,
    }
}
