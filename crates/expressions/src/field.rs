//! Field access on ROW values.

use arrow::array::{Array, ArrayRef, AsArray, make_array};
use arrow::buffer::NullBuffer;
use headwater_functions::{Kernel, Operand};
use headwater_types::{Error, Result};

/// Takes one field of a ROW column without copying its values; a NULL row has a NULL field.
pub(crate) struct FieldKernel {
    /// Position of the field in the row type.
    pub(crate) index: usize,
}

impl Kernel for FieldKernel {
    fn eval(&self, args: &[Operand], _rows: usize) -> Result<ArrayRef> {
        let array = args[0].array();
        let row = array.as_struct_opt().ok_or_else(|| {
            Error::internal(format!("field {} was read from a value of type {}", self.index, array.data_type()))
        })?;
        let child = row.column(self.index);
        let Some(row_nulls) = row.nulls().filter(|n| n.null_count() > 0) else { return Ok(child.clone()) };
        let nulls = NullBuffer::union(Some(row_nulls), child.nulls());
        let data = child.to_data().into_builder().nulls(nulls).build();
        data.map(make_array).map_err(crate::arrow_error)
    }
}
