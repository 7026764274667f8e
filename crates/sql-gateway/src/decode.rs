//! What a gateway answered, read back: for clients that show results as the engine's own.

use arrow::array::{RecordBatch, RecordBatchOptions};
use headwater_data::ChangeBatch;
use headwater_data::arrow_types::arrow_schema;
use headwater_formats::RowDecoder;
use headwater_formats::json::{DecodeOptions, JsonDecoder};
use headwater_formats::text::temporal::TimestampStandard;
use headwater_types::{Error, LogicalType, Result, RowField, RowKind, TimeAttribute, TypeRoot};
use serde_json::{Map, Value};

/// How deep types may nest.
const NESTING_MAX: usize = 64;

/// The columns that `results` of an answer describe.
///
/// # Errors
/// When a type is none.
pub fn columns(results: &Value) -> Result<Vec<(String, LogicalType)>> {
    let described = results["columns"].as_array().map_or(&[][..], Vec::as_slice);
    let column = |column: &Value| Ok((text(column, "name")?.to_owned(), logical_type(&column["logicalType"], 0)?));
    described.iter().map(column).collect()
}

/// The rows of `results` in the format `JSON`. TIMESTAMP_LTZ is what the session's clock showed, taken for UTC.
///
/// # Errors
/// When a row does not fit the columns.
pub fn batch(columns: &[(String, LogicalType)], results: &Value) -> Result<ChangeBatch> {
    let names: Vec<String> = (0..columns.len()).map(|at| at.to_string()).collect();
    let fields = names.iter().map(String::as_str).zip(columns.iter().map(|(_, ty)| ty));
    let options = DecodeOptions { timestamp_standard: TimestampStandard::Iso8601, ..DecodeOptions::default() };
    let mut decoder = JsonDecoder::new(fields, options);
    let mut kinds = vec![];
    for row in results["data"].as_array().map_or(&[][..], Vec::as_slice) {
        kinds.push(kind(text(row, "kind")?)?);
        let values = row["fields"].as_array().map_or(&[][..], Vec::as_slice);
        let object: Map<String, Value> = names.iter().cloned().zip(values.iter().cloned()).collect();
        let message = Value::Object(object).to_string();
        decoder.decode_message(message.as_bytes(), &mut |bad| Err(unreadable(&bad.reason)))?;
    }
    let decoded = decoder.finish()?;
    let schema = arrow_schema(columns.iter().map(|(name, ty)| (name.as_str(), ty)));
    let options = RecordBatchOptions::new().with_row_count(Some(kinds.len()));
    let rows = RecordBatch::try_new_with_options(schema, decoded.arrays, &options)
        .map_err(|error| unreadable(&error.to_string()))?;
    Ok(ChangeBatch::from_kinds(rows, kinds))
}

fn logical_type(described: &Value, depth: usize) -> Result<LogicalType> {
    if depth > NESTING_MAX {
        return Err(unreadable(&format!("types nest deeper than {NESTING_MAX} levels")));
    }
    let nullable = described["nullable"].as_bool().unwrap_or(true);
    Ok(LogicalType::new(root(described, depth)?, nullable))
}

fn root(described: &Value, depth: usize) -> Result<TypeRoot> {
    let nested = |key: &str| logical_type(&described[key], depth + 1).map(Box::new);
    Ok(match text(described, "type")? {
        "CHAR" => TypeRoot::Char(number(described, "length")?),
        "VARCHAR" => TypeRoot::VarChar(number(described, "length")?),
        "BOOLEAN" => TypeRoot::Boolean,
        "BINARY" => TypeRoot::Binary(number(described, "length")?),
        "VARBINARY" => TypeRoot::VarBinary(number(described, "length")?),
        "DECIMAL" => TypeRoot::Decimal(number(described, "precision")?, number(described, "scale")?),
        "TINYINT" => TypeRoot::TinyInt,
        "SMALLINT" => TypeRoot::SmallInt,
        "INTEGER" => TypeRoot::Int,
        "BIGINT" => TypeRoot::BigInt,
        "FLOAT" => TypeRoot::Float,
        "DOUBLE" => TypeRoot::Double,
        "DATE" => TypeRoot::Date,
        "TIME_WITHOUT_TIME_ZONE" => TypeRoot::Time(number(described, "precision")?),
        "TIMESTAMP_WITHOUT_TIME_ZONE" => TypeRoot::Timestamp(number(described, "precision")?, TimeAttribute::None),
        "TIMESTAMP_WITH_LOCAL_TIME_ZONE" => {
            TypeRoot::TimestampLtz(number(described, "precision")?, TimeAttribute::None)
        }
        "INTERVAL_YEAR_MONTH" => TypeRoot::IntervalYearMonth,
        "INTERVAL_DAY_TIME" => TypeRoot::IntervalDayTime,
        "ARRAY" => TypeRoot::Array(nested("elementType")?),
        "MULTISET" => TypeRoot::Multiset(nested("elementType")?),
        "MAP" => TypeRoot::Map(nested("keyType")?, nested("valueType")?),
        "ROW" => TypeRoot::Row(fields(described, depth)?),
        "NULL" => TypeRoot::Null,
        "VARIANT" => TypeRoot::Variant,
        "BITMAP" => TypeRoot::Bitmap,
        other => return Err(unreadable(&format!("the type {other} is unknown"))),
    })
}

fn fields(described: &Value, depth: usize) -> Result<Vec<RowField>> {
    let fields = described["fields"].as_array().map_or(&[][..], Vec::as_slice);
    let field = |field: &Value| {
        let ty = logical_type(&field["fieldType"], depth + 1)?;
        Ok(RowField {
            comment: field["description"].as_str().map(str::to_owned),
            ..RowField::new(text(field, "name")?, ty)
        })
    };
    fields.iter().map(field).collect()
}

fn kind(name: &str) -> Result<RowKind> {
    Ok(match name {
        "INSERT" => RowKind::Insert,
        "UPDATE_BEFORE" => RowKind::UpdateBefore,
        "UPDATE_AFTER" => RowKind::UpdateAfter,
        "DELETE" => RowKind::Delete,
        other => return Err(unreadable(&format!("the row kind {other} is unknown"))),
    })
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value[key].as_str().ok_or_else(|| unreadable(&format!("'{key}' is missing")))
}

fn number<T: TryFrom<u64>>(value: &Value, key: &str) -> Result<T> {
    let number = value[key].as_u64().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| unreadable(&format!("'{key}' is no such number")))
}

fn unreadable(why: &str) -> Error {
    Error::user("unreadable-answer", format!("the gateway's answer cannot be read: {why}"))
}
