//! Written data types to logical types.

use crate::{SqlError, SqlResult};
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{self, DataTypeKind, Nullability, TimeUnit, TimeZoneKind};
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};

/// The logical type of a written one: lengths and precisions checked, defaults filled in. Nullable unless
/// NOT NULL was written.
pub fn logical_type(written: &ast::DataType) -> SqlResult<LogicalType> {
    let root = root(written)?;
    Ok(LogicalType::new(root, written.nullability != Nullability::NotNull))
}

fn root(written: &ast::DataType) -> SqlResult<TypeRoot> {
    let span = written.span;
    Ok(match &written.kind {
        DataTypeKind::Char(n) => TypeRoot::Char(length("CHAR", n.unwrap_or(1), span)?),
        DataTypeKind::Varchar(n) => TypeRoot::VarChar(length("VARCHAR", n.unwrap_or(LENGTH_MAX), span)?),
        DataTypeKind::String => TypeRoot::VarChar(LENGTH_MAX),
        DataTypeKind::Binary(n) => TypeRoot::Binary(length("BINARY", n.unwrap_or(1), span)?),
        DataTypeKind::Varbinary(n) => TypeRoot::VarBinary(length("VARBINARY", n.unwrap_or(LENGTH_MAX), span)?),
        DataTypeKind::Bytes => TypeRoot::VarBinary(LENGTH_MAX),
        DataTypeKind::Boolean => TypeRoot::Boolean,
        DataTypeKind::Decimal { precision, scale } => decimal(*precision, *scale, span)?,
        DataTypeKind::TinyInt => TypeRoot::TinyInt,
        DataTypeKind::SmallInt => TypeRoot::SmallInt,
        DataTypeKind::Int => TypeRoot::Int,
        DataTypeKind::BigInt => TypeRoot::BigInt,
        DataTypeKind::Float => TypeRoot::Float,
        DataTypeKind::Double => TypeRoot::Double,
        DataTypeKind::Date => TypeRoot::Date,
        DataTypeKind::Time(p) => TypeRoot::Time(precision("TIME", p.unwrap_or(0), span)?),
        DataTypeKind::Timestamp { precision, zone } => timestamp(*precision, *zone, span)?,
        DataTypeKind::Interval(qualifier) => interval_root(qualifier),
        DataTypeKind::Array(element) => TypeRoot::Array(Box::new(logical_type(element)?)),
        DataTypeKind::Multiset(element) => TypeRoot::Multiset(Box::new(logical_type(element)?)),
        DataTypeKind::Map(key, value) => TypeRoot::Map(Box::new(logical_type(key)?), Box::new(logical_type(value)?)),
        DataTypeKind::Row(fields) => row(fields, span)?,
        DataTypeKind::Variant => TypeRoot::Variant,
        DataTypeKind::Bitmap => TypeRoot::Bitmap,
        DataTypeKind::Null => TypeRoot::Null,
        other => return Err(unusable(other, span)),
    })
}

/// The error of types without values here.
fn unusable(kind: &DataTypeKind, span: Span) -> SqlError {
    let name = match kind {
        DataTypeKind::Structured { .. } => "the type STRUCTURED",
        DataTypeKind::Raw { .. } => "the type RAW",
        DataTypeKind::Named(name) => return unknown_type(&name.parts().collect::<Vec<_>>().join("."), span),
        _ => {
            let message = "a DESCRIPTOR names columns in a table function's arguments and is no type of values";
            return SqlError::at("bad-type", message, span);
        }
    };
    SqlError::unsupported(name, Some(span))
}

fn unknown_type(name: &str, span: Span) -> SqlError {
    const NAMES: &[&str] = &[
        "CHAR",
        "VARCHAR",
        "STRING",
        "BINARY",
        "VARBINARY",
        "BYTES",
        "BOOLEAN",
        "DECIMAL",
        "NUMERIC",
        "TINYINT",
        "SMALLINT",
        "INT",
        "INTEGER",
        "BIGINT",
        "FLOAT",
        "DOUBLE",
        "DATE",
        "TIME",
        "TIMESTAMP",
        "TIMESTAMP_LTZ",
        "INTERVAL",
        "ARRAY",
        "MAP",
        "MULTISET",
        "ROW",
        "VARIANT",
    ];
    SqlError::unknown("unknown-type", "type", name, Some(span), NAMES.iter().copied())
}

fn length(name: &str, n: u32, span: Span) -> SqlResult<u32> {
    if (1..=LENGTH_MAX).contains(&n) {
        return Ok(n);
    }
    let message = format!("the length of {name} must be between 1 and {LENGTH_MAX}, not {n}");
    Err(SqlError::at("bad-type", message, span))
}

fn precision(name: &str, p: u32, span: Span) -> SqlResult<u8> {
    match u8::try_from(p) {
        Ok(p) if p <= 9 => Ok(p),
        _ => {
            let message = format!("the precision of {name} must be between 0 and 9, not {p}");
            Err(SqlError::at("bad-type", message, span))
        }
    }
}

fn decimal(precision: Option<u32>, scale: Option<u32>, span: Span) -> SqlResult<TypeRoot> {
    let (precision, scale) = (precision.unwrap_or(10), scale.unwrap_or(0));
    if !(1..=38).contains(&precision) || scale > precision {
        let message = format!(
            "DECIMAL({precision}, {scale}): the precision must be between 1 and 38, and the scale between 0 and it"
        );
        return Err(SqlError::at("bad-type", message, span));
    }
    Ok(TypeRoot::Decimal(precision as u8, scale as u8))
}

fn timestamp(p: Option<u32>, zone: TimeZoneKind, span: Span) -> SqlResult<TypeRoot> {
    let p = precision("TIMESTAMP", p.unwrap_or(6), span)?;
    match zone {
        TimeZoneKind::Without => Ok(TypeRoot::Timestamp(p, TimeAttribute::None)),
        TimeZoneKind::Local => Ok(TypeRoot::TimestampLtz(p, TimeAttribute::None)),
        TimeZoneKind::With => Err(SqlError::unsupported("the type TIMESTAMP WITH TIME ZONE", Some(span))
            .with_hint("TIMESTAMP_LTZ is an instant shown in the session time zone")),
    }
}

/// The interval family of a qualifier.
pub(super) fn interval_root(qualifier: &ast::IntervalQualifier) -> TypeRoot {
    match qualifier.leading {
        TimeUnit::Year | TimeUnit::Quarter | TimeUnit::Month => TypeRoot::IntervalYearMonth,
        _ => TypeRoot::IntervalDayTime,
    }
}

fn row(fields: &[ast::RowField], span: Span) -> SqlResult<TypeRoot> {
    let mut bound: Vec<RowField> = Vec::with_capacity(fields.len());
    for field in fields {
        if bound.iter().any(|f| f.name == field.name.value) {
            let message = format!("the field '{}' occurs twice in a ROW type", field.name.value);
            return Err(SqlError::at("duplicate-field", message, span));
        }
        let comment = field.comment.as_ref().map(|c| c.value.clone());
        bound.push(RowField { name: field.name.value.clone(), ty: logical_type(&field.data_type)?, comment });
    }
    Ok(TypeRoot::Row(bound))
}
