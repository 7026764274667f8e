//! Extension nodes of the logical plan.

use datafusion_common::{DFSchema, DFSchemaRef, Result};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};
use headwater_connector_api::ChangelogMode;
use headwater_data::arrow_schema;
use headwater_plan::operators::{RankFunction, WindowShape};
use headwater_plan::{ProducedColumn, TableSpec};
use headwater_types::LogicalType;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

/// A named, typed column of a node's output.
pub type NamedType = (String, LogicalType);

/// The DataFusion schema of unqualified, uniquely named columns.
pub fn df_schema(columns: &[NamedType]) -> DFSchemaRef {
    let schema = arrow_schema(columns.iter().map(|(n, t)| (n.as_str(), t)));
    let fields = schema.fields().iter().map(|f| (None, f.clone())).collect();
    Arc::new(DFSchema::new_with_metadata(fields, HashMap::new()).expect("column names of a plan are unique"))
}

/// Wraps an extension node into a plan.
pub fn extension<N: UserDefinedLogicalNodeCore>(node: N) -> LogicalPlan {
    LogicalPlan::Extension(Extension { node: Arc::new(node) })
}

/// The methods that nodes have in common: name, inputs, schema. A node has a schema of its own or `passes` its
/// input's.
macro_rules! node_methods {
    ($name:literal) => {
        node_methods!(@name $name);
        fn inputs(&self) -> Vec<&LogicalPlan> {
            vec![]
        }
        fn schema(&self) -> &DFSchemaRef {
            &self.schema
        }
    };
    ($name:literal, $input:ident) => {
        node_methods!(@input $name, $input);
        fn schema(&self) -> &DFSchemaRef {
            &self.schema
        }
    };
    ($name:literal, $input:ident, passes) => {
        node_methods!(@input $name, $input);
        fn schema(&self) -> &DFSchemaRef {
            self.$input.schema()
        }
    };
    (@input $name:literal, $input:ident) => {
        node_methods!(@name $name);
        fn inputs(&self) -> Vec<&LogicalPlan> {
            vec![&self.$input]
        }
    };
    (@name $name:literal) => {
        fn name(&self) -> &str {
            $name
        }
    };
    (no expressions) => {
        fn expressions(&self) -> Vec<Expr> {
            vec![]
        }
    };
}
pub(super) use node_methods;

macro_rules! no_order {
    ($($node:ty),*) => {$(
        impl PartialOrd for $node {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                (self == other).then_some(std::cmp::Ordering::Equal)
            }
        }
    )*};
}
pub(super) use no_order;

no_order!(Scan, InlineValues, WatermarkAssigner, WindowTvf, Expand, Rank, Unnest);

/// A scan of a table: a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// What is read, as the connector sees it.
    pub table: TableSpec,
    /// The scanned columns: unique output name (parallel to the schema) and origin.
    pub columns: Vec<(String, ProducedColumn)>,
    /// Whether the source ends.
    pub bounded: bool,
    /// The row kinds the source emits.
    pub mode: ChangelogMode,
    /// Output schema.
    pub schema: DFSchemaRef,
}

impl Scan {
    /// A scan of these columns.
    pub fn new(table: TableSpec, columns: Vec<(String, ProducedColumn)>, bounded: bool, mode: ChangelogMode) -> Self {
        let named: Vec<_> = columns.iter().map(|(n, c)| (n.clone(), c.ty.clone())).collect();
        Self { table, schema: df_schema(&named), columns, bounded, mode }
    }
}

impl std::hash::Hash for Scan {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.table.path.hash(state);
        self.columns.iter().for_each(|(n, _)| n.hash(state));
    }
}

impl UserDefinedLogicalNodeCore for Scan {
    node_methods!("Scan");
    node_methods!(no expressions);
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.columns.iter().map(|(_, c)| c.name.as_str()).collect();
        write!(f, "TableSourceScan(table=[[{}]], fields=[{}])", self.table.path.join(", "), names.join(", "))
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        Ok(self.clone())
    }
}

/// Inline rows (VALUES, and SELECT without FROM): a leaf. Its expressions hold no columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InlineValues {
    /// Rows of constant expressions of exactly the column types.
    pub rows: Vec<Vec<Expr>>,
    /// Output columns; may be empty.
    pub columns: Vec<NamedType>,
    /// Output schema.
    pub schema: DFSchemaRef,
}

