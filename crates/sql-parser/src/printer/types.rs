//! Data types.

use std::fmt::{self, Display, Formatter};

use super::Commas;
use crate::ast::{DataType, DataTypeKind, Nullability, RowField, TimeZoneKind};

impl Display for DataType {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        f.write_str(match self.nullability {
            Nullability::Unspecified => "",
            Nullability::Nullable => " NULL",
            Nullability::NotNull => " NOT NULL",
        })
    }
}

impl Display for DataTypeKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            DataTypeKind::Char(length) => sized(f, "CHAR", *length),
            DataTypeKind::Varchar(length) => sized(f, "VARCHAR", *length),
            DataTypeKind::Binary(length) => sized(f, "BINARY", *length),
            DataTypeKind::Varbinary(length) => sized(f, "VARBINARY", *length),
            DataTypeKind::Decimal { precision, scale } => decimal(f, *precision, *scale),
            DataTypeKind::Time(precision) => sized(f, "TIME", *precision),
            DataTypeKind::Timestamp { precision, zone } => timestamp(f, *precision, *zone),
            DataTypeKind::Interval(qualifier) => write!(f, "INTERVAL {qualifier}"),
            DataTypeKind::Array(element) => write!(f, "ARRAY<{element}>"),
            DataTypeKind::Multiset(element) => write!(f, "MULTISET<{element}>"),
            DataTypeKind::Map(key, value) => write!(f, "MAP<{key}, {value}>"),
            DataTypeKind::Row(fields) => write!(f, "ROW<{}>", Commas(fields)),
            DataTypeKind::Structured { class, fields } => structured(f, class, fields),
            DataTypeKind::Raw { class, snapshot } => write!(f, "RAW({class}, {snapshot})"),
            DataTypeKind::Named(name) => name.fmt(f),
            plain => f.write_str(plain_keyword(plain)),
        }
    }
}

/// The types that are one word; empty for all others.
fn plain_keyword(kind: &DataTypeKind) -> &'static str {
    match kind {
        DataTypeKind::String => "STRING",
        DataTypeKind::Bytes => "BYTES",
        DataTypeKind::Boolean => "BOOLEAN",
        DataTypeKind::TinyInt => "TINYINT",
        DataTypeKind::SmallInt => "SMALLINT",
        DataTypeKind::Int => "INT",
        DataTypeKind::BigInt => "BIGINT",
        DataTypeKind::Float => "FLOAT",
        DataTypeKind::Double => "DOUBLE",
        DataTypeKind::Date => "DATE",
        DataTypeKind::Variant => "VARIANT",
        DataTypeKind::Bitmap => "BITMAP",
        DataTypeKind::Descriptor => "DESCRIPTOR",
        DataTypeKind::Null => "NULL",
        _ => "",
    }
}

fn sized(f: &mut Formatter<'_>, name: &str, size: Option<u32>) -> fmt::Result {
    match size {
        Some(size) => write!(f, "{name}({size})"),
        None => f.write_str(name),
    }
}

fn decimal(f: &mut Formatter<'_>, precision: Option<u32>, scale: Option<u32>) -> fmt::Result {
    match (precision, scale) {
        (Some(precision), Some(scale)) => write!(f, "DECIMAL({precision}, {scale})"),
        (precision, _) => sized(f, "DECIMAL", precision),
    }
}

fn timestamp(f: &mut Formatter<'_>, precision: Option<u32>, zone: TimeZoneKind) -> fmt::Result {
    match zone {
        TimeZoneKind::Local => sized(f, "TIMESTAMP_LTZ", precision),
        TimeZoneKind::Without => sized(f, "TIMESTAMP", precision),
        TimeZoneKind::With => {
            sized(f, "TIMESTAMP", precision)?;
            f.write_str(" WITH TIME ZONE")
        }
    }
}

fn structured(f: &mut Formatter<'_>, class: impl Display, fields: &[RowField]) -> fmt::Result {
    write!(f, "STRUCTURED<{class}")?;
    for field in fields {
        write!(f, ", {field}")?;
    }
    f.write_str(">")
}

impl Display for RowField {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.data_type)?;
        match &self.comment {
            Some(comment) => write!(f, " {comment}"),
            None => Ok(()),
        }
    }
}
