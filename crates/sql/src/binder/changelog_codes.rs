//! `TO_CHANGELOG` and `FROM_CHANGELOG`: changelogs as plain rows with a code.

use super::context::{ExprEnv, QueryEnv};
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use super::select_list::unique_names;
use super::table_function::{Signature, TableInput, arranged, descriptor_column, find_column};
use super::{Binder, BoundQuery, OutputColumn};
use crate::logical::changelog_codes::{columns_with_code, columns_without};
use crate::logical::nodes::{df_schema, extension};
use crate::logical::{FromChangelog, ToChangelog};
use crate::{SqlError, SqlResult};
use datafusion_expr::LogicalPlan;
use datafusion_expr::expr::Sort as SortExpr;
use datafusion_expr::logical_plan::Sort;
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Expr, ExprKind, Function, FunctionArg, FunctionArgValue, Ident};
use headwater_types::{RowKind, TimeAttribute, TypeRoot};
use std::sync::Arc;

/// The functions.
pub(super) const SIGNATURES: &[Signature] = &[
    Signature { name: TO_CHANGELOG, params: &["INPUT", "OP", "OP_MAPPING", "PRODUCES_FULL_DELETES"], required: 1 },
    Signature { name: "FROM_CHANGELOG", params: &["INPUT", "OP", "OP_MAPPING", "ERROR_HANDLING"], required: 1 },
];

const TO_CHANGELOG: &str = "TO_CHANGELOG";
/// Name of the column with the code, unless `op` says otherwise.
const CODE: &str = "op";

/// The names of changes, which are their codes by default.
const CHANGES: [(&str, RowKind); 4] = [
    ("INSERT", RowKind::Insert),
    ("UPDATE_BEFORE", RowKind::UpdateBefore),
    ("UPDATE_AFTER", RowKind::UpdateAfter),
    ("DELETE", RowKind::Delete),
];

