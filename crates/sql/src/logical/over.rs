//! OVER aggregation: a column per call, over the rows before each row.

use super::RankOrder;
use super::nodes::{NamedType, df_schema, no_order, node_methods};
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use headwater_plan::Value;
use headwater_plan::operators::OverFrame;
use headwater_types::LogicalType;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A call with OVER, over columns of the input.
#[derive(Debug, Clone, PartialEq)]
pub struct OverCall {
    /// Canonical upper-case name: an aggregate function, LAG, LEAD, NTILE, ...
    pub function: String,
    /// Unique names of the argument columns.
    pub args: Vec<String>,
    /// Only distinct argument values count.
    pub distinct: bool,
    /// Unique name of a BOOLEAN column; only rows where it is true count.
    pub filter: Option<String>,
    /// Literal arguments after the columns: the offset and the default of LAG and LEAD, the buckets of NTILE.
    pub parameters: Vec<Value>,
    /// Result type.
    pub ty: LogicalType,
    /// Unique name of the output column.
    pub output: String,
}

impl Eq for OverCall {}

/// Calls over one window: appends a column per call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// The input.
    pub input: LogicalPlan,
    /// Unique names of the partition columns.
    pub partition_by: Vec<String>,
    /// Order within a partition.
    pub order_by: Vec<RankOrder>,
    /// The frame.
    pub frame: OverFrame,
    /// The calls.
    pub calls: Vec<OverCall>,
    /// Output schema: input columns, then one per call.
    pub schema: DFSchemaRef,
}

impl Over {
    /// Output schema over `input`.
    pub fn schema_over(input: &LogicalPlan, calls: &[OverCall]) -> Result<DFSchemaRef> {
        let added: Vec<NamedType> = calls.iter().map(|c| (c.output.clone(), c.ty.clone())).collect();
        Ok(Arc::new(input.schema().join(&df_schema(&added))?))
    }
}

impl Hash for Over {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.calls.iter().for_each(|c| c.output.hash(state));
    }
}

no_order!(Over);

impl UserDefinedLogicalNodeCore for Over {
    node_methods!("Over", input);
    node_methods!(no expressions);
    /// A filter on partition columns drops whole partitions; any other would change frames.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let names = self.schema.fields().iter().map(|f| f.name().clone());
        names.filter(|n| !self.partition_by.contains(n)).collect()
    }
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self.partition_by.iter().map(|c| super::display_name(c)).collect();
        let order: Vec<_> = self.order_by.iter().map(|o| super::display_name(&o.column)).collect();
        let calls: Vec<_> = self.calls.iter().map(|c| c.function.as_str()).collect();
        let (keys, order, calls) = (keys.join(", "), order.join(", "), calls.join(", "));
        write!(f, "OverAggregate(partitionBy=[{keys}], orderBy=[{order}], frame=[{:?}], calls=[{calls}])", self.frame)
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.remove(0);
        let schema = Self::schema_over(&input, &self.calls)?;
        Ok(Self { input, schema, ..self.clone() })
    }
}
