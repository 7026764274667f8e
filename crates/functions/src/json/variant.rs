//! VARIANT values, kept as JSON text: `PARSE_JSON`, `TRY_PARSE_JSON`, access to their parts.

use super::parse::{Strictness, parse, parse_with};
use super::value::Json;
use crate::kernel::{Call, Column, downcast, kernel, text_bytes, try_texts};
use crate::{Bound, Function, Operand};
use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
use headwater_types::{Error, Result, TypeRoot};

/// `PARSE_JSON(string[, allowDuplicateKeys])`.
pub(super) const PARSE_JSON: Function = Function::new(
    "PARSE_JSON",
    "PARSE_JSON(value <CHARACTER_STRING>[, allowDuplicateKeys <BOOLEAN>])",
    |call| {
        let types = types(call)?;
        call.returns(types, TypeRoot::Variant)
    },
    |_| kernel(|args, rows| parse_json(args, rows, false)),
);

/// `TRY_PARSE_JSON(string[, allowDuplicateKeys])`: NULL for malformed texts.
pub(super) const TRY_PARSE_JSON: Function = Function::new(
    "TRY_PARSE_JSON",
    "TRY_PARSE_JSON(value <CHARACTER_STRING>[, allowDuplicateKeys <BOOLEAN>])",
    |call| -> Result<Bound> {
        let types = types(call)?;
        call.returns_nullable(types, TypeRoot::Variant)
    },
    |_| kernel(|args, rows| parse_json(args, rows, true)),
);

fn types(call: &Call<'_>) -> Result<Vec<headwater_types::LogicalType>> {
    call.arity(1..=2)?;
    let mut types = vec![call.string(0)?];
    if call.len() == 2 {
        types.push(call.boolean(1)?);
    }
    Ok(types)
}

fn parse_json(args: &[Operand], rows: usize, forgiving: bool) -> Result<ArrayRef> {
    let text = Column::<StringArray>::of(args, 0)?;
    let duplicates = if args.len() > 1 { Some(Column::<BooleanArray>::of(args, 1)?) } else { None };
    try_texts(rows, text_bytes(text.array()).len(), |row, out| {
        let Some(text) = text.get(row) else { return Ok(None) };
        let unique_names = !duplicates.and_then(|column| column.get(row)).unwrap_or(false);
        match parse_variant(text, unique_names) {
            Ok(json) => out.push_str(&json),
            Err(_) if forgiving => return Ok(None),
            Err(reason) => {
                return Err(Error::user("json-error", format!("Failed to parse json string: {text}. {reason}")));
            }
        }
        Ok(Some(()))
    })
}

fn parse_variant(text: &str, unique_names: bool) -> Result<String, String> {
    let strictness = Strictness { whole_text: true, unique_names };
    let value = parse_with(text, strictness).map_err(|error| error.to_string())?;
    if !fits(&value) {
        return Err("a number is out of range".to_owned());
    }
    Ok(value.to_json())
}

/// Whether all numbers are finite as doubles.
fn fits(value: &Json<'_>) -> bool {
    match value {
        Json::Number(number) => number.parse::<f64>().is_ok_and(f64::is_finite),
        Json::Array(elements) => elements.iter().all(fits),
        Json::Object(members) => members.iter().all(|(_, value)| fits(value)),
        Json::Null | Json::Boolean(_) | Json::String(_) => true,
    }
}

/// `variant[index]` (from 1) and `variant['name']`; NULL when there is no such part.
pub(crate) fn item(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let variant = Column::<StringArray>::of(args, 0)?;
    let key = args[1].array().as_ref();
    try_texts(rows, rows * 16, |row, out| {
        let at = args[1].index(row);
        let Some(text) = variant.get(row).filter(|_| !key.is_null(at)) else { return Ok(None) };
        let value = parse(text).map_err(|error| Error::internal(format!("a VARIANT is not JSON: {error}")))?;
        let part = match downcast::<StringArray>(key) {
            Ok(names) => value.member(names.value(at)),
            Err(_) => element(&value, downcast::<Int64Array>(key)?.value(at)),
        };
        Ok(part.map(|part| out.push_str(&part.to_json())))
    })
}

fn element<'j, 'a>(value: &'j Json<'a>, index: i64) -> Option<&'j Json<'a>> {
    match value {
        Json::Array(elements) => elements.get(usize::try_from(index).ok()?.checked_sub(1)?),
        _ => None,
    }
}
