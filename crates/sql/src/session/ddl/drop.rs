//! DROP.

use crate::catalog::{ObjectPath, Relation};
use crate::session::{Session, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{DropObject, ObjectKind, ObjectScope};

/// Runs a DROP statement.
pub(in crate::session) fn drop(session: &mut Session, statement: &DropObject) -> SqlResult<StatementResult> {
    match statement.object {
        ObjectKind::Table | ObjectKind::View => drop_relation(session, statement)?,
        ObjectKind::Database => drop_database(session, statement)?,
        ObjectKind::Catalog => drop_catalog(session, statement)?,
        ObjectKind::Function => super::function::drop(session, statement)?,
        ObjectKind::Model => super::model::drop(session, statement)?,
        other => {
            return Err(SqlError::unsupported(format!("DROP {}", other.keyword()), Some(statement.span)));
        }
    }
    Ok(StatementResult::Ok)
}

fn drop_relation(session: &mut Session, statement: &DropObject) -> SqlResult<()> {
    let path = session.catalog.qualify(&statement.name)?;
    let is_temporary = statement.scope != ObjectScope::Permanent;
    if !is_temporary && session.catalog.temporary(&path).is_some() {
        return Err(shadowed(&path, statement));
    }
    let found = match is_temporary {
        true => session.catalog.temporary(&path),
        false => session.catalog.permanent(&path),
    };
    let matches = matches!(
        (statement.object, found),
        (ObjectKind::View, Some(Relation::View(_))) | (ObjectKind::Table, Some(Relation::Table(_)))
    );
    if !matches {
        return if statement.if_exists { Ok(()) } else { Err(not_there(session, &path, statement)) };
    }
    match is_temporary {
        true => session.catalog.drop_temporary(&path),
        false => session.catalog.drop_permanent(&path),
    };
    Ok(())
}

fn shadowed(path: &ObjectPath, statement: &DropObject) -> SqlError {
    let (upper, lower) = match statement.object {
        ObjectKind::View => ("VIEW", "view"),
        _ => ("TABLE", "table"),
    };
    let message = format!(
        "Temporary {lower} with identifier '{path}' exists. Drop it first before removing the permanent {lower}."
    );
    SqlError::at("temporary-exists", message, statement.name.span())
        .with_hint(format!("DROP TEMPORARY {upper} removes the temporary one"))
}

fn not_there(session: &Session, path: &ObjectPath, statement: &DropObject) -> SqlError {
    let kind = match (statement.scope, statement.object) {
        (ObjectScope::Permanent, ObjectKind::View) => "View",
        (ObjectScope::Permanent, _) => "Table",
        _ => "Temporary table or view",
    };
    let message = format!("{kind} with identifier '{}' does not exist.", path.0.join("."));
    let error = SqlError::at("unknown-table", message, statement.name.span());
    match session.catalog.get(path) {
        Some(Relation::View(_)) if statement.object == ObjectKind::Table => error.with_hint("it is a view: DROP VIEW"),
        Some(Relation::Table(_)) if statement.object == ObjectKind::View => {
            error.with_hint("it is a table: DROP TABLE")
        }
        _ => match session.catalog.unknown_relation(path, &statement.name).hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        },
    }
}

fn drop_database(session: &mut Session, statement: &DropObject) -> SqlResult<()> {
    let path = session.catalog.qualify_database(&statement.name)?;
    let dropped = session.catalog.drop_database(&path, statement.cascade == Some(true));
    let dropped = dropped.map_err(|error| error.with_span(statement.name.span()))?;
    if !dropped && !statement.if_exists {
        let message = format!("Database {} does not exist in Catalog {}.", path[1], path[0]);
        return Err(SqlError::at("unknown-database", message, statement.name.span()));
    }
    Ok(())
}

fn drop_catalog(session: &mut Session, statement: &DropObject) -> SqlResult<()> {
    let name = statement.name.last().map(|ident| ident.value.clone()).unwrap_or_default();
    let dropped = session.catalog.drop_catalog(&name).map_err(|error| error.with_span(statement.name.span()))?;
    if !dropped && !statement.if_exists {
        let message = format!("Catalog {name} does not exist.");
        return Err(SqlError::at("unknown-catalog", message, statement.name.span()));
    }
    Ok(())
}
