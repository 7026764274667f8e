//! Signs, arithmetic, concatenation and intervals.

use super::super::data_type::interval_root;
use super::super::literal::unit_size;
use super::super::{Binder, Typed};
use crate::binder::context::ExprEnv;
use crate::{SqlError, SqlResult};
use datafusion_expr::{Expr, Operator, binary_expr};
use headwater_functions::types::least_restrictive;
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{self, BinaryOp, ExprKind, IntervalQualifier, Literal, UnaryOp};
use headwater_types::{LogicalType, TypeRoot};

impl Binder<'_> {
    pub(super) fn unary(&self, op: UnaryOp, operand: &ast::Expr, span: Span, env: ExprEnv<'_>) -> SqlResult<Typed> {
        match op {
            UnaryOp::Not => {
                let value = self.condition(operand, env)?;
                Ok(Typed::boolean(Expr::Not(Box::new(value.expr)), value.ty.nullable))
            }
            UnaryOp::Plus => {
                let value = self.expr(operand, env)?;
                self.signed(value, "+", operand.span)
            }
            UnaryOp::Minus => {
                if let ExprKind::Literal(Literal::Number(text)) = &operand.kind {
                    return self.number(text, true, span);
                }
                let value = self.expr(operand, env)?;
                self.negate(value, span)
            }
        }
    }

    fn signed(&self, value: Typed, sign: &str, span: Span) -> SqlResult<Typed> {
        if value.ty.is_numeric() || value.ty.is_interval() || value.ty.root == TypeRoot::Null {
            return Ok(value);
        }
        let message = format!("the sign '{sign}' needs a number or an interval, not a value of type {}", value.ty);
        Err(SqlError::at("bad-operand", message, span))
    }

    fn negate(&self, value: Typed, span: Span) -> SqlResult<Typed> {
        let value = self.signed(value, "-", span)?;
        if let (Some(Value::Int(i)), true) = (&value.literal, value.ty.is_interval()) {
            return self.literal(Value::Int(-i), value.ty.root.clone());
        }
        match headwater_functions::lookup("NEGATE") {
            Some(_) => self.call("NEGATE", vec![value], span),
            None => self.call("-", vec![value], span),
        }
    }

    pub(super) fn binary(
        &self,
        left: &ast::Expr,
        op: BinaryOp,
        op_span: Span,
        right: &ast::Expr,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        if op.is_comparison() {
            return self.comparison(left, op, op_span, right, env);
        }
        let span = left.span.to(right.span);
        let (left, right) = (self.expr(left, env)?, self.expr(right, env)?);
        self.arithmetic(left, op, right, span)
    }

    /// Arithmetic and concatenation. Integers and floating point numbers of one type add, subtract and
    /// multiply natively (integers wrap); everything else is a function.
    fn arithmetic(&self, left: Typed, op: BinaryOp, right: Typed, span: Span) -> SqlResult<Typed> {
        let native = match op {
            BinaryOp::Plus => Some(Operator::Plus),
            BinaryOp::Minus => Some(Operator::Minus),
            BinaryOp::Multiply => Some(Operator::Multiply),
            _ => None,
        };
        let numbers = left.ty.is_numeric() && right.ty.is_numeric();
        let common = least_restrictive(&[left.ty.clone(), right.ty.clone()]);
        match (native, common) {
            (Some(native), Some(ty)) if numbers && (ty.is_integer() || ty.is_float()) => {
                let (left, right) = (self.cast(left, &ty)?, self.cast(right, &ty)?);
                Ok(Typed::new(binary_expr(left.expr, native, right.expr), ty))
            }
            _ => self.call(op.symbol(), vec![left, right], span),
        }
    }

    /// `INTERVAL expr unit`.
    pub(super) fn interval_expr(
        &self,
        value: &ast::Expr,
        qualifier: &IntervalQualifier,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        let count = self.expr(value, env)?;
        let size = unit_size(qualifier.leading).filter(|_| qualifier.trailing.is_none());
        let (Some(size), true) = (size, count.ty.is_integer()) else {
            let message = "an INTERVAL of an expression needs an integer and a single unit";
            return Err(SqlError::at("bad-interval", message, value.span));
        };
        let root = interval_root(qualifier);
        if let Some(Value::Int(i)) = count.literal {
            let value = i.checked_mul(size);
            let value = value.ok_or_else(|| SqlError::new("bad-interval", "the interval is out of range"))?;
            return self.literal(Value::Int(value), root);
        }
        let bigint = LogicalType::from(TypeRoot::BigInt).with_nullable(count.ty.nullable);
        let one = self.literal(Value::Int(size), root)?;
        self.call("*", vec![self.cast(count, &bigint)?, one], value.span)
    }
}
