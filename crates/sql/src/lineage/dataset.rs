//! Tables as datasets.

use super::Context;
use crate::catalog::Relation;
use crate::session::is_secret;
use headwater_lineage::{Column, Dataset, DatasetId};
use headwater_plan::TableSpec;
use headwater_sql_parser::ast::{Ident, ObjectName};
use headwater_types::{LogicalType, TypeRoot};
use std::collections::BTreeMap;

/// How deep the fields of a column are told.
const FIELD_DEPTH_MAX: usize = 16;

/// Properties of a client that say where and who, not how to get in.
const CLIENT_PROPERTIES: &[&str] =
    &["bootstrap.servers", "group.id", "client.id", "security.protocol", "isolation.level", "auto.offset.reset"];

/// Parts of names and values that give a secret away, besides those that nobody is shown.
const SECRET_PARTS: &[&str] =
    &["credential", "passphrase", "private", "access-key", "access.key", "sas", "signature", "-----begin"];

/// The dataset of a table.
pub(super) fn dataset(table: &TableSpec, context: &Context<'_>) -> Dataset {
    let connector = table.options.get("connector").cloned().unwrap_or_default();
    let found = context.connectors.get(&connector).and_then(|connector| connector.datasets(table));
    let ids = found.unwrap_or_default().into_iter();
    let declared = declared(table, context);
    let columns = table.columns.iter().map(|(name, ty)| Column {
        comment: declared.as_ref().and_then(|(_, columns)| columns.get(name).cloned()),
        ..column(name, ty, 0)
    });
    Dataset {
        ids: ids.map(|id| DatasetId { namespace: id.namespace, name: id.name }).collect(),
        table: table.path.clone(),
        connector,
        format: ["format", "value.format"].iter().find_map(|key| table.options.get(*key)).cloned(),
        columns: columns.collect(),
        comment: declared.and_then(|(comment, _)| comment),
        options: shown(&table.options),
    }
}

/// Comments of the table and its columns, as it is declared now.
fn declared(table: &TableSpec, context: &Context<'_>) -> Option<(Option<String>, BTreeMap<String, String>)> {
    let name = ObjectName(table.path.iter().map(Ident::generated).collect());
    let found = context.catalog.resolve_in(&name, &context.catalog.defaults()).ok()?;
    let Relation::Table(declared) = found else { return None };
    let comments = declared.columns.into_iter().filter_map(|column| Some((column.name, column.comment?)));
    Some((declared.comment, comments.collect()))
}

fn column(name: &str, ty: &LogicalType, depth: usize) -> Column {
    let fields = match &ty.root {
        TypeRoot::Row(fields) if depth < FIELD_DEPTH_MAX => fields
            .iter()
            .map(|field| Column { comment: field.comment.clone(), ..column(&field.name, &field.ty, depth + 1) })
            .collect(),
        _ => vec![],
    };
    Column { name: name.to_owned(), ty: ty.to_string(), comment: None, fields }
}

/// The options that may be told: of client properties only harmless ones, and nothing that looks like a secret.
pub(super) fn shown(options: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    options.iter().filter(|(key, value)| is_shown(key, value)).map(|(k, v)| (k.clone(), v.clone())).collect()
}

fn is_shown(key: &str, value: &str) -> bool {
    let (key, value) = (key.to_ascii_lowercase(), value.to_ascii_lowercase());
    if let Some(property) = key.strip_prefix("properties.") {
        return CLIENT_PROPERTIES.contains(&property);
    }
    let tells = |text: &str| is_secret(text) || SECRET_PARTS.iter().any(|part| text.contains(part));
    !tells(&key) && !tells(&value) && !holds_user(&value)
}

/// Whether an address has a user in it, as in `scheme://user:password@host`.
fn holds_user(value: &str) -> bool {
    let mut rest = value;
    while let Some((_, after)) = rest.split_once("://") {
        let authority = after.split(['/', '?', '#', ',', ' ']).next().unwrap_or_default();
        if authority.contains('@') {
            return true;
        }
        rest = after;
    }
    false
}
