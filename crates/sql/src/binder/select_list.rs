//! The select list: stars, names of columns.

use super::context::ExprEnv;
use super::resolve::column_value;
use super::scope::ScopeRelation;
use super::{Binder, Typed};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Expr, ExprKind, SelectItem};
use std::collections::HashSet;

/// An item of the select list after expansion of stars.
pub(super) struct Item {
    /// Display name, not yet unique.
    pub name: String,
    /// Value.
    pub value: Typed,
    /// Where it was written.
    pub span: Span,
}

impl Binder<'_> {
    /// Binds a select list.
    pub(super) fn select_list(&self, projection: &[SelectItem], env: ExprEnv<'_>) -> SqlResult<Vec<Item>> {
        let mut items: Vec<Item> = Vec::with_capacity(projection.len());
        for item in projection {
            match item {
                SelectItem::Expr { expr, alias } => {
                    let name = match alias {
                        Some(alias) => alias.value.clone(),
                        None => derived_name(expr).unwrap_or_else(|| format!("EXPR${}", items.len())),
                    };
                    items.push(Item { name, value: self.expr(expr, env)?, span: expr.span });
                }
                SelectItem::Wildcard(span) => {
                    items.extend(star(env, *span)?);
                    self.note_star(*span, env.scope.relations.iter());
                }
                SelectItem::QualifiedWildcard { prefix, span } => {
                    items.extend(self.qualified_star(prefix, *span, env)?)
                }
            }
        }
        Ok(items)
    }

    /// `t.*` of a relation, or `row.*` of a value.
    fn qualified_star(&self, prefix: &Expr, span: Span, env: ExprEnv<'_>) -> SqlResult<Vec<Item>> {
        if let ExprKind::Column(name) = &prefix.kind {
            let parts: Vec<&str> = name.parts().collect();
            if let Some(relation) = env.scope.relations.iter().find(|r| r.answers_to(&parts)) {
                self.note_star(span, std::iter::once(relation));
                return Ok(relation_items(relation, span));
            }
        }
        self.note_failure();
        let value = self.expr(prefix, env).map_err(|e| match (&prefix.kind, e.code) {
            (ExprKind::Column(name), "unknown-column") => {
                let known = env.scope.relations.iter().filter_map(|r| r.path.last()).map(String::as_str);
                let written: Vec<_> = name.parts().collect();
                SqlError::unknown("unknown-table", "table", &written.join("."), Some(prefix.span), known)
            }
            _ => e,
        })?;
        let Some(fields) = value.ty.row_fields() else {
            let message = format!("'.*' needs a table or a value of type ROW, not {}", value.ty);
            return Err(SqlError::at("bad-star", message, span));
        };
        let names: Vec<String> = fields.iter().map(|f| f.name.clone()).collect();
        let items = names.into_iter().enumerate();
        Ok(items.map(|(i, name)| Item { name, value: self.field_at(value.clone(), i), span }).collect())
    }
}

fn star(env: ExprEnv<'_>, span: Span) -> SqlResult<Vec<Item>> {
    if env.scope.relations.is_empty() {
        return Err(SqlError::at("bad-star", "'*' needs a FROM clause", span));
    }
    let items = env.scope.visible().map(|c| Item { name: c.name.clone(), value: column_value(c, false), span });
    Ok(items.collect())
}

fn relation_items(relation: &ScopeRelation, span: Span) -> Vec<Item> {
    let items = relation.columns.iter();
    items.map(|c| Item { name: c.name.clone(), value: column_value(c, false), span }).collect()
}

/// The name of an unaliased item: that of the column or field it reads.
fn derived_name(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Column(name) => name.last().map(|ident| ident.value.clone()),
        ExprKind::FieldAccess { field, .. } => Some(field.value.clone()),
        _ => None,
    }
}

/// Makes names unique by appending the first free number: `a`, `a0`, `a1`.
pub(super) fn unique_names(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut used = HashSet::new();
    let mut result = vec![];
    for name in names {
        let mut candidate = name.clone();
        let mut attempt = 0;
        while !used.insert(candidate.clone()) {
            candidate = format!("{name}{attempt}");
            attempt += 1;
        }
        result.push(candidate);
    }
    result
}
