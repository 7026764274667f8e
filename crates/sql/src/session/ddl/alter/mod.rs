//! ALTER TABLE: a changed copy of the declaration is validated like a new one, then takes its place.

mod columns;
mod drops;

use super::{partition, schema};
use crate::catalog::{ObjectPath, Relation, Table};
use crate::session::{Session, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{Alter, AlterTableAction, ObjectName, SqlOption, StringLiteral};

/// Runs ALTER.
pub(in crate::session) fn alter(session: &mut Session, statement: &Alter, source: &str) -> SqlResult<StatementResult> {
    match statement {
        Alter::Table { if_exists, name, action } => alter_table(session, *if_exists, name, action),
        Alter::RenameView { name, to } => super::view::rename_view(session, name, to),
        Alter::ViewQuery { name, query } => super::view::alter_view_query(session, name, query, source),
        Alter::Database { name, options } => super::namespace::alter_database(session, name, options),
        Alter::Catalog { name, action } => super::namespace::alter_catalog(session, name, action),
        Alter::MaterializedTable { .. } => Err(SqlError::unsupported("ALTER MATERIALIZED TABLE", None)),
        Alter::Function { scope, if_exists, name, identifier, language } => {
            let function = super::function::declared(&identifier.value, *language);
            super::function::alter(session, *scope, *if_exists, name, function)
        }
        Alter::Model { if_exists, name, action } => super::model::alter(session, *if_exists, name, action),
        Alter::Connection { .. } => Err(SqlError::unsupported("ALTER CONNECTION", None)),
    }
}

fn alter_table(
    session: &mut Session,
    if_exists: bool,
    name: &ObjectName,
    action: &AlterTableAction,
) -> SqlResult<StatementResult> {
    let path = session.catalog.qualify(name)?;
    let table = match session.catalog.permanent(&path) {
        Some(Relation::Table(table)) => table.clone(),
        Some(Relation::View(_)) => {
            return Err(SqlError::at("wrong-object-kind", "ALTER TABLE for a view is not allowed", name.span()));
        }
        None if matches!(action, AlterTableAction::AddPartitions { .. } | AlterTableAction::DropPartitions { .. }) => {
            return Err(partition::missing(session, &path, name));
        }
        None if if_exists => return Ok(StatementResult::Ok),
        None => {
            let message = format!("Table {path} doesn't exist or is a temporary table.");
            return Err(session.catalog.not_there(&path, name, message));
        }
    };
    if let AlterTableAction::Rename(to) = action {
        return rename_table(session, table, name, to);
    }
    let changed = changed(table, action, name)?;
    schema::check(&changed).map_err(failed)?;
    session.resolve_table(&changed).map_err(failed)?;
    session.catalog.replace(Relation::Table(changed))?;
    Ok(StatementResult::Ok)
}

fn changed(mut table: Table, action: &AlterTableAction, name: &ObjectName) -> SqlResult<Table> {
    match action {
        AlterTableAction::SetOptions(options) => set_options(&mut table, options),
        AlterTableAction::ResetOptions(keys) => reset_options(&mut table, keys)?,
        AlterTableAction::Add(elements) => columns::add(&mut table, elements).map_err(failed)?,
        AlterTableAction::Modify(elements) => columns::modify(&mut table, elements).map_err(failed)?,
        AlterTableAction::RenameColumn { from, to } => columns::rename(&mut table, from, to).map_err(failed)?,
        AlterTableAction::DropColumns(names) => drops::columns(&mut table, names).map_err(failed)?,
        AlterTableAction::DropPrimaryKey => drops::primary_key(&mut table).map_err(failed)?,
        AlterTableAction::DropConstraint(name) => drops::constraint(&mut table, name).map_err(failed)?,
        AlterTableAction::DropWatermark => drops::watermark(&mut table).map_err(failed)?,
        AlterTableAction::DropDistribution => drops::distribution(&mut table).map_err(failed)?,
        AlterTableAction::AddPartitions { if_not_exists, partitions } => {
            partition::add(&mut table, *if_not_exists, partitions, name)?;
        }
        AlterTableAction::DropPartitions { if_exists, partitions } => {
            partition::drop(&mut table, *if_exists, partitions, name)?;
        }
        AlterTableAction::Rename(_) => unreachable!("a rename does not change the declaration"),
    }
    Ok(table)
}

fn failed(error: SqlError) -> SqlError {
    if error.is_unsupported() {
        return error;
    }
    SqlError { message: format!("Failed to execute ALTER TABLE statement.\n{}", error.message), ..error }
}

fn set_options(table: &mut Table, options: &[SqlOption]) {
    table.options.extend(schema::options(options));
}

fn reset_options(table: &mut Table, keys: &[StringLiteral]) -> SqlResult<()> {
    if keys.is_empty() {
        return Err(SqlError::new("empty-reset", "ALTER TABLE RESET does not support empty key"));
    }
    if let Some(key) = keys.iter().find(|key| key.value == "connector") {
        let message = "ALTER TABLE RESET does not support changing 'connector'";
        return Err(SqlError::at("reserved-option", message, key.span));
    }
    for key in keys {
        table.options.remove(&key.value);
    }
    Ok(())
}

fn rename_table(session: &mut Session, table: Table, name: &ObjectName, to: &ObjectName) -> SqlResult<StatementResult> {
    let from = table.path.clone();
    let path = renamed_path(session, name, to)?;
    let renamed = Table { path: path.clone(), ..table };
    if !session.catalog.create(Relation::Table(renamed)).map_err(|error| error.with_span(to.span()))? {
        return Err(super::create_table::already_exists(&path, false).with_span(to.span()));
    }
    session.catalog.drop_permanent(&from);
    Ok(StatementResult::Ok)
}

/// The path of a new name; its unwritten parts are those of the object that is renamed.
pub(in crate::session) fn renamed_path(session: &Session, name: &ObjectName, to: &ObjectName) -> SqlResult<ObjectPath> {
    let [catalog, database, _] = session.catalog.qualify(name)?.0;
    session.catalog.qualify_in(to, &[catalog, database])
}

/// Whether the canonical text of an expression names this column.
fn references(expr: &str, column: &str) -> bool {
    use headwater_sql_parser::{TokenKind, tokens};
    tokens(expr).iter().any(|token| {
        let text = token.span.text(expr);
        match token.kind {
            TokenKind::QuotedIdentifier => text[1..text.len() - 1].replace("``", "`") == column,
            TokenKind::Identifier | TokenKind::Keyword(_) => text == column,
            _ => false,
        }
    })
}

fn backticked(names: &[String]) -> String {
    names.iter().map(|n| headwater_types::logical_type::quote_identifier(n)).collect::<Vec<_>>().join(", ")
}
