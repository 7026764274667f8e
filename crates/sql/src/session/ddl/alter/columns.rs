//! ALTER TABLE ADD, MODIFY and RENAME column.

use super::{backticked, references, schema};
use crate::catalog::{Column, ColumnKind, Table};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{ColumnDef, ColumnPosition, Ident, ObjectName, SchemaElement, TableConstraint};

/// Adds what is not there yet.
pub(super) fn add(table: &mut Table, elements: &[SchemaElement]) -> SqlResult<()> {
    for element in elements {
        match element {
            SchemaElement::Column { column, position } => add_column(table, column, position.as_ref())?,
            SchemaElement::Watermark(written) => {
                if let Some(existing) = &table.watermark {
                    let message = format!(
                        "The current table has already defined the watermark strategy `{}` AS {}. You might want to drop \
                         it before adding a new one.",
                        existing.column, existing.expr
                    );
                    return Err(SqlError::at("already-exists", message, written.span));
                }
                table.watermark = Some(schema::watermark(written)?);
            }
            SchemaElement::Distribution(written) => {
                if let Some(existing) = &table.distribution {
                    let message = format!(
                        "The current table has already defined the distribution '{existing}'. You can modify it or drop \
                         it before adding a new one."
                    );
                    return Err(SqlError::at("already-exists", message, written.span));
                }
                schema::add_distribution(table, Some(written))?;
            }
            SchemaElement::Constraint(_) => {}
        }
    }
    for constraint in new_constraints(elements) {
        if !table.primary_key.is_empty() {
            let message = format!(
                "The current table has already defined the primary key constraint [{}]. You might want to drop it before \
                 adding a new one.",
                backticked(&table.primary_key)
            );
            return Err(SqlError::at("already-exists", message, constraint.span));
        }
        schema::add_primary_key(table, &constraint)?;
    }
    Ok(())
}

/// The constraints of all elements, those at columns included. They come last, since they may name columns
/// that the same statement adds.
fn new_constraints(elements: &[SchemaElement]) -> Vec<TableConstraint> {
    let constraint = |element: &SchemaElement| match element {
        SchemaElement::Constraint(constraint) => Some(constraint.clone()),
        SchemaElement::Column { column, .. } => schema::column_constraint(column),
        _ => None,
    };
    elements.iter().filter_map(constraint).collect()
}

fn add_column(table: &mut Table, written: &ColumnDef, position: Option<&ColumnPosition>) -> SqlResult<()> {
    let column = schema::column(written)?;
    if table.column(&column.name).is_some() {
        let message = format!("Column `{}` already exists in the table.", column.name);
        return Err(SqlError::at("duplicate-column", message, written.name.span));
    }
    let at = match position {
        None => table.columns.len(),
        Some(position) => place(&table.columns, position)?,
    };
    table.columns.insert(at, column);
    Ok(())
}

/// Where a column goes among `columns`.
fn place(columns: &[Column], position: &ColumnPosition) -> SqlResult<usize> {
    match position {
        ColumnPosition::First => Ok(0),
        ColumnPosition::After(name) => {
            let after = name.last().map(|ident| ident.value.as_str()).unwrap_or_default();
            let found = columns.iter().position(|column| column.name == after);
            found.map(|at| at + 1).ok_or_else(|| {
                let message = format!("Referenced column `{after}` by 'AFTER' does not exist in the table.");
                SqlError::at("unknown-column", message, name.span())
            })
        }
    }
}

/// Changes what is there.
pub(super) fn modify(table: &mut Table, elements: &[SchemaElement]) -> SqlResult<()> {
    for element in elements {
        match element {
            SchemaElement::Column { column, position } => modify_column(table, column, position.as_ref())?,
            SchemaElement::Watermark(written) => {
                if table.watermark.is_none() {
                    return Err(nothing_there("watermark", written.span));
                }
                table.watermark = Some(schema::watermark(written)?);
            }
            SchemaElement::Distribution(written) => {
                if table.distribution.is_none() {
                    return Err(nothing_there("distribution", written.span));
                }
                schema::add_distribution(table, Some(written))?;
            }
            SchemaElement::Constraint(_) => {}
        }
    }
    for constraint in new_constraints(elements) {
        if table.primary_key.is_empty() {
            return Err(nothing_there("primary key constraint", constraint.span));
        }
        table.primary_key.clear();
        schema::add_primary_key(table, &constraint)?;
    }
    Ok(())
}

