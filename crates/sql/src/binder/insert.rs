//! INSERT: the query's columns brought into the sink's order and types.

use super::aggregate::column;
use super::context::QueryEnv;
use super::select_list::Item;
use super::table::table_spec;
use super::{Binder, BoundQuery, OutputColumn, Typed, plan_error};
use crate::catalog::{Column, ColumnKind, Relation, Table};
use crate::{SqlError, SqlResult};
use datafusion_expr::{LogicalPlan, Projection};
use headwater_plan::SinkSpec;
use headwater_plan::table::WrittenMetadata;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{self, Ident, ObjectName, PartitionSpec};
use headwater_types::{LogicalType, TimeAttribute};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A bound INSERT.
#[derive(Debug, Clone)]
pub struct BoundInsert {
    /// The sink's table.
    pub table: Table,
    /// The write.
    pub sink: SinkSpec,
    /// A plan whose columns are exactly those of the sink: physical ones in declared order, then metadata.
    pub plan: LogicalPlan,
    /// Unique names of the plan's columns.
    pub columns: Vec<String>,
    /// The ON CONFLICT clause.
    pub on_conflict: Option<ast::OnConflict>,
    /// What the query gives, before casts.
    pub query_columns: Vec<OutputColumn>,
}

/// Where the value of a sink column comes from.
enum SinkValue {
    Query(usize),
    Static(Typed),
    Missing,
}

