//! SHOW: what there is.

use super::filter::passes;
use super::{JobStatement, Rows, Session, StatementResult, ddl, describe, show_create};
use crate::catalog::Relation;
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{ObjectKind, ObjectName, Show, ShowFilter, ShowObjects};

/// Runs a SHOW statement.
pub(super) fn show(session: &Session, statement: &Show) -> SqlResult<StatementResult> {
    let catalog = &session.catalog;
    let rows = match statement {
        Show::Jobs => return Ok(StatementResult::Jobs(JobStatement::Show)),
        Show::Catalogs(filter) => list("catalog name", catalog.catalog_names(), filter.as_ref()),
        Show::CurrentCatalog => Rows::single("current catalog name", catalog.current_catalog()),
        Show::CurrentDatabase => Rows::single("current database name", catalog.current_database()),
        Show::Objects { kind, from, filter } => objects(session, *kind, from.as_ref(), filter.as_ref())?,
        Show::Modules { full } => session.modules.show(*full),
        Show::Columns { table, filter } => describe::columns(session, table, filter.as_ref())?,
        Show::Create { kind, name, .. } => show_create::show_create(session, *kind, name)?,
        Show::Jars => Rows::list("jars", []),
        Show::Partitions { table, spec } => ddl::partition::show(session, table, spec.as_ref())?,
    };
    Ok(rows.into())
}

fn list<'a>(column: &str, names: impl IntoIterator<Item = &'a str>, filter: Option<&ShowFilter>) -> Rows {
    Rows::list(column, names.into_iter().filter(|name| passes(filter, name)).map(str::to_string))
}

fn objects(
    session: &Session,
    kind: ShowObjects,
    from: Option<&ObjectName>,
    filter: Option<&ShowFilter>,
) -> SqlResult<Rows> {
    let names: Vec<String> = match kind {
        ShowObjects::Databases => databases(session, from)?,
        ShowObjects::Tables => relations(session, from, |_| true)?,
        ShowObjects::Views => relations(session, from, |relation| matches!(relation, Relation::View(_)))?,
        ShowObjects::Functions => {
            let mut names = function_names();
            names.extend(user_functions(session, from)?);
            names.sort();
            names.dedup();
            names
        }
        ShowObjects::UserFunctions => user_functions(session, from)?,
        ShowObjects::Models => ddl::model::names(session, from)?,
        ShowObjects::MaterializedTables | ShowObjects::Procedures | ShowObjects::Connections => vec![],
    };
    Ok(list(column_name(kind), names.iter().map(String::as_str), filter))
}

fn user_functions(session: &Session, from: Option<&ObjectName>) -> SqlResult<Vec<String>> {
    let [catalog, database] = match from {
        None => session.catalog.defaults(),
        Some(name) => session.catalog.qualify_database(name)?,
    };
    Ok(session.catalog.user_function_names(&catalog, &database))
}

fn column_name(kind: ShowObjects) -> &'static str {
    match kind {
        ShowObjects::Databases => "database name",
        ShowObjects::Tables | ShowObjects::MaterializedTables => "table name",
        ShowObjects::Views => "view name",
        ShowObjects::Functions | ShowObjects::UserFunctions => "function name",
        ShowObjects::Procedures => "procedure name",
        ShowObjects::Models => "model name",
        ShowObjects::Connections => "connection name",
    }
}

fn databases(session: &Session, from: Option<&ObjectName>) -> SqlResult<Vec<String>> {
    let name = match from.map(|name| name.parts().collect::<Vec<_>>()) {
        None => session.catalog.current_catalog(),
        Some(parts) if parts.len() == 1 => parts[0],
        Some(parts) => {
            let name = parts.join(".");
            let message = format!(
                "Show databases from/in identifier [ {name} ] format error, catalog must be a single part identifier."
            );
            return Err(SqlError::new("bad-name", message));
        }
    };
    Ok(session.catalog.catalog(name)?.databases.keys().cloned().collect())
}

fn relations(session: &Session, from: Option<&ObjectName>, keep: impl Fn(&Relation) -> bool) -> SqlResult<Vec<String>> {
    let [catalog, database] = match from {
        None => session.catalog.defaults(),
        Some(name) => {
            let path = session.catalog.qualify_database(name)?;
            session.catalog.catalog(&path[0]).map_err(|error| error.with_span(name.span()))?;
            session.catalog.database(&path[0], &path[1]).map_err(|error| {
                let message = format!("Database '{}'.'{}' doesn't exist.", path[0], path[1]);
                SqlError { message, ..error.with_span(name.span()) }
            })?;
            path
        }
    };
    let relations = session.catalog.relations(&catalog, &database);
    Ok(relations.into_iter().filter(|r| keep(r)).map(|r| r.path().0[2].clone()).collect())
}

/// Lower-case names of the functions that are called by name, in order.
pub(crate) fn function_names() -> Vec<String> {
    let is_word = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let scalar = headwater_functions::all().flat_map(|f| std::iter::once(f.name).chain(f.aliases.iter().copied()));
    let mut names: Vec<String> =
        scalar.chain(AGGREGATES.iter().copied()).filter(is_word).map(str::to_lowercase).collect();
    names.sort();
    names.dedup();
    names
}

/// Aggregate functions and window table functions, which live in the planner.
const AGGREGATES: &[&str] = &[
    "ARRAY_AGG",
    "AVG",
    "BITMAP_AND_AGG",
    "BITMAP_AND_CARDINALITY_AGG",
    "BITMAP_BUILD_AGG",
    "BITMAP_BUILD_CARDINALITY_AGG",
    "BITMAP_OR_AGG",
    "BITMAP_OR_CARDINALITY_AGG",
    "BITMAP_XOR_AGG",
    "BITMAP_XOR_CARDINALITY_AGG",
    "COLLECT",
    "COUNT",
    "CUMULATE",
    "DENSE_RANK",
    "FIRST_VALUE",
    "GROUPING",
    "GROUPING_ID",
    "GROUP_ID",
    "HOP",
    "LAST_VALUE",
    "LISTAGG",
    "MAX",
    "MIN",
    "PERCENTILE",
    "RANK",
    "ROW_NUMBER",
    "SESSION",
    "STDDEV_POP",
    "STDDEV_SAMP",
    "SUM",
    "TUMBLE",
    "VARIANCE",
    "VAR_POP",
    "VAR_SAMP",
];

/// The error of a SHOW CREATE for a kind of object that there is none of yet.
pub(super) fn unsupported_create(kind: ObjectKind) -> SqlError {
    SqlError::unsupported(format!("SHOW CREATE {}", kind.keyword()), None)
}
