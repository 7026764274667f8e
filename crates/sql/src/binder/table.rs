//! Tables and views as plans.
//!
//! ```text
//! [WatermarkAssigner] <- [project: computed columns, declared order] <- [project: metadata casts] <- Scan
//! ```

use super::context::{ExprEnv, QueryEnv};
use super::from::NamedSource;
use super::resolve::column_value;
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use super::typed::same_representation;
use super::{Binder, BoundQuery, OutputColumn, Typed, plan_error};
use crate::catalog::{ColumnKind, Relation, Table, View, WatermarkDefinition};
use crate::logical::nodes::extension;
use crate::logical::{Scan, WatermarkAssigner};
use crate::{SqlError, SqlResult};
use datafusion_expr::{Expr, LogicalPlan, Projection};
use headwater_connector_api::{Boundedness, ChangelogMode, Connector, MetadataColumn};
use headwater_plan::table::ColumnOrigin;
use headwater_plan::{ProducedColumn, SourceSpec, TableSpec, Value};
use headwater_sql_parser::ast::{self, ExprKind, ObjectName};
use headwater_types::{LogicalType, TimeAttribute, TypeRoot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A table with every type bound: what DDL checks and DESCRIBE shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedTable {
    /// Columns in declared order; the rowtime column and processing-time columns carry their attribute.
    pub columns: Vec<(String, LogicalType)>,
}

/// A column of a table over the rows of its scan.
struct TableColumn {
    name: String,
    value: Typed,
}

impl Binder<'_> {
    /// Binds the types of a table: computed columns, the watermark and what they refer to.
    pub fn resolve_table(&self, table: &Table) -> SqlResult<ResolvedTable> {
        let defaults = self.catalog.defaults();
        let env = QueryEnv::new(&defaults);
        let base = self.declared_columns(table);
        let columns = self.table_columns(table, &base, env)?;
        let mut outputs: Vec<OutputColumn> = columns
            .into_iter()
            .map(|c| OutputColumn { unique: self.fresh(&c.name), name: c.name, ty: c.value.ty })
            .collect();
        if let Some(watermark) = &table.watermark {
            self.watermark(watermark, &mut outputs, env)?;
        }
        Ok(ResolvedTable { columns: outputs.into_iter().map(|c| (c.name, c.ty)).collect() })
    }

    /// A table or view as rows.
    pub(super) fn relation(
        &self,
        relation: Relation,
        hints: BTreeMap<String, String>,
        name: &ObjectName,
        env: QueryEnv<'_>,
    ) -> SqlResult<NamedSource> {
        let (query, path) = match relation {
            Relation::Table(table) => (self.unnoted(|| self.table(&table, hints, name))?, table.path),
            Relation::View(view) => (self.unnoted(|| self.view(&view, name, env))?, view.path),
        };
        Ok(NamedSource { query, path: path.0.to_vec() })
    }

    fn view(&self, view: &View, name: &ObjectName, env: QueryEnv<'_>) -> SqlResult<BoundQuery> {
        let depth = env.expanded(name.span())?;
        let within = |e: SqlError| e.within(format!("the view {}", view.path), &view.query);
        let parsed = headwater_sql_parser::parse_query(&view.query).map_err(|e| within(e.into()))?;
        let inner = QueryEnv { depth, ..QueryEnv::new(&view.defaults) };
        let mut bound = self.query(&parsed, inner).map_err(within)?;
        if bound.columns.len() != view.columns.len() {
            let message = format!("the view {} no longer has {} columns", view.path, view.columns.len());
            return Err(SqlError::at("stale-view", message, name.span()));
        }
        for (column, (name, _)) in bound.columns.iter_mut().zip(&view.columns) {
            column.name.clone_from(name);
        }
        Ok(bound)
    }

    /// The rows of a table.
    fn table(&self, table: &Table, hints: BTreeMap<String, String>, name: &ObjectName) -> SqlResult<BoundQuery> {
        let defaults = self.catalog.defaults();
        let env = QueryEnv::new(&defaults);
        let (plan, base) = self.scan(table, hints).map_err(|e| e.with_span(name.span()))?;
        let columns = self.table_columns(table, &base, env)?;
        let (plan, mut outputs) = self.projected(plan, &base, columns)?;
        let Some(watermark) = &table.watermark else { return Ok(BoundQuery { plan, columns: outputs }) };
        let (rowtime, expr) = self.watermark(watermark, &mut outputs, env)?;
        let plan = extension(WatermarkAssigner { input: plan, rowtime, expr });
        Ok(BoundQuery { plan, columns: outputs })
    }

    /// The scan of all physical and metadata columns, the latter in their declared types.
    fn scan(&self, table: &Table, hints: BTreeMap<String, String>) -> SqlResult<(LogicalPlan, Vec<ScopeColumn>)> {
        let spec = table_spec(table, hints);
        let connector = self.connector(&spec)?;
        let metadata = connector.metadata(&spec);
        let base = self.declared_columns(table);
        let mut produced = Vec::with_capacity(base.len());
        let mut values = Vec::with_capacity(base.len());
        let stored = table.columns.iter().filter(|c| !matches!(c.kind, ColumnKind::Computed { .. }));
        for (declared, scope) in stored.zip(&base) {
            let (origin, offered) = column_origin(declared, &spec, &metadata)?;
            let ty = if same_representation(&offered, &declared.ty) { declared.ty.clone() } else { offered };
            let unique = if ty == declared.ty { scope.unique.clone() } else { self.fresh(&declared.name) };
            let value = self.metadata_value(Typed::column(&unique, ty.clone()), &declared.ty, &declared.name)?;
            values.push(match unique == scope.unique {
                true => value.expr,
                false => value.expr.alias(&scope.unique),
            });
            produced.push((unique, ProducedColumn { name: declared.name.clone(), origin, ty }));
        }
        let has_casts = values.iter().any(|v| !matches!(v, Expr::Column(_)));
        let plan = source_scan(connector.as_ref(), spec, produced)?;
        if !has_casts {
            return Ok((plan, base));
        }
        let cast = Projection::try_new(values, Arc::new(plan)).map_err(plan_error)?;
        Ok((LogicalPlan::Projection(cast), base))
    }

    fn metadata_value(&self, value: Typed, declared: &LogicalType, name: &str) -> SqlResult<Typed> {
        if value.ty == *declared {
            return Ok(value);
        }
        self.explicit_cast(value, declared, false, headwater_sql_parser::Span::default())
            .map_err(|e| SqlError { span: None, ..e.context(format!("the metadata column '{name}'")) })
    }

    pub(super) fn connector(&self, spec: &TableSpec) -> SqlResult<&Arc<dyn Connector>> {
        let name = spec.options.get("connector").ok_or_else(|| {
            let names: Vec<_> = self.connectors.names().collect();
            let message = format!("the table '{}' has no option 'connector'", spec.path[2]);
            SqlError::new("missing-option", message).with_hint(format!("available connectors: {}", names.join(", ")))
        })?;
        Ok(self.connectors.get(name)?)
    }

    /// Physical and metadata columns under fresh names.
    fn declared_columns(&self, table: &Table) -> Vec<ScopeColumn> {
        let stored = table.columns.iter().filter(|c| !matches!(c.kind, ColumnKind::Computed { .. }));
        stored
            .map(|c| ScopeColumn { name: c.name.clone(), unique: self.fresh(&c.name), ty: c.ty.clone(), merged: false })
            .collect()
    }

    /// All columns in declared order, computed ones over the others.
    fn table_columns(&self, table: &Table, base: &[ScopeColumn], env: QueryEnv<'_>) -> SqlResult<Vec<TableColumn>> {
        let path = table.path.0.to_vec();
        let scope = Scope::new(vec![ScopeRelation { path, columns: base.to_vec() }], None);
        let mut columns = Vec::with_capacity(table.columns.len());
        for declared in &table.columns {
            let value = match &declared.kind {
                ColumnKind::Computed { expr } => {
                    let what = format!("the computed column '{}'", declared.name);
                    self.stored_expr(expr, &what, ExprEnv::rows(&scope, env, "a computed column"))?
                }
                _ => {
                    let found = base.iter().find(|c| c.name == declared.name);
                    column_value(found.ok_or_else(|| SqlError::internal("a column without a scan"))?, false)
                }
            };
            columns.push(TableColumn { name: declared.name.clone(), value });
        }
        Ok(columns)
    }

    /// An expression kept as text.
    fn stored_expr(&self, text: &str, what: &str, env: ExprEnv<'_>) -> SqlResult<Typed> {
        let parsed = headwater_sql_parser::parse_expression(text).map_err(SqlError::from);
        parsed.and_then(|parsed| self.expr(&parsed, env)).map_err(|e| e.within(what, text))
    }

    /// The columns in declared order; no projection where the scan already has them so.
    fn projected(
        &self,
        plan: LogicalPlan,
        base: &[ScopeColumn],
        columns: Vec<TableColumn>,
    ) -> SqlResult<(LogicalPlan, Vec<OutputColumn>)> {
        let is_plain = columns.len() == base.len();
        let mut exprs = Vec::with_capacity(columns.len());
        let mut outputs = Vec::with_capacity(columns.len());
        for TableColumn { name, value } in columns {
            let unique = match (value.column_name(), is_plain) {
                (Some(unique), true) => unique.to_owned(),
                _ => self.fresh(&name),
            };
            exprs.push(value.expr.alias(&unique));
            outputs.push(OutputColumn { name, unique, ty: value.ty });
        }
        if is_plain {
            return Ok((plan, outputs));
        }
        let projection = Projection::try_new(exprs, Arc::new(plan)).map_err(plan_error)?;
        Ok((LogicalPlan::Projection(projection), outputs))
    }

    /// The rowtime column, which becomes a time attribute, and the watermark over it.
    fn watermark(
        &self,
        watermark: &WatermarkDefinition,
        outputs: &mut [OutputColumn],
        env: QueryEnv<'_>,
    ) -> SqlResult<(String, Expr)> {
        let what = format!("the watermark of '{}'", watermark.column);
        let position = outputs.iter().position(|c| c.name == watermark.column).ok_or_else(|| {
            let known = outputs.iter().map(|c| c.name.as_str());
            SqlError::unknown("unknown-column", "column", &watermark.column, None, known).context(&what)
        })?;
        let ty = outputs[position].ty.clone();
        check_rowtime(&watermark.column, &ty)?;
        let columns = outputs.iter().cloned().map(ScopeColumn::from).collect();
        let scope = Scope::new(vec![ScopeRelation { path: vec![], columns }], None);
        let value = match is_source_watermark(&watermark.expr) {
            true => self.literal(Value::Null, ty.root.clone())?,
            false => self.stored_expr(&watermark.expr, &what, ExprEnv::rows(&scope, env, "a watermark"))?,
        };
        if !value.ty.is_timestamp() {
            let message = format!("{what} must be a timestamp, not a value of type {}", value.ty);
            return Err(SqlError::new("bad-watermark", message));
        }
        let value = self.cast(value, &ty)?;
        outputs[position].ty = ty.with_time_attribute(TimeAttribute::Rowtime);
        Ok((outputs[position].unique.clone(), value.expr))
    }
}

