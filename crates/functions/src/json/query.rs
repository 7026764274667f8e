//! `JSON_EXISTS`, `JSON_VALUE`, `JSON_QUERY`.

use super::parse::parse;
use super::path::{Mode, Path};
use super::value::Json;
use crate::kernel::{Call, Column, kernel};
use crate::{Bound, BuildContext, Function, Kernel, Operand};
use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array, Int32Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::borrow::Cow;
use std::sync::Arc;

/// `JSON_EXISTS(json, path[, on_error])`.
pub(super) const JSON_EXISTS: Function = Function::new(
    "JSON_EXISTS",
    "JSON_EXISTS(jsonValue <CHARACTER_STRING>, path <CHARACTER_STRING> [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR])",
    |call| {
        let types = call.all_strings(2..=3)?;
        call.returns_nullable(types, TypeRoot::Boolean)
    },
    build_exists,
);

/// `JSON_VALUE(json, path[, returning, on_empty, default, on_error, default])`.
pub(super) const JSON_VALUE: Function = Function::new(
    "JSON_VALUE",
    "JSON_VALUE(jsonValue <CHARACTER_STRING>, path <CHARACTER_STRING> [RETURNING {STRING | BOOLEAN | INTEGER | DOUBLE}] \
     [{NULL | ERROR | DEFAULT expr} ON EMPTY] [{NULL | ERROR | DEFAULT expr} ON ERROR])",
    bind_value,
    build_value,
);

/// `JSON_QUERY(json, path[, returning, wrapper, on_empty, on_error])`.
pub(super) const JSON_QUERY: Function = Function::new(
    "JSON_QUERY",
    "JSON_QUERY(jsonValue <CHARACTER_STRING>, path <CHARACTER_STRING> [RETURNING {STRING | ARRAY<STRING>}] \
     [{WITHOUT | WITH CONDITIONAL | WITH UNCONDITIONAL} WRAPPER] [{NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR} ON EMPTY] \
     [{NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR} ON ERROR])",
    bind_query,
    build_query,
);

/// The paths of a call: parsed once when literal.
struct Paths(Option<Result<Path, String>>);

impl Paths {
    fn of(ctx: &BuildContext<'_>) -> Self {
        Self(ctx.text(1).map(Path::parse))
    }

    fn get(&self, text: &str) -> Cow<'_, Result<Path, String>> {
        match &self.0 {
            Some(path) => Cow::Borrowed(path),
            None => Cow::Owned(Path::parse(text)),
        }
    }
}

/// What a path found.
enum Found {
    /// Nothing, or a JSON null.
    Empty,
    /// Something that cannot be used, and why.
    Failed(String),
}

/// Looks a path up in a text and hands what it finds to `take`.
fn look_up<T>(
    text: &str,
    path: &Result<Path, String>,
    take: impl FnOnce(&Json<'_>, Mode) -> Result<T, Found>,
) -> Result<T, Found> {
    let path = path.as_ref().map_err(|error| Found::Failed(error.clone()))?;
    let root = match (parse(text), path.mode) {
        (Ok(root), _) => root,
        (Err(_), Mode::Lax) => return Err(Found::Empty),
        (Err(error), Mode::Strict) => return Err(Found::Failed(error.to_string())),
    };
    match path.select(&root).map_err(Found::Failed)?.as_deref() {
        None | Some(Json::Null) => Err(Found::Empty),
        Some(value) => take(value, path.mode),
    }
}

fn runtime_error(message: impl Into<String>) -> Error {
    Error::user("json-error", message)
}

/// The literal text at `index`, or the default for a call without clauses.
fn clause<'a>(ctx: &'a BuildContext<'_>, index: usize, default: &'a str) -> Result<&'a str> {
    if index >= ctx.arg_types.len() {
        return Ok(default);
    }
    ctx.text(index).ok_or_else(|| Error::internal(format!("argument {index} of a JSON function must be a literal")))
}

fn unknown(clause: &str) -> Error {
    Error::internal(format!("unknown behaviour '{clause}' of a JSON function"))
}

fn build_exists(ctx: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let paths = Paths::of(ctx);
    let on_error = match clause(ctx, 2, "FALSE")? {
        "TRUE" => Some(Some(true)),
        "FALSE" => Some(Some(false)),
        "UNKNOWN" => Some(None),
        "ERROR" => None,
        other => return Err(unknown(other)),
    };
    kernel(move |args, rows| exists(args, rows, &paths, on_error))
}

