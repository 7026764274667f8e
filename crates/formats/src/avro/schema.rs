//! The Avro schema of a table, as Flink derives it.
//!
//! | SQL | Avro |
//! |---|---|
//! | CHAR, VARCHAR, STRING | string |
//! | BOOLEAN | boolean |
//! | BINARY, VARBINARY, BYTES | bytes |
//! | DECIMAL(p, s) | bytes, decimal(p, s) |
//! | TINYINT, SMALLINT, INT | int |
//! | BIGINT, FLOAT, DOUBLE | long, float, double |
//! | DATE, TIME(p <= 3) | int, date; int, time-millis |
//! | TIMESTAMP(p), TIMESTAMP_LTZ(p) | long, timestamp-millis for p <= 3, timestamp-micros for p <= 6; or local ones |
//! | ARRAY, MAP and MULTISET with text keys, ROW | array, map, record |
//! | nullable | union of null and the type |

use super::AvroOptions;
use crate::json::quoted;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::fmt::Write;

/// Name of the record of a row; nested ones append the names of their fields.
const ROOT: &str = "org.apache.flink.avro.generated.record";

/// The schema of records with these fields, as JSON.
pub(super) fn record(columns: &[(String, LogicalType)], options: AvroOptions) -> Result<String> {
    let fields = columns.iter().map(|(name, ty)| (name.as_str(), ty));
    record_of(ROOT, fields, options)
}

fn record_of<'a>(
    name: &str,
    fields: impl Iterator<Item = (&'a str, &'a LogicalType)>,
    options: AvroOptions,
) -> Result<String> {
    let mut out = format!("{{\"type\":\"record\",\"name\":{},\"fields\":[", quoted(name));
    for (at, (field, ty)) in fields.enumerate() {
        check_name(field)?;
        let comma = if at > 0 { "," } else { "" };
        let default = if ty.nullable { ",\"default\":null" } else { "" };
        let schema =
            nullable(&format!("{name}_{field}"), ty, options).map_err(|e| e.context(format!("column '{field}'")))?;
        let _ = write!(out, "{comma}{{\"name\":{},\"type\":{schema}{default}}}", quoted(field));
    }
    out.push_str("]}");
    Ok(out)
}

/// Avro's names are those of programming languages.
fn check_name(name: &str) -> Result<()> {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if starts && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Ok(());
    }
    let message =
        format!("'{name}' cannot be the name of a field in Avro: rename the column to letters, digits and '_'");
    Err(Error::user("bad-schema", message))
}

fn nullable(name: &str, ty: &LogicalType, options: AvroOptions) -> Result<String> {
    let schema = bare(name, ty, options)?;
    Ok(if ty.nullable { format!("[\"null\",{schema}]") } else { schema })
}

fn logical(base: &str, logical: &str) -> String {
    format!("{{\"type\":\"{base}\",\"logicalType\":\"{logical}\"}}")
}

fn bare(name: &str, ty: &LogicalType, options: AvroOptions) -> Result<String> {
    Ok(match &ty.root {
        TypeRoot::Char(_) | TypeRoot::VarChar(_) => "\"string\"".into(),
        TypeRoot::Boolean => "\"boolean\"".into(),
        TypeRoot::Binary(_) | TypeRoot::VarBinary(_) => "\"bytes\"".into(),
        TypeRoot::Decimal(precision, scale) => {
            format!("{{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":{precision},\"scale\":{scale}}}")
        }
        TypeRoot::TinyInt | TypeRoot::SmallInt | TypeRoot::Int => "\"int\"".into(),
        TypeRoot::BigInt => "\"long\"".into(),
        TypeRoot::Float => "\"float\"".into(),
        TypeRoot::Double => "\"double\"".into(),
        TypeRoot::Date => logical("int", "date"),
        TypeRoot::Time(0..=3) => logical("int", "time-millis"),
        TypeRoot::Timestamp(precision, _) if options.is_legacy => logical("long", instant(*precision, ty)?),
        TypeRoot::Timestamp(precision, _) => logical("long", &format!("local-{}", instant(*precision, ty)?)),
        TypeRoot::TimestampLtz(precision, _) => logical("long", instant(*precision, ty)?),
        TypeRoot::Array(element) => {
            format!("{{\"type\":\"array\",\"items\":{}}}", nullable(name, element, options)?)
        }
        TypeRoot::Map(key, value) if key.is_character() => {
            format!("{{\"type\":\"map\",\"values\":{}}}", nullable(name, value, options)?)
        }
        TypeRoot::Multiset(element) if element.is_character() => "{\"type\":\"map\",\"values\":\"int\"}".into(),
        TypeRoot::Row(fields) => record_of(name, fields.iter().map(|f| (f.name.as_str(), &f.ty)), options)?,
        _ => return Err(no_schema(ty)),
    })
}

fn instant(precision: u8, ty: &LogicalType) -> Result<&'static str> {
    match precision {
        0..=3 => Ok("timestamp-millis"),
        4..=6 => Ok("timestamp-micros"),
        _ => Err(no_schema(ty)),
    }
}

fn no_schema(ty: &LogicalType) -> Error {
    let message = format!(
        "the type {ty} cannot be written as Avro; maps need text keys, TIME has at most 3 and TIMESTAMP at most 6 digits there"
    );
    Error::user("bad-schema", message)
}
