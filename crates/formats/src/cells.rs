//! Arrays seen as cells: the type is found out once for a column, not once for a value.

use arrow::array::{
    Array, AsArray, BinaryArray, BooleanArray, Decimal128Array, ListArray, MapArray, StringArray, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Date32Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    IntervalUnit, IntervalYearMonthType, Time32MillisecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use headwater_types::{Error, Result};

/// The cells of a column.
pub(crate) struct Cells<'a> {
    nulls: Option<&'a NullBuffer>,
    pub(crate) kind: Kind<'a>,
}

/// The values of a column, by kind.
pub(crate) enum Kind<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Utf8(&'a StringArray),
    Binary(&'a BinaryArray),
    TinyInt(&'a [i8]),
    SmallInt(&'a [i16]),
    /// INT, and months of an interval.
    Int(&'a [i32]),
    /// BIGINT, and milliseconds of an interval.
    BigInt(&'a [i64]),
    Float(&'a [f32]),
    Double(&'a [f64]),
    Decimal(&'a Decimal128Array, i8),
    Date(&'a [i32]),
    Time(&'a [i32]),
    Timestamp {
        values: &'a [i64],
        units_per_second: i64,
        zoned: bool,
    },
    List(&'a ListArray, Box<Cells<'a>>),
    Map(&'a MapArray, Box<Cells<'a>>, Box<Cells<'a>>),
    Row(Vec<(&'a str, Cells<'a>)>),
}

impl<'a> Cells<'a> {
    /// The cells of an array of one of the types of `headwater_data::arrow_types`.
    pub(crate) fn new(array: &'a dyn Array) -> Result<Self> {
        Ok(Self { nulls: array.nulls(), kind: kind(array)? })
    }

    /// Whether the cell is NULL.
    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        matches!(self.kind, Kind::Null) || self.nulls.is_some_and(|n| n.is_null(row))
    }
}

fn kind(array: &dyn Array) -> Result<Kind<'_>> {
    Ok(match array.data_type() {
        DataType::Null => Kind::Null,
        DataType::Boolean => Kind::Boolean(array.as_boolean()),
        DataType::Utf8 => Kind::Utf8(array.as_string()),
        DataType::Binary => Kind::Binary(array.as_binary()),
        DataType::Int8 => Kind::TinyInt(array.as_primitive::<Int8Type>().values()),
        DataType::Int16 => Kind::SmallInt(array.as_primitive::<Int16Type>().values()),
        DataType::Int32 => Kind::Int(array.as_primitive::<Int32Type>().values()),
        DataType::Int64 => Kind::BigInt(array.as_primitive::<Int64Type>().values()),
        DataType::Float32 => Kind::Float(array.as_primitive::<Float32Type>().values()),
        DataType::Float64 => Kind::Double(array.as_primitive::<Float64Type>().values()),
        DataType::Decimal128(_, scale) => Kind::Decimal(array.as_primitive(), *scale),
        DataType::Date32 => Kind::Date(array.as_primitive::<Date32Type>().values()),
        DataType::Time32(TimeUnit::Millisecond) => Kind::Time(array.as_primitive::<Time32MillisecondType>().values()),
        DataType::Timestamp(unit, zone) => timestamps(array, unit, zone.is_some()),
        DataType::Interval(IntervalUnit::YearMonth) => {
            Kind::Int(array.as_primitive::<IntervalYearMonthType>().values())
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            Kind::BigInt(array.as_primitive::<DurationMillisecondType>().values())
        }
        DataType::List(_) => {
            let list = array.as_list();
            Kind::List(list, Box::new(Cells::new(list.values())?))
        }
        DataType::Map(..) => {
            let map = array.as_map();
            Kind::Map(map, Box::new(Cells::new(map.keys())?), Box::new(Cells::new(map.values())?))
        }
        DataType::Struct(_) => fields(array.as_struct())?,
        other => return Err(Error::internal(format!("no logical type is represented by {other}"))),
    })
}

fn fields(array: &StructArray) -> Result<Kind<'_>> {
    let named = array.fields().iter().zip(array.columns());
    let cells = named.map(|(field, column)| Ok((field.name().as_str(), Cells::new(column)?)));
    Ok(Kind::Row(cells.collect::<Result<_>>()?))
}

fn timestamps<'a>(array: &'a dyn Array, unit: &TimeUnit, zoned: bool) -> Kind<'a> {
    let (values, units_per_second): (&[i64], i64) = match unit {
        TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().values(), 1_000_000),
        TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().values(), 1_000_000_000),
        _ => (array.as_primitive::<TimestampMillisecondType>().values(), 1_000),
    };
    Kind::Timestamp { values, units_per_second, zoned }
}

/// The elements of a list or the entries of a map at a row.
pub(crate) fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}
