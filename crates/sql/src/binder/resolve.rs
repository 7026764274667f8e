//! Resolving dotted names to columns and fields.

use super::context::ExprEnv;
use super::scope::{Scope, ScopeColumn};
use super::{Binder, Typed};
use crate::{SqlError, SqlResult};
use datafusion_common::Column;
use datafusion_expr::Expr;
use headwater_data::arrow_field;
use headwater_expressions::udf;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Ident, ObjectName};
use headwater_types::LogicalType;
use std::sync::Arc;

/// What a dotted name stands for: a column, and how many parts of the name it took.
struct Found<'s> {
    column: &'s ScopeColumn,
    parts: usize,
}

impl Binder<'_> {
    /// The value of a path: a column, possibly of a named relation, then fields.
    pub(super) fn column_path(&self, name: &ObjectName, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let parts: Vec<&str> = name.parts().collect();
        let mut scope = Some(env.scope);
        let mut is_outer = false;
        while let Some(level) = scope {
            if let Some(found) = find(level, &parts, name)? {
                match env.clause.name() {
                    // As in Flink, the keys of an order are called as they were written.
                    "ORDER BY" => self.note_text(name.span(), || super::notes::dotted(name.parts())),
                    _ => self.note_column(name.span(), level, found.column, name.parts().skip(found.parts)),
                }
                let column = column_value(found.column, is_outer);
                return self.fields(column, &name.0[found.parts..]);
            }
            scope = level.outer;
            is_outer = true;
        }
        match peek(env.scope, name)? {
            Some((column, path)) => {
                let fields = path.iter().map(String::as_str).chain(name.parts());
                self.note_column(name.span(), env.scope, column, fields);
                let column = column_value(column, false);
                let row = path.iter().try_fold(column, |row, field| self.field(row, field, name.0[0].span))?;
                self.fields(row, &name.0)
            }
            // The one function that may be called without parentheses and is no keyword.
            None if matches!(parts[..], [word] if word.eq_ignore_ascii_case("PI")) => {
                self.call("PI", vec![], name.span())
            }
            None => Err(unknown_column(env.scope, name)),
        }
    }

    /// Nested fields of a value, one after the other.
    pub(super) fn fields(&self, value: Typed, path: &[Ident]) -> SqlResult<Typed> {
        path.iter().try_fold(value, |value, field| self.field(value, &field.value, field.span))
    }

    /// A field of a ROW value, by name.
    pub(super) fn field(&self, value: Typed, name: &str, span: Span) -> SqlResult<Typed> {
        let Some(fields) = value.ty.row_fields() else {
            let message = format!("a value of type {} has no field '{name}': only a ROW has fields", value.ty);
            return Err(SqlError::at("unknown-field", message, span));
        };
        let Some(index) = fields.iter().position(|f| f.name == name) else {
            let known = fields.iter().map(|f| f.name.as_str());
            return Err(SqlError::unknown("unknown-field", "field", name, Some(span), known));
        };
        Ok(self.field_at(value, index))
    }

    /// A field of a ROW value by position, which exists.
    pub(super) fn field_at(&self, value: Typed, index: usize) -> Typed {
        let field_type = value.ty.row_fields().map(|fields| fields[index].ty.clone()).unwrap_or(value.ty.clone());
        let nullable = field_type.nullable || value.ty.nullable;
        let ty = field_type.with_nullable(nullable);
        let function = udf::field(value.ty, index, ty.clone(), &self.context);
        Typed::new(function.call(vec![value.expr]), ty)
    }
}

/// A column as an expression of the current query, or as one of an enclosing query.
pub(super) fn column_value(column: &ScopeColumn, is_outer: bool) -> Typed {
    let reference = Column::new_unqualified(&column.unique);
    let expr = match is_outer {
        false => Expr::Column(reference),
        true => Expr::OuterReferenceColumn(Arc::new(arrow_field(&column.unique, &column.ty)), reference),
    };
    Typed::new(expr, column.ty.clone())
}

