//! Function groups: fields of one row and expressions over them, each with its value and type or an error.

use super::evaluate::{Evaluated, InputRow, absent_field, referenced_fields};
use super::java_type;
use crate::outcome::{Status, Stop};
use crate::text;
use crate::value::value;
use headwater_embedded::Engine;
use headwater_formats::text::java;
use headwater_plan::Value;
use headwater_types::{LogicalType, TimeAttribute, TypeRoot};
use serde_json::Value as Json;

/// A group as written.
pub(crate) struct FunctionGroup {
    id: String,
    fields: Vec<Json>,
    types: Vec<Json>,
    pub(crate) cases: Vec<FunctionCase>,
}

/// One expression (or several, when `expected` is a list of as many) with its end.
pub(crate) struct FunctionCase {
    sql: Vec<String>,
    expected: Option<Json>,
    ty: Option<Json>,
    /// The message of the error that must come; not compared.
    error: Option<Json>,
}

impl FunctionGroup {
    /// Reads a group.
    pub(crate) fn parse(json: &Json) -> Result<Self, String> {
        let list = |key: &str| json.get(key).and_then(Json::as_array).cloned().unwrap_or_default();
        let text = |key: &str| json.get(key).and_then(Json::as_str);
        let id = match (text("class"), text("function"), text("id")) {
            (_, _, Some(id)) => id.to_string(),
            (Some(class), function, _) => format!("{class}.{}", function.unwrap_or("")),
            _ => return Err("a function group needs an 'id', or 'class' and 'function'".to_string()),
        };
        let cases = list("cases").iter().map(case).collect::<Result<_, _>>()?;
        Ok(Self { id, fields: list("fields"), types: list("types"), cases })
    }

    /// The id of a case: that of the group and the number of the case, from 1.
    pub(crate) fn case_id(&self, index: usize) -> String {
        format!("{}#{}", self.id, index + 1)
    }

    /// Runs a case.
    pub(crate) fn run(&self, engine: &mut Engine, index: usize) -> Result<(), Stop> {
        let case = &self.cases[index];
        let expressions = case.sql.join(", ");
        if let Some(name) = java_function(&expressions) {
            return Err(Stop::skipped(format!("the case calls {name}, a function of its test class")));
        }
        let row = InputRow::declare(engine, self.input(&expressions)?)?;
        let evaluated = row.select(engine, &expressions);
        if case.error.is_some() {
            return match evaluated {
                Ok(_) => Err(Stop::failed(format!("{expressions} should have failed"))),
                Err(stop) if stop.status == Status::Failed => Ok(()),
                Err(stop) => Err(stop),
            };
        }
        let evaluated = evaluated.map_err(|stop| Stop { reason: format!("{expressions}: {}", stop.reason), ..stop })?;
        case.check(&evaluated)
    }

    /// The fields up to the last one that the expressions use. Others stay out: they may hold what could not be
    /// written down.
    fn input(&self, expressions: &str) -> Result<Vec<(Value, LogicalType)>, Stop> {
        let used = referenced_fields(expressions);
        let count = used.iter().max().map_or(0, |last| last + 1);
        let field = |i: usize| if used.contains(&i) { self.field(i) } else { Ok(absent_field()) };
        (0..count).map(field).collect()
    }

    /// A field with its declared type, or the type Java gives its value when none is declared.
    fn field(&self, index: usize) -> Result<(Value, LogicalType), Stop> {
        let json = self.fields.get(index);
        let json = json.ok_or_else(|| Stop::skipped(format!("the field f{index} could not be written down")))?;
        let ty = match self.types.get(index) {
            Some(ty) => declared_type(ty)?,
            None => inferred_type(json)?,
        };
        Ok((value(json, &ty)?, ty))
    }
}