impl Binder<'_> {
    /// One of the functions in FROM.
    pub(super) fn changelog_function(
        &self,
        signature: &Signature,
        call: &Function,
        env: QueryEnv<'_>,
    ) -> SqlResult<BoundQuery> {
        let args = arranged(signature, call)?;
        let Some(data) = args[0] else { return Err(SqlError::internal("a required argument is not there")) };
        let input = self.data_arg(data, env)?;
        let code = args[1].map(|arg| descriptor_column(signature.name, "OP", arg)).transpose()?;
        let mapping = args[2].map(|arg| self.mapping(arg, env)).transpose()?;
        match signature.name {
            TO_CHANGELOG => {
                let full = args[3].map(|arg| self.flag("produces_full_deletes", arg, env)).transpose()?;
                self.bind_to_changelog(input, code, mapping, !full.unwrap_or(true), env)
            }
            _ => {
                let skips = args[3].map(|arg| self.skips_errors(arg, env)).transpose()?;
                self.bind_from_changelog(input, code, mapping, skips.unwrap_or(false), call.span, env)
            }
        }
    }

    fn bind_to_changelog(
        &self,
        input: TableInput<'_>,
        code: Option<&Ident>,
        mapping: Option<Vec<(String, String, Span)>>,
        partial_deletes: bool,
        env: QueryEnv<'_>,
    ) -> SqlResult<BoundQuery> {
        let mut codes: Vec<(RowKind, String)> = vec![];
        for (changes, code, span) in mapping.unwrap_or_else(default_mapping) {
            for name in changes.split(',').map(str::trim) {
                let kind = change(name, span)?;
                if codes.iter().any(|(known, _)| *known == kind) {
                    return Err(bad_mapping(format!("Duplicate change operation: '{name}'"), span));
                }
                codes.push((kind, code.clone()));
            }
        }
        let partition_by = self.partition_columns(&input, env)?;
        let rows = self.in_order(&input, env)?;
        let name = code.map_or(CODE, |ident| ident.value.as_str());
        let output = self.fresh(name);
        let columns = columns_with_code(&rows.plan, &output, partial_deletes, &partition_by)?;
        let nullable = |unique: &str| columns.iter().any(|(name, ty)| name == unique && ty.nullable);
        let code = OutputColumn { name: name.to_owned(), unique: output.clone(), ty: columns[0].1.clone() };
        let (keys, rest) = split_off(rows.columns, &partition_by);
        let mut visible: Vec<OutputColumn> = keys.into_iter().chain([code]).chain(rest).collect();
        for column in &mut visible {
            column.ty = column.ty.clone().with_nullable(nullable(&column.unique));
        }
        let schema = df_schema(&columns);
        let plan = extension(ToChangelog { input: rows.plan, output, codes, partial_deletes, partition_by, schema });
        Ok(BoundQuery { plan, columns: with_unique_names(visible) })
    }

    fn bind_from_changelog(
        &self,
        input: TableInput<'_>,
        code: Option<&Ident>,
        mapping: Option<Vec<(String, String, Span)>>,
        skips_errors: bool,
        span: Span,
        env: QueryEnv<'_>,
    ) -> SqlResult<BoundQuery> {
        let mut kinds: Vec<(String, RowKind)> = vec![];
        for (codes, name, span) in mapping.unwrap_or_else(default_mapping) {
            let kind = change(&name, span)?;
            for code in codes.split(',').map(str::trim) {
                if kinds.iter().any(|(known, _)| known == code) {
                    return Err(bad_mapping(format!("Duplicate op code: '{code}'"), span));
                }
                kinds.push((code.to_owned(), kind));
            }
        }
        let holds = |wanted: RowKind| kinds.iter().any(|(_, kind)| *kind == wanted);
        if holds(RowKind::UpdateAfter) && !holds(RowKind::UpdateBefore) && input.partition_by.is_empty() {
            let message = "an 'op_mapping' without UPDATE_BEFORE needs PARTITION BY: its columns identify the row that an \
                           UPDATE_AFTER replaces";
            return Err(bad_mapping(message.to_owned(), span));
        }
        let partition_by = self.partition_columns(&input, env)?;
        let rows = self.in_order(&input, env)?;
        let default = Ident { value: CODE.to_owned(), quoted: false, span };
        let code = find_column(&rows, code.unwrap_or(&default))?.clone();
        if !matches!(code.ty.root, TypeRoot::Char(_) | TypeRoot::VarChar(_)) {
            let message = format!("the column '{}' holds codes and must be a string, not {}", code.name, code.ty);
            return Err(SqlError::at("bad-table-argument", message, span));
        }
        if partition_by.contains(&code.unique) {
            return Err(bad_mapping(format!("the column '{}' holds codes and is no key", code.name), span));
        }
        let schema = df_schema(&columns_without(&rows.plan, &code.unique)?);
        let left = rows.columns.into_iter().filter(|column| column.unique != code.unique).collect();
        let (keys, rest) = split_off(left, &partition_by);
        let node = FromChangelog { input: rows.plan, code: code.unique, kinds, skips_errors, partition_by, schema };
        Ok(BoundQuery { plan: extension(node), columns: keys.into_iter().chain(rest).collect() })
    }

    /// The rows in the order of ORDER BY, which event time leads.
    fn in_order(&self, input: &TableInput<'_>, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        let Some(first) = input.order_by.first() else { return Ok(input.rows.clone()) };
        let columns: Vec<ScopeColumn> = input.rows.columns.iter().cloned().map(ScopeColumn::from).collect();
        let scope = Scope::new(vec![ScopeRelation { path: vec![], columns }], None);
        let mut keys = vec![];
        for order in input.order_by {
            let key = self.order_key(order, ExprEnv::rows(&scope, env, "ORDER BY"))?;
            if keys.is_empty() && (key.value.ty.time_attribute() != TimeAttribute::Rowtime || !key.ascending) {
                let message = "the ORDER BY of a table argument begins with a rowtime attribute, ascending";
                return Err(SqlError::at("bad-table-argument", message, first.expr.span));
            }
            keys.push(SortExpr::new(key.value.expr, key.ascending, key.nulls_first));
        }
        let sort = Sort { expr: keys, input: Arc::new(input.rows.plan.clone()), fetch: None };
        Ok(BoundQuery { plan: LogicalPlan::Sort(sort), columns: input.rows.columns.clone() })
    }

    /// A constant map of strings.
    fn mapping(&self, arg: &FunctionArg, env: QueryEnv<'_>) -> SqlResult<Vec<(String, String, Span)>> {
        let wrong =
            || bad_mapping("the argument op_mapping is a constant MAP['…', '…'] of strings".to_owned(), arg.span);
        let FunctionArgValue::Expr(Expr { kind: ExprKind::Map(entries), .. }) = &arg.value else {
            return Err(wrong());
        };
        let text = |expr: &Expr| match self.constant(expr, env)? {
            Value::String(text) => Ok(text.trim_end().to_owned()),
            _ => Err(wrong()),
        };
        entries.iter().map(|(key, value)| Ok((text(key)?, text(value)?, key.span))).collect()
    }

    fn flag(&self, name: &str, arg: &FunctionArg, env: QueryEnv<'_>) -> SqlResult<bool> {
        if let FunctionArgValue::Expr(expr) = &arg.value
            && let Value::Boolean(flag) = self.constant(expr, env)?
        {
            return Ok(flag);
        }
        Err(SqlError::at("bad-table-argument", format!("the argument {name} is TRUE or FALSE"), arg.span))
    }

    fn skips_errors(&self, arg: &FunctionArg, env: QueryEnv<'_>) -> SqlResult<bool> {
        let given = match &arg.value {
            FunctionArgValue::Expr(expr) => self.constant(expr, env)?,
            _ => Value::Null,
        };
        match &given {
            Value::String(text) if text.eq_ignore_ascii_case("SKIP") => Ok(true),
            Value::String(text) if text.eq_ignore_ascii_case("FAIL") => Ok(false),
            _ => {
                let message = "the argument error_handling is 'FAIL' or 'SKIP'";
                Err(SqlError::at("bad-table-argument", message, arg.span))
            }
        }
    }

    fn constant(&self, expr: &Expr, env: QueryEnv<'_>) -> SqlResult<Value> {
        let value = self.constant_expr(expr, env)?;
        self.fold(&value).ok_or_else(|| SqlError::at("not-constant", "the argument must be a constant", expr.span))
    }
}

