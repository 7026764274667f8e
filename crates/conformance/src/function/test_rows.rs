//! The rows that expressions refer to, written as Scala expressions beside the case file.

use super::java_type;
use crate::value::{date, decimal, time, timestamp};
use headwater_plan::Value;
use headwater_types::{LogicalType, RowField, TypeRoot};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::path::Path;

/// Name of the file beside the cases.
const FILE_NAME: &str = "scala-test-rows.json";

/// Rows by the name of the class they stand in.
pub(crate) struct TestRows {
    rows: BTreeMap<String, TestRow>,
}

/// One row: the fields that could be read.
pub(crate) struct TestRow {
    fields: BTreeMap<usize, (Value, LogicalType)>,
}

impl TestRows {
    /// The rows beside a case file, if there are any.
    pub(crate) fn beside(cases: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(cases.with_file_name(FILE_NAME)).ok()?;
        let json: Json = serde_json::from_str(&text).ok()?;
        let rows = json.as_object()?.iter().map(|(class, row)| (class.clone(), TestRow::parse(row)));
        Some(Self { rows: rows.collect() })
    }

    /// The row of a test class: its own, or that of the base class it is derived from.
    pub(crate) fn of(&self, source: &str) -> Option<&TestRow> {
        let stem = source.trim_end_matches("Test").trim_end_matches("Validation");
        let base = match stem {
            "ScalarFunctions" => "ScalarTypesTestBase".to_string(),
            "CompositeAccess" => "CompositeTypeTestBase".to_string(),
            other => format!("{other}TestBase"),
        };
        self.rows.get(source).or_else(|| self.rows.get(&base))
    }
}

impl TestRow {
    fn parse(json: &Json) -> Self {
        let empty = Map::new();
        let part = |key: &str| json.get(key).and_then(Json::as_object).unwrap_or(&empty);
        let (values, types) = (part("values"), part("types"));
        let field = |(index, value): (&String, &Json)| {
            let value = value.as_str()?.trim();
            let ty = match value.ends_with(": Short") {
                true => TypeRoot::SmallInt.into(),
                false => widened(declared_type(types.get(index)?.as_str()?)?, value),
            };
            Some((index.parse().ok()?, (literal(value, &ty)?, ty)))
        };
        Self { fields: values.iter().filter_map(field).collect() }
    }

    /// The value and type of a field.
    pub(crate) fn field(&self, index: usize) -> Option<(Value, LogicalType)> {
        self.fields.get(&index).cloned()
    }
}

/// A type, possibly cut off before its last closing parentheses.
fn declared_type(text: &str) -> Option<LogicalType> {
    if let Some(name) = text.strip_prefix("Types.") {
        return legacy_type(name);
    }
    match text {
        "TimeIntervalTypeInfo.INTERVAL_MILLIS" => return Some(TypeRoot::IntervalDayTime.into()),
        "TimeIntervalTypeInfo.INTERVAL_MONTHS" => return Some(TypeRoot::IntervalYearMonth.into()),
        "PrimitiveArrayTypeInfo.BYTE_PRIMITIVE_ARRAY_TYPE_INFO" => return java_type::parse("BYTES()"),
        "PrimitiveArrayTypeInfo.INT_PRIMITIVE_ARRAY_TYPE_INFO" => return java_type::parse("ARRAY(INT().notNull())"),
        "PrimitiveArrayTypeInfo.DOUBLE_PRIMITIVE_ARRAY_TYPE_INFO" => {
            return java_type::parse("ARRAY(DOUBLE().notNull())");
        }
        "ObjectArrayTypeInfo.getInfoFor(Types.INT)" | "BasicArrayTypeInfo.INT_ARRAY_TYPE_INFO" => {
            return java_type::parse("ARRAY(INT())");
        }
        "ObjectArrayTypeInfo.getInfoFor(Types.LOCAL_DATE)" => return java_type::parse("ARRAY(DATE())"),
        _ => {}
    }
    if let Some(element) = text.strip_prefix("ObjectArrayTypeInfo.getInfoFor(") {
        return declared_type(element.strip_suffix(')')?).map(|ty| TypeRoot::Array(Box::new(ty)).into());
    }
    if let Some(entry) = text.strip_prefix("new MapTypeInfo(") {
        let (key, value) = entry.strip_suffix(')')?.split_once(", ")?;
        let (key, value) = (Box::new(declared_type(key)?), Box::new(declared_type(value)?));
        return Some(TypeRoot::Map(key, value).into());
    }
    if let Some(name) = text.strip_prefix("BasicTypeInfo.").and_then(|rest| rest.strip_suffix("_TYPE_INFO")) {
        return legacy_type(name);
    }
    if let Some(unit) = text.strip_prefix("DataTypes.INTERVAL(DataTypes.").filter(|rest| !rest.contains('(')) {
        return java_type::parse(&format!("INTERVAL({unit}())"));
    }
    if let Some(args) = text.strip_prefix("DecimalDataTypeInfo.of(") {
        return java_type::parse(&format!("DECIMAL({}", closed(args)));
    }
    java_type::parse(&closed(text).replace(", ", ","))
}

