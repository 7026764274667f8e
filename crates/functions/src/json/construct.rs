//! `JSON_OBJECT`, `JSON_ARRAY`, `JSON_STRING`, `JSON`.

use super::parse::parse;
use super::value::{push_list, push_quoted};
use super::write::{JsonWriter, is_supported};
use crate::kernel::{Call, Column, kernel, text_bytes, texts, try_texts};
use crate::{Bound, BuildContext, Function, Kernel, Operand};
use arrow::array::{Array, ArrayRef, StringArray};
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// `JSON_OBJECT(on_null, key, value, …)`.
pub(super) const JSON_OBJECT: Function = Function::new(
    "JSON_OBJECT",
    "JSON_OBJECT([[KEY] key <CHARACTER_STRING> VALUE value]* [{NULL | ABSENT} ON NULL])",
    bind_object,
    build_object,
);

/// `JSON_ARRAY(on_null, value, …)`.
pub(super) const JSON_ARRAY: Function =
    Function::new("JSON_ARRAY", "JSON_ARRAY([value]* [{NULL | ABSENT} ON NULL])", bind_array, build_array);

/// `JSON_STRING(value)`.
pub(super) const JSON_STRING: Function = Function::new(
    "JSON_STRING",
    "JSON_STRING(value <ANY>)",
    |call| {
        call.arity(1..=1)?;
        call.returns(vec![value_type(call, 0)?], LogicalType::string().root)
    },
    |ctx| {
        let ty = ctx.arg_types[0].clone();
        kernel(move |args, rows| json_string(args, rows, &ty))
    },
);

/// `JSON(string)`: the text as a JSON value; NULL for blank text.
pub(super) const JSON: Function = Function::new(
    "JSON",
    "JSON(value <CHARACTER_STRING>)",
    |call| call.returns_nullable(call.all_strings(1..=1)?, TypeRoot::Variant),
    |_| kernel(json),
);

/// The text of a JSON constructor as the value it is.
pub(super) const AS_JSON: Function = Function::new(
    "AS JSON",
    "AS JSON(json <CHARACTER_STRING>)",
    |call| call.returns(call.all_strings(1..=1)?, TypeRoot::Variant),
    |_| kernel(|args, _| Ok(args[0].array().clone())),
);

fn value_type(call: &Call<'_>, index: usize) -> Result<LogicalType> {
    call.matching(index, LogicalType::string().root, is_supported)
}

fn check_on_null(call: &Call<'_>) -> Result<()> {
    match call.args.first().and_then(|_| call.text(0)) {
        Some("NULL" | "ABSENT") => Ok(()),
        _ => Err(call.error()),
    }
}

fn bind_object(call: &Call<'_>) -> Result<Bound> {
    check_on_null(call)?;
    if call.len().is_multiple_of(2) {
        return Err(call.error());
    }
    let mut types = vec![LogicalType::string().not_null()];
    for key in (1..call.len()).step_by(2) {
        types.push(call.string(key)?);
        types.push(value_type(call, key + 1)?);
    }
    call.returns_not_null(types, LogicalType::string().root)
}

fn bind_array(call: &Call<'_>) -> Result<Bound> {
    check_on_null(call)?;
    let mut types = vec![LogicalType::string().not_null()];
    for index in 1..call.len() {
        types.push(value_type(call, index)?);
    }
    call.returns_not_null(types, LogicalType::string().root)
}

/// Whether NULL values are left out.
fn absent_on_null(ctx: &BuildContext<'_>) -> Result<bool> {
    match ctx.text(0) {
        Some("ABSENT") => Ok(true),
        Some("NULL") => Ok(false),
        _ => Err(Error::internal("the ON NULL behaviour of a JSON constructor must be a literal")),
    }
}

fn build_object(ctx: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let (absent, types) = (absent_on_null(ctx)?, ctx.arg_types.to_vec());
    kernel(move |args, rows| json_object(args, rows, &types, absent))
}

fn build_array(ctx: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let (absent, types) = (absent_on_null(ctx)?, ctx.arg_types.to_vec());
    kernel(move |args, rows| json_array(args, rows, &types, absent))
}

/// The values of one argument.
struct Values<'a> {
    operand: &'a Operand,
    writer: JsonWriter<'a>,
}

impl<'a> Values<'a> {
    fn of(operand: &'a Operand, ty: &LogicalType) -> Result<Self> {
        Ok(Self { operand, writer: JsonWriter::new(operand.array().as_ref(), ty)? })
    }

    fn is_null(&self, row: usize) -> bool {
        self.operand.array().is_null(self.operand.index(row))
    }

    fn push(&self, out: &mut String, row: usize) {
        self.writer.push(out, self.operand.index(row));
    }
}

fn json_object(args: &[Operand], rows: usize, types: &[LogicalType], absent: bool) -> Result<ArrayRef> {
    let member = |key: usize| Ok((Column::<StringArray>::of(args, key)?, Values::of(&args[key + 1], &types[key + 1])?));
    let members = (1..args.len()).step_by(2).map(member).collect::<Result<Vec<_>>>()?;
    let mut json = String::new();
    try_texts(rows, rows * 32, |row, out| {
        let mut present = Vec::with_capacity(members.len());
        for (key, value) in &members {
            let key = key.get(row).ok_or_else(|| Error::user("json-error", "JSON_OBJECT: a key must not be NULL"))?;
            if !(absent && value.is_null(row)) {
                present.push((key, value));
            }
        }
        // Stable, so that of equal keys the last one, which counts, is behind the others.
        present.sort_by_key(|(key, _)| *key);
        let last_of_key = |i: usize| present.get(i + 1).is_none_or(|next| next.0 != present[i].0);
        json.clear();
        let kept = (0..present.len()).filter(|i| last_of_key(*i)).map(|i| present[i]);
        push_list(&mut json, ['{', '}'], kept, |json, (key, value)| {
            push_quoted(json, key);
            json.push(':');
            value.push(json, row);
        });
        out.push_str(&json);
        Ok(Some(()))
    })
}

fn json_array(args: &[Operand], rows: usize, types: &[LogicalType], absent: bool) -> Result<ArrayRef> {
    let values = args.iter().zip(types).skip(1).map(|(arg, ty)| Values::of(arg, ty)).collect::<Result<Vec<_>>>()?;
    let mut json = String::new();
    texts(rows, rows * 32, |row, out| {
        json.clear();
        let present = values.iter().filter(|value| !(absent && value.is_null(row)));
        push_list(&mut json, ['[', ']'], present, |json, value| value.push(json, row));
        out.push_str(&json);
        Some(())
    })
}

fn json_string(args: &[Operand], rows: usize, ty: &LogicalType) -> Result<ArrayRef> {
    let values = Values::of(&args[0], ty)?;
    let mut json = String::new();
    texts(rows, rows * 16, |row, out| {
        if values.is_null(row) {
            return None;
        }
        json.clear();
        values.push(&mut json, row);
        out.push_str(&json);
        Some(())
    })
}

fn json(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let text = Column::<StringArray>::of(args, 0)?;
    try_texts(rows, text_bytes(text.array()).len(), |row, out| {
        let Some(text) = text.get(row).filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let value = parse(text.trim()).map_err(|error| {
            let message = format!("Invalid JSON string in JSON(value) function: \"{text}\". Error: {error}");
            Error::user("json-error", message)
        })?;
        out.push_str(&value.to_json());
        Ok(Some(()))
    })
}