/// The type of a Java object.
fn inferred_type(json: &Json) -> Result<LogicalType, Stop> {
    let root = match json {
        Json::Bool(_) => TypeRoot::Boolean,
        Json::String(_) => LogicalType::string().root,
        Json::Number(number) if number.is_i64() => TypeRoot::Int,
        Json::Number(_) => TypeRoot::Double,
        _ => return Err(Stop::skipped("the fields have no types")),
    };
    Ok(LogicalType::from(root).not_null())
}

/// A called name such as `RowToFirstField`: functions of SQL are not written so.
fn java_function(sql: &str) -> Option<&str> {
    let tokens = headwater_sql_parser::tokens(sql);
    let called = tokens.windows(2).filter(|pair| pair[1].span.text(sql) == "(").map(|pair| pair[0].span.text(sql));
    let is_java = |name: &&str| {
        let mixed =
            name.contains(|c: char| c.is_ascii_lowercase()) && name.starts_with(|c: char| c.is_ascii_uppercase());
        mixed && name.chars().all(|c| c.is_ascii_alphanumeric()) && headwater_functions::lookup(name).is_none()
    };
    called.into_iter().find(is_java)
}

fn case(json: &Json) -> Result<FunctionCase, String> {
    let sql = match json.get("sql") {
        Some(Json::String(sql)) => vec![sql.clone()],
        Some(Json::Array(all)) => all.iter().filter_map(Json::as_str).map(str::to_string).collect(),
        _ => return Err("a function case needs 'sql'".to_string()),
    };
    let get = |key: &str| json.get(key).cloned();
    Ok(FunctionCase { sql, expected: get("expected"), ty: get("type"), error: get("error") })
}

impl FunctionCase {
    fn check(&self, evaluated: &Evaluated) -> Result<(), Stop> {
        let several = evaluated.types.len() > 1;
        let pick = |json: &Option<Json>, i: usize| match json {
            Some(Json::Array(items)) if several => items.get(i).cloned(),
            other => other.clone(),
        };
        for (i, actual) in evaluated.types.iter().enumerate() {
            let expected = pick(&self.expected, i).unwrap_or(Json::Null);
            let ty = pick(&self.ty, i);
            self.check_column(evaluated, i, actual, &expected, ty.as_ref())?;
        }
        Ok(())
    }

    fn check_column(
        &self,
        evaluated: &Evaluated,
        column: usize,
        actual_type: &LogicalType,
        expected: &Json,
        expected_type: Option<&Json>,
    ) -> Result<(), Stop> {
        let sql = self.sql.get(column).map_or("", String::as_str);
        let ty = match expected_type {
            Some(json) if !json.is_null() => declared_type(json)?,
            _ => actual_type.clone(),
        };
        let expected = text::value(&ty, &value(expected, &ty)?)?;
        let mut out = vec![];
        java::value(&mut out, evaluated.batch.rows().column(column).as_ref(), 0);
        let actual = String::from_utf8_lossy(&out);
        if expected != actual {
            return Err(Stop::failed(format!("{sql} is {actual}, expected {expected}")));
        }
        if comparable(&ty) != comparable(actual_type) {
            return Err(Stop::failed(format!("{sql} has the type {actual_type}, expected {ty}")));
        }
        Ok(())
    }
}

/// A type as text for comparison. Rows of a query are converted for the client, so CHAR and VARCHAR of
/// different lengths are the same value there; only what decides the value is compared.
fn comparable(ty: &LogicalType) -> String {
    let ty = ty.clone().with_time_attribute(TimeAttribute::None);
    match ty.root {
        TypeRoot::Null => "NULL".to_string(),
        _ => ty.to_string(),
    }
}

fn declared_type(json: &Json) -> Result<LogicalType, Stop> {
    let text = json.get("$java").and_then(Json::as_str).or(json.as_str());
    let text = text.ok_or_else(|| Stop::skipped("a type could not be written down"))?;
    java_type::parse(text).ok_or_else(|| Stop::skipped(format!("the type {text} could not be written down")))
}