impl InlineValues {
    /// Rows with these columns.
    pub fn new(rows: Vec<Vec<Expr>>, columns: Vec<NamedType>) -> Self {
        Self { schema: df_schema(&columns), rows, columns }
    }
}

impl UserDefinedLogicalNodeCore for InlineValues {
    node_methods!("Values");
    fn expressions(&self) -> Vec<Expr> {
        self.rows.iter().flatten().cloned().collect()
    }
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Values(rows={})", self.rows.len())
    }
    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, _: Vec<LogicalPlan>) -> Result<Self> {
        let width = self.columns.len().max(1);
        let rows =
            if self.columns.is_empty() { self.rows.clone() } else { exprs.chunks(width).map(<[_]>::to_vec).collect() };
        Ok(Self { rows, ..self.clone() })
    }
}

/// Generates watermarks over a rowtime column; passes all columns through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WatermarkAssigner {
    /// The input.
    pub input: LogicalPlan,
    /// Unique name of the rowtime column. It becomes a rowtime attribute in the output.
    pub rowtime: String,
    /// The watermark expression, a timestamp.
    pub expr: Expr,
}

impl UserDefinedLogicalNodeCore for WatermarkAssigner {
    node_methods!("WatermarkAssigner", input, passes);
    fn expressions(&self) -> Vec<Expr> {
        vec![self.expr.clone()]
    }
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WatermarkAssigner(rowtime=[{}], watermark=[{}])", super::display_name(&self.rowtime), self.expr)
    }
    fn with_exprs_and_inputs(&self, mut exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { input: inputs.remove(0), rowtime: self.rowtime.clone(), expr: exprs.remove(0) })
    }
}

/// A window table-valued function: appends window_start, window_end and window_time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowTvf {
    /// The input.
    pub input: LogicalPlan,
    /// Shape of the windows.
    pub shape: WindowShape,
    /// Shift of the window starts.
    pub offset_ms: i64,
    /// Unique name of the time attribute column.
    pub time: String,
    /// Type of the time attribute, which decides rowtime or proctime and whether a zone aligns windows.
    pub time_type: LogicalType,
    /// Unique names of the PARTITION BY columns (session windows).
    pub partition_by: Vec<String>,
    /// A window of GROUP BY: the aggregate above cuts sessions per group.
    pub per_group: bool,
    /// Unique names of window_start, window_end, window_time.
    pub outputs: [String; 3],
    /// Output schema: input columns, then the three.
    pub schema: DFSchemaRef,
}

impl WindowTvf {
    /// Types of the three window columns for a time attribute of this type: TIMESTAMP(3) NOT NULL bounds,
    /// and window_time of the attribute's own type.
    pub fn output_types(time_type: &LogicalType) -> [LogicalType; 3] {
        use headwater_types::{TimeAttribute, TypeRoot};
        let bound = LogicalType::new(TypeRoot::Timestamp(3, TimeAttribute::None), false);
        [bound.clone(), bound, time_type.clone().not_null()]
    }

    /// The node over `input`, whose columns it keeps.
    pub fn schema_over(input: &LogicalPlan, outputs: &[String; 3], time_type: &LogicalType) -> Result<DFSchemaRef> {
        let types = Self::output_types(time_type);
        let added = df_schema(&outputs.iter().cloned().zip(types).collect::<Vec<_>>());
        Ok(Arc::new(input.schema().join(&added)?))
    }
}

impl std::hash::Hash for WindowTvf {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.outputs.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for WindowTvf {
    node_methods!("WindowTableFunction", input);
    node_methods!(no expressions);
    /// A filter on plain columns commutes with windows of fixed size; it would change sessions.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        if matches!(self.shape, WindowShape::Session { .. }) {
            return self.schema.fields().iter().map(|f| f.name().clone()).collect();
        }
        self.outputs.iter().cloned().collect()
    }
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = super::display_name(&self.time);
        write!(f, "WindowTableFunction(window=[{:?}, time=[{time}], offset_ms={}])", self.shape, self.offset_ms)
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.remove(0);
        let schema = Self::schema_over(&input, &self.outputs, &self.time_type)?;
        Ok(Self { input, schema, ..self.clone() })
    }
}

