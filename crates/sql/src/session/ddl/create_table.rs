//! CREATE TABLE, with LIKE and AS query.

use super::schema;
use crate::catalog::{CatalogManager, Column, ColumnKind, LikeRules, ObjectPath, Relation, Table, merge_like};
use crate::session::{Session, StatementResult};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{self, CreateMode, CreateTable, Ident, Insert, ObjectName, Query, TableLike};
use headwater_types::LogicalType;

/// Runs CREATE TABLE.
pub(in crate::session) fn create_table(
    session: &mut Session,
    statement: &CreateTable,
    source: &str,
) -> SqlResult<StatementResult> {
    if let Some(query) = &statement.query {
        return create_table_as(session, statement, query, source);
    }
    if statement.mode != CreateMode::Create {
        return Err(SqlError::unsupported("REPLACE TABLE without AS query", Some(statement.name.span())));
    }
    let table = declared(session, statement)?;
    session.resolve_table(&table)?;
    create(&mut session.catalog, table, statement.if_not_exists, &statement.name)?;
    Ok(StatementResult::Ok)
}

/// The table that a statement without AS query declares.
pub(in crate::session) fn declared(session: &Session, statement: &CreateTable) -> SqlResult<Table> {
    if let Some(connection) = &statement.connection {
        return Err(SqlError::unsupported("USING CONNECTION", Some(connection.span())));
    }
    let mut table = empty(&session.catalog, statement)?;
    match &statement.like {
        None => declare(&mut table, statement)?,
        Some(like) => table = declare_like(session, table, statement, like)?,
    }
    schema::check(&table)?;
    Ok(table)
}

fn declare(table: &mut Table, statement: &CreateTable) -> SqlResult<()> {
    schema::add_schema(table, &statement.schema)?;
    schema::add_partition_keys(table, &statement.partitioned_by)?;
    schema::add_distribution(table, statement.distribution.as_ref())
}

fn empty(catalog: &CatalogManager, statement: &CreateTable) -> SqlResult<Table> {
    Ok(Table {
        path: catalog.qualify(&statement.name)?,
        columns: vec![],
        watermark: None,
        primary_key: vec![],
        primary_key_name: None,
        partition_keys: vec![],
        distribution: None,
        partitions: vec![],
        options: schema::options(&statement.options),
        comment: statement.comment.as_ref().map(|c| c.value.clone()),
        temporary: statement.temporary,
    })
}

/// Declares on top of an existing table. Keys may name columns of that table, so columns and watermark are
/// merged first and everything that refers to columns comes after.
fn declare_like(session: &Session, mut table: Table, statement: &CreateTable, like: &TableLike) -> SqlResult<Table> {
    let path = session.catalog.qualify(&like.source)?;
    let base = match session.catalog.get(&path) {
        Some(Relation::Table(base)) => base,
        None => {
            let message = format!("Source table '{path}' of the LIKE clause not found in the catalog");
            return Err(session.catalog.not_there(&path, &like.source, message));
        }
        Some(Relation::View(_)) => {
            let message = "the LIKE clause copies from a table, not from a view";
            return Err(SqlError::at("wrong-object-kind", message, like.source.span()));
        }
    };
    let rules = LikeRules::new(&like.options)?;
    let columns = ast::TableSchema { constraints: vec![], ..without_column_keys(&statement.schema) };
    schema::add_schema(&mut table, &columns)?;
    let declares_key = !statement.schema.constraints.is_empty()
        || statement.schema.columns.iter().any(|column| schema::column_constraint(column).is_some());
    let own = OwnKeys {
        primary: declares_key,
        partitions: !statement.partitioned_by.is_empty(),
        distribution: statement.distribution.is_some(),
    };
    let mut merged = merge_around(base, table, &rules, own)?;
    for constraint in statement.schema.columns.iter().filter_map(schema::column_constraint) {
        schema::add_primary_key(&mut merged, &constraint)?;
    }
    for constraint in &statement.schema.constraints {
        schema::add_primary_key(&mut merged, constraint)?;
    }
    schema::add_partition_keys(&mut merged, &statement.partitioned_by)?;
    schema::add_distribution(&mut merged, statement.distribution.as_ref())?;
    Ok(merged)
}

