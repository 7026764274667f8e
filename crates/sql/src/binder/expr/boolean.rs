//! AND, OR, IS tests and LIKE.

use super::super::{Binder, Typed};
use super::compare::{conjunction, disjunction, negate_if};
use crate::binder::context::ExprEnv;
use crate::{SqlError, SqlResult};
use datafusion_expr::Expr;
use headwater_sql_parser::ast::{self, ExprKind, IsTest, LikeKind, LogicalOp};

impl Binder<'_> {
    pub(super) fn logical(&self, op: LogicalOp, operands: &[ast::Expr], env: ExprEnv<'_>) -> SqlResult<Typed> {
        let conditions = operands.iter().map(|o| self.operand(o, op, env)).collect::<SqlResult<Vec<_>>>()?;
        Ok(match op {
            LogicalOp::And => conjunction(conditions),
            LogicalOp::Or => disjunction(conditions),
        })
    }

    fn operand(&self, expr: &ast::Expr, op: LogicalOp, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let name = if op == LogicalOp::And { "AND" } else { "OR" };
        self.condition(expr, env).map_err(|e| match e.code {
            "not-boolean" => SqlError { message: e.message.replacen(env.clause.name(), name, 1), ..e },
            _ => e,
        })
    }

    pub(super) fn is_test(
        &self,
        operand: &ast::Expr,
        test: IsTest,
        negated: bool,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        let json = match test {
            IsTest::Null => {
                let value = Box::new(self.expr(operand, env)?.expr);
                let expr = if negated { Expr::IsNotNull(value) } else { Expr::IsNull(value) };
                return Ok(Typed::boolean(expr, false));
            }
            IsTest::True | IsTest::False | IsTest::Unknown => {
                let value = Box::new(self.condition(operand, env)?.expr);
                return Ok(Typed::boolean(truth_test(test, negated, value), false));
            }
            IsTest::JsonValue => "VALUE",
            IsTest::JsonScalar => "SCALAR",
            IsTest::JsonArray => "ARRAY",
            IsTest::JsonObject => "OBJECT",
        };
        let name = format!("IS {}JSON {json}", if negated { "NOT " } else { "" });
        let value = self.expr(operand, env)?;
        self.call(&name, vec![value], operand.span)
    }

    pub(super) fn like(&self, like: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let ExprKind::Like { kind, expr, pattern, escape, negated } = &like.kind else {
            return Err(SqlError::internal("not a LIKE"));
        };
        let mut args = vec![self.expr(expr, env)?, self.expr(pattern, env)?];
        if let Some(escape) = escape {
            args.push(self.expr(escape, env)?);
        }
        let name = match kind {
            LikeKind::Like => "LIKE",
            LikeKind::SimilarTo => "SIMILAR TO",
        };
        Ok(negate_if(self.call(name, args, like.span)?, *negated))
    }
}

fn truth_test(test: IsTest, negated: bool, value: Box<Expr>) -> Expr {
    match (test, negated) {
        (IsTest::True, false) => Expr::IsTrue(value),
        (IsTest::True, true) => Expr::IsNotTrue(value),
        (IsTest::False, false) => Expr::IsFalse(value),
        (IsTest::False, true) => Expr::IsNotFalse(value),
        (_, false) => Expr::IsUnknown(value),
        (_, true) => Expr::IsNotUnknown(value),
    }
}
