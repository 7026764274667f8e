//! MATCH_RECOGNIZE: a row per sequence of rows that matches a pattern.

use super::RankOrder;
use super::nodes::{NamedType, df_schema, no_order, node_methods};
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use headwater_plan::Value;
use headwater_plan::operators::SkipStrategy;
use headwater_types::LogicalType;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A variable of the pattern. Its condition is over [`Reference`]s.
#[derive(Debug, Clone, PartialEq)]
pub struct Element {
    /// Its name.
    pub variable: String,
    /// At least so many rows.
    pub min: u32,
    /// At most so many rows.
    pub max: Option<u32>,
    /// Whether it takes every row it can.
    pub greedy: bool,
    /// What its rows satisfy.
    pub condition: Option<Expr>,
}

/// A value of rows of a match, as a column of conditions and measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// Unique name of that column.
    pub name: String,
    /// Its type.
    pub ty: LogicalType,
    /// The variable, by position; all rows of the match when absent.
    pub variable: Option<usize>,
    /// Which of its rows.
    pub place: Place,
}

/// Which rows a reference reads; columns are unique names of the input.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// So many before the last.
    Last(u64, String),
    /// So many behind the first.
    First(u64, String),
    /// So many before the last, whatever they were mapped to.
    Previous(u64, String),
    /// An aggregate of them.
    Aggregate {
        /// Its name.
        function: String,
        /// The argument columns.
        args: Vec<String>,
        /// Literal arguments.
        parameters: Vec<Value>,
    },
}

/// The clause over its input. Conditions and measures stand over references, which no optimiser rule knows: they are not
/// among the node's expressions.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchRecognize {
    /// The input.
    pub input: LogicalPlan,
    /// Unique names of the partition columns.
    pub partition_by: Vec<String>,
    /// Unique name of the rowtime column that orders rows; absent with processing time.
    pub rowtime: Option<String>,
    /// Order of rows of the same time.
    pub order_by: Vec<RankOrder>,
    /// The pattern.
    pub elements: Vec<Element>,
    /// What conditions and measures read.
    pub references: Vec<Reference>,
    /// The measures, with the unique names and types of their columns.
    pub measures: Vec<(Expr, NamedType)>,
    /// Where matching goes on.
    pub skip: SkipStrategy,
    /// The time a match may take.
    pub within_ms: Option<i64>,
    /// The output: partition columns under new names, then the measures.
    pub columns: Vec<NamedType>,
    /// Output schema.
    pub schema: DFSchemaRef,
}

impl MatchRecognize {
    /// Schema of these columns.
    pub fn schema_of(columns: &[NamedType]) -> DFSchemaRef {
        df_schema(columns)
    }
}

impl Eq for MatchRecognize {}

impl Hash for MatchRecognize {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
        self.columns.iter().for_each(|(name, _)| name.hash(state));
    }
}

no_order!(MatchRecognize);

impl UserDefinedLogicalNodeCore for MatchRecognize {
    node_methods!("MatchRecognize", input);
    node_methods!(no expressions);
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pattern: Vec<_> = self.elements.iter().map(|element| element.variable.as_str()).collect();
        let measures: Vec<_> = self.measures.iter().map(|(_, (name, _))| super::display_name(name)).collect();
        write!(f, "Match(pattern=[{}], measures=[{}])", pattern.join(" "), measures.join(", "))
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self { input: inputs.remove(0), ..self.clone() })
    }
}
