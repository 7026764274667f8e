//! DESCRIBE and SHOW COLUMNS.

use super::filter::passes;
use super::{JobStatement, Rows, Session, StatementResult};
use crate::catalog::{Catalog, ColumnKind, Relation, Table};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{Describe, ObjectKind, ObjectName, ShowFilter};
use headwater_types::{LogicalType, TimeAttribute};

/// Runs a DESCRIBE statement.
pub(super) fn describe(session: &Session, statement: &Describe) -> SqlResult<StatementResult> {
    match statement {
        Describe::Object { kind: ObjectKind::Table | ObjectKind::View, name, .. } => {
            Ok(columns(session, name, None)?.into())
        }
        Describe::Object { kind: ObjectKind::Catalog, name, extended } => catalog(session, name, *extended),
        Describe::Object { kind: ObjectKind::Function, name, extended } => {
            super::ddl::function::describe(session, name, *extended)
        }
        Describe::Object { kind: ObjectKind::Model, name, .. } => {
            Ok(super::ddl::model::describe(session, name)?.into())
        }
        Describe::Object { kind, .. } => Err(SqlError::unsupported(format!("DESCRIBE {}", kind.keyword()), None)),
        Describe::Job(id) => Ok(StatementResult::Jobs(JobStatement::Describe(id.value.clone()))),
    }
}

/// One row a column of a table or view.
pub(super) fn columns(session: &Session, name: &ObjectName, filter: Option<&ShowFilter>) -> SqlResult<Rows> {
    let path = session.catalog.qualify(name)?;
    let described = match session.catalog.get(&path) {
        Some(Relation::Table(table)) => table_columns(session, table)?,
        Some(Relation::View(view)) => {
            view.columns.iter().map(|(name, ty)| Described::plain(name.clone(), ty.clone())).collect()
        }
        None => {
            let identifier = path.0.join(".");
            let message = format!("Tables or views with the identifier '{identifier}' doesn't exist.");
            return Err(session.catalog.not_there(&path, name, message));
        }
    };
    Ok(rows(described.into_iter().filter(|column| passes(filter, &column.name)).collect()))
}

/// What DESCRIBE says about a column.
struct Described {
    name: String,
    ty: LogicalType,
    key: String,
    extras: String,
    watermark: String,
    comment: Option<String>,
}

impl Described {
    fn plain(name: String, ty: LogicalType) -> Self {
        Self { name, ty, key: String::new(), extras: String::new(), watermark: String::new(), comment: None }
    }
}

fn table_columns(session: &Session, table: &Table) -> SqlResult<Vec<Described>> {
    let resolved = session.resolve_table(table)?;
    let key = format!("PRI({})", table.primary_key.join(", "));
    Ok(table
        .columns
        .iter()
        .zip(resolved.columns)
        .map(|(declared, column)| {
            let watermark = table.watermark.as_ref().filter(|w| w.column == declared.name);
            Described {
                name: declared.name.clone(),
                ty: column.1,
                key: if table.primary_key.contains(&declared.name) { key.clone() } else { String::new() },
                extras: extras(&declared.name, &declared.kind),
                watermark: watermark.map(|w| w.expr.clone()).unwrap_or_default(),
                comment: declared.comment.clone(),
            }
        })
        .collect())
}

fn extras(name: &str, kind: &ColumnKind) -> String {
    match kind {
        ColumnKind::Physical => String::new(),
        ColumnKind::Computed { expr } => format!("AS {expr}"),
        ColumnKind::Metadata { key, virtual_column } => {
            let from = if key == name { String::new() } else { format!(" FROM '{key}'") };
            let suffix = if *virtual_column { " VIRTUAL" } else { "" };
            format!("METADATA{from}{suffix}")
        }
    }
}

fn rows(columns: Vec<Described>) -> Rows {
    let has_comment = columns.iter().any(|column| column.comment.is_some());
    let mut names = vec!["name", "type", "null", "key", "extras", "watermark"];
    names.extend(has_comment.then_some("comment"));
    let rows = columns.into_iter().map(|column| row(column, has_comment)).collect();
    Rows::strings(&names, rows).with_boolean(2)
}

fn row(column: Described, has_comment: bool) -> Vec<Option<String>> {
    let null = if column.ty.nullable { "TRUE" } else { "FALSE" };
    let ty = shown_type(&column.ty);
    let non_empty = |text: String| Some(text).filter(|t| !t.is_empty());
    let mut row = vec![Some(column.name), Some(ty), Some(null.to_string())];
    row.extend([column.key, column.extras, column.watermark].map(non_empty));
    row.extend(has_comment.then_some(column.comment));
    row
}

/// The type without NOT NULL, marked when it is a time attribute.
fn shown_type(ty: &LogicalType) -> String {
    let mark = match ty.time_attribute() {
        TimeAttribute::None => "",
        TimeAttribute::Rowtime => " *ROWTIME*",
        TimeAttribute::Proctime => " *PROCTIME*",
    };
    format!("{}{mark}", ty.root)
}

/// The catalog that a statement asks about, with its name.
pub(super) fn described_catalog<'a>(session: &'a Session, name: &'a ObjectName) -> SqlResult<(&'a str, &'a Catalog)> {
    let found = name.last().map(|ident| ident.value.as_str()).unwrap_or_default();
    let catalog = session.catalog.catalog(found).map_err(|error| {
        let message = format!("Cannot obtain metadata information from Catalog {found}.");
        SqlError { message, ..error.with_span(name.span()) }
    })?;
    Ok((found, catalog))
}

fn catalog(session: &Session, name: &ObjectName, extended: bool) -> SqlResult<StatementResult> {
    let (name, catalog) = described_catalog(session, name)?;
    let kind = catalog.options.get("type").cloned();
    let mut rows = vec![
        vec![Some("name".to_string()), Some(name.to_string())],
        vec![Some("type".to_string()), kind],
        vec![Some("comment".to_string()), catalog.comment.clone().filter(|c| !c.is_empty())],
    ];
    if extended {
        let options = catalog.options.iter().filter(|(key, _)| *key != "type");
        rows.extend(options.map(|(key, value)| vec![Some(format!("option:{key}")), Some(value.clone())]));
    }
    Ok(Rows::strings(&["info name", "info value"], rows).into())
}
