//! SHOW CREATE: declarations as SQL that can be run again, fully qualified, secrets masked.

use super::describe::described_catalog;
use super::show::unsupported_create;
use super::type_text::serialized;
use super::{Rows, Session};
use crate::catalog::{Column, ColumnKind, Relation, Table, View};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{ObjectKind, ObjectName};
use headwater_types::logical_type::quote_identifier;
use std::collections::BTreeMap;

/// Parts of option names whose values are never shown.
const SECRET_WORDS: &[&str] = &[
    "password",
    "secret",
    "fs.azure.account.key",
    "apikey",
    "api-key",
    "auth-params",
    "service-key",
    "token",
    "basic-auth",
    "jaas.config",
    "http-headers",
];

/// Runs a SHOW CREATE statement.
pub(super) fn show_create(session: &Session, kind: ObjectKind, name: &ObjectName) -> SqlResult<Rows> {
    let text = match kind {
        ObjectKind::Table => create_table(find_table(session, name)?),
        ObjectKind::View => create_view(find_view(session, name)?),
        ObjectKind::Catalog => create_catalog(session, name)?,
        ObjectKind::Model => create_model(session, name)?,
        other => return Err(unsupported_create(other)),
    };
    Ok(Rows::single("result", text))
}

fn find_table<'a>(session: &'a Session, name: &ObjectName) -> SqlResult<&'a Table> {
    match find(session, name, ObjectKind::Table)? {
        Relation::Table(table) => Ok(table),
        Relation::View(view) => Err(wrong_kind("TABLE", "tables", &view.path.to_string(), "a view", "VIEW")),
    }
}

fn find_view<'a>(session: &'a Session, name: &ObjectName) -> SqlResult<&'a View> {
    match find(session, name, ObjectKind::View)? {
        Relation::View(view) => Ok(view),
        Relation::Table(table) => Err(wrong_kind("VIEW", "views", &table.path.to_string(), "a table", "TABLE")),
    }
}

fn wrong_kind(asked: &str, only: &str, path: &str, found: &str, instead: &str) -> SqlError {
    let message = format!(
        "SHOW CREATE {asked} is only supported for {only}, but {path} is {found}. Please use SHOW CREATE {instead} \
         instead."
    );
    SqlError::new("wrong-object-kind", message)
}

fn find<'a>(session: &'a Session, name: &ObjectName, kind: ObjectKind) -> SqlResult<&'a Relation> {
    let path = session.catalog.qualify(name)?;
    session.catalog.get(&path).ok_or_else(|| {
        let what = if kind == ObjectKind::Table { "Table" } else { "View" };
        let message =
            format!("Could not execute SHOW CREATE {}. {what} with identifier {path} does not exist.", kind.keyword());
        session.catalog.not_there(&path, name, message)
    })
}

fn create_table(table: &Table) -> String {
    let temporary = if table.temporary { "TEMPORARY " } else { "" };
    let mut elements: Vec<String> = table.columns.iter().map(column).collect();
    if let Some(watermark) = &table.watermark {
        elements.push(format!("WATERMARK FOR {} AS {}", quote_identifier(&watermark.column), watermark.expr));
    }
    if let Some(name) = primary_key_name(table) {
        let keys = quoted_list(&table.primary_key);
        elements.push(format!("CONSTRAINT {} PRIMARY KEY ({keys}) NOT ENFORCED", quote_identifier(&name)));
    }
    let elements: Vec<String> = elements.iter().map(|e| format!("  {e}")).collect();
    let mut out = format!("CREATE {temporary}TABLE {} (\n{}\n)\n", table.path, elements.join(",\n"));
    push_comment(&mut out, table.comment.as_deref());
    if let Some(distribution) = &table.distribution {
        out.push_str(&format!("{distribution}\n"));
    }
    if !table.partition_keys.is_empty() {
        out.push_str(&format!("PARTITIONED BY ({})\n", quoted_list(&table.partition_keys)));
    }
    push_options(&mut out, &table.options);
    out
}

