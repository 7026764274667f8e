//! Flink's logical type system.
//!
//! A [`LogicalType`] is a root with its parameters plus nullability. It is the type the SQL user sees;
//! `headwater-data` maps it to an Arrow type. Lengths and precisions are kept although Arrow does not
//! need all of them, because casts, comparison coercion and result types depend on them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Length of `STRING` and `BYTES`: `VARCHAR(2147483647)`, `VARBINARY(2147483647)`.
pub const LENGTH_MAX: u32 = 2_147_483_647;

/// Whether a timestamp column is a time attribute, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub enum TimeAttribute {
    /// An ordinary timestamp.
    #[default]
    None,
    /// An event-time attribute: watermarks bound it.
    Rowtime,
    /// A processing-time attribute: materialised when read.
    Proctime,
}

/// A logical type: root and nullability.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogicalType {
    /// The type without nullability.
    pub root: TypeRoot,
    /// Whether NULL is a value of the type.
    pub nullable: bool,
}

/// The type roots with their parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TypeRoot {
    /// `CHAR(n)`; literals have exactly their length, `CHAR(0)` is the empty literal.
    Char(u32),
    /// `VARCHAR(n)`; `STRING` is the longest.
    VarChar(u32),
    /// `BOOLEAN`.
    Boolean,
    /// `BINARY(n)`.
    Binary(u32),
    /// `VARBINARY(n)`; `BYTES` is the longest.
    VarBinary(u32),
    /// `DECIMAL(precision, scale)`, precision 1 to 38.
    Decimal(u8, u8),
    /// `TINYINT`, 8 bits.
    TinyInt,
    /// `SMALLINT`, 16 bits.
    SmallInt,
    /// `INT`, 32 bits.
    Int,
    /// `BIGINT`, 64 bits.
    BigInt,
    /// `FLOAT`, 32 bits.
    Float,
    /// `DOUBLE`, 64 bits.
    Double,
    /// `DATE`: days since the epoch.
    Date,
    /// `TIME(p)`; the effective precision is milliseconds, as in Flink.
    Time(u8),
    /// `TIMESTAMP(p)` without time zone.
    Timestamp(u8, TimeAttribute),
    /// `TIMESTAMP_LTZ(p)`: an instant, shown in the session time zone.
    TimestampLtz(u8, TimeAttribute),
    /// `INTERVAL YEAR TO MONTH` family: a count of months.
    IntervalYearMonth,
    /// `INTERVAL DAY TO SECOND` family: a count of milliseconds.
    IntervalDayTime,
    /// `ARRAY<t>`.
    Array(Box<LogicalType>),
    /// `MAP<k, v>`.
    Map(Box<LogicalType>, Box<LogicalType>),
    /// `MULTISET<t>`: a map from element to its count.
    Multiset(Box<LogicalType>),
    /// `ROW<name type, ...>`.
    Row(Vec<RowField>),
    /// The type of a bare NULL.
    Null,
    /// `VARIANT`: semi-structured data, kept as its JSON text.
    Variant,
    /// `BITMAP`: a set of 32-bit integers, kept in the portable serialisation of Roaring bitmaps.
    Bitmap,
}

/// A field of a row type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RowField {
    /// Field name, case-sensitive.
    pub name: String,
    /// Field type.
    pub ty: LogicalType,
    /// Comment of the declaration, if any.
    pub comment: Option<String>,
}

impl RowField {
    /// A field without a comment.
    pub fn new(name: impl Into<String>, ty: LogicalType) -> Self {
        Self { name: name.into(), ty, comment: None }
    }
}

impl From<TypeRoot> for LogicalType {
    fn from(root: TypeRoot) -> Self {
        Self { root, nullable: true }
    }
}

impl LogicalType {
    /// A type with the given nullability.
    pub fn new(root: TypeRoot, nullable: bool) -> Self {
        Self { root, nullable }
    }

    /// `STRING`, nullable.
    pub fn string() -> Self {
        TypeRoot::VarChar(LENGTH_MAX).into()
    }

    /// The same type that does not hold NULL.
    #[must_use]
    pub fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// The same type with the given nullability.
    #[must_use]
    pub fn with_nullable(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }

    /// CHAR or VARCHAR.
    pub fn is_character(&self) -> bool {
        matches!(self.root, TypeRoot::Char(_) | TypeRoot::VarChar(_))
    }

    /// BINARY or VARBINARY.
    pub fn is_binary(&self) -> bool {
        matches!(self.root, TypeRoot::Binary(_) | TypeRoot::VarBinary(_))
    }

    /// TINYINT to BIGINT.
    pub fn is_integer(&self) -> bool {
        matches!(self.root, TypeRoot::TinyInt | TypeRoot::SmallInt | TypeRoot::Int | TypeRoot::BigInt)
    }

    /// FLOAT or DOUBLE.
    pub fn is_float(&self) -> bool {
        matches!(self.root, TypeRoot::Float | TypeRoot::Double)
    }

