//! CREATE VIEW and ALTER VIEW.

use super::create_table::already_exists;
use crate::catalog::{Relation, View};
use crate::session::{Session, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{CreateMode, CreateView, ObjectName, Query};

/// Runs CREATE VIEW: the query is bound once for its columns and kept as text.
pub(in crate::session) fn create_view(
    session: &mut Session,
    statement: &CreateView,
    source: &str,
) -> SqlResult<StatementResult> {
    let path = session.catalog.qualify(&statement.name)?;
    let view = View {
        path: path.clone(),
        columns: columns(session, statement)?,
        query: query_text(&statement.query, source),
        expanded: session.planner().expanded_query(&statement.query, source)?,
        defaults: session.catalog.defaults(),
        comment: statement.comment.as_ref().map(|c| c.value.clone()),
        temporary: statement.temporary,
    };
    if statement.mode != CreateMode::Create {
        session.catalog.replace(Relation::View(view))?;
        return Ok(StatementResult::Ok);
    }
    let created = session.catalog.create(Relation::View(view)).map_err(|e| e.with_span(statement.name.span()))?;
    if !created && !statement.if_not_exists {
        return Err(already_exists(&path, statement.temporary).with_span(statement.name.span()));
    }
    Ok(StatementResult::Ok)
}

/// The query's columns under the names of the view's column list.
fn columns(session: &Session, statement: &CreateView) -> SqlResult<Vec<(String, headwater_types::LogicalType)>> {
    let mut columns = session.planner().view_columns(&statement.query)?;
    if statement.columns.is_empty() {
        return Ok(columns);
    }
    if statement.columns.len() != columns.len() {
        let defined: Vec<&str> = statement.columns.iter().map(|column| column.name.value.as_str()).collect();
        let given: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        let message = format!(
            "VIEW definition and input fields not match:\n\tDef fields: [{}].\n\tInput fields: [{}].",
            defined.join(", "),
            given.join(", ")
        );
        return Err(SqlError::at("column-count", message, statement.columns[0].name.span));
    }
    for (column, written) in columns.iter_mut().zip(&statement.columns) {
        column.0 = written.name.value.clone();
    }
    Ok(columns)
}

/// The query as written, so that an error in it later points into it.
fn query_text(query: &Query, source: &str) -> String {
    match query.span.text(source) {
        "" => query.to_string(),
        text => text.to_string(),
    }
}

/// ALTER VIEW ... RENAME TO.
pub(in crate::session) fn rename_view(
    session: &mut Session,
    name: &ObjectName,
    to: &ObjectName,
) -> SqlResult<StatementResult> {
    let mut view = existing(session, name)?;
    let from = std::mem::replace(&mut view.path, super::alter::renamed_path(session, name, to)?);
    let target = view.path.clone();
    if !session.catalog.create(Relation::View(view))? {
        return Err(already_exists(&target, false).with_span(to.span()));
    }
    session.catalog.drop_permanent(&from);
    Ok(StatementResult::Ok)
}

/// ALTER VIEW ... AS query.
pub(in crate::session) fn alter_view_query(
    session: &mut Session,
    name: &ObjectName,
    query: &Query,
    source: &str,
) -> SqlResult<StatementResult> {
    let mut view = existing(session, name)?;
    view.columns = session.planner().view_columns(query)?;
    view.expanded = session.planner().expanded_query(query, source)?;
    view.query = query_text(query, source);
    view.defaults = session.catalog.defaults();
    session.catalog.replace(Relation::View(view))?;
    Ok(StatementResult::Ok)
}

/// The view to change, which is not temporary.
fn existing(session: &Session, name: &ObjectName) -> SqlResult<View> {
    let path = session.catalog.qualify(name)?;
    match session.catalog.permanent(&path) {
        Some(Relation::View(view)) => Ok(view.clone()),
        Some(Relation::Table(_)) => {
            Err(SqlError::at("wrong-object-kind", "ALTER VIEW for a table is not allowed", name.span()))
        }
        None => {
            let message = format!("View {path} doesn't exist or is a temporary view.");
            Err(session.catalog.not_there(&path, name, message))
        }
    }
}
