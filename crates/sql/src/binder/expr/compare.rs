//! Comparisons: `=` and its like, BETWEEN, IN lists, IS DISTINCT FROM.

use super::super::typed::convert_literal;
use super::super::{Binder, Typed};
use crate::binder::context::ExprEnv;
use crate::{SqlError, SqlResult};
use datafusion_expr::expr::InList;
use datafusion_expr::{Expr, Operator, binary_expr};
use headwater_functions::types::comparison_type;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{self, BinaryOp, ExprKind};
use headwater_types::{LogicalType, TypeRoot};

impl Binder<'_> {
    pub(super) fn comparison(
        &self,
        left: &ast::Expr,
        op: BinaryOp,
        op_span: Span,
        right: &ast::Expr,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        if let (ExprKind::Row { values: l, .. }, ExprKind::Row { values: r, .. }) = (&left.kind, &right.kind) {
            return self.row_comparison(l, op, op_span, r, env);
        }
        let (left, right) = (self.expr(left, env)?, self.expr(right, env)?);
        self.compare(left, operator(op), right, op_span)
    }

    /// `(a, b) = (c, d)` by its fields.
    fn row_comparison(
        &self,
        left: &[ast::Expr],
        op: BinaryOp,
        op_span: Span,
        right: &[ast::Expr],
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        if left.len() != right.len() {
            let message = format!("a row of {} fields cannot be compared with one of {}", left.len(), right.len());
            return Err(SqlError::at("bad-operand", message, op_span));
        }
        if !matches!(op, BinaryOp::Eq | BinaryOp::NotEq) {
            return Err(SqlError::unsupported(format!("the comparison of rows by {}", op.symbol()), Some(op_span)));
        }
        let mut parts = Vec::with_capacity(left.len());
        for (left, right) in left.iter().zip(right) {
            parts.push(self.comparison(left, op, op_span, right, env)?);
        }
        Ok(if op == BinaryOp::Eq { conjunction(parts) } else { disjunction(parts) })
    }

    /// A comparison of two values, both cast to the type they compare in.
    pub(in crate::binder) fn compare(&self, left: Typed, op: Operator, right: Typed, span: Span) -> SqlResult<Typed> {
        let (left, right) = self.comparable(left, right, &op.to_string(), span)?;
        let nullable = match op {
            Operator::IsDistinctFrom | Operator::IsNotDistinctFrom => false,
            _ => left.ty.nullable || right.ty.nullable,
        };
        Ok(Typed::boolean(binary_expr(left.expr, op, right.expr), nullable))
    }

    /// Both values in the type they compare in.
    pub(in crate::binder) fn comparable(
        &self,
        left: Typed,
        right: Typed,
        op: &str,
        span: Span,
    ) -> SqlResult<(Typed, Typed)> {
        let Some(ty) = comparison_type(&left.ty, &right.ty) else {
            let message = format!("values of type {} and {} cannot be compared by {op}", left.ty, right.ty);
            let hint = "CAST one side to the type of the other";
            return Err(SqlError::at("bad-comparison", message, span).with_hint(hint));
        };
        let is_equality = matches!(op, "=" | "<>" | "!=" | "IS DISTINCT FROM" | "IS NOT DISTINCT FROM" | "IN");
        if !is_equality && matches!(ty.root, TypeRoot::Map(..) | TypeRoot::Multiset(_) | TypeRoot::Row(_)) {
            let message = format!("values of type {} have no order and cannot be compared by {op}", left.ty);
            return Err(SqlError::at("bad-comparison", message, span));
        }
        let ty = literal_fitting(&left, &right).or_else(|| literal_fitting(&right, &left)).unwrap_or(ty);
        Ok((self.compared_cast(left, &ty)?, self.compared_cast(right, &ty)?))
    }

    /// The value in the type it compares in. Text that does not read as a point in time makes the comparison
    /// unknown; what is written wrongly in the query itself is an error.
    fn compared_cast(&self, value: Typed, ty: &LogicalType) -> SqlResult<Typed> {
        match value.ty.is_character() && ty.is_temporal() && value.literal.is_none() {
            true => Ok(self.try_cast(value, ty)),
            false => self.cast(value, ty),
        }
    }

    pub(super) fn is_distinct(
        &self,
        left: &ast::Expr,
        right: &ast::Expr,
        negated: bool,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        let span = left.span.to(right.span);
        let op = if negated { Operator::IsNotDistinctFrom } else { Operator::IsDistinctFrom };
        let (left, right) = (self.expr(left, env)?, self.expr(right, env)?);
        self.compare(left, op, right, span)
    }

    /// BETWEEN as two comparisons.
    pub(super) fn between(&self, between: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let ExprKind::Between { expr, low, high, negated, symmetric } = &between.kind else {
            return Err(SqlError::internal("not a BETWEEN"));
        };
        let (value, low, high) = (self.expr(expr, env)?, self.expr(low, env)?, self.expr(high, env)?);
        let within = |low: Typed, high: Typed| -> SqlResult<Typed> {
            let above = self.compare(value.clone(), Operator::GtEq, low, between.span)?;
            let below = self.compare(value.clone(), Operator::LtEq, high, between.span)?;
            Ok(conjunction(vec![above, below]))
        };
        let bound = match symmetric {
            false => within(low, high)?,
            true => disjunction(vec![within(low.clone(), high.clone())?, within(high, low)?]),
        };
        Ok(negate_if(bound, *negated))
    }

    /// `needle IN (…)`: a native list when all elements compare in one type, comparisons otherwise.
    pub(super) fn in_list(
        &self,
        needle: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        if matches!(needle.kind, ExprKind::Row { .. }) {
            let equal = |e: &ast::Expr| self.comparison(needle, BinaryOp::Eq, e.span, e, env);
            let matches = list.iter().map(equal).collect::<SqlResult<Vec<_>>>()?;
            return Ok(negate_if(disjunction(matches), negated));
        }
        let value = self.expr(needle, env)?;
        let mut pairs = Vec::with_capacity(list.len());
        for element in list {
            let bound = self.expr(element, env)?;
            pairs.push(self.comparable(value.clone(), bound, "IN", element.span)?);
        }
        let shares_type = pairs.windows(2).all(|w| w[0].0.expr == w[1].0.expr);
        let is_literal = pairs.iter().all(|(_, e)| e.literal.is_some());
        if shares_type && is_literal {
            return Ok(native_in_list(pairs, negated));
        }
        let equal = |(left, right): (Typed, Typed)| {
            let nullable = left.ty.nullable || right.ty.nullable;
            Typed::boolean(binary_expr(left.expr, Operator::Eq, right.expr), nullable)
        };
        Ok(negate_if(disjunction(pairs.into_iter().map(equal).collect()), negated))
    }
}

