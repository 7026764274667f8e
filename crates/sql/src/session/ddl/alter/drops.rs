//! ALTER TABLE DROP.

use super::columns::{check_unreferenced, find_existing};
use crate::catalog::Table;
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{Ident, ObjectName};

/// Drops columns that nothing else uses; columns of one statement may refer to each other.
pub(super) fn columns(table: &mut Table, names: &[ObjectName]) -> SqlResult<()> {
    let mut dropped: Vec<&Ident> = vec![];
    for name in names {
        let Some(single) = name.as_single() else {
            return Err(SqlError::unsupported("ALTER TABLE with a nested column", Some(name.span())));
        };
        if dropped.iter().any(|other| other.value == single.value) {
            let message = format!("Duplicate column `{}`.", single.value);
            return Err(SqlError::at("duplicate-column", message, single.span));
        }
        dropped.push(single);
    }
    let all: Vec<&str> = dropped.iter().map(|name| name.value.as_str()).collect();
    for name in &dropped {
        find_existing(table, name)?;
        check_unreferenced(table, name, &all)?;
        check_no_key(table, name)?;
    }
    table.columns.retain(|column| !all.contains(&column.name.as_str()));
    Ok(())
}

fn check_no_key(table: &Table, name: &Ident) -> SqlResult<()> {
    let used_as = if table.primary_key.contains(&name.value) {
        "primary key"
    } else if table.partition_keys.contains(&name.value) {
        "partition keys"
    } else {
        return Ok(());
    };
    let message = format!("The column `{}` is used as the {used_as}.", name.value);
    Err(SqlError::at("column-in-use", message, name.span))
}

/// Drops the primary key; its columns stay NOT NULL.
pub(super) fn primary_key(table: &mut Table) -> SqlResult<()> {
    if table.primary_key.is_empty() {
        return Err(missing("primary key"));
    }
    table.primary_key.clear();
    table.primary_key_name = None;
    Ok(())
}

/// Drops the primary key by the name of its constraint.
pub(super) fn constraint(table: &mut Table, name: &Ident) -> SqlResult<()> {
    if table.primary_key.is_empty() {
        return Err(missing("primary key"));
    }
    let existing = table.primary_key_name.clone().unwrap_or_else(|| format!("PK_{}", table.primary_key.join("_")));
    if existing != name.value {
        let message = format!(
            "The current table does not define a primary key constraint named '{}'. Available constraint name: ['{existing}'].",
            name.value
        );
        return Err(SqlError::at("unknown-constraint", message, name.span));
    }
    primary_key(table)
}

/// Drops the watermark.
pub(super) fn watermark(table: &mut Table) -> SqlResult<()> {
    table.watermark.take().map(drop).ok_or_else(|| missing("watermark strategy"))
}

/// Drops the distribution.
pub(super) fn distribution(table: &mut Table) -> SqlResult<()> {
    table.distribution.take().map(drop).ok_or_else(|| missing("distribution"))
}

fn missing(what: &str) -> SqlError {
    SqlError::new("nothing-to-drop", format!("The current table does not define any {what}."))
}
