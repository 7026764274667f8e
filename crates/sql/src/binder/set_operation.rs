//! UNION, INTERSECT, EXCEPT.

use super::context::QueryEnv;
use super::select_list::Item;
use super::{Binder, BoundQuery, OutputColumn, Typed, plan_error};
use crate::{SqlError, SqlResult};
use datafusion_common::{JoinConstraint, NullEquality};
use datafusion_expr::{Distinct, Join, JoinType, LogicalPlan, Projection, Union};
use headwater_functions::types::least_restrictive;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{SetExpr, SetOperator, SetQuantifier};
use headwater_types::{LogicalType, TimeAttribute, TypeRoot};
use std::sync::Arc;

impl Binder<'_> {
    /// A set operation over columns brought to common types.
    pub(super) fn set_operation(
        &self,
        op: SetOperator,
        quantifier: Option<SetQuantifier>,
        left: &SetExpr,
        right: &SetExpr,
        env: QueryEnv<'_>,
    ) -> SqlResult<BoundQuery> {
        let all = quantifier == Some(SetQuantifier::All);
        if op == SetOperator::Union && all {
            return self.union_all(left, right, env);
        }
        let (left_span, right_span) = (span_of(left), span_of(right));
        let (left, right) = (self.set_expr(left, env)?, self.set_expr(right, env)?);
        let span = left_span.to(right_span);
        match op {
            SetOperator::Union => {
                let bound = self.union_of(vec![left, right], span)?;
                let plan = LogicalPlan::Distinct(Distinct::All(Arc::new(bound.plan)));
                Ok(BoundQuery { plan, columns: bound.columns })
            }
            _ if all => {
                let (left, right) = self.in_common_types(left, right, span)?;
                self.counted(op, left, right)
            }
            SetOperator::Intersect => self.filtered_by(left, right, JoinType::LeftSemi, span),
            SetOperator::Except => self.filtered_by(left, right, JoinType::LeftAnti, span),
        }
    }

    /// A chain of UNION ALL as one node.
    fn union_all(&self, left: &SetExpr, right: &SetExpr, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        let mut branches = vec![right];
        let mut rest = left;
        while let SetExpr::SetOperation { op: SetOperator::Union, quantifier: Some(SetQuantifier::All), left, right } =
            rest
        {
            branches.push(right);
            rest = left;
        }
        branches.push(rest);
        branches.reverse();
        let span = span_of(branches[0]).to(span_of(branches[branches.len() - 1]));
        let bound = branches.into_iter().map(|b| self.set_expr(b, env)).collect::<SqlResult<Vec<_>>>()?;
        self.union_of(bound, span)
    }

    fn union_of(&self, queries: Vec<BoundQuery>, span: Span) -> SqlResult<BoundQuery> {
        let types = column_types(&queries, span)?;
        let inputs = queries.into_iter().map(|q| self.with_types(q, &types)).collect::<SqlResult<Vec<_>>>()?;
        let columns = inputs[0].columns.clone();
        let inputs = inputs.into_iter().map(|q| Arc::new(q.plan)).collect();
        let union = Union::try_new(inputs).map_err(plan_error)?;
        Ok(BoundQuery { plan: LogicalPlan::Union(union), columns })
    }

    /// The distinct left rows that are (or are not) among the right ones; NULL equals NULL.
    fn filtered_by(&self, left: BoundQuery, right: BoundQuery, kind: JoinType, span: Span) -> SqlResult<BoundQuery> {
        let (left, right) = self.in_common_types(left, right, span)?;
        let on = left.columns.iter().zip(&right.columns);
        let on = on.map(|(l, r)| (super::aggregate::column(&l.unique), super::aggregate::column(&r.unique)));
        let distinct = LogicalPlan::Distinct(Distinct::All(Arc::new(left.plan)));
        let join = Join::try_new(
            Arc::new(distinct),
            Arc::new(right.plan),
            on.collect(),
            None,
            kind,
            JoinConstraint::On,
            NullEquality::NullEqualsNull,
            false,
        );
        Ok(BoundQuery { plan: LogicalPlan::Join(join.map_err(plan_error)?), columns: left.columns })
    }

    /// Both queries with columns of common types. What they are compared by is no longer a time attribute.
    fn in_common_types(&self, left: BoundQuery, right: BoundQuery, span: Span) -> SqlResult<(BoundQuery, BoundQuery)> {
        let queries = vec![left, right];
        let types = column_types(&queries, span)?.into_iter().map(|t| t.with_time_attribute(TimeAttribute::None));
        let types: Vec<_> = types.collect();
        let mut inputs = queries.into_iter().map(|q| self.with_types(q, &types)).collect::<SqlResult<Vec<_>>>()?;
        match (inputs.pop(), inputs.pop()) {
            (Some(right), Some(left)) => Ok((left, right)),
            _ => Err(SqlError::internal("a set operation needs two queries")),
        }
    }

    /// The query projected to exactly its columns, each cast to its type.
    fn with_types(&self, bound: BoundQuery, types: &[LogicalType]) -> SqlResult<BoundQuery> {
        let mut items = Vec::with_capacity(types.len());
        for (OutputColumn { name, unique, ty }, wanted) in bound.columns.into_iter().zip(types) {
            let keeps_attribute = ty.time_attribute() == wanted.time_attribute();
            let mut value = self.cast(Typed::column(&unique, ty), wanted)?;
            value.ty = wanted.clone().with_nullable(value.ty.nullable || wanted.nullable);
            if !keeps_attribute {
                value.ty = value.ty.with_time_attribute(TimeAttribute::None);
            }
            items.push(Item { name, value, span: Span::default() });
        }
        let (exprs, columns) = self.named(&items);
        let plan = Projection::try_new(exprs, Arc::new(bound.plan)).map_err(plan_error)?;
        Ok(BoundQuery { plan: LogicalPlan::Projection(plan), columns })
    }
}

/// The common types of the columns of queries.
fn column_types(queries: &[BoundQuery], span: Span) -> SqlResult<Vec<LogicalType>> {
    let count = queries[0].columns.len();
    if let Some(other) = queries.iter().find(|q| q.columns.len() != count) {
        let message = format!("set operations need equally many columns: {count} and {}", other.columns.len());
        return Err(SqlError::at("column-count", message, span));
    }
    (0..count).map(|i| common_column_type(queries, i, span)).collect()
}

fn common_column_type(queries: &[BoundQuery], position: usize, span: Span) -> SqlResult<LogicalType> {
    let types: Vec<_> = queries.iter().map(|q| q.columns[position].ty.clone()).collect();
    if types.iter().all(|t| t.root == TypeRoot::Null) {
        return Ok(TypeRoot::Null.into());
    }
    least_restrictive(&types).ok_or_else(|| {
        let written: Vec<_> = types.iter().map(ToString::to_string).collect();
        let name = &queries[0].columns[position].name;
        let message = format!("column {} ('{name}') has no common type: {}", position + 1, written.join(" and "));
        SqlError::at("no-common-type", message, span).with_hint("CAST the columns to one type")
    })
}

/// Where a body stands.
fn span_of(body: &SetExpr) -> Span {
    match body {
        SetExpr::Select(select) => select.span,
        SetExpr::Values(values) => values.span,
        SetExpr::Table(name) => name.span(),
        SetExpr::Query(query) => query.span,
        SetExpr::SetOperation { left, right, .. } => span_of(left).to(span_of(right)),
    }
}
