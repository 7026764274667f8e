//! Small conversions between columns and native values that several operators share.

use crate::arrow_error;
use crate::kinds::with_kinds;
use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, RecordBatchOptions, make_array};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, SchemaRef, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use headwater_data::ChangeBatch;
use headwater_plan::graph::RowType;
use headwater_types::{Error, LogicalType, Result};

/// A timestamp column as milliseconds since the epoch. Values at NULL rows are arbitrary.
pub(crate) struct TimeColumn {
    pub(crate) ms: ScalarBuffer<i64>,
    pub(crate) nulls: Option<NullBuffer>,
}

/// Reads a timestamp column, rounding finer units down.
pub(crate) fn timestamps_ms(array: &dyn Array) -> Result<TimeColumn> {
    let coarser = |values: &ScalarBuffer<i64>, factor: i64| values.iter().map(|v| v.div_euclid(factor)).collect();
    let ms = match array.data_type() {
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().values().clone()
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            coarser(array.as_primitive::<TimestampMicrosecondType>().values(), 1_000)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            coarser(array.as_primitive::<TimestampNanosecondType>().values(), 1_000_000)
        }
        DataType::Int64 => array.as_primitive::<arrow::datatypes::Int64Type>().values().clone(),
        other => return Err(Error::internal(format!("a time attribute has Arrow type {other}"))),
    };
    Ok(TimeColumn { ms, nulls: array.nulls().filter(|n| n.null_count() > 0).cloned() })
}

/// Milliseconds since the epoch as a column of a timestamp type.
pub(crate) fn timestamps_from_ms(ms: Vec<i64>, data_type: &DataType) -> Result<ArrayRef> {
    let factor = match data_type {
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1_000_000,
        _ => 1,
    };
    let values: Int64Array = ms.into_iter().map(|v| v.saturating_mul(factor)).collect::<Vec<_>>().into();
    with_type(&values, data_type)
}

/// The same values under another type of the same width.
pub(crate) fn with_type(array: &dyn Array, data_type: &DataType) -> Result<ArrayRef> {
    array.to_data().into_builder().data_type(data_type.clone()).build().map(make_array).map_err(arrow_error)
}

/// The Arrow schema of a row type.
pub(crate) fn schema_of(row: &RowType) -> SchemaRef {
    headwater_data::arrow_schema(row.iter().map(|(name, ty)| (name.as_str(), ty)))
}

/// The logical types of a row type.
pub(crate) fn types_of(row: &RowType) -> Vec<LogicalType> {
    row.iter().map(|(_, ty)| ty.clone()).collect()
}

/// The rows under another schema of the same types. Inputs of a UNION ALL name their columns each in their own way.
pub(crate) fn relabelled(rows: RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let count = rows.num_rows();
    let fields = schema.fields().iter();
    let columns = fields.zip(rows.columns()).map(|(field, column)| match column.data_type() == field.data_type() {
        true => Ok(column.clone()),
        false => with_type(column, field.data_type()),
    });
    record_batch(schema, columns.collect::<Result<_>>()?, count)
}

/// [`relabelled`] changes.
pub(crate) fn relabelled_changes(batch: ChangeBatch, schema: &SchemaRef) -> Result<ChangeBatch> {
    let (rows, kinds) = batch.into_parts();
    Ok(with_kinds(relabelled(rows, schema)?, kinds))
}

/// A record batch of `rows` rows, which may have no columns.
pub(crate) fn record_batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema.clone(), columns, &options).map_err(arrow_error)
}
