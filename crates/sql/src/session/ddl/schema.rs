//! From the syntax of a table declaration to a [`Table`], with Flink's validation.
//!
//! Types of computed columns and of the watermark expression need the binder; they are checked when the
//! finished table is resolved (see [`Session::resolve_table`](crate::session::Session::resolve_table)).

use crate::binder::logical_type;
use crate::catalog::{Column, ColumnKind, Table, WatermarkDefinition, canonical_text};
use crate::{SqlError, SqlResult};
use headwater_sql_parser::ast::{
    self, ColumnDef, ConstraintKind, Distribution, Ident, SqlOption, TableConstraint, TableSchema, WatermarkDef,
};
use headwater_types::{LogicalType, TypeRoot};
use std::collections::BTreeMap;

/// WITH options as a map; the last of equal keys wins.
pub(in crate::session) fn options(written: &[SqlOption]) -> BTreeMap<String, String> {
    written.iter().map(|option| (option.key.value.clone(), option.value.value.clone())).collect()
}

/// Adds the written columns, keys and watermark to a table.
pub(super) fn add_schema(table: &mut Table, schema: &TableSchema) -> SqlResult<()> {
    for written in &schema.columns {
        let column = column(written)?;
        if table.column(&column.name).is_some() {
            let kind = match table.column(&column.name).map(|other| &other.kind) {
                Some(ColumnKind::Computed { .. }) => "A",
                Some(ColumnKind::Metadata { .. }) => "A metadata",
                _ => "A regular",
            };
            let message = format!("{kind} Column named '{}' already exists in the table.", column.name);
            return Err(SqlError::at("duplicate-column", message, written.name.span));
        }
        table.columns.push(column);
    }
    match schema.watermarks.as_slice() {
        [] => {}
        [only] => table.watermark = Some(watermark(only)?),
        [_, second, ..] => {
            let message = "Multiple WATERMARK statements is not supported yet.";
            return Err(SqlError::at("duplicate-watermark", message, second.span));
        }
    }
    for constraint in constraints(schema) {
        add_primary_key(table, &constraint)?;
    }
    Ok(())
}

/// Table constraints and those written at columns.
fn constraints(schema: &TableSchema) -> Vec<TableConstraint> {
    let at_columns = schema.columns.iter().filter_map(column_constraint);
    at_columns.chain(schema.constraints.iter().cloned()).collect()
}

/// The constraint written at a column, over that column.
pub(super) fn column_constraint(column: &ColumnDef) -> Option<TableConstraint> {
    match &column.kind {
        ast::ColumnKind::Physical { constraint: Some(constraint), .. } => {
            Some(TableConstraint { columns: vec![column.name.clone()], ..constraint.clone() })
        }
        _ => None,
    }
}

/// A column as declared. A computed column has the type NULL until the table is resolved.
pub(super) fn column(written: &ColumnDef) -> SqlResult<Column> {
    let (ty, kind) = match &written.kind {
        ast::ColumnKind::Physical { data_type, .. } => (logical_type(data_type)?, ColumnKind::Physical),
        ast::ColumnKind::Metadata { data_type, key, is_virtual } => {
            let key = key.as_ref().map_or(&written.name.value, |key| &key.value).clone();
            (logical_type(data_type)?, ColumnKind::Metadata { key, virtual_column: *is_virtual })
        }
        ast::ColumnKind::Computed(expr) => {
            let expr = canonical_text(&expr.to_string());
            (LogicalType::from(TypeRoot::Null), ColumnKind::Computed { expr })
        }
        ast::ColumnKind::NameOnly => {
            let message = format!("the column '{}' has no type", written.name.value);
            return Err(SqlError::at("missing-type", message, written.span)
                .with_hint("only CREATE TABLE ... AS query takes names without types"));
        }
    };
    let comment = written.comment.as_ref().map(|c| c.value.clone());
    Ok(Column { name: written.name.value.clone(), ty, kind, comment })
}

/// A watermark as declared; its column is checked when the table is complete.
pub(super) fn watermark(written: &WatermarkDef) -> SqlResult<WatermarkDefinition> {
    let Some(column) = written.column.as_single() else {
        let message = "the column of a watermark must be a top-level column";
        return Err(SqlError::at("bad-watermark", message, written.column.span())
            .with_hint("declare a computed column over the nested field and use that"));
    };
    Ok(WatermarkDefinition { column: column.value.clone(), expr: canonical_text(&written.expr.to_string()) })
}

