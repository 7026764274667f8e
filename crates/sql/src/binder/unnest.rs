//! UNNEST in FROM.

use super::context::{ExprEnv, QueryEnv};
use super::from::Source;
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use super::select_list::unique_names;
use super::{Binder, plan_error};
use crate::logical::Unnest;
use crate::logical::nodes::extension;
use crate::{SqlError, SqlResult};
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{self, TableRef};
use headwater_types::{LogicalType, TypeRoot};

impl Binder<'_> {
    /// The rows of `source`, each repeated per element of a collection over its columns.
    pub(super) fn unnest(
        &self,
        source: Source,
        exprs: &[ast::Expr],
        with_ordinality: bool,
        left: bool,
        item: &TableRef,
        env: QueryEnv<'_>,
    ) -> SqlResult<Source> {
        let [expr] = exprs else {
            return Err(SqlError::unsupported("UNNEST of several collections", Some(item.span)));
        };
        let (plan, mut relations) = source;
        let scope = Scope::new(relations.clone(), env.outer);
        let collection = self.expr(expr, ExprEnv::rows(&scope, env, "UNNEST"))?;
        let mut columns = element_columns(&collection.ty, expr.span)?;
        if with_ordinality {
            columns.push(("ORDINALITY".to_owned(), LogicalType::from(TypeRoot::Int).not_null()));
        }
        let names = self.unnest_names(&columns, item)?;
        let mut added = Vec::with_capacity(columns.len());
        let mut visible = Vec::with_capacity(columns.len());
        for (name, (_, ty)) in names.into_iter().zip(columns) {
            let unique = self.fresh(&name);
            let ty = if left { ty.with_nullable(true) } else { ty };
            added.push((unique.clone(), ty.clone()));
            visible.push(ScopeColumn { name, unique, ty, merged: false });
        }
        let path = item.alias.as_ref().map(|a| a.name.value.clone()).into_iter().collect();
        relations.push(ScopeRelation { path, columns: visible });
        let schema = Unnest::schema_over(&plan, &added).map_err(plan_error)?;
        let plan = extension(Unnest {
            input: plan,
            collection: collection.expr,
            collection_type: collection.ty,
            left,
            with_ordinality,
            added,
            schema,
        });
        Ok((plan, relations))
    }

    /// Names of the alias list, or those of the elements. An alias without a list names the only column too.
    fn unnest_names(&self, columns: &[(String, LogicalType)], item: &TableRef) -> SqlResult<Vec<String>> {
        let given = item.alias.as_ref().map(|a| a.columns.as_slice()).unwrap_or_default();
        if given.is_empty() {
            return Ok(unique_names(columns.iter().map(|(name, _)| name.clone())));
        }
        if given.len() != columns.len() {
            let message = format!("the alias names {} columns, but UNNEST gives {}", given.len(), columns.len());
            return Err(SqlError::at("column-count", message, item.span));
        }
        Ok(given.iter().map(|ident| ident.value.clone()).collect())
    }
}

/// The columns of the elements of a collection.
fn element_columns(ty: &LogicalType, span: Span) -> SqlResult<Vec<(String, LogicalType)>> {
    match &ty.root {
        TypeRoot::Array(element) | TypeRoot::Multiset(element) => Ok(match element.row_fields() {
            Some(fields) => {
                let nullable = |f: &headwater_types::RowField| f.ty.nullable || element.nullable;
                fields.iter().map(|f| (f.name.clone(), f.ty.clone().with_nullable(nullable(f)))).collect()
            }
            None => vec![("EXPR$0".to_owned(), element.as_ref().clone())],
        }),
        TypeRoot::Map(key, value) => {
            Ok(vec![("KEY".to_owned(), key.as_ref().clone()), ("VALUE".to_owned(), value.as_ref().clone())])
        }
        _ => {
            let message = format!("UNNEST needs an ARRAY, a MAP or a MULTISET, not a value of type {ty}");
            Err(SqlError::at("bad-operand", message, span))
        }
    }
}
