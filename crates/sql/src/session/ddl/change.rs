//! TRUNCATE, DELETE, UPDATE and ANALYZE of tables: what they name is checked, then they are refused. In streaming mode Flink
//! refuses them as well, with the same words.

use crate::catalog::{ObjectPath, Relation, Table};
use crate::session::{Session, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{Analyze, AnalyzeColumns, Delete, ObjectName, Update};
use headwater_types::config::RUNTIME_MODE;

/// TRUNCATE TABLE.
pub(in crate::session) fn truncate(session: &Session, name: &ObjectName) -> SqlResult<StatementResult> {
    let path = session.catalog.qualify(name)?;
    if session.catalog.get(&path).is_none() {
        let message = format!(
            "Cannot find table '{path}' in any of the catalogs {:?}, nor as a temporary table.",
            session.catalog.catalog_names().collect::<Vec<_>>()
        );
        return Err(session.catalog.not_there(&path, name, message.replace('"', "")));
    }
    refused(session, "TRUNCATE TABLE", "statement is not supported in streaming mode.", name.span())
}

/// DELETE FROM.
pub(in crate::session) fn delete(session: &Session, statement: &Delete) -> SqlResult<StatementResult> {
    session.catalog.resolve(&statement.table)?;
    refused(session, "DELETE", "statement is not supported for streaming mode now.", statement.span)
}

/// UPDATE.
pub(in crate::session) fn update(session: &Session, statement: &Update) -> SqlResult<StatementResult> {
    if let Relation::Table(table) = session.catalog.resolve(&statement.table)? {
        for assignment in &statement.assignments {
            let name = assignment.column.parts().collect::<Vec<_>>().join(".");
            if table.column(&name).is_none() {
                let message = format!("Unknown target column '{name}'");
                return Err(SqlError::at("unknown-column", message, assignment.column.span()));
            }
        }
    }
    refused(session, "UPDATE", "statement is not supported for streaming mode now.", statement.span)
}

/// ANALYZE TABLE.
pub(in crate::session) fn analyze(session: &Session, statement: &Analyze) -> SqlResult<StatementResult> {
    let name = &statement.table;
    let path = session.catalog.qualify(name)?;
    let Some(Relation::Table(table)) = session.catalog.permanent(&path) else {
        let message = format!("Table {path} doesn't exist or is a temporary table.");
        return Err(session.catalog.not_there(&path, name, message));
    };
    check_partition_keys(table, statement)?;
    check_columns(table, &path, statement)?;
    refused(session, "ANALYZE TABLE", "is not supported for streaming mode now", name.span())
}

fn check_partition_keys(table: &Table, statement: &Analyze) -> SqlResult<()> {
    let given = statement.partition.as_ref().map(|spec| spec.0.iter().map(|value| value.column.value.as_str()));
    let given: Vec<&str> = given.into_iter().flatten().collect();
    let all_given = table.partition_keys.iter().all(|key| given.contains(&key.as_str()));
    if given.len() == table.partition_keys.len() && all_given {
        return Ok(());
    }
    let message = format!(
        "Invalid ANALYZE TABLE statement. For partition table, all partition keys should be specified explicitly. The \
         given partition keys: [{}] are not match the target partition keys: [{}].",
        given.join(","),
        table.partition_keys.join(",")
    );
    Err(SqlError::at("bad-partition", message, statement.table.span()))
}

fn check_columns(table: &Table, path: &ObjectPath, statement: &Analyze) -> SqlResult<()> {
    let AnalyzeColumns::List(columns) = &statement.columns else { return Ok(()) };
    match columns.iter().find(|column| table.column(&column.value).is_none()) {
        None => Ok(()),
        Some(column) => {
            let message = format!("Column: {} does not exist in the table: {path}.", column.value);
            Err(SqlError::at("unknown-column", message, column.span))
        }
    }
}

fn refused(session: &Session, what: &str, streaming: &str, span: Span) -> SqlResult<StatementResult> {
    let is_batch = session.config.text(RUNTIME_MODE).eq_ignore_ascii_case("batch");
    if is_batch {
        return Err(SqlError::unsupported(what, Some(span)));
    }
    Err(SqlError::at("streaming-mode", format!("{what} {streaming}"), span))
}