/// `on_error` is the answer in case of an error; without one the error is raised.
fn exists(args: &[Operand], rows: usize, paths: &Paths, on_error: Option<Option<bool>>) -> Result<ArrayRef> {
    let (json, path) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let answers = (0..rows).map(|row| {
        let Some((json, path)) = json.get(row).zip(path.get(row)) else { return Ok(None) };
        match (look_up(json, &paths.get(path), |_, _| Ok(())), on_error) {
            (Ok(()), _) => Ok(Some(true)),
            (Err(Found::Empty), _) => Ok(Some(false)),
            (Err(Found::Failed(_)), Some(answer)) => Ok(answer),
            (Err(Found::Failed(error)), None) => Err(runtime_error(error)),
        }
    });
    Ok(Arc::new(answers.collect::<Result<BooleanArray>>()?))
}

/// The RETURNING type, STRING when there is none.
fn returning(call: &Call<'_>) -> LogicalType {
    match call.args.get(2).map(|arg| &arg.ty.root) {
        None | Some(TypeRoot::Null) => LogicalType::string(),
        Some(root) => root.clone().into(),
    }
}

fn bind_value(call: &Call<'_>) -> Result<Bound> {
    let mut types = vec![call.string(0)?, call.string(1)?];
    let returning = returning(call);
    match call.len() {
        2 => {}
        7 => {
            let clause = || LogicalType::string();
            types.extend([returning.clone(), clause(), returning.clone(), clause(), returning.clone()]);
        }
        _ => return Err(call.error()),
    }
    let supported =
        returning.is_character() || matches!(returning.root, TypeRoot::Boolean | TypeRoot::Int | TypeRoot::Double);
    if !supported {
        return Err(call.error_because(&format!("Unsupported type '{returning}' for RETURNING in JSON_VALUE()")));
    }
    call.returns_nullable(types, returning.root)
}

/// What `JSON_VALUE` answers without a value.
#[derive(Clone, Copy)]
enum Fallback {
    Null,
    Error,
    Default,
}

impl Fallback {
    fn named(name: &str) -> Result<Self> {
        match name {
            "NULL" => Ok(Self::Null),
            "ERROR" => Ok(Self::Error),
            "DEFAULT" => Ok(Self::Default),
            other => Err(unknown(other)),
        }
    }
}

struct ValueCall {
    paths: Paths,
    on_empty: Fallback,
    on_error: Fallback,
}

/// Positions of the default values.
const DEFAULT_ON_EMPTY: usize = 4;
const DEFAULT_ON_ERROR: usize = 6;

fn build_value(ctx: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let call = ValueCall {
        paths: Paths::of(ctx),
        on_empty: Fallback::named(clause(ctx, 3, "NULL")?)?,
        on_error: Fallback::named(clause(ctx, 5, "NULL")?)?,
    };
    match ctx.return_type.root {
        TypeRoot::Boolean => kernel(move |args, rows| {
            let boolean = |json: &Json<'_>| match json {
                Json::Boolean(value) => Some(*value),
                _ => None,
            };
            let values = call.values(args, rows, boolean, |array: &BooleanArray, at| array.value(at))?;
            Ok(Arc::new(BooleanArray::from(values)))
        }),
        TypeRoot::Int => kernel(move |args, rows| {
            let values = call.values(args, rows, integer, |array: &Int32Array, at| array.value(at))?;
            Ok(Arc::new(Int32Array::from(values)))
        }),
        TypeRoot::Double => kernel(move |args, rows| {
            let double = |json: &Json<'_>| number(json).and_then(|number| number.parse().ok());
            let values = call.values(args, rows, double, |array: &Float64Array, at| array.value(at))?;
            Ok(Arc::new(Float64Array::from(values)))
        }),
        _ => kernel(move |args, rows| {
            let text = |json: &Json<'_>| Some(json.to_text());
            let values = call.values(args, rows, text, |array: &StringArray, at| array.value(at).to_owned())?;
            Ok(Arc::new(StringArray::from(values)))
        }),
    }
}