impl Binder<'_> {
    /// Binds an INSERT.
    pub fn bind_insert(&self, insert: &ast::Insert) -> SqlResult<BoundInsert> {
        let defaults = self.catalog.defaults();
        let table = match self.catalog.resolve_in(&insert.table, &defaults)? {
            Relation::Table(table) => table,
            Relation::View(_) => {
                let name: Vec<_> = insert.table.parts().collect();
                let message = format!("'{}' is a view: rows are inserted into tables", name.join("."));
                return Err(SqlError::at("not-a-table", message, insert.table.span()));
            }
        };
        let env = QueryEnv::new(&defaults);
        let query = self.bind_query(&insert.source)?;
        let statics = self.static_values(&table, insert.partition.as_ref(), env)?;
        let targets = target_columns(&table, &insert.columns)?;
        let sources = assign(&table, &query, targets.as_deref(), statics, insert.table.span())?;
        let hints = super::from::option_hints(&insert.hints)?;
        let bound = self.write(table, hints, query, sources, insert.table.span())?;
        if insert.overwrite {
            self.check_overwrite(&bound, insert.table.span())?;
        }
        let target_columns = targets.map(|t| physical_positions(&bound.table, &t)).unwrap_or_default();
        let sink = SinkSpec { overwrite: insert.overwrite, target_columns, ..bound.sink };
        Ok(BoundInsert { sink, on_conflict: insert.on_conflict, ..bound })
    }

    /// Binds a query into a table whose columns were derived from it (CREATE TABLE AS).
    pub fn bind_write(&self, query: BoundQuery, table: Table, span: Span) -> SqlResult<BoundInsert> {
        let sources = assign(&table, &query, None, vec![], span)?;
        self.write(table, BTreeMap::new(), query, sources, span)
    }

    fn check_overwrite(&self, bound: &BoundInsert, span: Span) -> SqlResult<()> {
        let connector = self.connector(&bound.sink.table)?;
        if connector.supports_overwrite() {
            return Ok(());
        }
        let message = format!(
            "INSERT OVERWRITE requires that the underlying DynamicTableSink of table '{}' implements the \
             SupportsOverwrite interface.",
            bound.table.path.0.join(".")
        );
        let hint = format!("the connector '{}' only adds rows", connector.name());
        Err(SqlError::at("no-overwrite", message, span).with_hint(hint))
    }

    /// Values of PARTITION (column = value, …).
    fn static_values(
        &self,
        table: &Table,
        partition: Option<&PartitionSpec>,
        env: QueryEnv<'_>,
    ) -> SqlResult<Vec<(String, Typed)>> {
        let mut statics = vec![];
        for entry in partition.iter().flat_map(|p| &p.0) {
            let name = &entry.column.value;
            if !table.partition_keys.contains(name) {
                let known = table.partition_keys.iter().map(String::as_str);
                let span = Some(entry.column.span);
                return Err(SqlError::unknown("unknown-partition", "partition column", name, span, known));
            }
            let Some(value) = &entry.value else { continue };
            statics.push((name.clone(), self.constant_expr(value, env)?));
        }
        Ok(statics)
    }

    /// The plan of the sink's columns over the query.
    fn write(
        &self,
        table: Table,
        hints: BTreeMap<String, String>,
        query: BoundQuery,
        sources: Vec<SinkValue>,
        span: Span,
    ) -> SqlResult<BoundInsert> {
        let spec = table_spec(&table, hints);
        let connector = self.connector(&spec).map_err(|e| e.with_span(span))?;
        let offered = connector.metadata(&spec);
        let mut physical = vec![];
        let mut metadata = vec![];
        for (declared, source) in sink_columns(&table).zip(sources) {
            let value = self.sink_value(declared, source, &query, &table, span)?;
            let item = |value| Item { name: declared.name.clone(), value, span };
            let ColumnKind::Metadata { key, .. } = &declared.kind else {
                physical.push(item(value));
                continue;
            };
            let known = offered.iter().filter(|m| m.writable);
            let Some(offer) = known.clone().find(|m| m.key == key) else {
                let known = known.map(|m| m.key);
                return Err(SqlError::unknown("unknown-metadata", "writable metadata key", key, Some(span), known));
            };
            let position = offered.iter().position(|m| m.key == key);
            let written = WrittenMetadata { key: key.clone(), ty: offer.ty.clone() };
            metadata.push((position, item(self.explicit_cast(value, &offer.ty, false, span)?), written));
        }
        // As in Flink, metadata columns follow in the order in which the connector lists them.
        metadata.sort_by_key(|(position, ..)| *position);
        let (metadata, written): (Vec<_>, Vec<_>) = metadata.into_iter().map(|(_, item, key)| (item, key)).unzip();
        physical.extend(metadata);
        let (exprs, columns) = self.named(&physical);
        let plan = Projection::try_new(exprs, Arc::new(query.plan)).map_err(plan_error)?;
        let sink = SinkSpec { table: spec, metadata: written, overwrite: false, target_columns: vec![] };
        if connector.sink(&sink).map_err(|e| SqlError::from(e).with_span(span))?.is_none() {
            let message =
                format!("Connector '{}' can only be used as a source. It cannot be used as a sink.", connector.name());
            return Err(SqlError::at("not-writable", message, span));
        }
        let columns = columns.into_iter().map(|c| c.unique).collect();
        let plan = LogicalPlan::Projection(plan);
        Ok(BoundInsert { table, sink, plan, columns, on_conflict: None, query_columns: query.columns })
    }

    /// The value of one sink column in its declared type.
    fn sink_value(
        &self,
        declared: &Column,
        source: SinkValue,
        query: &BoundQuery,
        table: &Table,
        span: Span,
    ) -> SqlResult<Typed> {
        let value = match source {
            SinkValue::Query(position) => {
                let from = &query.columns[position];
                Typed::new(column(&from.unique), from.ty.clone())
            }
            SinkValue::Static(value) => return self.explicit_cast(value, &declared.ty, false, span),
            SinkValue::Missing if declared.ty.nullable => return self.null_of(declared.ty.root.clone()),
            SinkValue::Missing => {
                let message =
                    format!("the column '{}' is NOT NULL and must be among the inserted columns", declared.name);
                return Err(SqlError::at("missing-column", message, span));
            }
        };
        let given = value.ty.clone();
        self.implicit_cast(value, &declared.ty)?.ok_or_else(|| {
            let position = sink_columns(table).position(|c| c.name == declared.name).unwrap_or_default();
            let cause = format!("Incompatible types for sink column '{}' at position {position}.", declared.name);
            let error = mismatch(table, query, &cause, span);
            error.with_hint(format!("CAST the value of type {given} to {}", declared.ty))
        })
    }
}

