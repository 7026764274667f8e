//! Changelogs as plain rows: `TO_CHANGELOG` and `FROM_CHANGELOG`.

use super::nodes::{NamedType, df_schema, no_order, node_methods};
use super::types::column_types;
use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use headwater_plan::operators::widened;
use headwater_types::{LogicalType, RowKind};
use std::fmt;

/// Changes as inserted rows: a column with a code, then the input's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ToChangelog {
    /// The input.
    pub input: LogicalPlan,
    /// Unique name of the column with the code.
    pub output: String,
    /// The code of each kind; rows of other kinds are dropped.
    pub codes: Vec<(RowKind, String)>,
    /// Whether a deletion keeps only the columns that identify its row.
    pub partial_deletes: bool,
    /// Unique names of the columns the rows are partitioned by.
    pub partition_by: Vec<String>,
    /// Output schema.
    pub schema: DFSchemaRef,
}

impl ToChangelog {
    /// The columns of the output.
    pub fn columns(&self) -> headwater_types::Result<Vec<NamedType>> {
        columns_with_code(&self.input, &self.output, self.partial_deletes, &self.partition_by)
    }
}

/// The columns of an input behind a code.
pub fn columns_with_code(
    input: &LogicalPlan,
    code: &str,
    partial_deletes: bool,
    partition_by: &[String],
) -> headwater_types::Result<Vec<NamedType>> {
    let names: Vec<String> = input.schema().fields().iter().map(|f| f.name().clone()).collect();
    let mut types = column_types(input)?;
    if partial_deletes {
        let keys: Vec<usize> = (0..names.len()).filter(|i| partition_by.contains(&names[*i])).collect();
        types = widened(&types, &keys);
    }
    let code = (code.to_owned(), LogicalType::string().not_null());
    Ok(std::iter::once(code).chain(names.into_iter().zip(types)).collect())
}

no_order!(ToChangelog, FromChangelog);

impl UserDefinedLogicalNodeCore for ToChangelog {
    node_methods!("ToChangelog", input);
    node_methods!(no expressions);
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ToChangelog(op=[{}])", super::display_name(&self.output))
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let node = Self { input: inputs.remove(0), ..self.clone() };
        let columns = node.columns().map_err(|e| datafusion_common::DataFusionError::Plan(e.to_string()))?;
        Ok(Self { schema: df_schema(&columns), ..node })
    }
}

/// Inserted rows as changes: the input's columns without the code.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FromChangelog {
    /// The input.
    pub input: LogicalPlan,
    /// Unique name of the column with the code.
    pub code: String,
    /// What the codes mean.
    pub kinds: Vec<(String, RowKind)>,
    /// Whether rows with a NULL or unknown code are dropped.
    pub skips_errors: bool,
    /// Unique names of the columns the rows are partitioned by.
    pub partition_by: Vec<String>,
    /// Output schema.
    pub schema: DFSchemaRef,
}

impl FromChangelog {
    /// The columns of the output.
    pub fn columns(&self) -> headwater_types::Result<Vec<NamedType>> {
        columns_without(&self.input, &self.code)
    }
}

/// The columns of an input but one.
pub fn columns_without(input: &LogicalPlan, code: &str) -> headwater_types::Result<Vec<NamedType>> {
    let names = input.schema().fields().iter().map(|f| f.name().clone());
    Ok(names.zip(column_types(input)?).filter(|(name, _)| name != code).collect())
}

impl UserDefinedLogicalNodeCore for FromChangelog {
    node_methods!("FromChangelog", input);
    node_methods!(no expressions);
    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FromChangelog(op=[{}])", super::display_name(&self.code))
    }
    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let node = Self { input: inputs.remove(0), ..self.clone() };
        let columns = node.columns().map_err(|e| datafusion_common::DataFusionError::Plan(e.to_string()))?;
        Ok(Self { schema: df_schema(&columns), ..node })
    }
}
