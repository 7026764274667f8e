//! Function calls.

use super::super::{Binder, Typed, aggregate, over, rank};
use crate::binder::context::ExprEnv;
use crate::{SqlError, SqlResult};
use headwater_plan::Value;
use headwater_sql_parser::ast::{Function, FunctionArg, FunctionArgValue};
use headwater_types::LogicalType;

/// Functions that stand only in FROM or in GROUP BY.
const WINDOW_FUNCTIONS: &[&str] = &["TUMBLE", "HOP", "CUMULATE", "SESSION"];

impl Binder<'_> {
    /// A call with ordinary syntax: ranking function, aggregate or scalar function, by name.
    pub(super) fn function(&self, call: &Function, env: ExprEnv<'_>) -> SqlResult<Typed> {
        if let Some(error) = self.declared_call(call, env) {
            return Err(error);
        }
        let name = function_name(call)?;
        if let Some(pattern) = env.pattern
            && let Some(value) = self.pattern_call(&name, call, pattern, env)?
        {
            return Ok(value);
        }
        if call.over.is_some() {
            return self.over(&name, call, env);
        }
        if aggregate::GROUPING_FUNCTIONS.contains(&name.as_str()) {
            return self.grouping_call(&name, call, env);
        }
        if aggregate::is_aggregate(&name) {
            return self.aggregate_call(&name, call, env);
        }
        if rank::function(&name).is_some() || over::needs_over(&name) {
            let message = format!("the function '{name}' needs an OVER clause");
            return Err(SqlError::at("missing-over", message, call.span)
                .with_hint(format!("write {name}() OVER (PARTITION BY … ORDER BY …)")));
        }
        if name == "JSON" {
            let message = "The JSON() function is currently only supported inside JSON_ARRAY() or as the VALUE param \
                           of JSON_OBJECT()";
            return Err(SqlError::at("misplaced-function", message, call.span));
        }
        if let Some(value) = self.group_window_call(&name, call, env)? {
            return Ok(value);
        }
        if WINDOW_FUNCTIONS.contains(&name.as_str()) && headwater_functions::lookup(&name).is_none() {
            let message =
                format!("the window function {name} stands in FROM or in GROUP BY, not in {}", env.clause.name());
            let hint = format!("write FROM TABLE({name}(TABLE t, DESCRIPTOR(time_column), …))");
            return Err(SqlError::at("misplaced-window", message, call.span).with_hint(hint));
        }
        self.scalar_call(&name, call, env)
    }

    /// The error of a call of a function that a user declared; built-in ones are found before those of a database.
    fn declared_call(&self, call: &Function, env: ExprEnv<'_>) -> Option<SqlError> {
        let (function, is_system) = self.catalog.user_function(&call.name, env.query.defaults)?;
        let name = &call.name.last()?.value;
        let is_built_in = call.name.as_single().is_some()
            && crate::session::function_names().iter().any(|known| known.eq_ignore_ascii_case(name));
        let is_called = is_system || !is_built_in;
        is_called.then(|| crate::session::not_callable(name, function, call.span))
    }

    pub(super) fn scalar_call(&self, name: &str, call: &Function, env: ExprEnv<'_>) -> SqlResult<Typed> {
        if !call.is_plain() {
            let message = format!("DISTINCT, FILTER and ORDER BY belong to aggregates; '{name}' is a scalar function");
            return Err(SqlError::at("bad-function-call", message, call.span));
        }
        if name == "SOURCE_WATERMARK" {
            let message = "SOURCE_WATERMARK() stands alone in a WATERMARK declaration";
            return Err(SqlError::at("misplaced-function", message, call.span));
        }
        if name == "CURRENT_DATABASE" && call.args.is_empty() {
            let [_, database] = self.catalog.defaults();
            return self.literal(Value::String(database), LogicalType::string().root);
        }
        match name {
            "OBJECT_OF" => return self.object_of(call, env),
            "OBJECT_UPDATE" => return self.object_update(call, env),
            _ => {}
        }
        let args = call.args.iter().map(|arg| self.scalar_arg(name, arg, env)).collect::<SqlResult<Vec<_>>>()?;
        self.call(name, args, call.span)
    }

    pub(in crate::binder) fn scalar_arg(&self, name: &str, arg: &FunctionArg, env: ExprEnv<'_>) -> SqlResult<Typed> {
        if arg.name.is_some() {
            return Err(SqlError::unsupported(format!("a named argument of the function '{name}'"), Some(arg.span)));
        }
        match &arg.value {
            FunctionArgValue::Expr(expr) => self.expr(expr, env),
            FunctionArgValue::Star => {
                let message = format!("'*' is an argument of COUNT only, not of '{name}'");
                Err(SqlError::at("bad-function-call", message, arg.span))
            }
            _ => {
                let message = format!("'{name}' takes values; tables and descriptors are arguments of table functions");
                Err(SqlError::at("bad-function-call", message, arg.span))
            }
        }
    }
}

/// The upper-case name of a function; functions of catalogs do not exist yet.
pub(super) fn function_name(call: &Function) -> SqlResult<String> {
    match call.name.as_single() {
        Some(ident) => Ok(ident.value.to_ascii_uppercase()),
        None => {
            let name: Vec<_> = call.name.parts().collect();
            Err(SqlError::unsupported(format!("the catalog function '{}'", name.join(".")), Some(call.name.span())))
        }
    }
}