/// The table as connectors see it, with options of hints merged in.
pub(super) fn table_spec(table: &Table, hints: BTreeMap<String, String>) -> TableSpec {
    let physical = table.columns.iter().filter(|c| c.kind == ColumnKind::Physical);
    let mut options = table.options.clone();
    options.extend(hints);
    TableSpec {
        path: table.path.0.clone(),
        columns: physical.map(|c| (c.name.clone(), c.ty.clone())).collect(),
        partition_keys: table.partition_keys.clone(),
        primary_key: table.primary_key.clone(),
        options,
    }
}

fn column_origin(
    declared: &crate::catalog::Column,
    spec: &TableSpec,
    metadata: &[MetadataColumn],
) -> SqlResult<(ColumnOrigin, LogicalType)> {
    match &declared.kind {
        ColumnKind::Metadata { key, .. } => {
            let found = metadata.iter().find(|m| m.key == key);
            let found = found.ok_or_else(|| {
                let known = metadata.iter().map(|m| m.key);
                SqlError::unknown("unknown-metadata", "metadata key", key, None, known)
                    .context(format!("the column '{}'", declared.name))
            })?;
            Ok((ColumnOrigin::Metadata(key.clone()), found.ty.clone()))
        }
        _ => {
            let position = spec.columns.iter().position(|(name, _)| *name == declared.name);
            let position = position.ok_or_else(|| SqlError::internal("a physical column is not in its table"))?;
            Ok((ColumnOrigin::Physical(position), declared.ty.clone()))
        }
    }
}

