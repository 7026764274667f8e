//! The arguments of PERCENTILE behind its values.

use super::context::ExprEnv;
use super::{Binder, Typed};
use crate::{SqlError, SqlResult};
use headwater_plan::Value;
use headwater_sql_parser::ast;
use headwater_types::{LogicalType, TypeRoot};

impl Binder<'_> {
    /// The percentage: a literal between 0 and 1, or an array of them.
    pub(super) fn percentage(&self, expr: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Value> {
        let given = self.expr(expr, env)?;
        let double = LogicalType::from(TypeRoot::Double);
        let wanted = match &given.ty.root {
            TypeRoot::Array(element) if element.is_numeric() => TypeRoot::Array(Box::new(double)).into(),
            _ if given.ty.is_numeric() => double,
            _ => return Err(bad_percentage(expr)),
        };
        let value = self.cast(given, &wanted)?;
        let folded = self.fold(&value).ok_or_else(|| bad_percentage(expr))?;
        let in_range = |value: &Value| matches!(value, Value::Float(f) if (0.0..=1.0).contains(f));
        let fits = match &folded {
            Value::List(values) => !values.is_empty() && values.iter().all(in_range),
            value => in_range(value),
        };
        if fits { Ok(folded) } else { Err(bad_percentage(expr)) }
    }

    /// How often a value counts: an integer column.
    pub(super) fn frequency(&self, expr: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let given = self.expr(expr, env)?;
        if given.ty.is_integer() {
            return Ok(given);
        }
        let message = format!("the frequency of PERCENTILE is an integer, not {}", given.ty);
        Err(SqlError::at("bad-function-call", message, expr.span))
    }
}

fn bad_percentage(expr: &ast::Expr) -> SqlError {
    let message = "the percentage of PERCENTILE must be a literal between 0.0 and 1.0, or an array of them";
    SqlError::at("bad-function-call", message, expr.span)
}