/// The constraint's name: as declared, or derived from its columns; `None` without a key.
fn primary_key_name(table: &Table) -> Option<String> {
    let derived = || format!("PK_{}", table.primary_key.join("_"));
    (!table.primary_key.is_empty()).then(|| table.primary_key_name.clone().unwrap_or_else(derived))
}

fn column(column: &Column) -> String {
    let name = quote_identifier(&column.name);
    let comment = column.comment.as_ref().map(|c| format!(" COMMENT {}", quoted(c))).unwrap_or_default();
    let body = match &column.kind {
        ColumnKind::Physical => serialized(&column.ty),
        ColumnKind::Computed { expr } => format!("AS {expr}"),
        ColumnKind::Metadata { key, virtual_column } => {
            let from = if *key == column.name { String::new() } else { format!(" FROM {}", quoted(key)) };
            let suffix = if *virtual_column { " VIRTUAL" } else { "" };
            format!("{} METADATA{from}{suffix}", serialized(&column.ty))
        }
    };
    format!("{name} {body}{comment}")
}

fn create_view(view: &View) -> String {
    let temporary = if view.temporary { "TEMPORARY " } else { "" };
    let columns: Vec<String> = view.columns.iter().map(|(name, _)| format!("  {}", quote_identifier(name))).collect();
    let mut out = format!("CREATE {temporary}VIEW {} (\n{}\n)\n", view.path, columns.join(",\n"));
    push_comment(&mut out, view.comment.as_deref());
    out.push_str(&format!("AS {}\n", view.expanded.as_ref().unwrap_or(&view.query)));
    out
}

fn create_model(session: &Session, name: &ObjectName) -> SqlResult<String> {
    let path = session.catalog.qualify(name)?;
    let Some((model, is_temporary)) = session.catalog.model(&path) else {
        let message = format!("Could not execute SHOW CREATE MODEL. Model with identifier {path} does not exist.");
        return Err(SqlError::at("unknown-model", message, name.span()));
    };
    let list = |columns: &[Column]| columns.iter().map(column).collect::<Vec<_>>().join(", ");
    let temporary = if is_temporary { "TEMPORARY " } else { "" };
    let mut out = format!("CREATE {temporary}MODEL {path}\n");
    out.push_str(&format!("INPUT ({})\nOUTPUT ({})\n", list(&model.inputs), list(&model.outputs)));
    push_comment(&mut out, model.comment.as_deref());
    push_options(&mut out, &model.options);
    Ok(out)
}

fn create_catalog(session: &Session, name: &ObjectName) -> SqlResult<String> {
    let (name, catalog) = described_catalog(session, name)?;
    let mut out = format!("CREATE CATALOG {}\n", quote_identifier(name));
    push_comment(&mut out, catalog.comment.as_deref());
    push_options(&mut out, &catalog.options);
    Ok(out)
}

fn push_comment(out: &mut String, comment: Option<&str>) {
    if let Some(comment) = comment.filter(|c| !c.is_empty()) {
        out.push_str(&format!("COMMENT {}\n", quoted(comment)));
    }
}

fn push_options(out: &mut String, options: &BTreeMap<String, String>) {
    if options.is_empty() {
        return;
    }
    let line = |(key, value): (&String, &String)| format!("  {} = {}", quoted(key), quoted(shown_value(key, value)));
    let lines: Vec<String> = options.iter().map(line).collect();
    out.push_str(&format!("WITH (\n{}\n)\n", lines.join(",\n")));
}

/// The value, or stars for an option that holds a secret.
fn shown_value<'a>(key: &str, value: &'a str) -> &'a str {
    if is_secret(&key.to_ascii_lowercase()) { "******" } else { value }
}

/// Whether a name, in lower case, is one of a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

fn quoted_list(names: &[String]) -> String {
    names.iter().map(|name| quote_identifier(name)).collect::<Vec<_>>().join(", ")
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
