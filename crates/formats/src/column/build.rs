//! From columns under construction to Arrow arrays.

use super::{Bytes, Column, Data, take_vec};
use arrow::array::{Array, Date32Array};
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Decimal128Array, DurationMillisecondArray, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, IntervalYearMonthArray, ListArray, MapArray, NullArray,
    PrimitiveArray, StringArray, StructArray, Time32MillisecondArray, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Fields};
use arrow::error::ArrowError;
use headwater_data::arrow_type;
use std::sync::Arc;

impl Column {
    /// The column as an array of `rows` rows; starts over empty.
    pub(crate) fn finish(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        self.pad(rows);
        self.len = 0;
        let nulls = self.validity.take(rows);
        Ok(match &mut self.data {
            Data::Boolean(v) => Arc::new(BooleanArray::new(std::mem::take(v).into(), nulls)),
            Data::TinyInt(v) => Arc::new(Int8Array::new(take(v), nulls)),
            Data::SmallInt(v) => Arc::new(Int16Array::new(take(v), nulls)),
            Data::Int(v) => Arc::new(Int32Array::new(take(v), nulls)),
            Data::BigInt(v) => Arc::new(Int64Array::new(take(v), nulls)),
            Data::Float(v) => Arc::new(Float32Array::new(take(v), nulls)),
            Data::Double(v) => Arc::new(Float64Array::new(take(v), nulls)),
            Data::Decimal { values, precision, scale } => {
                Arc::new(Decimal128Array::new(take(values), nulls).with_precision_and_scale(*precision, *scale as i8)?)
            }
            Data::Date(v) => Arc::new(Date32Array::new(take(v), nulls)),
            Data::Time { values, .. } => Arc::new(Time32MillisecondArray::new(take(values), nulls)),
            Data::Timestamp { values, units_per_second, zoned } => {
                timestamps(take(values), nulls, *units_per_second, *zoned)
            }
            Data::YearMonth(v) => Arc::new(IntervalYearMonthArray::new(take(v), nulls)),
            Data::DayTime(v) => Arc::new(DurationMillisecondArray::new(take(v), nulls)),
            Data::Utf8(bytes) => {
                let (offsets, data) = take_bytes(bytes);
                Arc::new(StringArray::try_new(offsets, data, nulls)?)
            }
            Data::Binary(bytes) => {
                let (offsets, data) = take_bytes(bytes);
                Arc::new(BinaryArray::try_new(offsets, data, nulls)?)
            }
            Data::Null => Arc::new(NullArray::new(rows)),
            Data::List { .. } | Data::Map { .. } | Data::Row(_) => return self.finish_nested(rows, nulls),
        })
    }

    fn finish_nested(&mut self, rows: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        let data_type = arrow_type(&self.ty);
        match (&mut self.data, data_type) {
            (Data::List { offsets, child }, DataType::List(field)) => {
                let elements = child.finish(child.len)?;
                Ok(Arc::new(ListArray::try_new(field, take_offsets(offsets), elements, nulls)?))
            }
            (Data::Map { offsets, keys, values }, DataType::Map(field, sorted)) => {
                let elements = keys.len;
                let columns = vec![keys.finish(elements)?, values.finish(elements)?];
                let entries = StructArray::try_new(entry_fields(field.data_type()), columns, None)?;
                Ok(Arc::new(MapArray::try_new(field, take_offsets(offsets), entries, nulls, sorted)?))
            }
            (Data::Row(children), DataType::Struct(fields)) => {
                let arrays = children.iter_mut().map(|c| c.finish(rows)).collect::<Result<Vec<_>, _>>()?;
                Ok(Arc::new(StructArray::try_new_with_length(fields, arrays, nulls, rows)?))
            }
            (_, other) => Err(ArrowError::InvalidArgumentError(format!("no nested column builds {other}"))),
        }
    }
}

fn entry_fields(entries: &DataType) -> Fields {
    match entries {
        DataType::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    }
}

fn take<T: arrow::datatypes::ArrowNativeType>(values: &mut Vec<T>) -> ScalarBuffer<T> {
    take_vec(values).into()
}

fn take_offsets(offsets: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let taken = take_vec(offsets);
    offsets.push(0);
    OffsetBuffer::new(taken.into())
}

fn take_bytes(bytes: &mut Bytes) -> (OffsetBuffer<i32>, Buffer) {
    (take_offsets(&mut bytes.offsets), Buffer::from_vec(take_vec(&mut bytes.data)))
}

fn timestamps(values: ScalarBuffer<i64>, nulls: Option<NullBuffer>, units_per_second: i64, zoned: bool) -> ArrayRef {
    match units_per_second {
        1_000 => zone(TimestampMillisecondArray::new(values, nulls), zoned),
        1_000_000 => zone(TimestampMicrosecondArray::new(values, nulls), zoned),
        _ => zone(TimestampNanosecondArray::new(values, nulls), zoned),
    }
}

fn zone<T>(array: PrimitiveArray<T>, zoned: bool) -> ArrayRef
where
    T: arrow::datatypes::ArrowTimestampType + ArrowPrimitiveType,
{
    if zoned { Arc::new(array.with_timezone("UTC")) } else { Arc::new(array) as Arc<dyn Array> }
}
