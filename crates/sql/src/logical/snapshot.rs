//! A table as of the times of another one: the right side of a temporal join.

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use std::cmp::Ordering;
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
}

impl PartialOrd for Snapshot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Snapshot {
    fn name(&self) -> &str {
        "Snapshot"
    }
    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }
    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }
    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }
    /// A filter below would hide the versions that it drops, so that older ones seem valid.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.schema().fields().iter().map(|f| f.name().clone()).collect()
    }
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot(period=[{}])", super::display_name(&self.time))
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { input: inputs.remove(0), ..self.clone() })
    }
}