/// The leaf, with what the connector says about the source.
fn source_scan(
    connector: &dyn Connector,
    spec: TableSpec,
    columns: Vec<(String, ProducedColumn)>,
) -> SqlResult<LogicalPlan> {
    let produced = columns.iter().map(|(_, c)| c.clone()).collect();
    let scan = SourceSpec { table: spec, produced, limit: None };
    let source = connector.source(&scan)?.ok_or_else(|| {
        let message =
            format!("Connector '{}' can only be used as a sink. It cannot be used as a source.", connector.name());
        SqlError::new("not-readable", message)
    })?;
    let bounded = source.boundedness() == Boundedness::Bounded;
    let mode = connector.source_mode(&scan.table)?;
    if mode == ChangelogMode::Upsert && scan.table.primary_key.is_empty() {
        let message = format!(
            "Table '{}' produces a changelog stream that contains UPDATE_AFTER, no UPDATE_BEFORE. This requires \
             defining a primary key constraint on the table.",
            scan.table.path.join(".")
        );
        return Err(SqlError::new("missing-primary-key", message));
    }
    Ok(extension(Scan::new(scan.table, columns, bounded, mode)))
}

fn check_rowtime(name: &str, ty: &LogicalType) -> SqlResult<()> {
    if let TypeRoot::Timestamp(p, _) | TypeRoot::TimestampLtz(p, _) = ty.root
        && p <= 3
    {
        return Ok(());
    }
    let message = format!(
        "the time field '{name}' of a watermark must be of type TIMESTAMP(p) or TIMESTAMP_LTZ(p) with p from 0 to 3, not {ty}"
    );
    Err(SqlError::new("bad-watermark", message))
}

/// Whether the watermark is left to the source: no expression of the table's.
fn is_source_watermark(text: &str) -> bool {
    let Ok(ast::Expr { kind: ExprKind::Function(call), .. }) = headwater_sql_parser::parse_expression(text) else {
        return false;
    };
    call.args.is_empty() && call.name.as_single().is_some_and(|n| n.value.eq_ignore_ascii_case("SOURCE_WATERMARK"))
}
