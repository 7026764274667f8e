//! Joins: the whole condition stays in the join's filter, the optimiser finds the equalities.

use super::aggregate::column;
use super::context::{ExprEnv, QueryEnv};
use super::expr::conjunction;
use super::from::Source;
use super::resolve::column_value;
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use super::temporal::is_snapshot;
use super::{Binder, Typed, plan_error};
use crate::{SqlError, SqlResult};
use datafusion_common::{JoinConstraint as DfConstraint, NullEquality};
use datafusion_expr::{Case, Expr, Join as DfJoin, JoinType, LogicalPlan, Operator};
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{ExprKind, Ident, Join, JoinConstraint, JoinKind, Literal, TableRef, TableRefKind};
use std::sync::Arc;

impl Binder<'_> {
    pub(super) fn join(&self, join: &Join, env: QueryEnv<'_>) -> SqlResult<Source> {
        let left = self.table_ref(&join.left, env)?;
        self.joined(left, &join.right, join.kind, &join.constraint, env)
    }

    /// A source joined with one more item.
    pub(super) fn joined(
        &self,
        left: Source,
        item: &TableRef,
        kind: JoinKind,
        constraint: &JoinConstraint,
        env: QueryEnv<'_>,
    ) -> SqlResult<Source> {
        if let TableRefKind::Unnest { exprs, with_ordinality } = &item.kind {
            let is_left = unnest_side(kind, constraint, item.span)?;
            let source = self.unnest(left, exprs, *with_ordinality, is_left, item, env)?;
            return self.unnest_condition(source, constraint, is_left, env);
        }
        if let TableRefKind::Derived { lateral: true, .. } = &item.kind {
            return Err(SqlError::unsupported("LATERAL with a subquery", Some(item.span)));
        }
        let right = match &item.kind {
            TableRefKind::Table(table) => match &table.system_time {
                Some(time) => self.versioned(&left, table, time, item, env)?,
                None => self.table_ref(item, env)?,
            },
            TableRefKind::Function { lateral: true, call, .. } if is_snapshot(call) => self.loaded(call, item, env)?,
            _ => self.table_ref(item, env)?,
        };
        self.constrained(left, right, kind, (constraint, item.span), env)
    }

    /// Two sources joined by a condition.
    fn constrained(
        &self,
        left: Source,
        right: Source,
        kind: JoinKind,
        (constraint, span): (&JoinConstraint, Span),
        env: QueryEnv<'_>,
    ) -> SqlResult<Source> {
        match constraint {
            JoinConstraint::Using(names) => self.join_using(left, right, kind, names, env),
            JoinConstraint::Natural => {
                let names = common_names(&left.1, &right.1, span);
                match names.is_empty() {
                    true => join_sides(left, right, kind, None),
                    false => self.join_using(left, right, kind, &names, env),
                }
            }
            JoinConstraint::On(condition) => {
                let scope = Scope::new([left.1.clone(), right.1.clone()].concat(), env.outer);
                let bound = self.condition(condition, ExprEnv::rows(&scope, env, "ON"))?;
                join_sides(left, right, kind, Some(bound.expr))
            }
            JoinConstraint::None if matches!(kind, JoinKind::Cross | JoinKind::Inner) => {
                join_sides(left, right, kind, None)
            }
            JoinConstraint::None => {
                let message = "an outer join needs a condition: ON, USING or NATURAL";
                Err(SqlError::at("missing-condition", message, span))
            }
        }
    }

    /// A join on equal columns, each pair of which becomes one column in front of all others.
    fn join_using(
        &self,
        left: Source,
        right: Source,
        kind: JoinKind,
        names: &[Ident],
        env: QueryEnv<'_>,
    ) -> SqlResult<Source> {
        let mut conditions = Vec::with_capacity(names.len());
        let mut pairs = Vec::with_capacity(names.len());
        for name in names {
            let pair = (using_column(&left.1, name, env)?, using_column(&right.1, name, env)?);
            let values = (column_value(&pair.0, false), column_value(&pair.1, false));
            conditions.push(self.compare(values.0, Operator::Eq, values.1, name.span)?);
            pairs.push(pair);
        }
        let (plan, mut relations) = join_sides(left, right, kind, Some(conjunction(conditions).expr))?;
        let merged = pairs.into_iter().map(|pair| self.merged_value(pair, kind)).collect::<SqlResult<Vec<_>>>()?;
        let (plan, uniques) = self.with_columns(plan, merged.iter().map(|(_, value)| value))?;
        for column in relations.iter_mut().flat_map(|r| &mut r.columns) {
            column.merged |= merged.iter().any(|(name, _)| *name == column.name);
        }
        let columns = merged.into_iter().zip(uniques);
        let columns = columns.map(|((name, value), unique)| ScopeColumn { name, unique, ty: value.ty, merged: false });
        relations.insert(0, ScopeRelation { path: vec![], columns: columns.collect() });
        Ok((plan, relations))
    }

    /// The side that is never padded; the first that is not NULL for a full join.
    fn merged_value(&self, (left, right): (ScopeColumn, ScopeColumn), kind: JoinKind) -> SqlResult<(String, Typed)> {
        let name = left.name.clone();
        let value = match kind {
            JoinKind::Right => column_value(&right, false),
            JoinKind::Full => {
                let values = (column_value(&left, false), column_value(&right, false));
                let (l, r) = self.comparable(values.0, values.1, "=", Span::default())?;
                let ty = l.ty.clone().with_nullable(true);
                let is_left = Expr::IsNotNull(Box::new(column(&left.unique)));
                let case = Case::new(None, vec![(Box::new(is_left), Box::new(l.expr))], Some(Box::new(r.expr)));
                Typed::new(Expr::Case(case), ty)
            }
            _ => column_value(&left, false),
        };
        Ok((name, value))
    }

    /// The condition of `JOIN UNNEST(…) ON …`: a filter.
    fn unnest_condition(
        &self,
        (plan, relations): Source,
        constraint: &JoinConstraint,
        is_left: bool,
        env: QueryEnv<'_>,
    ) -> SqlResult<Source> {
        let JoinConstraint::On(condition) = constraint else { return Ok((plan, relations)) };
        if is_left || is_true(constraint) {
            return Ok((plan, relations));
        }
        let scope = Scope::new(relations, env.outer);
        let bound = self.condition(condition, ExprEnv::rows(&scope, env, "ON"))?;
        Ok((super::select::filter(plan, bound.expr)?, scope.relations))
    }
}

