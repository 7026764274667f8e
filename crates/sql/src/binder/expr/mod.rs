//! Scalar expressions.

mod boolean;
mod call;
mod case;
mod compare;
mod construct;
mod operator;
mod special;
mod subquery;

pub(super) use compare::conjunction;

use super::context::{ExprEnv, QueryEnv};
use super::scope::Scope;
use super::{Binder, Typed};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{self, ExprKind};
use headwater_types::TypeRoot;

impl Binder<'_> {
    /// Binds an expression.
    pub(super) fn expr(&self, expr: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let bound = self.expr_kind(expr, env);
        bound.map_err(|e| if e.origin.is_some() { e } else { e.with_span(expr.span) })
    }

    fn expr_kind(&self, expr: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Typed> {
        match &expr.kind {
            ExprKind::Column(name) => self.column_path(name, env),
            ExprKind::Literal(literal) => self.written_literal(literal, expr.span),
            ExprKind::Interval { value, qualifier } => self.interval_expr(value, qualifier, env),
            ExprKind::Unary { op, expr: operand } => self.unary(*op, operand, expr.span, env),
            ExprKind::Binary { left, op, op_span, right } => self.binary(left, *op, *op_span, right, env),
            ExprKind::Logical { op, operands } => self.logical(*op, operands, env),
            ExprKind::Is { expr: operand, test, negated } => self.is_test(operand, *test, *negated, env),
            ExprKind::IsDistinctFrom { left, right, negated } => self.is_distinct(left, right, *negated, env),
            ExprKind::Between { .. } => self.between(expr, env),
            ExprKind::Like { .. } => self.like(expr, env),
            ExprKind::InList { expr: needle, list, negated } => self.in_list(needle, list, *negated, env),
            ExprKind::Case(case) => self.case(case, env),
            ExprKind::Cast { expr: operand, data_type, is_try } => {
                let value = self.expr(operand, env)?;
                self.explicit_cast(value, &super::logical_type(data_type)?, *is_try, expr.span)
            }
            ExprKind::Function(call) => self.function(call, env),
            ExprKind::Special(special) => self.special(special, expr.span, env),
            ExprKind::Row { values, .. } => self.row(values, expr.span, env),
            ExprKind::Array(values) => self.array(values, expr.span, env),
            ExprKind::Map(entries) => self.map(entries, expr.span, env),
            ExprKind::Subscript { base, index } => self.subscript(base, index, expr.span, env),
            ExprKind::FieldAccess { base, field } => {
                let base = self.expr(base, env)?;
                self.field(base, &field.value, field.span)
            }
            ExprKind::InSubquery { expr: needle, query, negated } => self.in_subquery(needle, query, *negated, env),
            ExprKind::Exists(query) => self.exists(query, env),
            ExprKind::Subquery(query) => self.scalar_subquery(query, env),
            ExprKind::Quantified { .. } => self.quantified(expr, env),
            ExprKind::Overlaps { .. } => self.overlaps(expr, env),
        }
    }

    /// A condition: a BOOLEAN expression.
    pub(super) fn condition(&self, expr: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let bound = self.expr(expr, env)?;
        if matches!(bound.ty.root, TypeRoot::Boolean | TypeRoot::Null) {
            return self.cast(bound, &TypeRoot::Boolean.into());
        }
        let message = format!("{} needs a condition of type BOOLEAN, not {}", env.clause.name(), bound.ty);
        Err(SqlError::at("not-boolean", message, expr.span))
    }

    /// An expression without columns.
    pub(super) fn constant_expr(&self, expr: &ast::Expr, env: QueryEnv<'_>) -> SqlResult<Typed> {
        let scope = Scope::new(vec![], None);
        self.expr(expr, ExprEnv::rows(&scope, env.uncorrelated(), "a constant"))
    }

    fn exprs(&self, exprs: &[ast::Expr], env: ExprEnv<'_>) -> SqlResult<Vec<Typed>> {
        exprs.iter().map(|e| self.expr(e, env)).collect()
    }
}
