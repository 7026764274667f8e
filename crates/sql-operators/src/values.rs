//! Inline rows. VALUES is a source: the runtime asks for its one batch and ends the input.

use crate::columns::{record_batch, schema_of};
use headwater_data::ChangeBatch;
use headwater_expressions::value::array_from_values;
use headwater_plan::Value;
use headwater_plan::graph::RowType;
use headwater_plan::operators::ValuesSpec;
use headwater_types::{Error, Result};

/// The rows of a VALUES operator as one batch of its output type.
pub fn values_batch(spec: &ValuesSpec, output: &RowType) -> Result<ChangeBatch> {
    if let Some(row) = spec.rows.iter().find(|row| row.len() != output.len()) {
        let message = format!("a VALUES row has {} values where {} were expected", row.len(), output.len());
        return Err(Error::internal(message));
    }
    let column = |(position, (_, ty)): (usize, &(String, _))| {
        let values: Vec<Value> = spec.rows.iter().map(|row| row[position].clone()).collect();
        array_from_values(&values, ty)
    };
    let columns = output.iter().enumerate().map(column).collect::<Result<_>>()?;
    Ok(ChangeBatch::append(record_batch(&schema_of(output), columns, spec.rows.len())?))
}