/// Which features the new declaration has itself.
struct OwnKeys {
    primary: bool,
    partitions: bool,
    distribution: bool,
}

/// Merges while the own keys, which are declared later, are represented by placeholders: a conflict with the
/// base table must be seen although the columns are not resolved yet.
fn merge_around(base: &Table, mut table: Table, rules: &LikeRules, own: OwnKeys) -> SqlResult<Table> {
    let placeholder = || vec![String::new()];
    table.primary_key = if own.primary { placeholder() } else { vec![] };
    table.partition_keys = if own.partitions { placeholder() } else { vec![] };
    table.distribution = own.distribution.then(String::new);
    let mut merged = merge_like(base, table, rules)?;
    if own.primary {
        merged.primary_key.clear();
    }
    if own.partitions {
        merged.partition_keys.clear();
    }
    Ok(merged)
}

/// The schema without constraints at columns, which are added after the merge.
fn without_column_keys(schema: &ast::TableSchema) -> ast::TableSchema {
    let mut schema = schema.clone();
    for column in &mut schema.columns {
        if let ast::ColumnKind::Physical { constraint, .. } = &mut column.kind {
            *constraint = None;
        }
    }
    schema
}

/// Puts a table into the catalog; whether it was new.
fn create(catalog: &mut CatalogManager, table: Table, if_not_exists: bool, name: &ObjectName) -> SqlResult<bool> {
    let (path, temporary) = (table.path.clone(), table.temporary);
    let created = catalog.create(Relation::Table(table)).map_err(|error| error.with_span(name.span()))?;
    if !created && !if_not_exists {
        return Err(already_exists(&path, temporary).with_span(name.span()));
    }
    Ok(created)
}

/// The error of a path that is taken.
pub(super) fn already_exists(path: &ObjectPath, temporary: bool) -> SqlError {
    let [catalog, database, object] = &path.0;
    let message = match temporary {
        true => format!("Temporary table '{path}' already exists"),
        false => format!("Table (or view) {database}.{object} already exists in Catalog {catalog}."),
    };
    SqlError::new("already-exists", message).with_hint("CREATE ... IF NOT EXISTS keeps the existing one")
}

// ---- AS query ------------------------------------------------------------------------------------------

fn create_table_as(
    session: &mut Session,
    statement: &CreateTable,
    query: &Query,
    source: &str,
) -> SqlResult<StatementResult> {
    let table = declared_as(session, statement, query, source)?;
    let path = table.path.clone();
    let previous = session.catalog.permanent(&path).cloned();
    match (statement.mode, &previous) {
        (CreateMode::Create, Some(_)) if statement.if_not_exists => return fill(session, statement, query, source),
        (CreateMode::Create, Some(_)) => return Err(already_exists(&path, false).with_span(statement.name.span())),
        (CreateMode::Replace, None) => {
            let message = format!("The table {path} to be replaced doesn't exist.");
            let hint = "CREATE OR REPLACE TABLE creates it";
            return Err(SqlError::at("unknown-table", message, statement.name.span()).with_hint(hint));
        }
        _ => {}
    }
    let insert = insert_of(session, statement, query, source)?;
    session.catalog.replace(Relation::Table(table)).map_err(|error| error.with_span(statement.name.span()))?;
    let planned = session.plan_inserts(std::slice::from_ref(&insert), source);
    match planned {
        Ok(job) => Ok(StatementResult::Job(Box::new(job))),
        Err(error) => {
            session.catalog.drop_permanent(&path);
            if let Some(previous) = previous {
                session.catalog.replace(previous)?;
            }
            Err(error)
        }
    }
}

/// CREATE TABLE IF NOT EXISTS .. AS of a table that exists: as in Flink, the rows of the query go into that one.
fn fill(session: &Session, statement: &CreateTable, query: &Query, source: &str) -> SqlResult<StatementResult> {
    let insert = insert_into(statement, query, vec![]);
    Ok(StatementResult::Job(Box::new(session.plan_inserts(std::slice::from_ref(&insert), source)?)))
}

