//! A table as of the times of another one: the right side of a temporal join.

use super::nodes::{no_order, node_methods};
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use std::collections::HashSet;
use std::fmt;

/// `table FOR SYSTEM_TIME AS OF left.time`. It stands on the right of a join, possibly below filters, and passes its
/// input's columns through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Snapshot {
    /// The versioned table.
    pub input: LogicalPlan,
    /// Unique name of a time attribute of the join's left side.
    pub time: String,
    /// Whether that is processing time.
    pub proctime: bool,
    /// Unique name of the rowtime column that orders versions; absent with processing time.
    pub version: Option<String>,
    /// Of `SNAPSHOT(..)`, which stands for all present rows: the event time at which they count as loaded. Such a node
    /// has no time.
    pub load_until_ms: Option<i64>,
}

no_order!(Snapshot);

impl UserDefinedLogicalNodeCore for Snapshot {
    node_methods!("Snapshot", input, passes);
    node_methods!(no expressions);
    /// A filter below would hide the versions that it drops, so that older ones seem valid.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.schema().fields().iter().map(|f| f.name().clone()).collect()
    }
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.load_until_ms {
            None => write!(f, "Snapshot(period=[{}])", super::display_name(&self.time)),
            Some(ms) => write!(f, "Snapshot(loadUntil=[{ms}])"),
        }
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { input: inputs.remove(0), ..self.clone() })
    }
}