/// Repeats every row once per projection (grouping sets).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Expand {
    /// The input.
    pub input: LogicalPlan,
    /// One list of expressions per grouping set, all of the column types. Besides columns they are
    /// literals (NULLs and the BIGINT id of the grouping set).
    pub projections: Vec<Vec<Expr>>,
    /// Output columns.
    pub columns: Vec<NamedType>,
    /// Output schema.
    pub schema: DFSchemaRef,
}

impl UserDefinedLogicalNodeCore for Expand {
    node_methods!("Expand", input);
    fn expressions(&self) -> Vec<Expr> {
        self.projections.iter().flatten().cloned().collect()
    }
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expand(sets={})", self.projections.len())
    }
    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let projections = exprs.chunks(self.columns.len().max(1)).map(<[_]>::to_vec).collect();
        Ok(Self { input: inputs.remove(0), projections, ..self.clone() })
    }
}

/// Order of a [`Rank`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RankOrder {
    /// Unique column name.
    pub column: String,
    /// Direction.
    pub ascending: bool,
    /// Where NULLs go.
    pub nulls_first: bool,
}

/// ROW_NUMBER, RANK or DENSE_RANK: appends the rank (BIGINT NOT NULL). Lowering needs a filter on the
/// rank above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rank {
    /// The input.
    pub input: LogicalPlan,
    /// Which function.
    pub function: RankFunction,
    /// Unique names of the partition columns.
    pub partition_by: Vec<String>,
    /// Order within a partition.
    pub order_by: Vec<RankOrder>,
    /// Unique name of the rank column.
    pub output: String,
    /// Output schema: input columns, then the rank.
    pub schema: DFSchemaRef,
}

impl Rank {
    /// Output schema over `input`.
    pub fn schema_over(input: &LogicalPlan, output: &str) -> Result<DFSchemaRef> {
        let added = df_schema(&[(output.to_owned(), Self::output_type())]);
        Ok(Arc::new(input.schema().join(&added)?))
    }

    /// Type of the rank column.
    pub fn output_type() -> LogicalType {
        LogicalType::new(headwater_types::TypeRoot::BigInt, false)
    }
}

impl std::hash::Hash for Rank {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.output.hash(state);
    }
}

impl UserDefinedLogicalNodeCore for Rank {
    node_methods!("Rank", input);
    node_methods!(no expressions);
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.partition_by.iter().map(|c| super::display_name(c)).collect();
        let order: Vec<_> = self.order_by.iter().map(|o| super::display_name(&o.column)).collect();
        write!(f, "Rank({:?}, partitionBy=[{}], orderBy=[{}])", self.function, keys.join(", "), order.join(", "))
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.remove(0);
        let schema = Self::schema_over(&input, &self.output)?;
        Ok(Self { input, schema, ..self.clone() })
    }
}

/// Flattens a collection: appends its elements' columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unnest {
    /// The input.
    pub input: LogicalPlan,
    /// The collection, over the input's columns.
    pub collection: Expr,
    /// Type of the collection.
    pub collection_type: LogicalType,
    /// LEFT JOIN semantics.
    pub left: bool,
    /// Whether the last added column is the 1-based position.
    pub with_ordinality: bool,
    /// The added columns.
    pub added: Vec<NamedType>,
    /// Output schema.
    pub schema: DFSchemaRef,
}

impl Unnest {
    /// Output schema over `input`.
    pub fn schema_over(input: &LogicalPlan, added: &[NamedType]) -> Result<DFSchemaRef> {
        Ok(Arc::new(input.schema().join(&df_schema(added))?))
    }
}

impl UserDefinedLogicalNodeCore for Unnest {
    node_methods!("Unnest", input);
    fn expressions(&self) -> Vec<Expr> {
        vec![self.collection.clone()]
    }
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.added.iter().map(|(n, _)| n.clone()).collect()
    }
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Correlate(unnest=[{}], joinType=[{}])", self.collection, if self.left { "LEFT" } else { "INNER" })
    }
    fn with_exprs_and_inputs(&self, mut exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.remove(0);
        let schema = Self::schema_over(&input, &self.added)?;
        Ok(Self { input, collection: exprs.remove(0), schema, ..self.clone() })
    }
}
