//! COUNT of several expressions: of the rows, or the distinct rows, in which none of them is NULL.

use super::context::ExprEnv;
use super::{Binder, Typed};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{Function, FunctionArgValue};
use headwater_types::TypeRoot;

impl Binder<'_> {
    /// The one value that is counted instead: a row of the values, or NULL when one of them is.
    pub(super) fn counted_row(&self, call: &Function, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let mut values = Vec::with_capacity(call.args.len());
        for arg in &call.args {
            let FunctionArgValue::Expr(expr) = &arg.value else {
                let message = "COUNT takes expressions, or '*' alone";
                return Err(SqlError::at("bad-function-call", message, arg.span));
            };
            values.push(self.expr(expr, env)?);
        }
        let mut counted = self.call("ROW", values.clone(), call.span)?;
        for value in values {
            let missing = self.call("IS NULL", vec![value], call.span)?;
            counted = self.call("IF", vec![missing, self.null_of(TypeRoot::Null)?, counted], call.span)?;
        }
        Ok(counted)
    }
}