/// The type of a DECIMAL value when a literal has an exact value of it, so that no row needs a cast.
fn literal_fitting(value: &Typed, literal: &Typed) -> Option<LogicalType> {
    let is_decimal = matches!(value.ty.root, TypeRoot::Decimal(..)) && value.literal.is_none();
    let known = literal.literal.as_ref().filter(|l| is_decimal && !l.is_null())?;
    convert_literal(known, &literal.ty, &value.ty).map(|_| value.ty.clone())
}

fn native_in_list(pairs: Vec<(Typed, Typed)>, negated: bool) -> Typed {
    let nullable = pairs.iter().any(|(needle, element)| needle.ty.nullable || element.ty.nullable);
    let needle = pairs[0].0.expr.clone();
    let list = pairs.into_iter().map(|(_, element)| element.expr).collect();
    Typed::boolean(Expr::InList(InList::new(Box::new(needle), list, negated)), nullable)
}

/// The operator of a written comparison.
pub(super) fn operator(op: BinaryOp) -> Operator {
    match op {
        BinaryOp::NotEq => Operator::NotEq,
        BinaryOp::Lt => Operator::Lt,
        BinaryOp::LtEq => Operator::LtEq,
        BinaryOp::Gt => Operator::Gt,
        BinaryOp::GtEq => Operator::GtEq,
        _ => Operator::Eq,
    }
}

/// All of the conditions, of which there is at least one.
pub(in crate::binder) fn conjunction(conditions: Vec<Typed>) -> Typed {
    joined(conditions, Expr::and)
}

/// Any of the conditions, of which there is at least one.
pub(in crate::binder) fn disjunction(conditions: Vec<Typed>) -> Typed {
    joined(conditions, Expr::or)
}

/// Combines as a balanced tree, so that long chains do not nest deeply.
fn joined(mut conditions: Vec<Typed>, combine: fn(Expr, Expr) -> Expr) -> Typed {
    while conditions.len() > 1 {
        let mut next = Vec::with_capacity(conditions.len().div_ceil(2));
        let mut rest = conditions.into_iter();
        while let Some(left) = rest.next() {
            next.push(match rest.next() {
                None => left,
                Some(right) => {
                    let nullable = left.ty.nullable || right.ty.nullable;
                    Typed::boolean(combine(left.expr, right.expr), nullable)
                }
            });
        }
        conditions = next;
    }
    conditions.pop().unwrap_or_else(|| Typed::boolean(datafusion_expr::lit(true), false))
}

pub(super) fn negate_if(value: Typed, negated: bool) -> Typed {
    match negated {
        false => value,
        true => Typed::boolean(Expr::Not(Box::new(value.expr)), value.ty.nullable),
    }
}