/// The columns a sink takes, in declared order.
fn sink_columns(table: &Table) -> impl Iterator<Item = &Column> {
    table.columns.iter().filter(|c| match &c.kind {
        ColumnKind::Physical => true,
        ColumnKind::Metadata { virtual_column, .. } => !virtual_column,
        ColumnKind::Computed { .. } => false,
    })
}

/// The names of an INSERT's column list, checked.
fn target_columns(table: &Table, written: &[ObjectName]) -> SqlResult<Option<Vec<String>>> {
    if written.is_empty() {
        return Ok(None);
    }
    let mut targets: Vec<String> = Vec::with_capacity(written.len());
    for name in written {
        let Some(Ident { value, span, .. }) = name.as_single() else {
            return Err(SqlError::unsupported("inserting into a nested field", Some(name.span())));
        };
        if !sink_columns(table).any(|c| c.name == *value) {
            let known = sink_columns(table).map(|c| c.name.as_str());
            return Err(SqlError::unknown("unknown-column", "column", value, Some(*span), known));
        }
        if targets.contains(value) {
            let message = format!("the column '{value}' is a target twice");
            return Err(SqlError::at("duplicate-column", message, *span));
        }
        targets.push(value.clone());
    }
    Ok(Some(targets))
}

/// Where each sink column gets its value: by position, past the static partition columns.
fn assign(
    table: &Table,
    query: &BoundQuery,
    targets: Option<&[String]>,
    mut statics: Vec<(String, Typed)>,
    span: Span,
) -> SqlResult<Vec<SinkValue>> {
    let names: Vec<String> = match targets {
        Some(targets) => targets.to_vec(),
        None => sink_columns(table).map(|c| c.name.clone()).collect(),
    };
    let dynamic: Vec<&String> = names.iter().filter(|n| statics.iter().all(|(s, _)| s != *n)).collect();
    if dynamic.len() != query.columns.len() {
        return Err(mismatch(table, query, "Different number of columns.", span));
    }
    let values = sink_columns(table).map(|column| {
        if let Some(position) = statics.iter().position(|(name, _)| *name == column.name) {
            return SinkValue::Static(statics.swap_remove(position).1);
        }
        match dynamic.iter().position(|name| **name == column.name) {
            Some(position) => SinkValue::Query(position),
            None => SinkValue::Missing,
        }
    });
    Ok(values.collect())
}

fn physical_positions(table: &Table, targets: &[String]) -> Vec<usize> {
    let physical: Vec<&Column> = table.columns.iter().filter(|c| c.kind == ColumnKind::Physical).collect();
    targets.iter().filter_map(|target| physical.iter().position(|c| c.name == *target)).collect()
}

/// The error of a query that does not fit its sink, with both schemas.
fn mismatch(table: &Table, query: &BoundQuery, cause: &str, span: Span) -> SqlError {
    let [catalog, database, name] = &table.path.0;
    let listed = |columns: &mut dyn Iterator<Item = (&str, LogicalType)>| -> String {
        let parts: Vec<_> =
            columns.map(|(n, t)| format!("{n}: {}", t.with_time_attribute(TimeAttribute::None))).collect();
        parts.join(", ")
    };
    let query_schema = listed(&mut query.columns.iter().map(|c| (c.name.as_str(), c.ty.clone())));
    let sink_schema = listed(&mut sink_columns(table).map(|c| (c.name.as_str(), c.ty.clone())));
    let message = format!(
        "Column types of query result and sink for '{catalog}.{database}.{name}' do not match.\nCause: {cause}\n\n\
         Query schema: [{query_schema}]\nSink schema:  [{sink_schema}]"
    );
    SqlError::at("schema-mismatch", message, span)
}
