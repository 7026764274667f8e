//! Table functions of FROM, and what their arguments have in common.

use super::context::{ExprEnv, QueryEnv};
use super::from::NamedSource;
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use super::{Binder, BoundQuery, OutputColumn, changelog_codes, window_tvf};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{
    Expr, ExprKind, Function, FunctionArg, FunctionArgValue, Ident, OrderByExpr, TableArgSource,
};

/// A table function with the names of its arguments in order; those from `required` on may be left out.
pub(super) struct Signature {
    pub name: &'static str,
    pub params: &'static [&'static str],
    pub required: usize,
}

/// A table argument.
pub(super) struct TableInput<'a> {
    /// Its rows.
    pub rows: BoundQuery,
    /// Its PARTITION BY.
    pub partition_by: &'a [Expr],
    /// Its ORDER BY.
    pub order_by: &'a [OrderByExpr],
}

impl Binder<'_> {
    /// A function in FROM.
    pub(super) fn table_function(&self, call: &Function, lateral: bool, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        let name = call.name.as_single().map(|n| n.value.to_ascii_uppercase()).unwrap_or_default();
        let of = |signatures: &'static [Signature]| signatures.iter().find(|s| s.name == name);
        if let Some(signature) = of(window_tvf::SIGNATURES) {
            return self.window_function(signature, call, env);
        }
        if let Some(signature) = of(changelog_codes::SIGNATURES) {
            return self.changelog_function(signature, call, env);
        }
        let what = if lateral { "LATERAL TABLE with the function" } else { "the table function" };
        let known = window_tvf::SIGNATURES.iter().chain(changelog_codes::SIGNATURES).map(|s| s.name);
        let error = SqlError::unsupported(format!("{what} '{name}'"), Some(call.span));
        Err(match headwater_types::config::nearest(&name, known) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error,
        })
    }

    /// The rows a function is applied to; a subquery may stand without the word TABLE.
    pub(super) fn data_arg<'a>(&self, arg: &'a FunctionArg, env: QueryEnv<'_>) -> SqlResult<TableInput<'a>> {
        match &arg.value {
            FunctionArgValue::Table(table) => {
                let rows = match &table.source {
                    TableArgSource::Name(name) => {
                        let named = self.named_relation(name, &table.hints, env)?;
                        self.note_text(arg.span, || whole_table_text(&named));
                        named.query
                    }
                    TableArgSource::Query(query) => self.inner_query(query, env)?,
                };
                Ok(TableInput { rows, partition_by: &table.partition_by, order_by: &table.order_by })
            }
            FunctionArgValue::Expr(Expr { kind: ExprKind::Subquery(query), .. }) => {
                Ok(TableInput { rows: self.inner_query(query, env)?, partition_by: &[], order_by: &[] })
            }
            _ => {
                let message = "the argument must be a table: TABLE t, or TABLE (query)";
                Err(SqlError::at("bad-table-argument", message, arg.span))
            }
        }
    }

    /// The columns of PARTITION BY, by unique name.
    pub(super) fn partition_columns(&self, input: &TableInput<'_>, env: QueryEnv<'_>) -> SqlResult<Vec<String>> {
        let columns: Vec<ScopeColumn> = input.rows.columns.iter().cloned().map(ScopeColumn::from).collect();
        let scope = Scope::new(vec![ScopeRelation { path: vec![], columns }], None);
        let bound = input.partition_by.iter().map(|key| {
            let value = self.expr(key, ExprEnv::rows(&scope, env, "PARTITION BY"))?;
            value
                .column_name()
                .map(str::to_owned)
                .ok_or_else(|| SqlError::at("bad-table-argument", "PARTITION BY of a table takes columns", key.span))
        });
        bound.collect()
    }
}

/// The arguments in the order of the signature; DEFAULT is none.
pub(super) fn arranged<'c>(signature: &Signature, call: &'c Function) -> SqlResult<Vec<Option<&'c FunctionArg>>> {
    let mut arranged = vec![None; signature.params.len()];
    for (position, arg) in call.args.iter().enumerate() {
        let slot = match &arg.name {
            None => position,
            Some(name) => {
                signature.params.iter().position(|p| p.eq_ignore_ascii_case(&name.value)).ok_or_else(|| {
                    let known = signature.params.iter().copied();
                    SqlError::unknown("unknown-argument", "argument", &name.value, Some(name.span), known)
                })?
            }
        };
        match arranged.get_mut(slot) {
            Some(_) if arg.value == FunctionArgValue::Default => {}
            Some(free @ None) => *free = Some(arg),
            Some(Some(_)) => {
                return Err(SqlError::at("bad-table-argument", "the argument is given twice", arg.span));
            }
            None => {
                let message = format!("{} takes at most {} arguments", signature.name, signature.params.len());
                return Err(SqlError::at("bad-table-argument", message, arg.span));
            }
        }
    }
    match (0..signature.required).find(|slot| arranged[*slot].is_none()) {
        Some(slot) => Err(missing(signature, signature.params[slot], call.span)),
        None => Ok(arranged),
    }
}

/// The error of an argument that is not there.
pub(super) fn missing(signature: &Signature, param: &str, span: Span) -> SqlError {
    let message = format!("the argument {param} of {} is missing", signature.name);
    let params: Vec<_> = signature
        .params
        .iter()
        .enumerate()
        .map(|(i, p)| match i < signature.required {
            true => (*p).to_owned(),
            false => format!("[{p}]"),
        })
        .collect();
    SqlError::at("bad-table-argument", message, span).with_hint(format!("{}({})", signature.name, params.join(", ")))
}

/// The one column that a DESCRIPTOR names.
pub(super) fn descriptor_column<'a>(function: &str, param: &str, arg: &'a FunctionArg) -> SqlResult<&'a Ident> {
    let FunctionArgValue::Descriptor(columns) = &arg.value else {
        let message = format!("the argument {param} of {function} is named by DESCRIPTOR(column)");
        return Err(SqlError::at("bad-table-argument", message, arg.span));
    };
    let [name] = columns.as_slice() else {
        let message =
            format!("The descriptor for argument '{}' must contain exactly one column name.", param.to_lowercase());
        return Err(SqlError::at("bad-table-argument", message, arg.span));
    };
    Ok(name)
}

/// The column of a name.
pub(super) fn find_column<'q>(input: &'q BoundQuery, name: &Ident) -> SqlResult<&'q OutputColumn> {
    input.columns.iter().find(|c| c.name == name.value).ok_or_else(|| {
        let known = input.columns.iter().map(|c| c.name.as_str());
        SqlError::unknown("unknown-column", "column", &name.value, Some(name.span), known)
    })
}

/// A table argument as the query that Flink makes of it.
fn whole_table_text(named: &NamedSource) -> String {
    let alias = named.path.last().map_or("", String::as_str);
    let column = |column: &OutputColumn| super::notes::dotted([alias, column.name.as_str()].into_iter());
    let columns: Vec<String> = named.query.columns.iter().map(column).collect();
    let path = super::notes::dotted(named.path.iter().map(String::as_str));
    format!("(SELECT {} FROM {path} AS {})", columns.join(", "), super::notes::dotted(std::iter::once(alias)))
}
