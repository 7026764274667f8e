//! Equality of values of any type, as it holds within collections: NULL equals NULL.

use crate::kernel::{arrow_error, downcast};
use arrow::array::{Array, ListArray, MapArray, StructArray, make_comparator};
use arrow::compute::SortOptions;
use arrow::datatypes::DataType;
use headwater_types::Result;

/// Whether the value at a position of one array equals the value at a position of the other.
pub type Equality<'a> = Box<dyn Fn(usize, usize) -> bool + 'a>;

/// The equality of the values of two arrays of one type. Maps are equal whatever the order of their entries.
pub fn equality<'a>(left: &'a dyn Array, right: &'a dyn Array) -> Result<Equality<'a>> {
    let values = match left.data_type() {
        DataType::List(_) => lists(downcast(left)?, downcast(right)?)?,
        DataType::Map(..) => maps(downcast(left)?, downcast(right)?)?,
        DataType::Struct(_) => structs(downcast(left)?, downcast(right)?)?,
        _ => {
            let order = make_comparator(left, right, SortOptions::default()).map_err(arrow_error)?;
            return Ok(Box::new(move |l, r| order(l, r).is_eq()));
        }
    };
    Ok(Box::new(move |l, r| match (left.is_null(l), right.is_null(r)) {
        (false, false) => values(l, r),
        (l, r) => l == r,
    }))
}

fn lists<'a>(left: &'a ListArray, right: &'a ListArray) -> Result<Equality<'a>> {
    let elements = equality(left.values().as_ref(), right.values().as_ref())?;
    Ok(Box::new(move |l, r| {
        let (l, r) = (range(left.value_offsets(), l), range(right.value_offsets(), r));
        l.len() == r.len() && l.zip(r).all(|(l, r)| elements(l, r))
    }))
}

fn maps<'a>(left: &'a MapArray, right: &'a MapArray) -> Result<Equality<'a>> {
    let keys = equality(left.keys().as_ref(), right.keys().as_ref())?;
    let values = equality(left.values().as_ref(), right.values().as_ref())?;
    Ok(Box::new(move |l, r| {
        let (mut l, r) = (range(left.value_offsets(), l), range(right.value_offsets(), r));
        l.len() == r.len() && l.all(|l| r.clone().any(|r| keys(l, r) && values(l, r)))
    }))
}

fn structs<'a>(left: &'a StructArray, right: &'a StructArray) -> Result<Equality<'a>> {
    let columns = left.columns().iter().zip(right.columns());
    let columns = columns.map(|(l, r)| equality(l.as_ref(), r.as_ref())).collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move |l, r| columns.iter().all(|equal| equal(l, r))))
}

fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}