fn number<'a>(json: &'a Json<'_>) -> Option<&'a str> {
    match json {
        Json::Number(number) => Some(number),
        _ => None,
    }
}

/// An INT; a fraction is cut off, a number out of range has no value.
fn integer(json: &Json<'_>) -> Option<i32> {
    let number = number(json)?;
    number.parse().ok().or_else(|| {
        let number = number.parse::<f64>().ok()?.trunc();
        (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number).then_some(number as i32)
    })
}

impl ValueCall {
    fn values<T, A: Array + 'static>(
        &self,
        args: &[Operand],
        rows: usize,
        convert: impl Fn(&Json<'_>) -> Option<T>,
        read: impl Fn(&A, usize) -> T,
    ) -> Result<Vec<Option<T>>> {
        let (json, path) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
        let default = |index: usize, row: usize| -> Result<Option<T>> {
            let Some(operand) = args.get(index) else { return Ok(None) };
            let (array, at) = (crate::kernel::downcast::<A>(operand.array().as_ref())?, operand.index(row));
            Ok(if array.is_null(at) { None } else { Some(read(array, at)) })
        };
        let value = |row: usize| {
            let Some((json, path)) = json.get(row).zip(path.get(row)) else { return Ok(None) };
            let found = look_up(json, &self.paths.get(path), |value, mode| scalar(value, mode, &convert));
            let (fallback, index, message) = match found {
                Ok(value) => return Ok(Some(value)),
                Err(Found::Empty) => {
                    let message = "Empty result of JSON_VALUE function is not allowed".to_owned();
                    (self.on_empty, DEFAULT_ON_EMPTY, message)
                }
                Err(Found::Failed(message)) => (self.on_error, DEFAULT_ON_ERROR, message),
            };
            match fallback {
                Fallback::Null => Ok(None),
                Fallback::Default => default(index, row),
                Fallback::Error => Err(runtime_error(message)),
            }
        };
        (0..rows).map(value).collect()
    }
}

fn scalar<T>(value: &Json<'_>, mode: Mode, convert: impl Fn(&Json<'_>) -> Option<T>) -> Result<T, Found> {
    if !value.is_scalar() {
        return Err(match mode {
            Mode::Lax => Found::Empty,
            Mode::Strict => {
                let value = value.to_json();
                Found::Failed(format!("Strict jsonpath mode requires scalar value, and the actual value is: '{value}'"))
            }
        });
    }
    convert(value).ok_or_else(|| Found::Failed(format!("'{}' is not a value of the RETURNING type", value.to_text())))
}

fn bind_query(call: &Call<'_>) -> Result<Bound> {
    let mut types = vec![call.string(0)?, call.string(1)?];
    let returning = returning(call);
    match call.len() {
        2 => {}
        6 => types.extend([returning.clone(), LogicalType::string(), LogicalType::string(), LogicalType::string()]),
        _ => return Err(call.error()),
    }
    if let TypeRoot::Array(element) = &returning.root {
        if !element.is_character() {
            let element = calcite_name(element);
            let reason = format!("Unsupported array element type '{element}' for RETURNING ARRAY in JSON_QUERY()");
            return Err(call.error_because(&reason));
        }
        for (index, event) in [(4, "empty"), (5, "error")] {
            if call.text(index) == Some("EMPTY OBJECT") {
                let ty = calcite_name(element);
                let reason = format!("Illegal on {event} behavior 'EMPTY OBJECT' for return type: {ty} ARRAY");
                return Err(call.error_because(&reason));
            }
        }
    } else if !returning.is_character() {
        return Err(call.error_because(&format!("Unsupported type '{returning}' for RETURNING in JSON_QUERY()")));
    }
    call.returns_nullable(types, returning.root)
}

/// The name of a type in the errors of Flink's SQL validator.
fn calcite_name(ty: &LogicalType) -> String {
    match ty.root {
        TypeRoot::Int => "INTEGER".to_owned(),
        TypeRoot::VarChar(length) => format!("VARCHAR({length})"),
        _ => ty.root.to_string(),
    }
}

/// What `JSON_QUERY` answers without a value.
#[derive(Clone, Copy)]
enum Substitute {
    Null,
    Error,
    EmptyArray,
    EmptyObject,
}

