//! JSON_OBJECTAGG and JSON_ARRAYAGG.

use super::aggregate::check_clause;
use super::context::ExprEnv;
use super::{Binder, Typed};
use crate::logical::aggregate::FlinkAggregate;
use crate::{SqlError, SqlResult};
use datafusion_expr::Expr;
use datafusion_expr::expr::AggregateFunction;
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{self, JsonNullClause, SpecialFunction};
use headwater_types::{LogicalType, TypeRoot};

/// What the two have in common.
struct JsonAggregate<'a> {
    name: &'static str,
    key: Option<&'a ast::Expr>,
    value: &'a ast::Expr,
    /// Whether members with NULL are left out.
    absent_on_null: bool,
    filter: Option<&'a ast::Expr>,
}

impl Binder<'_> {
    /// An aggregate call, left inside the expression.
    pub(super) fn json_aggregate(&self, call: &SpecialFunction, span: Span, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let aggregate = described(call, span)?;
        check_clause(aggregate.name, span, env)?;
        let inner = env.inside_aggregate();
        let key = aggregate.key.map(|key| self.json_key(key, inner)).transpose()?;
        let mut value = self.json_member(aggregate.value, inner)?;
        if value.ty.root == TypeRoot::Null {
            value = self.null_of(TypeRoot::Int)?;
        }
        let filter = aggregate.filter.map(|filter| self.condition(filter, inner)).transpose()?;
        // Of no rows there is an empty object or array.
        let ty = LogicalType::string().not_null();
        let parameters = vec![Value::Boolean(aggregate.absent_on_null)];
        let expr = AggregateFunction::new_udf(
            FlinkAggregate::udf(aggregate.name, ty.clone(), parameters),
            key.into_iter().chain([value]).map(|arg| arg.expr).collect(),
            false,
            filter.map(|filter| Box::new(filter.expr)),
            vec![],
            None,
        );
        Ok(Typed::new(Expr::AggregateFunction(expr), ty))
    }

    fn json_key(&self, key: &ast::Expr, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let bound = self.expr(key, env)?;
        if !bound.ty.is_character() {
            let message = format!("the keys of JSON_OBJECTAGG are strings, not {}", bound.ty);
            return Err(SqlError::at("bad-function-call", message, key.span).with_hint("CAST them AS STRING"));
        }
        Ok(bound)
    }
}

fn described(call: &SpecialFunction, span: Span) -> SqlResult<JsonAggregate<'_>> {
    let absent = |clause: &Option<JsonNullClause>, default| clause.map_or(default, |c| c == JsonNullClause::Absent);
    Ok(match call {
        SpecialFunction::JsonObjectAgg { member, on_null, filter } => JsonAggregate {
            name: "JSON_OBJECTAGG",
            key: Some(&member.key),
            value: &member.value,
            absent_on_null: absent(on_null, false),
            filter: filter.as_ref(),
        },
        SpecialFunction::JsonArrayAgg { value, order_by, on_null, filter } => {
            if !order_by.is_empty() {
                return Err(SqlError::unsupported("ORDER BY inside JSON_ARRAYAGG", Some(span)));
            }
            let absent_on_null = absent(on_null, true);
            JsonAggregate { name: "JSON_ARRAYAGG", key: None, value, absent_on_null, filter: filter.as_ref() }
        }
        _ => return Err(SqlError::internal("not an aggregate into JSON")),
    })
}