/// The table of a CREATE TABLE AS: its own columns first, then those of the query.
pub(in crate::session) fn declared_as(
    session: &Session,
    statement: &CreateTable,
    query: &Query,
    source: &str,
) -> SqlResult<Table> {
    let span = statement.name.span();
    if statement.temporary {
        let message = "CREATE TABLE AS SELECT syntax does not support to create temporary table yet.";
        return Err(SqlError::at("temporary-table-as", message, span));
    }
    if statement.like.is_some() {
        return Err(SqlError::unsupported("CREATE TABLE ... LIKE with AS query", Some(span)));
    }
    let mut table = empty(&session.catalog, statement)?;
    let queried = session.query_columns(query, source)?;
    let written = &statement.schema.columns;
    let names_only = !written.is_empty() && written.iter().all(|c| matches!(c.kind, ast::ColumnKind::NameOnly));
    table.columns = match names_only {
        true => reordered(written, queried)?,
        false => overlaid(written, queried)?,
    };
    if let Some(watermark) = statement.schema.watermarks.first() {
        table.watermark = Some(schema::watermark(watermark)?);
    }
    for constraint in &statement.schema.constraints {
        schema::add_primary_key(&mut table, constraint)?;
    }
    schema::add_partition_keys(&mut table, &statement.partitioned_by)?;
    schema::add_distribution(&mut table, statement.distribution.as_ref())?;
    schema::check(&table)?;
    session.resolve_table(&table)?;
    Ok(table)
}

/// The query's columns in the written order; every one of them must be named.
fn reordered(written: &[ast::ColumnDef], queried: Vec<(String, LogicalType)>) -> SqlResult<Vec<Column>> {
    if written.len() != queried.len() {
        let message = "The number of columns in the column list must match the number of columns in the source schema.";
        return Err(SqlError::at("column-count", message, written[0].span));
    }
    let find = |column: &ast::ColumnDef| {
        let name = &column.name.value;
        let found = queried.iter().find(|(queried, _)| queried == name);
        let known = queried.iter().map(|(name, _)| name.as_str());
        let (name, ty) =
            found.ok_or_else(|| SqlError::unknown("unknown-column", "column", name, Some(column.name.span), known))?;
        Ok(physical(name.clone(), ty.clone()))
    };
    written.iter().map(find).collect()
}

/// Written columns first; one that the query has as well overrides its type in place.
fn overlaid(written: &[ast::ColumnDef], queried: Vec<(String, LogicalType)>) -> SqlResult<Vec<Column>> {
    let declared = written.iter().map(schema::column).collect::<SqlResult<Vec<_>>>()?;
    let is_queried = |name: &str| queried.iter().any(|(queried, _)| queried == name);
    let mut columns: Vec<Column> = declared.iter().filter(|c| !is_queried(&c.name)).cloned().collect();
    for (name, ty) in queried {
        match declared.iter().find(|column| column.name == name) {
            Some(declared) => columns.push(declared.clone()),
            None => columns.push(physical(name, ty)),
        }
    }
    Ok(columns)
}

fn physical(name: String, ty: LogicalType) -> Column {
    let ty = ty.with_time_attribute(headwater_types::TimeAttribute::None);
    Column { name, ty, kind: ColumnKind::Physical, comment: None }
}

/// The INSERT that fills the new table. Columns are matched by name, since the table may order them anew.
fn insert_of(session: &Session, statement: &CreateTable, query: &Query, source: &str) -> SqlResult<Insert> {
    let columns = match statement.schema.columns.is_empty() {
        true => vec![],
        false => session.query_columns(query, source)?,
    };
    let columns = columns.into_iter().map(|(name, _)| ObjectName::from(Ident::generated(name)));
    Ok(insert_into(statement, query, columns.collect()))
}

fn insert_into(statement: &CreateTable, query: &Query, columns: Vec<ObjectName>) -> Insert {
    Insert {
        overwrite: false,
        table: statement.name.clone(),
        hints: vec![],
        partition: None,
        columns,
        source: query.clone(),
        on_conflict: None,
        span: statement.name.span().to(query.span),
    }
}