impl Substitute {
    fn named(name: &str) -> Result<Self> {
        match name {
            "NULL" => Ok(Self::Null),
            "ERROR" => Ok(Self::Error),
            "EMPTY ARRAY" => Ok(Self::EmptyArray),
            "EMPTY OBJECT" => Ok(Self::EmptyObject),
            other => Err(unknown(other)),
        }
    }

    fn value(self, message: impl FnOnce() -> String) -> Result<Option<Json<'static>>> {
        match self {
            Self::Null => Ok(None),
            Self::Error => Err(runtime_error(message())),
            Self::EmptyArray => Ok(Some(Json::Array(Vec::new()))),
            Self::EmptyObject => Ok(Some(Json::Object(Vec::new()))),
        }
    }
}

#[derive(Clone, Copy)]
enum Wrapper {
    Without,
    Conditional,
    Unconditional,
}

struct QueryCall {
    paths: Paths,
    wrapper: Wrapper,
    on_empty: Substitute,
    on_error: Substitute,
}

fn build_query(ctx: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let call = QueryCall {
        paths: Paths::of(ctx),
        wrapper: match clause(ctx, 3, "WITHOUT")? {
            "WITHOUT" => Wrapper::Without,
            "CONDITIONAL" => Wrapper::Conditional,
            "UNCONDITIONAL" => Wrapper::Unconditional,
            other => return Err(unknown(other)),
        },
        on_empty: Substitute::named(clause(ctx, 4, "NULL")?)?,
        on_error: Substitute::named(clause(ctx, 5, "NULL")?)?,
    };
    match ctx.return_type.root {
        TypeRoot::Array(_) => kernel(move |args, rows| query_array(args, rows, &call)),
        _ => kernel(move |args, rows| query_text(args, rows, &call)),
    }
}

impl QueryCall {
    /// The value of a row in JSON, converted by `take`.
    fn value<T>(&self, json: &str, path: &str, take: impl Fn(&Json<'_>) -> Result<T, Found>) -> Result<Option<T>> {
        let found = look_up(json, &self.paths.get(path), |value, mode| match self.wrapper {
            Wrapper::Conditional if matches!(value, Json::Array(_)) => take(value),
            Wrapper::Conditional | Wrapper::Unconditional => take(&Json::Array(vec![value.clone()])),
            Wrapper::Without if !value.is_scalar() => take(value),
            Wrapper::Without if mode == Mode::Lax => Err(Found::Empty),
            Wrapper::Without => Err(Found::Failed(format!(
                "Strict jsonpath mode requires array or object value, and the actual value is: ''{}''",
                value.to_text()
            ))),
        });
        let substitute = match found {
            Ok(value) => return Ok(Some(value)),
            Err(Found::Empty) => {
                self.on_empty.value(|| "Empty result of JSON_QUERY function is not allowed".to_owned())?
            }
            Err(Found::Failed(message)) => self.on_error.value(|| message)?,
        };
        let converted = substitute.map(|value| take(&value)).transpose();
        converted.map_err(|_| Error::internal("a substitute of JSON_QUERY does not suit its type"))
    }
}

fn query_text(args: &[Operand], rows: usize, call: &QueryCall) -> Result<ArrayRef> {
    let (json, path) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let texts = (0..rows).map(|row| match json.get(row).zip(path.get(row)) {
        Some((json, path)) => call.value(json, path, |value| Ok(value.to_json())),
        None => Ok(None),
    });
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}

fn query_array(args: &[Operand], rows: usize, call: &QueryCall) -> Result<ArrayRef> {
    let (json, path) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let mut out = ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, true));
    for row in 0..rows {
        let elements = match json.get(row).zip(path.get(row)) {
            Some((json, path)) => call.value(json, path, elements)?,
            None => None,
        };
        let valid = elements.is_some();
        elements.into_iter().flatten().for_each(|element| out.values().append_option(element));
        out.append(valid);
    }
    Ok(Arc::new(out.finish()))
}

/// The elements of an array as texts.
fn elements(value: &Json<'_>) -> Result<Vec<Option<String>>, Found> {
    let Json::Array(elements) = value else {
        return Err(Found::Failed(format!("'{}' is not an array", value.to_json())));
    };
    Ok(elements.iter().map(|e| if *e == Json::Null { None } else { Some(e.to_text()) }).collect())
}