    /// Integer, floating point or DECIMAL.
    pub fn is_numeric(&self) -> bool {
        self.is_integer() || self.is_float() || matches!(self.root, TypeRoot::Decimal(..))
    }

    /// TIMESTAMP or TIMESTAMP_LTZ.
    pub fn is_timestamp(&self) -> bool {
        matches!(self.root, TypeRoot::Timestamp(..) | TypeRoot::TimestampLtz(..))
    }

    /// DATE, TIME or a timestamp.
    pub fn is_temporal(&self) -> bool {
        self.is_timestamp() || matches!(self.root, TypeRoot::Date | TypeRoot::Time(_))
    }

    /// One of the two interval types.
    pub fn is_interval(&self) -> bool {
        matches!(self.root, TypeRoot::IntervalYearMonth | TypeRoot::IntervalDayTime)
    }

    /// Whether and how the type is a time attribute.
    pub fn time_attribute(&self) -> TimeAttribute {
        match self.root {
            TypeRoot::Timestamp(_, attribute) | TypeRoot::TimestampLtz(_, attribute) => attribute,
            _ => TimeAttribute::None,
        }
    }

    /// The same timestamp type with another time attribute; other types are unchanged.
    #[must_use]
    pub fn with_time_attribute(mut self, attribute: TimeAttribute) -> Self {
        if let TypeRoot::Timestamp(_, a) | TypeRoot::TimestampLtz(_, a) = &mut self.root {
            *a = attribute;
        }
        self
    }

    /// The fields of a ROW type; `None` for others.
    pub fn row_fields(&self) -> Option<&[RowField]> {
        match &self.root {
            TypeRoot::Row(fields) => Some(fields),
            _ => None,
        }
    }

    /// The decimal type that holds every value of an integer type, as Flink widens it.
    pub fn as_decimal(&self) -> Option<(u8, u8)> {
        match self.root {
            TypeRoot::TinyInt => Some((3, 0)),
            TypeRoot::SmallInt => Some((5, 0)),
            TypeRoot::Int => Some((10, 0)),
            TypeRoot::BigInt => Some((19, 0)),
            TypeRoot::Decimal(p, s) => Some((p, s)),
            _ => None,
        }
    }

    /// Equality that ignores nullability at the top level and time attributes.
    pub fn same_root(&self, other: &Self) -> bool {
        self.clone().with_time_attribute(TimeAttribute::None).root
            == other.clone().with_time_attribute(TimeAttribute::None).root
    }
}

/// Quotes an identifier with backticks, as Flink prints row field names.
pub fn quote_identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

impl fmt::Display for LogicalType {
    /// Flink's serialisable string: `VARCHAR(2147483647)` prints as `STRING`, `NOT NULL` is a suffix.
    /// Time attributes are not printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)?;
        if !self.nullable {
            f.write_str(" NOT NULL")?;
        }
        Ok(())
    }
}

impl fmt::Display for TypeRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Char(n) => write!(f, "CHAR({n})"),
            Self::VarChar(LENGTH_MAX) => f.write_str("STRING"),
            Self::VarChar(n) => write!(f, "VARCHAR({n})"),
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::Binary(n) => write!(f, "BINARY({n})"),
            Self::VarBinary(LENGTH_MAX) => f.write_str("BYTES"),
            Self::VarBinary(n) => write!(f, "VARBINARY({n})"),
            Self::Decimal(p, s) => write!(f, "DECIMAL({p}, {s})"),
            Self::TinyInt => f.write_str("TINYINT"),
            Self::SmallInt => f.write_str("SMALLINT"),
            Self::Int => f.write_str("INT"),
            Self::BigInt => f.write_str("BIGINT"),
            Self::Float => f.write_str("FLOAT"),
            Self::Double => f.write_str("DOUBLE"),
            Self::Date => f.write_str("DATE"),
            Self::Time(p) => write!(f, "TIME({p})"),
            Self::Timestamp(p, _) => write!(f, "TIMESTAMP({p})"),
            Self::TimestampLtz(p, _) => write!(f, "TIMESTAMP_LTZ({p})"),
            Self::IntervalYearMonth => f.write_str("INTERVAL YEAR TO MONTH"),
            Self::IntervalDayTime => f.write_str("INTERVAL DAY TO SECOND(3)"),
            Self::Array(t) => write!(f, "ARRAY<{t}>"),
            Self::Map(k, v) => write!(f, "MAP<{k}, {v}>"),
            Self::Multiset(t) => write!(f, "MULTISET<{t}>"),
            Self::Row(fields) => fmt_row(f, fields),
            Self::Null => f.write_str("NULL"),
            Self::Variant => f.write_str("VARIANT"),
            Self::Bitmap => f.write_str("BITMAP"),
        }
    }
}

fn fmt_row(f: &mut fmt::Formatter<'_>, fields: &[RowField]) -> fmt::Result {
    f.write_str("ROW<")?;
    for (i, field) in fields.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{} {}", quote_identifier(&field.name), field.ty)?;
        if let Some(comment) = &field.comment {
            write!(f, " '{}'", comment.replace('\'', "''"))?;
        }
    }
    f.write_str(">")
}
