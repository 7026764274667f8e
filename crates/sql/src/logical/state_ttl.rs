//! The life of the state that holds a relation's rows, given by a STATE_TTL hint.

use super::nodes::{no_order, node_methods};
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use std::collections::HashSet;
use std::fmt;

/// A relation whose rows live this long in the state of the join or aggregate above it; passes all columns through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StateTtl {
    /// The relation.
    pub input: LogicalPlan,
    /// Milliseconds; 0 is for ever.
    pub ttl_ms: i64,
}

no_order!(StateTtl);

impl UserDefinedLogicalNodeCore for StateTtl {
    node_methods!("StateTtl", input, passes);
    node_methods!(no expressions);
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        HashSet::new()
    }
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StateTtl(ttl=[{} ms])", self.ttl_ms)
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { input: inputs.remove(0), ..self.clone() })
    }
}
