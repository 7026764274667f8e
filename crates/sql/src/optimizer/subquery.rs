//! Brings subqueries into the places and forms that DataFusion's decorrelation understands.
//!
//! DataFusion makes joins of EXISTS and IN that are conditions of a filter, and marks where they are part of a larger
//! condition; a mark is two-valued. What it cannot do becomes a test of aggregates, as scalar subqueries, which it joins
//! wherever they stand. Unlike a count, the aggregate stays what it is when more rows come:
//!
//! * `EXISTS (Q)` in a select list is `(SELECT MAX(TRUE) FROM Q) IS NOT NULL`;
//! * `x IN (Q)` in a select list, and in a condition that tells unknown from false (below NOT, CASE, ...), is
//!   true if Q has `x`, else unknown if Q has a NULL, or has rows and `x` is NULL, else false.
//!
//! Of the membership of a row of several values such a condition keeps the part that decides.
//!
//! A needle that itself holds a subquery is computed below the filter.

use crate::logical::aggregate::FlinkAggregate;
use crate::logical::membership::decisive;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_common::{Column, DFSchema, ExprSchema, Result, ScalarValue, Spans};
use datafusion_expr::expr::{AggregateFunction, InSubquery};
use datafusion_expr::utils::{conjunction, split_conjunction_owned};
use datafusion_expr::{Aggregate, BinaryExpr, Case, Expr, Filter, LogicalPlan, Operator, Projection, Subquery, lit};
use headwater_types::{LogicalType, TypeRoot};
use std::sync::Arc;

/// The plan with its subqueries where they can be joined.
pub(super) fn arrange(plan: LogicalPlan) -> Result<LogicalPlan> {
    let mut aggregates = Aggregates::default();
    Ok(plan.transform_up_with_subqueries(|node| rewrite(node, &mut aggregates))?.data)
}

/// Whether an expression holds a subquery.
pub(super) fn has_subquery(expr: &Expr) -> bool {
    let is_subquery = |e: &Expr| matches!(e, Expr::InSubquery(_) | Expr::Exists(_) | Expr::ScalarSubquery(_));
    expr.exists(|e| Ok(is_subquery(e))).unwrap_or(false)
}

/// Puts constants that decorrelation groups by above the aggregate: all groups are columns then, and a key of it.
pub(super) fn plain_groups(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let LogicalPlan::Aggregate(aggregate) = node else { return Ok(Transformed::no(node)) };
    let is_column = |e: &Expr| matches!(e, Expr::Column(_));
    if aggregate.group_expr.iter().all(is_column) {
        return Ok(Transformed::no(LogicalPlan::Aggregate(aggregate)));
    }
    let constants: Vec<&Expr> = aggregate.group_expr.iter().filter(|e| !is_column(e)).collect();
    let outputs = aggregate.schema.fields().iter().map(|field| {
        let constant = constants.iter().find(|e| e.schema_name().to_string() == *field.name());
        constant.map_or_else(|| Expr::Column(Column::new_unqualified(field.name())), |e| (*e).clone())
    });
    let outputs = outputs.collect();
    let groups = aggregate.group_expr.iter().filter(|e| is_column(e)).cloned().collect();
    let grouped = Aggregate::try_new(aggregate.input.clone(), groups, aggregate.aggr_expr.clone())?;
    let grouped = Arc::new(LogicalPlan::Aggregate(grouped));
    Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(outputs, grouped)?)))
}

fn rewrite(node: LogicalPlan, aggregates: &mut Aggregates) -> Result<Transformed<LogicalPlan>> {
    match node {
        LogicalPlan::Filter(filter) if has_subquery(&filter.predicate) => {
            Ok(Transformed::yes(arranged_filter(filter, aggregates)?))
        }
        LogicalPlan::Projection(projection) if projection.expr.iter().any(has_subquery) => {
            let schema = projection.input.schema().clone();
            let exprs = projection.expr.into_iter().map(|e| aggregates.aggregated(e, &schema, false));
            let exprs = exprs.collect::<Result<Vec<_>>>()?;
            Ok(Transformed::yes(LogicalPlan::Projection(Projection::try_new(exprs, projection.input)?)))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn arranged_filter(filter: Filter, aggregates: &mut Aggregates) -> Result<LogicalPlan> {
    let schema = filter.input.schema().clone();
    let mut needles = vec![];
    let mut conditions = vec![];
    for condition in split_conjunction_owned(filter.predicate) {
        conditions.push(match decisive(condition) {
            Expr::InSubquery(membership) => Expr::InSubquery(aggregates.plain_needle(membership, &mut needles)),
            Expr::Exists(exists) => Expr::Exists(exists),
            Expr::Not(inner) => match *inner {
                Expr::InSubquery(membership) => {
                    Expr::Not(Box::new(Expr::InSubquery(aggregates.plain_needle(membership, &mut needles))))
                }
                Expr::Exists(exists) => Expr::Not(Box::new(Expr::Exists(exists))),
                other => aggregates.below(Expr::Not(Box::new(other)), &schema)?,
            },
            other => aggregates.below(other, &schema)?,
        });
    }
    let predicate = conjunction(conditions).unwrap_or_else(|| lit(true));
    if needles.is_empty() {
        return Ok(LogicalPlan::Filter(Filter::try_new(predicate, filter.input)?));
    }
    let columns: Vec<Expr> = schema.columns().into_iter().map(Expr::Column).collect();
    let exprs = columns.iter().cloned().chain(needles).map(|e| aggregates.aggregated(e, &schema, false));
    let input = LogicalPlan::Projection(Projection::try_new(exprs.collect::<Result<_>>()?, filter.input)?);
    let kept = LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input))?);
    Ok(LogicalPlan::Projection(Projection::try_new(columns, Arc::new(kept))?))
}

