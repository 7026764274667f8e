//! Data types as written.

use super::{Ident, IntervalQualifier, ObjectName, StringLiteral};
use crate::Span;

/// A data type with its nullability.
#[derive(Debug, Clone, PartialEq)]
pub struct DataType {
    /// The type proper.
    pub kind: DataTypeKind,
    /// `NULL` / `NOT NULL` behind the type, if any.
    pub nullability: Nullability,
    /// Where it stands.
    pub span: Span,
}

/// What was written about nullability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Nullability {
    /// Nothing: nullable in DDL and casts.
    #[default]
    Unspecified,
    /// `NULL`.
    Nullable,
    /// `NOT NULL`.
    NotNull,
}

/// The type without its nullability.
#[derive(Debug, Clone, PartialEq)]
pub enum DataTypeKind {
    /// `CHAR[(n)]`
    Char(Option<u32>),
    /// `VARCHAR[(n)]`
    Varchar(Option<u32>),
    /// `STRING`
    String,
    /// `BINARY[(n)]`
    Binary(Option<u32>),
    /// `VARBINARY[(n)]`
    Varbinary(Option<u32>),
    /// `BYTES`
    Bytes,
    /// `BOOLEAN`
    Boolean,
    /// `DECIMAL`, `DEC`, `NUMERIC` with precision and scale
    Decimal {
        /// Total number of digits.
        precision: Option<u32>,
        /// Digits behind the point; only with a precision.
        scale: Option<u32>,
    },
    /// `TINYINT`
    TinyInt,
    /// `SMALLINT`
    SmallInt,
    /// `INT`, `INTEGER`
    Int,
    /// `BIGINT`
    BigInt,
    /// `FLOAT`, `REAL`
    Float,
    /// `DOUBLE [PRECISION]`
    Double,
    /// `DATE`
    Date,
    /// `TIME[(p)] [WITHOUT TIME ZONE]`
    Time(Option<u32>),
    /// `TIMESTAMP[(p)] […]`, `TIMESTAMP_LTZ[(p)]`
    Timestamp {
        /// Digits of the fraction of a second.
        precision: Option<u32>,
        /// The time zone variant.
        zone: TimeZoneKind,
    },
    /// `INTERVAL YEAR TO MONTH`, `INTERVAL DAY(3) TO SECOND(3)`, …
    Interval(IntervalQualifier),
    /// `ARRAY<T>`, `T ARRAY`
    Array(Box<DataType>),
    /// `MULTISET<T>`, `T MULTISET`
    Multiset(Box<DataType>),
    /// `MAP<K, V>`
    Map(Box<DataType>, Box<DataType>),
    /// `ROW<f T 'comment', …>`, `ROW(f T, …)`
    Row(Vec<RowField>),
    /// `STRUCTURED<'class', f T, …>`
    Structured {
        /// Name of the implementing class.
        class: StringLiteral,
        /// The attributes.
        fields: Vec<RowField>,
    },
    /// `RAW('class', 'serializer snapshot')`
    Raw {
        /// Name of the class.
        class: StringLiteral,
        /// The serializer snapshot, base64.
        snapshot: StringLiteral,
    },
    /// `VARIANT`
    Variant,
    /// `BITMAP`
    Bitmap,
    /// `DESCRIPTOR`
    Descriptor,
    /// `NULL`
    Null,
    /// A user-defined type, by name.
    Named(ObjectName),
}

/// The time zone variant of a `TIMESTAMP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeZoneKind {
    /// `TIMESTAMP [WITHOUT TIME ZONE]`
    Without,
    /// `TIMESTAMP WITH TIME ZONE`
    With,
    /// `TIMESTAMP WITH LOCAL TIME ZONE`, `TIMESTAMP_LTZ`
    Local,
}

/// A field of a row or structured type.
#[derive(Debug, Clone, PartialEq)]
pub struct RowField {
    /// The field name.
    pub name: Ident,
    /// The field type.
    pub data_type: DataType,
    /// The description behind the type.
    pub comment: Option<StringLiteral>,
}