/// Every change by its name.
fn default_mapping() -> Vec<(String, String, Span)> {
    CHANGES.iter().map(|(name, _)| ((*name).to_owned(), (*name).to_owned(), Span::default())).collect()
}

/// The change of a name.
fn change(name: &str, span: Span) -> SqlResult<RowKind> {
    let known = CHANGES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    known.ok_or_else(|| {
        let names: Vec<_> = CHANGES.iter().map(|(name, _)| *name).collect();
        bad_mapping(format!("Unknown change operation: '{name}'. Expected {}", names.join(", ")), span)
    })
}

fn bad_mapping(message: String, span: Span) -> SqlError {
    SqlError::at("bad-change-mapping", message, span)
}

/// The columns of these unique names, in their order, and the others.
fn split_off(columns: Vec<OutputColumn>, keys: &[String]) -> (Vec<OutputColumn>, Vec<OutputColumn>) {
    let found = keys.iter().filter_map(|key| columns.iter().find(|column| column.unique == *key).cloned()).collect();
    (found, columns.into_iter().filter(|column| !keys.contains(&column.unique)).collect())
}

fn with_unique_names(mut columns: Vec<OutputColumn>) -> Vec<OutputColumn> {
    let names = unique_names(columns.iter().map(|c| c.name.clone()));
    columns.iter_mut().zip(names).for_each(|(column, name)| column.name = name);
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_have_names() {
        assert_eq!(change("DELETE", Span::default()).ok(), Some(RowKind::Delete));
        let error = change("INVALID_KIND", Span::default()).expect_err("there is no such change");
        assert!(error.to_string().contains("Unknown change operation: 'INVALID_KIND'"), "{error}");
        assert_eq!(default_mapping().len(), 4);
    }
}
