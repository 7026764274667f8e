//! Calls with syntax of their own, as plain calls of the registry.
//!
//! Units and JSON clauses become string literals in fixed positions; the function groups document theirs.

use super::super::{Binder, Typed};
use super::call::function_name;
use crate::binder::context::ExprEnv;
use crate::{SqlError, SqlResult};
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{
    self, ExprKind, JsonExistsBehavior, JsonNullClause, JsonQueryBehavior, JsonValueBehavior, JsonWrapper,
    SpecialFunction, TimeUnit, TrimSide,
};
use headwater_types::TypeRoot;

impl Binder<'_> {
    pub(super) fn special(&self, special: &SpecialFunction, span: Span, env: ExprEnv<'_>) -> SqlResult<Typed> {
        use SpecialFunction as S;
        match special {
            S::Extract { unit, source } => self.call("EXTRACT", vec![self.unit(*unit)?, self.expr(source, env)?], span),
            S::Floor { expr, unit } => self.call("FLOOR", vec![self.expr(expr, env)?, self.unit(*unit)?], span),
            S::Ceil { expr, unit } => self.call("CEIL", vec![self.expr(expr, env)?, self.unit(*unit)?], span),
            S::TimestampAdd { unit, count, timestamp } => {
                let args = vec![self.unit(*unit)?, self.expr(count, env)?, self.expr(timestamp, env)?];
                self.call("TIMESTAMPADD", args, span)
            }
            S::TimestampDiff { unit, start, end } => {
                let args = vec![self.unit(*unit)?, self.expr(start, env)?, self.expr(end, env)?];
                self.call("TIMESTAMPDIFF", args, span)
            }
            S::Position { needle, haystack, from } => self.call_with("POSITION", &[needle, haystack], from, span, env),
            S::Overlay { string, replacement, start, length } => {
                self.call_with("OVERLAY", &[string, replacement, start], length, span, env)
            }
            S::Trim { side, characters, string } => self.trim(*side, characters.as_ref(), string, span, env),
            _ => self.json(special, span, env),
        }
    }

    fn unit(&self, unit: TimeUnit) -> SqlResult<Typed> {
        self.string_literal(unit.keyword())
    }

    fn call_with(
        &self,
        name: &str,
        args: &[&ast::Expr],
        last: &Option<ast::Expr>,
        span: Span,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        let args = args.iter().copied().chain(last).map(|a| self.expr(a, env)).collect::<SqlResult<Vec<_>>>()?;
        self.call(name, args, span)
    }

    fn trim(
        &self,
        side: TrimSide,
        characters: Option<&ast::Expr>,
        string: &ast::Expr,
        span: Span,
        env: ExprEnv<'_>,
    ) -> SqlResult<Typed> {
        let side = match side {
            TrimSide::Both => "BOTH",
            TrimSide::Leading => "LEADING",
            TrimSide::Trailing => "TRAILING",
        };
        let characters = match characters {
            Some(characters) => self.expr(characters, env)?,
            None => self.string_literal(" ")?,
        };
        self.call("TRIM", vec![self.string_literal(side)?, characters, self.expr(string, env)?], span)
    }

    fn json(&self, special: &SpecialFunction, span: Span, env: ExprEnv<'_>) -> SqlResult<Typed> {
        use SpecialFunction as S;
        match special {
            S::JsonExists { input, path, on_error } => {
                let behavior = match on_error {
                    Some(JsonExistsBehavior::True) => "TRUE",
                    Some(JsonExistsBehavior::Unknown) => "UNKNOWN",
                    Some(JsonExistsBehavior::Error) => "ERROR",
                    Some(JsonExistsBehavior::False) | None => "FALSE",
                };
                let args = vec![self.expr(input, env)?, self.expr(path, env)?, self.string_literal(behavior)?];
                self.call("JSON_EXISTS", args, span)
            }
            S::JsonValue { input, path, returning, on_empty, on_error } => {
                let mut args = vec![self.expr(input, env)?, self.expr(path, env)?];
                args.push(self.type_argument(returning.as_ref())?);
                args.extend(self.json_value_behavior(on_empty.as_ref(), env)?);
                args.extend(self.json_value_behavior(on_error.as_ref(), env)?);
                self.call("JSON_VALUE", args, span)
            }
            S::JsonQuery { input, path, returning, wrapper, on_empty, on_error } => {
                let mut args = vec![self.expr(input, env)?, self.expr(path, env)?];
                args.push(self.type_argument(returning.as_ref())?);
                args.push(self.string_literal(wrapper_name(*wrapper))?);
                args.push(self.string_literal(query_behavior(*on_empty))?);
                args.push(self.string_literal(query_behavior(*on_error))?);
                self.call("JSON_QUERY", args, span)
            }
            S::JsonObject { members, on_null } => {
                let mut args = vec![self.string_literal(null_clause(*on_null, "NULL"))?];
                for member in members {
                    args.push(self.expr(&member.key, env)?);
                    args.push(self.json_member(&member.value, env)?);
                }
                self.call("JSON_OBJECT", args, span)
            }
            S::JsonArray { elements, on_null } => {
                let mut args = vec![self.string_literal(null_clause(*on_null, "ABSENT"))?];
                for element in elements {
                    args.push(self.json_member(element, env)?);
                }
                self.call("JSON_ARRAY", args, span)
            }
            S::JsonObjectAgg { .. } | S::JsonArrayAgg { .. } => self.json_aggregate(special, span, env),
            _ => Err(SqlError::internal("an unknown special function")),
        }
    }

    /// A NULL of the RETURNING type, a bare one when none was written.
    fn type_argument(&self, returning: Option<&ast::DataType>) -> SqlResult<Typed> {
        match returning {
            Some(written) => self.null_of(crate::binder::logical_type(written)?.root),
            None => self.null_of(TypeRoot::Null),
        }
    }

    /// A value of a JSON constructor: what is JSON already is embedded as it is, not quoted.
    pub(in crate::binder) fn json_member(&self, value: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Typed> {
        match &value.kind {
            ExprKind::Special(special)
                if matches!(
                    special.as_ref(),
                    SpecialFunction::JsonObject { .. } | SpecialFunction::JsonArray { .. }
                ) =>
            {
                self.call("AS JSON", vec![self.expr(value, env)?], value.span)
            }
            ExprKind::Function(call) if function_name(call)? == "JSON" => self.scalar_call("JSON", call, env),
            _ => self.expr(value, env),
        }
    }

    /// Name of the behaviour and its default value.
    fn json_value_behavior(&self, behavior: Option<&JsonValueBehavior>, env: ExprEnv<'_>) -> SqlResult<[Typed; 2]> {
        let (name, default) = match behavior {
            Some(JsonValueBehavior::Error) => ("ERROR", None),
            Some(JsonValueBehavior::Null) | None => ("NULL", None),
            Some(JsonValueBehavior::Default(value)) => ("DEFAULT", Some(self.expr(value, env)?)),
        };
        let default = default.map_or_else(|| self.literal(Value::Null, TypeRoot::Null), Ok)?;
        Ok([self.string_literal(name)?, default])
    }
}

fn wrapper_name(wrapper: Option<JsonWrapper>) -> &'static str {
    match wrapper {
        Some(JsonWrapper::Conditional) => "CONDITIONAL",
        Some(JsonWrapper::Unconditional) => "UNCONDITIONAL",
        Some(JsonWrapper::Without) | None => "WITHOUT",
    }
}

fn query_behavior(behavior: Option<JsonQueryBehavior>) -> &'static str {
    match behavior {
        Some(JsonQueryBehavior::Error) => "ERROR",
        Some(JsonQueryBehavior::EmptyArray) => "EMPTY ARRAY",
        Some(JsonQueryBehavior::EmptyObject) => "EMPTY OBJECT",
        Some(JsonQueryBehavior::Null) | None => "NULL",
    }
}

fn null_clause(clause: Option<JsonNullClause>, default: &'static str) -> &'static str {
    match clause {
        Some(JsonNullClause::Null) => "NULL",
        Some(JsonNullClause::Absent) => "ABSENT",
        None => default,
    }
}
