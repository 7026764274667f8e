//! The generator of one field.

use crate::numbered::{below, random};
use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// Elements of a generated collection.
const COLLECTION_LENGTH: u64 = 3;
/// Characters of a generated STRING.
const TEXT_LENGTH: u64 = 100;

/// What all fields share.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    pub(super) options: Options<'a>,
    pub(super) seed: u64,
}

/// Makes the values of a field.
pub(super) struct Generator {
    seed: u64,
    salt: u64,
    /// Of 2^32 values, how many are NULL.
    nulls: u64,
    kind: Kind,
}

enum Kind {
    Sequence {
        start: i64,
        end: i64,
        form: Form,
    },
    Boolean,
    Integer {
        min: i64,
        max: i64,
    },
    Float {
        min: f64,
        max: f64,
    },
    Single {
        min: f64,
        max: f64,
    },
    Decimal {
        min: i128,
        max: i128,
    },
    Text {
        length: u64,
        varies: bool,
    },
    Bytes {
        length: u64,
        varies: bool,
    },
    /// A moment up to `max_past_ms` before now, in units per millisecond times a thousand.
    Moment {
        max_past_ms: u64,
        units_per_second: i64,
    },
    Date {
        max_past_ms: u64,
    },
    Time,
    Array {
        element: Box<Generator>,
        length: u64,
    },
    Map {
        key: Box<Generator>,
        value: Box<Generator>,
        length: u64,
    },
    Row(Vec<Generator>),
}

/// How the number of a sequence becomes a value.
enum Form {
    Integer,
    Float,
    Decimal(u8),
    Text,
}

impl Generator {
    /// The generator of the field `name` (a path with dots for nested fields).
    pub(super) fn new(ty: &LogicalType, name: &str, salt: u64, settings: Settings<'_>) -> Result<Self> {
        let field = Field { name, settings };
        let kind = match field.text("kind").unwrap_or("random") {
            "random" => random_kind(ty, field, salt)?,
            "sequence" => sequence_kind(ty, field)?,
            other => return Err(bad_option(&field.option("kind"), other, "random or sequence")),
        };
        let rate = field.float("null-rate")?.unwrap_or(0.0);
        if !(0.0..=1.0).contains(&rate) {
            return Err(bad_option(&field.option("null-rate"), &rate.to_string(), "a number from 0 to 1"));
        }
        Ok(Self { seed: settings.seed, salt: salt + 1, nulls: (rate * (1_u64 << 32) as f64) as u64, kind })
    }

    /// Rows after which the field has no more values.
    pub(super) fn rows(&self) -> Option<u64> {
        match &self.kind {
            Kind::Sequence { start, end, .. } => {
                Some((i128::from(*end) - i128::from(*start) + 1).clamp(0, i128::from(u64::MAX)) as u64)
            }
            _ => None,
        }
    }

    /// The value in a row.
    pub(super) fn value(&self, row: u64, now_ms: i64) -> Value {
        let bits = random(self.seed, row, self.salt);
        if self.nulls > 0 && bits & 0xFFFF_FFFF < self.nulls {
            return Value::Null;
        }
        let bits = random(bits, row, self.salt);
        match &self.kind {
            Kind::Sequence { start, form, .. } => sequence(*start, form, row),
            Kind::Boolean => Value::Boolean(bits & 1 == 1),
            Kind::Integer { min, max } => Value::Int(between(bits, *min, *max)),
            Kind::Float { min, max } => Value::Float(min + unit(bits) * (max - min)),
            Kind::Single { min, max } => Value::Float(f64::from((min + unit(bits) * (max - min)) as f32)),
            Kind::Decimal { min, max } => Value::Decimal(between_wide(bits, *min, *max)),
            Kind::Text { length, varies } => Value::String(hex(bits, size(bits, *length, *varies))),
            Kind::Bytes { length, varies } => Value::Bytes(bytes(bits, size(bits, *length, *varies))),
            Kind::Moment { max_past_ms, units_per_second } => {
                Value::Int(past(bits, now_ms, *max_past_ms).saturating_mul(units_per_second / 1_000))
            }
            Kind::Date { max_past_ms } => Value::Int(past(bits, now_ms, *max_past_ms).div_euclid(86_400_000)),
            Kind::Time => Value::Int(now_ms.rem_euclid(86_400_000)),
            _ => self.collection(row, now_ms),
        }
    }

    fn collection(&self, row: u64, now_ms: i64) -> Value {
        // Elements are rows of their own, in a range of numbers that no other row shares.
        let element = |i: u64| row.wrapping_mul(1 << 20).wrapping_add(i);
        match &self.kind {
            Kind::Array { element: of, length } => {
                Value::List((0..*length).map(|i| of.value(element(i), now_ms)).collect())
            }
            Kind::Map { key, value, length } => {
                let pair = |i| (key.value(element(i), now_ms), value.value(element(i), now_ms));
                let mut entries: Vec<(Value, Value)> = vec![];
                for (key, value) in (0..*length).map(pair) {
                    if !key.is_null() && entries.iter().all(|(known, _)| *known != key) {
                        entries.push((key, value));
                    }
                }
                Value::Map(entries)
            }
            Kind::Row(fields) => Value::Row(fields.iter().map(|f| f.value(row, now_ms)).collect()),
            _ => Value::Null,
        }
    }
}

