//! Types as Flink's gateway describes them.

use headwater_types::{LogicalType, RowField, TypeRoot};
use serde_json::{Map, Value, json};

/// Digits of the largest unit of an interval, and of its fraction of a second.
const INTERVAL_PRECISION: u8 = 3;

/// The description of a type.
pub(super) fn describe(ty: &LogicalType) -> Value {
    let mut out = Map::new();
    out.insert("type".to_owned(), name(&ty.root).into());
    out.insert("nullable".to_owned(), ty.nullable.into());
    out.extend(parameters(&ty.root).into_iter().map(|(key, value)| (key.to_owned(), value)));
    Value::Object(out)
}

fn name(root: &TypeRoot) -> &'static str {
    match root {
        TypeRoot::Char(_) => "CHAR",
        TypeRoot::VarChar(_) => "VARCHAR",
        TypeRoot::Boolean => "BOOLEAN",
        TypeRoot::Binary(_) => "BINARY",
        TypeRoot::VarBinary(_) => "VARBINARY",
        TypeRoot::Decimal(..) => "DECIMAL",
        TypeRoot::TinyInt => "TINYINT",
        TypeRoot::SmallInt => "SMALLINT",
        TypeRoot::Int => "INTEGER",
        TypeRoot::BigInt => "BIGINT",
        TypeRoot::Float => "FLOAT",
        TypeRoot::Double => "DOUBLE",
        TypeRoot::Date => "DATE",
        TypeRoot::Time(_) => "TIME_WITHOUT_TIME_ZONE",
        TypeRoot::Timestamp(..) => "TIMESTAMP_WITHOUT_TIME_ZONE",
        TypeRoot::TimestampLtz(..) => "TIMESTAMP_WITH_LOCAL_TIME_ZONE",
        TypeRoot::IntervalYearMonth => "INTERVAL_YEAR_MONTH",
        TypeRoot::IntervalDayTime => "INTERVAL_DAY_TIME",
        TypeRoot::Array(_) => "ARRAY",
        TypeRoot::Map(..) => "MAP",
        TypeRoot::Multiset(_) => "MULTISET",
        TypeRoot::Row(_) => "ROW",
        TypeRoot::Null => "NULL",
        TypeRoot::Variant => "VARIANT",
        TypeRoot::Bitmap => "BITMAP",
    }
}

fn parameters(root: &TypeRoot) -> Vec<(&'static str, Value)> {
    match root {
        TypeRoot::Char(n) | TypeRoot::VarChar(n) | TypeRoot::Binary(n) | TypeRoot::VarBinary(n) => {
            vec![("length", (*n).into())]
        }
        TypeRoot::Decimal(precision, scale) => vec![("precision", (*precision).into()), ("scale", (*scale).into())],
        TypeRoot::Time(precision) | TypeRoot::Timestamp(precision, _) | TypeRoot::TimestampLtz(precision, _) => {
            vec![("precision", (*precision).into())]
        }
        TypeRoot::IntervalYearMonth => {
            vec![("precision", INTERVAL_PRECISION.into()), ("resolution", "YEAR_TO_MONTH".into())]
        }
        TypeRoot::IntervalDayTime => vec![
            ("precision", INTERVAL_PRECISION.into()),
            ("fractionalPrecision", INTERVAL_PRECISION.into()),
            ("resolution", "DAY_TO_SECOND".into()),
        ],
        TypeRoot::Array(element) | TypeRoot::Multiset(element) => vec![("elementType", describe(element))],
        TypeRoot::Map(key, value) => vec![("keyType", describe(key)), ("valueType", describe(value))],
        TypeRoot::Row(fields) => vec![("fields", fields.iter().map(field).collect())],
        _ => vec![],
    }
}

fn field(field: &RowField) -> Value {
    let mut described = json!({ "name": field.name, "fieldType": describe(&field.ty) });
    if let Some(comment) = &field.comment {
        described["description"] = comment.as_str().into();
    }
    described
}
