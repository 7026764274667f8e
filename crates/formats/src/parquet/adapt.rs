//! From the columns of a file to the columns of a table, by name.

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, new_null_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, FieldRef};
use arrow::error::ArrowError;
use headwater_types::{LogicalType, TypeRoot};
use parquet::schema::types::SchemaDescriptor;
use std::sync::Arc;

/// The leaf columns of a file that the wanted columns are made of.
pub(super) fn leaves(schema: &SchemaDescriptor, wanted: &[(String, LogicalType)]) -> Vec<usize> {
    let is_wanted = |index: &usize| {
        let column = schema.column(*index);
        let path = column.path().parts();
        path.split_first()
            .is_some_and(|(root, rest)| wanted.iter().any(|(name, ty)| name == root && is_below(ty, rest)))
    };
    (0..schema.num_columns()).filter(is_wanted).collect()
}

/// Whether a path below a column of the type leads to something the type holds. Lists and maps are read whole.
fn is_below(ty: &LogicalType, path: &[String]) -> bool {
    match (&ty.root, path.split_first()) {
        (TypeRoot::Row(fields), Some((name, rest))) => fields.iter().any(|f| f.name == *name && is_below(&f.ty, rest)),
        _ => true,
    }
}

/// The array with the wanted type: nested fields matched by name, values cast.
pub(super) fn adapt(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == wanted {
        return Ok(array.clone());
    }
    match (array.data_type(), wanted) {
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let row = array.as_struct();
            let child = |field: &FieldRef| match row.column_by_name(field.name()) {
                Some(column) => adapt(column, field.data_type()),
                None => Ok(new_null_array(field.data_type(), row.len())),
            };
            let children = fields.iter().map(child).collect::<Result<Vec<_>, _>>()?;
            let nulls = row.nulls().cloned();
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), children, nulls, row.len())?))
        }
        (DataType::List(_), DataType::List(item)) => {
            let list = array.as_list::<i32>();
            let values = adapt(list.values(), item.data_type())?;
            Ok(Arc::new(ListArray::try_new(item.clone(), list.offsets().clone(), values, list.nulls().cloned())?))
        }
        (DataType::Map(..), DataType::Map(entries, sorted)) => adapt_map(array.as_map(), entries, *sorted),
        _ => cast_with_options(array, wanted, &CastOptions { safe: false, ..CastOptions::default() }),
    }
}

fn adapt_map(map: &MapArray, wanted: &FieldRef, sorted: bool) -> Result<ArrayRef, ArrowError> {
    let DataType::Struct(fields) = wanted.data_type() else {
        return Err(ArrowError::SchemaError("entries of maps are structs".into()));
    };
    let columns = vec![adapt(map.keys(), fields[0].data_type())?, adapt(map.values(), fields[1].data_type())?];
    let entries = StructArray::try_new(fields.clone(), columns, None)?;
    Ok(Arc::new(MapArray::try_new(wanted.clone(), map.offsets().clone(), entries, map.nulls().cloned(), sorted)?))
}