fn nothing_there(what: &str, span: headwater_sql_parser::Span) -> SqlError {
    let message = format!("The current table does not define any {what}. You might want to add a new one.");
    SqlError::at("nothing-to-modify", message, span)
}

fn modify_column(table: &mut Table, written: &ColumnDef, position: Option<&ColumnPosition>) -> SqlResult<()> {
    let mut column = schema::column(written)?;
    let at = find(table, &written.name)?;
    let old = table.columns.remove(at);
    if column.comment.is_none() {
        column.comment = old.comment;
    }
    if table.primary_key.contains(&column.name) {
        column.ty.nullable = false;
    }
    let at = match position {
        None => at,
        Some(position) => place(&table.columns, position)?,
    };
    table.columns.insert(at, column);
    Ok(())
}

/// The position of a column that must be there.
fn find(table: &Table, name: &Ident) -> SqlResult<usize> {
    find_or(table, name, || format!("Column `{}` does not exist in the table.", name.value))
}

/// Where a column is that is to be dropped or renamed.
pub(super) fn find_existing(table: &Table, name: &Ident) -> SqlResult<usize> {
    find_or(table, name, || format!("The column `{}` does not exist in the base table.", name.value))
}

fn find_or(table: &Table, name: &Ident, message: impl FnOnce() -> String) -> SqlResult<usize> {
    let found = table.columns.iter().position(|column| column.name == name.value);
    found.ok_or_else(|| {
        let error = SqlError::at("unknown-column", message(), name.span);
        match headwater_types::config::nearest(&name.value, table.column_names()) {
            Some(near) => error.with_hint(format!("did you mean '{near}'?")),
            None => error,
        }
    })
}

/// Renames a column, in the primary key as well; one that an expression refers to stays.
pub(super) fn rename(table: &mut Table, from: &ObjectName, to: &Ident) -> SqlResult<()> {
    let Some(name) = from.as_single() else {
        return Err(SqlError::unsupported("ALTER TABLE with a nested column", Some(from.span())));
    };
    let at = find_existing(table, name)?;
    if table.column(&to.value).is_some() {
        let message = format!("The column `{}` already existed in table schema.", to.value);
        return Err(SqlError::at("duplicate-column", message, to.span));
    }
    check_unreferenced(table, name, &[])?;
    if table.partition_keys.contains(&name.value) {
        let message = format!("The column `{}` is used as the partition keys.", name.value);
        return Err(SqlError::at("column-in-use", message, name.span));
    }
    for key in table.primary_key.iter_mut().filter(|key| **key == name.value) {
        *key = to.value.clone();
    }
    table.columns[at].name = to.value.clone();
    Ok(())
}

/// Refuses when a computed column (other than those in `except`) or the watermark refers to the column.
pub(super) fn check_unreferenced(table: &Table, name: &Ident, except: &[&str]) -> SqlResult<()> {
    let in_use = |by: String| {
        let message = format!("The column `{}` is referenced by {by}.", name.value);
        Err(SqlError::at("column-in-use", message, name.span))
    };
    for column in table.columns.iter().filter(|column| !except.contains(&column.name.as_str())) {
        match &column.kind {
            ColumnKind::Computed { expr } if references(expr, &name.value) => {
                return in_use(format!("computed column `{}`", column.name));
            }
            _ => {}
        }
    }
    match &table.watermark {
        Some(watermark) if watermark.column == name.value || references(&watermark.expr, &name.value) => {
            in_use("watermark expression".to_string())
        }
        _ => Ok(()),
    }
}
