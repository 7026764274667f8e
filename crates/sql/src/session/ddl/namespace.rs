//! CREATE and ALTER of catalogs and databases, and USE.

use super::schema::options;
use crate::catalog::{Catalog, Database};
use crate::session::{Session, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{
    AlterOptions, CreateCatalog, CreateDatabase, Ident, ObjectName, SqlOption, StringLiteral, Use,
};

/// The catalog types there are.
const CATALOG_TYPES: &[&str] = &[crate::catalog::GENERIC_IN_MEMORY];

/// Runs CREATE CATALOG.
pub(in crate::session) fn create_catalog(
    session: &mut Session,
    statement: &CreateCatalog,
) -> SqlResult<StatementResult> {
    let options = options(&statement.options);
    let span = statement.name.span;
    match options.get("type").map(String::as_str) {
        Some(kind) if CATALOG_TYPES.contains(&kind) => {}
        Some(kind @ ("jdbc" | "hive")) => {
            return Err(SqlError::unsupported(format!("a catalog of type '{kind}'"), Some(span)));
        }
        Some(kind) => {
            return Err(SqlError::unknown(
                "unknown-catalog-type",
                "catalog type",
                kind,
                Some(span),
                CATALOG_TYPES.iter().copied(),
            ));
        }
        None => {
            let error = SqlError::at("missing-option", "a catalog needs the option 'type'", span);
            return Err(error.with_hint(format!("available types: {}", CATALOG_TYPES.join(", "))));
        }
    }
    let catalog = Catalog::new(options, statement.comment.as_ref().map(|c| c.value.clone()));
    let name = &statement.name.value;
    if !session.catalog.create_catalog(name, catalog) && !statement.if_not_exists {
        return Err(SqlError::at("already-exists", format!("Catalog {name} already exists."), span));
    }
    Ok(StatementResult::Ok)
}

/// Runs ALTER CATALOG.
pub(in crate::session) fn alter_catalog(
    session: &mut Session,
    name: &Ident,
    action: &AlterOptions,
) -> SqlResult<StatementResult> {
    let catalog = session.catalog.catalog_mut(&name.value).map_err(|error| error.with_span(name.span))?;
    match action {
        AlterOptions::Set(set) => {
            if let Some(option) = set.iter().find(|option| option.key.value == "type") {
                let message = "ALTER CATALOG SET does not support changing 'type'";
                return Err(SqlError::at("reserved-option", message, option.span()));
            }
            catalog.options.extend(options(set));
        }
        AlterOptions::Reset(keys) => reset_catalog(catalog, keys)?,
        AlterOptions::Comment(comment) => catalog.comment = Some(comment.value.clone()),
        AlterOptions::Rename(to) => return Err(SqlError::unsupported("ALTER CATALOG ... RENAME TO", Some(to.span()))),
    }
    Ok(StatementResult::Ok)
}

fn reset_catalog(catalog: &mut Catalog, keys: &[StringLiteral]) -> SqlResult<()> {
    if keys.is_empty() {
        return Err(SqlError::new("empty-reset", "ALTER CATALOG RESET does not support empty key"));
    }
    if let Some(key) = keys.iter().find(|key| key.value == "type") {
        let message = "ALTER CATALOG RESET does not support changing 'type'";
        return Err(SqlError::at("reserved-option", message, key.span));
    }
    for key in keys {
        catalog.options.remove(&key.value);
    }
    Ok(())
}

/// Runs CREATE DATABASE.
pub(in crate::session) fn create_database(
    session: &mut Session,
    statement: &CreateDatabase,
) -> SqlResult<StatementResult> {
    let span = statement.name.span();
    let path = session.catalog.qualify_database(&statement.name)?;
    let comment = statement.comment.as_ref().map(|c| c.value.clone());
    let database = Database { comment, options: options(&statement.options), ..Database::default() };
    let created = session.catalog.create_database(&path, database).map_err(|error| error.with_span(span))?;
    if !created && !statement.if_not_exists {
        let message = format!("Database {} already exists in Catalog {}.", path[1], path[0]);
        return Err(SqlError::at("already-exists", message, span));
    }
    Ok(StatementResult::Ok)
}

/// Runs ALTER DATABASE.
pub(in crate::session) fn alter_database(
    session: &mut Session,
    name: &ObjectName,
    set: &[SqlOption],
) -> SqlResult<StatementResult> {
    let [catalog, database] = session.catalog.qualify_database(name)?;
    let found = session.catalog.database_mut(&catalog, &database).map_err(|error| {
        let message = match error.code {
            "unknown-database" => format!("Database {database} does not exist in Catalog {catalog}."),
            _ => error.message.clone(),
        };
        SqlError { message, ..error.with_span(name.span()) }
    })?;
    found.options.extend(options(set));
    Ok(StatementResult::Ok)
}

/// Runs USE.
pub(in crate::session) fn use_statement(session: &mut Session, statement: &Use) -> SqlResult<StatementResult> {
    match statement {
        Use::Catalog(name) => session.catalog.use_catalog(name)?,
        Use::Database(name) => session.catalog.use_database(name)?,
        Use::Modules(names) => return session.modules.enable(names),
    }
    Ok(StatementResult::Ok)
}