/// Finds a path in one scope: relation and column first, with the longest relation name that fits; then a
/// column of any relation.
fn find<'s>(scope: &'s Scope<'_>, parts: &[&str], name: &ObjectName) -> SqlResult<Option<Found<'s>>> {
    for taken in (1..parts.len().min(4)).rev() {
        let named = scope.relations.iter().filter(|r| r.answers_to(&parts[..taken]));
        let columns: Vec<_> = named.flat_map(|r| r.named(parts[taken])).collect();
        if let Some(column) = single(columns, name)? {
            return Ok(Some(Found { column, parts: taken + 1 }));
        }
    }
    let columns = scope.relations.iter().flat_map(|r| r.named(parts[0])).filter(|c| !c.merged).collect();
    Ok(single(columns, name)?.map(|column| Found { column, parts: 1 }))
}

/// Levels of rows within rows in which a field is looked for.
const PEEK_DEPTH: usize = 8;

/// A column of type ROW, and the way into it to the only row that has a field of the name: as in Flink, fields need no
/// prefix when no column has their name.
fn peek<'s>(scope: &'s Scope<'_>, name: &ObjectName) -> SqlResult<Option<(&'s ScopeColumn, Vec<String>)>> {
    let Some(field) = name.parts().next() else { return Ok(None) };
    let mut found: Vec<(&ScopeColumn, Vec<String>)> = vec![];
    for column in scope.relations.iter().flat_map(|relation| &relation.columns) {
        let mut paths = vec![];
        paths_to(&column.ty, field, &mut vec![], &mut paths);
        found.extend(paths.into_iter().map(|path| (column, path)));
    }
    if found.len() > 1 {
        single(found.iter().map(|(column, _)| *column).collect(), name)?;
    }
    Ok(found.pop())
}

/// The ways into a type to rows with a field of this name.
fn paths_to(ty: &LogicalType, name: &str, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let Some(fields) = ty.row_fields().filter(|_| path.len() < PEEK_DEPTH) else { return };
    if fields.iter().any(|field| field.name == name) {
        found.push(path.clone());
        return;
    }
    for field in fields {
        path.push(field.name.clone());
        paths_to(&field.ty, name, path, found);
        path.pop();
    }
}

fn single<'s>(columns: Vec<&'s ScopeColumn>, name: &ObjectName) -> SqlResult<Option<&'s ScopeColumn>> {
    match columns.as_slice() {
        [] => Ok(None),
        [column] => Ok(Some(column)),
        _ => {
            let text: Vec<_> = name.parts().collect();
            let message = format!("column '{}' is ambiguous", text.join("."));
            let hint = "put the table's name or alias in front of it";
            Err(SqlError::at("ambiguous-column", message, name.span()).with_hint(hint))
        }
    }
}

/// The error of a path that names nothing: about the column when its relation is known.
fn unknown_column(scope: &Scope<'_>, name: &ObjectName) -> SqlError {
    let parts: Vec<&str> = name.parts().collect();
    for taken in (1..parts.len().min(4)).rev() {
        if let Some(relation) = scope.relations.iter().find(|r| r.answers_to(&parts[..taken])) {
            let known = relation.columns.iter().map(|c| c.name.as_str());
            let span = name.0[taken].span;
            let error = SqlError::unknown("unknown-column", "column", parts[taken], Some(span), known);
            return SqlError { message: format!("{} in table '{}'", error.message, parts[..taken].join(".")), ..error };
        }
    }
    if parts.len() > 1 {
        return unknown_prefix(scope, name, parts[0]);
    }
    SqlError::unknown("unknown-column", "column", parts[0], Some(name.span()), scope.visible().map(|c| c.name.as_str()))
}

fn unknown_prefix(scope: &Scope<'_>, name: &ObjectName, first: &str) -> SqlError {
    let relations = scope.relations.iter().filter_map(|r| r.path.last()).map(String::as_str);
    let known = relations.chain(scope.visible().map(|c| c.name.as_str()));
    SqlError::unknown("unknown-table", "name", first, Some(name.0[0].span), known)
}