/// Declares the primary key; its columns become NOT NULL.
pub(super) fn add_primary_key(table: &mut Table, constraint: &TableConstraint) -> SqlResult<()> {
    if constraint.kind == ConstraintKind::Unique {
        return Err(SqlError::unsupported("a UNIQUE constraint", Some(constraint.span)));
    }
    if constraint.enforced != Some(false) {
        let message = "Flink doesn't support ENFORCED mode for PRIMARY KEY constraint. ENFORCED/NOT ENFORCED controls \
                       if the constraint checks are performed on the incoming/outgoing data. Flink does not own the \
                       data therefore the only supported mode is the NOT ENFORCED mode";
        return Err(
            SqlError::at("enforced-key", message, constraint.span).with_hint("write PRIMARY KEY ... NOT ENFORCED")
        );
    }
    if !table.primary_key.is_empty() {
        return Err(SqlError::at("duplicate-key", "Duplicate primary key definition", constraint.span));
    }
    for (i, key) in constraint.columns.iter().enumerate() {
        if constraint.columns[..i].iter().any(|other| other.value == key.value) {
            let message = format!("the primary key names the column '{}' twice", key.value);
            return Err(SqlError::at("duplicate-column", message, key.span));
        }
        make_key_column(table, key)?;
    }
    table.primary_key = constraint.columns.iter().map(|key| key.value.clone()).collect();
    table.primary_key_name = constraint.name.as_ref().map(|name| name.value.clone());
    Ok(())
}

fn make_key_column(table: &mut Table, key: &Ident) -> SqlResult<()> {
    let Some(column) = table.columns.iter_mut().find(|column| column.name == key.value) else {
        let message = format!("Primary key column '{}' is not defined in the schema", key.value);
        let near = headwater_types::config::nearest(&key.value, table.column_names());
        let error = SqlError::at("unknown-column", message, key.span);
        return Err(near.map_or(error.clone(), |near| error.with_hint(format!("did you mean '{near}'?"))));
    };
    if column.kind != ColumnKind::Physical {
        let message = format!(
            "Could not create a PRIMARY KEY with column '{}'. A PRIMARY KEY constraint must be declared on physical \
             columns.",
            key.value
        );
        return Err(SqlError::at("bad-key", message, key.span));
    }
    column.ty.nullable = false;
    Ok(())
}

/// `PARTITIONED BY`: its columns must be physical columns of the table.
pub(super) fn add_partition_keys(table: &mut Table, keys: &[Ident]) -> SqlResult<()> {
    for key in keys {
        if table.column(&key.value).is_none() {
            let columns = table.column_names().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
            let message = format!(
                "Partition column '{}' not defined in the table schema. Available columns: [{columns}]",
                key.value
            );
            return Err(SqlError::at("unknown-column", message, key.span));
        }
        table.partition_keys.push(key.value.clone());
    }
    Ok(())
}

/// `DISTRIBUTED ...`: kept as text, since only connectors give it a meaning.
pub(super) fn add_distribution(table: &mut Table, written: Option<&Distribution>) -> SqlResult<()> {
    let Some(written) = written else { return Ok(()) };
    for key in &written.columns {
        let is_physical = |column: &&Column| matches!(column.kind, ColumnKind::Physical);
        if table.column(&key.value).filter(is_physical).is_none() {
            let physical = table.columns.iter().filter(is_physical).map(|column| column.name.as_str());
            let message = format!(
                "Invalid bucket key '{}'. A bucket key for a distribution must reference a physical column in the \
                 schema. Available columns are: [{}]",
                key.value,
                physical.collect::<Vec<_>>().join(", ")
            );
            return Err(SqlError::at("unknown-column", message, key.span));
        }
    }
    if written.buckets == Some(0) {
        let message = "Invalid bucket count '0'. The number of buckets for a distributed table must be at least 1.";
        return Err(SqlError::at("bad-distribution", message, written.span));
    }
    table.distribution = Some(format!("DISTRIBUTED {}", distribution_text(written)));
    Ok(())
}

/// What follows `DISTRIBUTED`, with quoted names.
fn distribution_text(written: &Distribution) -> String {
    let quoted = Distribution {
        columns: written.columns.iter().map(|key| Ident { quoted: true, ..key.clone() }).collect(),
        ..written.clone()
    };
    quoted.to_string()
}

/// Checks what needs the whole table: the watermark's column and that there are columns at all.
pub(super) fn check(table: &Table) -> SqlResult<()> {
    let Some(watermark) = &table.watermark else { return Ok(()) };
    let Some(column) = table.column(&watermark.column) else {
        let columns = table.column_names().map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
        let message = format!(
            "The rowtime attribute field '{}' is not defined in the table schema. Available fields: [{columns}]",
            watermark.column
        );
        return Err(SqlError::new("unknown-column", message));
    };
    match (&column.kind, &column.ty.root) {
        (ColumnKind::Computed { .. }, TypeRoot::Null) => Ok(()),
        (_, TypeRoot::Timestamp(0..=3, _) | TypeRoot::TimestampLtz(0..=3, _)) => Ok(()),
        (_, other) => Err(bad_rowtime(&other.to_string())),
    }
}

/// The error of a watermark over a column that cannot be a time attribute.
pub(in crate::session) fn bad_rowtime(ty: &str) -> SqlError {
    let message = format!(
        "Invalid data type of time field for watermark definition. The field must be of type TIMESTAMP(p) or \
         TIMESTAMP_LTZ(p), the supported precision 'p' is from 0 to 3, but the time field type is {ty}"
    );
    SqlError::new("bad-watermark", message)
}
