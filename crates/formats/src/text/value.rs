//! Scalar values from their text, one by one.

use super::{decimal, number, temporal};
use headwater_data::arrow_types::timestamp_unit;
use headwater_plan::Value;
use headwater_types::{LogicalType, TypeRoot};
use temporal::{TimestampParser, TimestampStandard};

/// Parses a scalar as it stands in a directory name or an option; `None` when it is not of the type.
pub fn parse_value(ty: &LogicalType, text: &[u8]) -> Option<Value> {
    Some(match &ty.root {
        TypeRoot::Char(_) | TypeRoot::VarChar(_) => Value::String(std::str::from_utf8(text).ok()?.to_string()),
        TypeRoot::Binary(_) | TypeRoot::VarBinary(_) => Value::Bytes(text.to_vec()),
        TypeRoot::Boolean => Value::Boolean(number::boolean(text)),
        TypeRoot::TinyInt => Value::Int(i8::try_from(number::integer(text)?).ok()?.into()),
        TypeRoot::SmallInt => Value::Int(i16::try_from(number::integer(text)?).ok()?.into()),
        TypeRoot::Int | TypeRoot::IntervalYearMonth => Value::Int(i32::try_from(number::integer(text)?).ok()?.into()),
        TypeRoot::BigInt | TypeRoot::IntervalDayTime => Value::Int(number::integer(text)?),
        TypeRoot::Float => Value::Float(number::float(text)?.into()),
        TypeRoot::Double => Value::Float(number::double(text)?),
        TypeRoot::Decimal(precision, scale) => match decimal::parse(text, *precision, *scale) {
            decimal::Parsed::Value(value) => Value::Decimal(value),
            decimal::Parsed::Overflow => Value::Null,
            decimal::Parsed::Malformed => return None,
        },
        TypeRoot::Date => Value::Int(temporal::date(text)?.into()),
        TypeRoot::Time(precision) => Value::Int(temporal::time_ms(text, *precision)?.into()),
        TypeRoot::Timestamp(precision, _) => Value::Int(timestamp(text, *precision, false)?),
        TypeRoot::TimestampLtz(precision, _) => Value::Int(timestamp(text, *precision, true)?),
        _ => return None,
    })
}

/// A timestamp in either standard form, in the unit of its precision.
fn timestamp(text: &[u8], precision: u8, zoned: bool) -> Option<i64> {
    use arrow::datatypes::TimeUnit;
    let units = match timestamp_unit(precision) {
        TimeUnit::Second | TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let zoned = zoned && text.ends_with(b"Z");
    let standards = [TimestampStandard::Sql, TimestampStandard::Iso8601];
    standards.iter().find_map(|standard| TimestampParser::default().parse(text, *standard, units, zoned))
}
