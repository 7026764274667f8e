//! Arguments as the objects that Flink hands to Java's formatter.

use crate::kernel::{arrow_error, downcast};
use crate::text::{Formatter, push_double, push_float};
use crate::{Operand, text};
use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int64Array, IntervalYearMonthArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::borrow::Cow;

/// A value to format.
pub(super) enum Value<'a> {
    Null,
    Boolean(bool),
    /// An integer and its width in bits.
    Int(i64, u32),
    /// A number and whether it is a FLOAT.
    Float(f64, bool),
    Text(Cow<'a, str>),
}

impl Value<'_> {
    /// What `%s` shows.
    pub(super) fn to_text(&self) -> Cow<'_, str> {
        let mut out = String::new();
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Int(value, _) => text::push_integer(&mut out, *value),
            Self::Float(value, true) => push_float(&mut out, *value as f32),
            Self::Float(value, false) => push_double(&mut out, *value),
            Self::Text(text) => return Cow::Borrowed(text),
        }
        Cow::Owned(out)
    }
}

/// Reads one argument.
pub(super) struct Reader<'a> {
    operand: &'a Operand,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Boolean(&'a BooleanArray),
    Int(ArrayRef, u32),
    Float(ArrayRef, bool),
    Timestamp(Formatter<'a>),
    Text(Formatter<'a>),
}

impl<'a> Reader<'a> {
    /// A reader of `operand`, whose type is `ty`.
    pub(super) fn new(operand: &'a Operand, ty: &LogicalType) -> Result<Self> {
        let array = operand.array();
        let number = |to: &DataType| cast(array, to).map_err(arrow_error);
        let kind = match &ty.root {
            TypeRoot::Boolean => Kind::Boolean(downcast(array.as_ref())?),
            TypeRoot::BigInt | TypeRoot::IntervalDayTime => Kind::Int(number(&DataType::Int64)?, 64),
            TypeRoot::TinyInt => Kind::Int(number(&DataType::Int64)?, 8),
            TypeRoot::SmallInt => Kind::Int(number(&DataType::Int64)?, 16),
            TypeRoot::Int => Kind::Int(number(&DataType::Int64)?, 32),
            TypeRoot::IntervalYearMonth => {
                let months = downcast::<IntervalYearMonthArray>(array.as_ref())?.reinterpret_cast::<Int32Type>();
                Kind::Int(cast(&months, &DataType::Int64).map_err(arrow_error)?, 32)
            }
            TypeRoot::Date | TypeRoot::Time(_) => {
                let days_or_ms = number(&DataType::Int32)?;
                Kind::Int(cast(&days_or_ms, &DataType::Int64).map_err(arrow_error)?, 32)
            }
            TypeRoot::Float => Kind::Float(number(&DataType::Float64)?, true),
            TypeRoot::Double => Kind::Float(number(&DataType::Float64)?, false),
            TypeRoot::Timestamp(..) | TypeRoot::TimestampLtz(..) => {
                Kind::Timestamp(Formatter::new(array.as_ref(), ty, chrono_tz::UTC)?)
            }
            _ => Kind::Text(Formatter::new(array.as_ref(), ty, chrono_tz::UTC)?),
        };
        Ok(Self { operand, kind })
    }

    /// The value of a row.
    pub(super) fn value(&self, row: usize) -> Value<'a> {
        let index = self.operand.index(row);
        if self.operand.array().is_null(index) {
            return Value::Null;
        }
        match &self.kind {
            Kind::Boolean(array) => Value::Boolean(array.value(index)),
            Kind::Int(array, bits) => downcast::<Int64Array>(array.as_ref())
                .map_or(Value::Null, |array| Value::Int(array.value(index), *bits)),
            Kind::Float(array, single) => downcast::<Float64Array>(array.as_ref())
                .map_or(Value::Null, |array| Value::Float(array.value(index), *single)),
            Kind::Timestamp(formatter) => Value::Text(Cow::Owned(iso_minutes(shown(formatter, index)))),
            Kind::Text(formatter) => Value::Text(Cow::Owned(shown(formatter, index))),
        }
    }
}

fn shown(formatter: &Formatter<'_>, index: usize) -> String {
    let mut out = String::new();
    formatter.push(&mut out, index);
    out
}

/// A timestamp as Java's `LocalDateTime` shows it: seconds only when they are not zero, and the fraction in
/// three, six or nine digits.
fn iso_minutes(shown: String) -> String {
    let text = shown.replacen(' ', "T", 1);
    let (seconds, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let significant = fraction.trim_end_matches('0').len();
    match significant.div_ceil(3) * 3 {
        0 => seconds.strip_suffix(":00").unwrap_or(seconds).to_owned(),
        digits => format!("{seconds}.{fraction:0<digits$}", fraction = &fraction[..significant]),
    }
}