/// The text with the parentheses closed that are still open.
fn closed(text: &str) -> String {
    let open = text.matches('(').count() + usize::from(!text.contains('(') && !text.contains("Types"));
    let missing = open.saturating_sub(text.matches(')').count());
    format!("{text}{}", ")".repeat(missing))
}

/// A ROW type that was cut off after its first fields, with fields like the last one for the rest of the value.
fn widened(ty: LogicalType, value: &str) -> LogicalType {
    let (TypeRoot::Row(fields), Some(items)) = (&ty.root, row_items(value)) else { return ty };
    let mut fields = fields.clone();
    while let (true, Some(last)) = (fields.len() < items.len(), fields.last()) {
        let next = RowField::new(format!("f{}", fields.len()), last.ty.clone());
        fields.push(next);
    }
    LogicalType::new(TypeRoot::Row(fields), ty.nullable)
}

/// The fields of `Row.of(..)`.
fn row_items(text: &str) -> Option<Vec<&str>> {
    Some(items_of(text.strip_prefix("Row.of(")?.strip_suffix(')')?))
}

fn row(text: &str, fields: &[RowField]) -> Option<Value> {
    let items = row_items(text).filter(|items| items.len() == fields.len())?;
    items.into_iter().zip(fields).map(|(item, field)| literal(item, &field.ty)).collect::<Option<_>>().map(Value::Row)
}

fn legacy_type(name: &str) -> Option<LogicalType> {
    let sql = match name {
        "STRING" => "STRING()",
        "BOOLEAN" => "BOOLEAN()",
        "BYTE" => "TINYINT()",
        "SHORT" => "SMALLINT()",
        "INT" => "INT()",
        "LONG" => "BIGINT()",
        "FLOAT" => "FLOAT()",
        "DOUBLE" => "DOUBLE()",
        "LOCAL_DATE" => "DATE()",
        "LOCAL_TIME" => "TIME(0)",
        "LOCAL_DATE_TIME" => "TIMESTAMP(3)",
        "PRIMITIVE_ARRAY(Types.BYTE)" | "PRIMITIVE_ARRAY(Types.BYTE))" => "BYTES()",
        "PRIMITIVE_ARRAY(Types.DOUBLE)" => "ARRAY(DOUBLE().notNull())",
        "PRIMITIVE_ARRAY(Types.INT)" => "ARRAY(INT().notNull())",
        _ => return None,
    };
    java_type::parse(sql)
}

/// The value of a Scala expression; `None` when it is not understood.
fn literal(text: &str, ty: &LogicalType) -> Option<Value> {
    if text == "null" {
        return Some(Value::Null);
    }
    match &ty.root {
        TypeRoot::Char(_) | TypeRoot::VarChar(_) => string(text).map(|s| Value::String(s.to_string())),
        TypeRoot::Boolean => text.parse().ok().map(Value::Boolean),
        TypeRoot::Binary(_) | TypeRoot::VarBinary(_) => bytes(text),
        TypeRoot::Decimal(precision, scale) => decimal_literal(text, *precision, *scale),
        TypeRoot::TinyInt | TypeRoot::SmallInt | TypeRoot::Int | TypeRoot::BigInt => {
            number(text)?.parse().ok().map(Value::Int)
        }
        TypeRoot::Float | TypeRoot::Double => number(text)?.parse().ok().map(Value::Float),
        TypeRoot::Date => date(argument(text, "localDate(")?).map(Value::Int),
        TypeRoot::Time(_) => {
            time(argument(text.trim_start_matches("DateTimeTestUtil."), "localTime(")?).map(Value::Int)
        }
        TypeRoot::Timestamp(p, _) if !text.contains(").") => {
            timestamp(argument(text, "localDateTime(")?, *p).map(Value::Int)
        }
        TypeRoot::TimestampLtz(p, _) => instant(text, *p),
        TypeRoot::IntervalDayTime => interval(text),
        TypeRoot::IntervalYearMonth => number(text)?.parse().ok().map(Value::Int),
        TypeRoot::Array(element) => array(text, element),
        TypeRoot::Map(key, value) => map(text, key, value),
        TypeRoot::Row(fields) => row(text, fields),
        TypeRoot::Multiset(element) => map(text, element, &TypeRoot::Int.into()),
        _ => None,
    }
}

/// The text of a string literal without escapes.
fn string(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.contains(['"', '\\'])).then_some(inner)
}