/// Access to the options of a field.
#[derive(Clone, Copy)]
struct Field<'a> {
    name: &'a str,
    settings: Settings<'a>,
}

impl<'a> Field<'a> {
    fn option(&self, what: &str) -> String {
        format!("fields.{}.{what}", self.name)
    }

    fn text(&self, what: &str) -> Option<&'a str> {
        self.settings.options.get(&self.option(what))
    }

    fn parse<T: std::str::FromStr>(&self, what: &str, expected: &str) -> Result<Option<T>> {
        let parse = |text: &str| text.trim().parse().map_err(|_| bad_option(&self.option(what), text, expected));
        self.text(what).map(parse).transpose()
    }

    fn float(&self, what: &str) -> Result<Option<f64>> {
        self.parse(what, "a number")
    }

    fn length(&self, default: u64, max: u64) -> Result<u64> {
        let length = self.parse("length", "a whole number")?.unwrap_or(default);
        if length > max {
            return Err(bad_option(&self.option("length"), &length.to_string(), &format!("a number up to {max}")));
        }
        Ok(length)
    }

    fn varies(&self) -> Result<bool> {
        self.settings.options.boolean(&self.option("var-len"), false)
    }

    fn integers(&self, min: i64, max: i64) -> Result<Kind> {
        let low = self.parse("min", "a whole number of the field's type")?.unwrap_or(min);
        let high = self.parse("max", "a whole number of the field's type")?.unwrap_or(max);
        if low < min || high > max || low > high {
            let range = format!("a range from min to max within {min} to {max}");
            return Err(bad_option(&self.option("max"), &format!("{low}..{high}"), &range));
        }
        Ok(Kind::Integer { min: low, max: high })
    }

    fn floats(&self, default: f64) -> Result<(f64, f64)> {
        Ok((self.float("min")?.unwrap_or(-default), self.float("max")?.unwrap_or(default)))
    }

    fn max_past_ms(&self) -> Result<u64> {
        Ok(self.settings.options.duration(&self.option("max-past"))?.map_or(0, |d| d.as_millis() as u64))
    }

    fn child(&self, ty: &LogicalType, name: &str, salt: u64) -> Result<Generator> {
        Generator::new(ty, &format!("{}.{name}", self.name), salt, self.settings)
    }
}

fn random_kind(ty: &LogicalType, field: Field<'_>, salt: u64) -> Result<Kind> {
    const LENGTH_MAX: u64 = 1 << 20;
    let text_length = |n: u32| u64::from(n).min(TEXT_LENGTH);
    let text_max = |n: u32| u64::from(n).min(LENGTH_MAX);
    Ok(match &ty.root {
        TypeRoot::Boolean => Kind::Boolean,
        TypeRoot::TinyInt => field.integers(i8::MIN.into(), i8::MAX.into())?,
        TypeRoot::SmallInt => field.integers(i16::MIN.into(), i16::MAX.into())?,
        TypeRoot::Int => field.integers(i32::MIN.into(), i32::MAX.into())?,
        TypeRoot::BigInt => field.integers(i64::MIN, i64::MAX)?,
        TypeRoot::IntervalYearMonth => field.integers(0, 120_000)?,
        TypeRoot::IntervalDayTime => field.integers(0, i64::MAX)?,
        TypeRoot::Float => {
            let (min, max) = field.floats(f64::from(f32::MAX))?;
            Kind::Single { min, max }
        }
        TypeRoot::Double => {
            // Half of the largest, so that the width of the range is finite.
            let (min, max) = field.floats(f64::MAX / 2.0)?;
            Kind::Float { min, max }
        }
        TypeRoot::Decimal(precision, scale) => decimal_kind(field, *precision, *scale)?,
        TypeRoot::Char(n) => Kind::Text { length: field.length(u64::from(*n), text_max(*n))?, varies: false },
        TypeRoot::VarChar(n) => {
            Kind::Text { length: field.length(text_length(*n), text_max(*n))?, varies: field.varies()? }
        }
        TypeRoot::Binary(n) => Kind::Bytes { length: field.length(u64::from(*n), text_max(*n))?, varies: false },
        TypeRoot::VarBinary(n) => {
            Kind::Bytes { length: field.length(text_length(*n), text_max(*n))?, varies: field.varies()? }
        }
        TypeRoot::Date => Kind::Date { max_past_ms: field.max_past_ms()? },
        TypeRoot::Time(_) => Kind::Time,
        TypeRoot::Timestamp(p, _) | TypeRoot::TimestampLtz(p, _) => {
            let units_per_second = match p {
                0..=3 => 1_000,
                4..=6 => 1_000_000,
                _ => 1_000_000_000,
            };
            Kind::Moment { max_past_ms: field.max_past_ms()?, units_per_second }
        }
        _ => return collection_kind(ty, field, salt),
    })
}