/// Whether an UNNEST keeps rows without elements; an error for joins that cannot be flattened.
fn unnest_side(kind: JoinKind, constraint: &JoinConstraint, span: Span) -> SqlResult<bool> {
    match kind {
        JoinKind::Cross | JoinKind::Inner => Ok(false),
        JoinKind::Left if is_true(constraint) => Ok(true),
        JoinKind::Left => Err(SqlError::unsupported("LEFT JOIN UNNEST with a condition other than TRUE", Some(span))),
        _ => Err(SqlError::unsupported("RIGHT and FULL JOIN with UNNEST", Some(span))),
    }
}

fn is_true(constraint: &JoinConstraint) -> bool {
    matches!(constraint, JoinConstraint::On(e) if matches!(e.kind, ExprKind::Literal(Literal::Boolean(true))))
}

/// The join node and its relations, with padded sides nullable.
fn join_sides(left: Source, right: Source, kind: JoinKind, condition: Option<Expr>) -> SqlResult<Source> {
    let (join_type, pads_left, pads_right) = match kind {
        JoinKind::Inner | JoinKind::Cross => (JoinType::Inner, false, false),
        JoinKind::Left => (JoinType::Left, false, true),
        JoinKind::Right => (JoinType::Right, true, false),
        JoinKind::Full => (JoinType::Full, true, true),
    };
    let join = DfJoin::try_new(
        Arc::new(left.0),
        Arc::new(right.0),
        vec![],
        condition,
        join_type,
        DfConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    );
    let relations = [padded(left.1, pads_left), padded(right.1, pads_right)].concat();
    Ok((LogicalPlan::Join(join.map_err(plan_error)?), relations))
}

fn padded(mut relations: Vec<ScopeRelation>, pads: bool) -> Vec<ScopeRelation> {
    for column in relations.iter_mut().flat_map(|r| &mut r.columns) {
        column.ty.nullable |= pads;
    }
    relations
}

/// The one column of a side that USING names.
fn using_column(relations: &[ScopeRelation], name: &Ident, env: QueryEnv<'_>) -> SqlResult<ScopeColumn> {
    let scope = Scope::new(relations.to_vec(), env.outer);
    let mut found = scope.visible().filter(|c| c.name == name.value);
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(column.clone()),
        (Some(_), Some(_)) => {
            let message = format!("the column '{}' of USING is ambiguous on one side", name.value);
            Err(SqlError::at("ambiguous-column", message, name.span))
        }
        (None, _) => {
            let known = scope.visible().map(|c| c.name.as_str());
            Err(SqlError::unknown("unknown-column", "column", &name.value, Some(name.span), known))
        }
    }
}

/// The names that both sides of a natural join have.
fn common_names(left: &[ScopeRelation], right: &[ScopeRelation], span: Span) -> Vec<Ident> {
    let visible = |relations: &[ScopeRelation]| -> Vec<String> {
        let columns = relations.iter().flat_map(|r| &r.columns).filter(|c| !c.merged);
        columns.map(|c| c.name.clone()).collect()
    };
    let right = visible(right);
    let shared = visible(left).into_iter().filter(|name| right.contains(name));
    shared.map(|value| Ident { span, ..Ident::generated(value) }).collect()
}