/// `name("argument")` and what follows.
fn argument<'a>(text: &'a str, call: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(call)?.strip_prefix('"')?;
    rest.split('"').next()
}

/// The digits of `42`, `42L`, `1.0f`, `-4.5.toFloat`, `1: Byte`, `new Integer(124).byteValue()`.
fn number(text: &str) -> Option<&str> {
    let text = text.strip_prefix("new Integer(").map_or(text, |rest| rest.split(')').next().unwrap_or(rest));
    let text = text.split(':').next()?.trim();
    let text = text.split(".to").next()?;
    let text = text.trim_end_matches(['L', 'f', 'd']);
    text.parse::<f64>().is_ok().then_some(text)
}

/// NULL when the type does not hold the value.
fn decimal_literal(text: &str, precision: u8, scale: u8) -> Option<Value> {
    let digits = argument(text, "BigDecimal(").or_else(|| argument(text, "DecimalDataUtils.castFrom("))?;
    if text.contains("subtract") {
        return None;
    }
    let value = match digits.split_once(['e', 'E']) {
        None => decimal(digits, scale),
        Some((mantissa, exponent)) => decimal(&plain(mantissa, exponent.parse().ok()?)?, scale),
    }?;
    match value {
        Value::Decimal(unscaled) if !headwater_functions::decimal::fits(unscaled, precision) => Some(Value::Null),
        value => Some(value),
    }
}

/// A whole mantissa times a power of ten in plain notation.
fn plain(mantissa: &str, exponent: i32) -> Option<String> {
    let whole: i128 = mantissa.parse().ok()?;
    match usize::try_from(exponent) {
        Ok(zeros) => Some(format!("{whole}{}", "0".repeat(zeros))),
        Err(_) => {
            let places = exponent.unsigned_abs() as usize;
            Some(format!("0.{whole:0places$}"))
        }
    }
}

fn instant(text: &str, precision: u8) -> Option<Value> {
    if let Some(rest) = text.strip_prefix("Instant.ofEpochMilli(") {
        let millis: i64 = rest.trim_end_matches(')').trim_end_matches('L').parse().ok()?;
        let factor = match precision {
            0..=3 => 1,
            4..=6 => 1_000,
            _ => 1_000_000,
        };
        return Some(Value::Int(millis * factor));
    }
    timestamp(argument(text, "localDateTime(")?, precision).map(Value::Int)
}

fn interval(text: &str) -> Option<Value> {
    if let Some(days) = text.strip_prefix("Duration.ofDays(") {
        return days.trim_end_matches(')').parse::<i64>().ok().map(|days| Value::Int(days * 86_400_000));
    }
    number(text)?.parse().ok().map(Value::Int)
}

fn bytes(text: &str) -> Option<Value> {
    if let Some((literal, _)) = text.split_once(".getBytes") {
        return string(literal).map(|s| Value::Bytes(s.as_bytes().to_vec()));
    }
    let items = text.strip_prefix("Array[Byte](")?.strip_suffix(')')?;
    items
        .split(',')
        .map(|item| item.trim().parse::<i8>().ok().map(|b| b as u8))
        .collect::<Option<_>>()
        .map(Value::Bytes)
}

fn array(text: &str, element: &LogicalType) -> Option<Value> {
    let items = text.strip_prefix("Array[Integer](").or_else(|| text.strip_prefix("Array("))?.strip_suffix(')')?;
    items_of(items).into_iter().map(|item| literal(item, element)).collect::<Option<_>>().map(Value::List)
}

/// `Map(key -> value, ..)`, `ImmutableMap.of(key, value, ..)` and `new JHashMap[..]()`.
fn map(text: &str, key: &LogicalType, value: &LogicalType) -> Option<Value> {
    if text.starts_with("new JHashMap[") && text.ends_with("]()") {
        return Some(Value::Map(vec![]));
    }
    let entry = |(k, v): (&str, &str)| Some((literal(k, key)?, literal(v, value)?));
    if let Some(items) = text.strip_prefix("ImmutableMap.of(") {
        let items = items_of(items.strip_suffix(')')?);
        return items.chunks(2).map(|pair| entry((pair[0], pair.get(1)?))).collect::<Option<_>>().map(Value::Map);
    }
    let items = text.trim_end_matches(".asJava").strip_prefix("Map(")?.strip_suffix(')')?;
    let pairs = items_of(items).into_iter().map(|item| item.split_once(" -> ").and_then(entry));
    pairs.collect::<Option<_>>().map(Value::Map)
}

/// The items of a list, split at the commas outside of parentheses.
fn items_of(list: &str) -> Vec<&str> {
    let (mut items, mut start, mut depth) = (vec![], 0, 0);
    for (at, c) in list.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                items.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(list[start..].trim());
    items.retain(|item| !item.is_empty());
    items
}
