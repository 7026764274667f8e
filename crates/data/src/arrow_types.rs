//! The Arrow representation of Flink's logical types.
//!
//! | Flink | Arrow |
//! |---|---|
//! | CHAR, VARCHAR, STRING, VARIANT | Utf8 |
//! | BINARY, VARBINARY, BYTES | Binary |
//! | DECIMAL(p, s) | Decimal128(p, s) |
//! | DATE | Date32 |
//! | TIME(p) | Time32(ms) |
//! | TIMESTAMP(p) | Timestamp(ms for p <= 3, us for p <= 6, ns above) |
//! | TIMESTAMP_LTZ(p) | the same with zone "UTC" |
//! | INTERVAL YEAR TO MONTH | Interval(YearMonth) |
//! | INTERVAL DAY TO SECOND | Duration(ms) |
//! | ARRAY | List, item field "item" |
//! | MAP, MULTISET | Map with entries {key, value}; a multiset counts in Int32 values |
//! | ROW | Struct |

use arrow::datatypes::{DataType, Field, Fields, IntervalUnit, Schema, SchemaRef, TimeUnit};
use headwater_types::{LogicalType, TypeRoot};
use std::sync::Arc;

/// The time unit that holds a timestamp of the given precision.
pub fn timestamp_unit(precision: u8) -> TimeUnit {
    match precision {
        0..=3 => TimeUnit::Millisecond,
        4..=6 => TimeUnit::Microsecond,
        _ => TimeUnit::Nanosecond,
    }
}

/// The Arrow type of a logical type.
pub fn arrow_type(ty: &LogicalType) -> DataType {
    match &ty.root {
        TypeRoot::Char(_) | TypeRoot::VarChar(_) | TypeRoot::Variant => DataType::Utf8,
        TypeRoot::Boolean => DataType::Boolean,
        TypeRoot::Binary(_) | TypeRoot::VarBinary(_) | TypeRoot::Bitmap => DataType::Binary,
        TypeRoot::Decimal(p, s) => DataType::Decimal128(*p, *s as i8),
        TypeRoot::TinyInt => DataType::Int8,
        TypeRoot::SmallInt => DataType::Int16,
        TypeRoot::Int => DataType::Int32,
        TypeRoot::BigInt => DataType::Int64,
        TypeRoot::Float => DataType::Float32,
        TypeRoot::Double => DataType::Float64,
        TypeRoot::Date => DataType::Date32,
        TypeRoot::Time(_) => DataType::Time32(TimeUnit::Millisecond),
        TypeRoot::Timestamp(p, _) => DataType::Timestamp(timestamp_unit(*p), None),
        TypeRoot::TimestampLtz(p, _) => DataType::Timestamp(timestamp_unit(*p), Some("UTC".into())),
        TypeRoot::IntervalYearMonth => DataType::Interval(IntervalUnit::YearMonth),
        TypeRoot::IntervalDayTime => DataType::Duration(TimeUnit::Millisecond),
        TypeRoot::Array(element) => DataType::List(Arc::new(arrow_field("item", element))),
        TypeRoot::Map(key, value) => map_type(key, value),
        TypeRoot::Multiset(element) => map_type(element, &LogicalType::from(TypeRoot::Int).not_null()),
        TypeRoot::Row(fields) => {
            DataType::Struct(fields.iter().map(|f| arrow_field(&f.name, &f.ty)).collect::<Fields>())
        }
        TypeRoot::Null => DataType::Null,
    }
}

/// Map keys are declared non-null in Arrow; values keep their nullability.
fn map_type(key: &LogicalType, value: &LogicalType) -> DataType {
    let entries = Fields::from(vec![Field::new("key", arrow_type(key), false), arrow_field("value", value)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

/// The Arrow field of a named, typed column. Always nullable in Arrow's sense: Flink's NOT NULL is a
/// property of the logical type and is not re-checked by every kernel.
pub fn arrow_field(name: &str, ty: &LogicalType) -> Field {
    Field::new(name, arrow_type(ty), true)
}

/// The Arrow schema of named, typed columns.
pub fn arrow_schema<'a>(columns: impl IntoIterator<Item = (&'a str, &'a LogicalType)>) -> SchemaRef {
    Arc::new(Schema::new(columns.into_iter().map(|(n, t)| arrow_field(n, t)).collect::<Vec<_>>()))
}