/// Makes subqueries that aggregate, with column names that are unique in the plan.
#[derive(Default)]
struct Aggregates {
    next: usize,
}

impl Aggregates {
    fn fresh(&mut self, display: &str) -> String {
        self.next += 1;
        format!("{display}#sub{}", self.next)
    }

    /// The membership of a column, where the needle holds a subquery.
    fn plain_needle(&mut self, membership: InSubquery, needles: &mut Vec<Expr>) -> InSubquery {
        if !has_subquery(&membership.expr) {
            return membership;
        }
        let name = self.fresh("$needle");
        needles.push(membership.expr.alias(&name));
        InSubquery { expr: Box::new(Expr::Column(Column::new_unqualified(name))), ..membership }
    }

    /// A condition with subqueries inside. Directly below AND and OR, unknown and false are the same to the filter.
    fn below(&mut self, expr: Expr, schema: &DFSchema) -> Result<Expr> {
        match decisive(expr) {
            Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
                let (left, right) = (self.below(*left, schema)?, self.below(*right, schema)?);
                Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right))))
            }
            Expr::InSubquery(membership) if !membership.negated && !has_subquery(&membership.expr) => {
                Ok(Expr::InSubquery(membership))
            }
            other => self.aggregated(other, schema, true),
        }
    }

    /// The expression with aggregates in place of EXISTS and IN; of those only that a mark cannot stand for if `marks`.
    fn aggregated(&mut self, expr: Expr, schema: &DFSchema, marks: bool) -> Result<Expr> {
        let rewritten = expr.transform_up(|e| match e {
            Expr::Exists(exists) if !marks => {
                let found = self.any(exists.subquery.subquery.as_ref().clone())?;
                Ok(Transformed::yes(negated_if(found, exists.negated)))
            }
            Expr::InSubquery(membership) if !marks || may_be_unknown(&membership, schema)? => {
                let negated = membership.negated;
                Ok(Transformed::yes(negated_if(self.membership(membership, schema)?, negated)))
            }
            other => Ok(Transformed::no(other)),
        });
        Ok(rewritten?.data)
    }

    /// `x IN (Q)` by aggregates of the rows of Q.
    fn membership(&mut self, membership: InSubquery, schema: &DFSchema) -> Result<Expr> {
        let unknown = may_be_unknown(&membership, schema)?;
        let query = membership.subquery.subquery.as_ref().clone();
        let value = Expr::Column(Column::new_unqualified(query.schema().field(0).name()));
        let needle = *membership.expr;
        let equal = as_outer(needle.clone(), schema)?.eq(value.clone());
        let found = self.any(filtered(query.clone(), equal)?)?;
        if !unknown {
            return Ok(found);
        }
        let has_null = self.any(filtered(query.clone(), value.is_null())?)?;
        let has_rows = self.any(query)?;
        let null = || Box::new(Expr::Literal(ScalarValue::Boolean(None), None));
        let branches = vec![
            (Box::new(found), Box::new(lit(true))),
            (Box::new(needle.is_null().and(has_rows)), null()),
            (Box::new(has_null), null()),
        ];
        Ok(Expr::Case(Case::new(None, branches, Some(Box::new(lit(false))))))
    }

    /// Whether a query has rows.
    fn any(&mut self, query: LogicalPlan) -> Result<Expr> {
        let boolean = LogicalType::from(TypeRoot::Boolean);
        let one = self.fresh("$row");
        let rows = LogicalPlan::Projection(Projection::try_new(vec![lit(true).alias(&one)], Arc::new(query))?);
        let found = FlinkAggregate::udf("MAX", boolean, vec![]);
        let one = vec![Expr::Column(Column::new_unqualified(one))];
        let found = AggregateFunction::new_udf(found, one, false, None, vec![], None);
        let found = Expr::AggregateFunction(found).alias(self.fresh("$found"));
        let plan = LogicalPlan::Aggregate(Aggregate::try_new(Arc::new(rows), vec![], vec![found])?);
        let outer_ref_columns = plan.all_out_ref_exprs();
        let subquery = Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() };
        Ok(Expr::ScalarSubquery(subquery).is_not_null())
    }
}

/// Whether the needle or a row of the query may be NULL.
fn may_be_unknown(membership: &InSubquery, schema: &DFSchema) -> Result<bool> {
    use datafusion_expr::ExprSchemable;
    let inner = membership.subquery.subquery.schema().field(0).is_nullable();
    Ok(inner || has_subquery(&membership.expr) || membership.expr.nullable(schema)?)
}

fn filtered(plan: LogicalPlan, predicate: Expr) -> Result<LogicalPlan> {
    Ok(LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(plan))?))
}

/// Columns of the enclosing query, as seen from inside of a subquery.
fn as_outer(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let moved = expr.transform(|e| match e {
        Expr::Column(column) => {
            let field = schema.field_from_column(&column)?.clone();
            Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
        }
        other => Ok(Transformed::no(other)),
    });
    Ok(moved?.data)
}

fn negated_if(expr: Expr, negated: bool) -> Expr {
    if negated { Expr::Not(Box::new(expr)) } else { expr }
}