fn collection_kind(ty: &LogicalType, field: Field<'_>, salt: u64) -> Result<Kind> {
    const LENGTH_MAX: u64 = 1 << 16;
    let salt = salt.wrapping_mul(31).wrapping_add(17);
    Ok(match &ty.root {
        TypeRoot::Array(element) => Kind::Array {
            length: field.length(COLLECTION_LENGTH, LENGTH_MAX)?,
            element: Box::new(field.child(element, "element", salt)?),
        },
        TypeRoot::Map(key, value) => Kind::Map {
            length: field.length(COLLECTION_LENGTH, LENGTH_MAX)?,
            key: Box::new(field.child(key, "key", salt)?),
            value: Box::new(field.child(value, "value", salt + 1)?),
        },
        TypeRoot::Multiset(element) => {
            let count = Kind::Integer { min: 1, max: 10 };
            Kind::Map {
                length: field.length(COLLECTION_LENGTH, LENGTH_MAX)?,
                key: Box::new(field.child(element, "element", salt)?),
                value: Box::new(Generator { seed: field.settings.seed, salt: salt + 1, nulls: 0, kind: count }),
            }
        }
        TypeRoot::Row(fields) => {
            let child = |(i, f): (usize, &headwater_types::RowField)| field.child(&f.ty, &f.name, salt + i as u64);
            Kind::Row(fields.iter().enumerate().map(child).collect::<Result<_>>()?)
        }
        _ => {
            return Err(Error::user(
                "bad-type",
                format!("datagen cannot make the column '{}' of type {ty}", field.name),
            ));
        }
    })
}

fn decimal_kind(field: Field<'_>, precision: u8, scale: u8) -> Result<Kind> {
    let bound = 10_i128.pow(u32::from(precision.min(38))) - 1;
    let scaled = |value: Option<f64>, default| value.map_or(default, |v| (v * 10_f64.powi(scale.into())) as i128);
    let min = scaled(field.float("min")?, -bound).max(-bound);
    let max = scaled(field.float("max")?, bound).min(bound);
    Ok(Kind::Decimal { min, max: max.max(min) })
}

fn sequence_kind(ty: &LogicalType, field: Field<'_>) -> Result<Kind> {
    let form = match &ty.root {
        root if LogicalType::from(root.clone()).is_integer() => Form::Integer,
        TypeRoot::Float | TypeRoot::Double => Form::Float,
        TypeRoot::Decimal(_, scale) => Form::Decimal(*scale),
        TypeRoot::Char(_) | TypeRoot::VarChar(_) => Form::Text,
        _ => return Err(bad_option(&field.option("kind"), "sequence", &format!("random for a column of type {ty}"))),
    };
    let need = |what: &str| {
        let value: Option<i64> = field.parse(what, "a whole number")?;
        value.ok_or_else(|| {
            Error::user("missing-option", format!("a sequence needs the option '{}'", field.option(what)))
        })
    };
    let (start, end) = (need("start")?, need("end")?);
    if start > end {
        return Err(bad_option(&field.option("end"), &end.to_string(), "a number not below the start"));
    }
    Ok(Kind::Sequence { start, end, form })
}

fn sequence(start: i64, form: &Form, row: u64) -> Value {
    let number = start.wrapping_add_unsigned(row);
    match form {
        Form::Integer => Value::Int(number),
        Form::Float => Value::Float(number as f64),
        Form::Decimal(scale) => Value::Decimal(i128::from(number).saturating_mul(10_i128.pow(u32::from(*scale)))),
        Form::Text => Value::String(number.to_string()),
    }
}

/// A number in `[0, 1)`.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

fn between(bits: u64, min: i64, max: i64) -> i64 {
    let width = max.wrapping_sub(min) as u64;
    let offset = if width == u64::MAX { bits } else { below(bits, width + 1) };
    min.wrapping_add_unsigned(offset)
}

fn between_wide(bits: u64, min: i128, max: i128) -> i128 {
    let wide = u128::from(bits) << 64 | u128::from(random(bits, 0, 0));
    let width = max.wrapping_sub(min) as u128;
    min.wrapping_add((wide % width.saturating_add(1)) as i128)
}

fn size(bits: u64, length: u64, varies: bool) -> usize {
    (if varies { below(bits.rotate_left(32), length) + 1 } else { length }) as usize
}

fn words(bits: u64, count: usize) -> impl Iterator<Item = u64> {
    (0..count as u64).map(move |i| random(bits, i, 7))
}

fn hex(bits: u64, length: usize) -> String {
    let mut text = String::with_capacity(length + 16);
    for word in words(bits, length.div_ceil(16)) {
        text.push_str(&format!("{word:016x}"));
    }
    text.truncate(length);
    text
}

fn bytes(bits: u64, length: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = words(bits, length.div_ceil(8)).flat_map(u64::to_le_bytes).collect();
    bytes.truncate(length);
    bytes
}

fn past(bits: u64, now_ms: i64, max_past_ms: u64) -> i64 {
    now_ms.saturating_sub_unsigned(below(bits, max_past_ms.max(1)))
}
