//! SQL values as JSON.
//!
//! Keys of maps and rows are sorted. Binary values are Base64, timestamps ISO 8601 (`TIMESTAMP_LTZ` in UTC with a
//! `Z`), intervals their text form. NULL is `null`.

use super::value::{push_list, push_quoted};
use crate::kernel::downcast;
use crate::text::Formatter;
use arrow::array::{Array, ArrayRef, BinaryArray, BooleanArray, ListArray, MapArray, StringArray, StructArray};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use headwater_types::{Error, LogicalType, Result, RowField, TypeRoot};

type Push<'a> = Box<dyn Fn(&mut String, usize) + 'a>;

/// Writes the values of a column as JSON, with sorted keys.
pub struct JsonWriter<'a> {
    array: &'a dyn Array,
    push: Push<'a>,
}

impl<'a> JsonWriter<'a> {
    /// A writer for `array`, whose logical type is `ty`.
    pub fn new(array: &'a dyn Array, ty: &LogicalType) -> Result<Self> {
        Ok(Self { array, push: pusher(array, ty)? })
    }

    /// Appends the value at `index`, `null` for NULL.
    pub fn push(&self, out: &mut String, index: usize) {
        if self.array.is_null(index) { out.push_str("null") } else { (self.push)(out, index) }
    }
}

/// Whether values of a type have a JSON form. Map keys must be strings.
pub(super) fn is_supported(ty: &LogicalType) -> bool {
    match &ty.root {
        TypeRoot::Array(element) => is_supported(element),
        TypeRoot::Map(key, value) => key.is_character() && is_supported(value),
        TypeRoot::Multiset(element) => element.is_character(),
        TypeRoot::Row(fields) => fields.iter().all(|field| is_supported(&field.ty)),
        _ => true,
    }
}

fn pusher<'a>(array: &'a dyn Array, ty: &LogicalType) -> Result<Push<'a>> {
    match &ty.root {
        TypeRoot::Null => Ok(Box::new(|out, _| out.push_str("null"))),
        TypeRoot::Char(_) | TypeRoot::VarChar(_) => {
            let array = downcast::<StringArray>(array)?;
            Ok(Box::new(move |out, at| push_quoted(out, array.value(at))))
        }
        TypeRoot::Variant => {
            let array = downcast::<StringArray>(array)?;
            Ok(Box::new(move |out, at| out.push_str(array.value(at))))
        }
        TypeRoot::Boolean => {
            let array = downcast::<BooleanArray>(array)?;
            Ok(Box::new(move |out, at| out.push_str(if array.value(at) { "true" } else { "false" })))
        }
        TypeRoot::Binary(_) | TypeRoot::VarBinary(_) => {
            let array = downcast::<BinaryArray>(array)?;
            Ok(Box::new(move |out, at| push_quoted(out, &STANDARD.encode(array.value(at)))))
        }
        TypeRoot::Array(element) => list(array, element),
        TypeRoot::Map(key, value) => map(array, key, value),
        TypeRoot::Multiset(element) => map(array, element, &TypeRoot::Int.into()),
        TypeRoot::Row(fields) => row(array, fields),
        TypeRoot::Timestamp(..) => timestamp(array, ty, ""),
        TypeRoot::TimestampLtz(..) => timestamp(array, ty, "Z"),
        _ => plain(array, ty),
    }
}

/// Numbers as they are shown, except those that JSON lacks; other values as strings.
fn plain<'a>(array: &'a dyn Array, ty: &LogicalType) -> Result<Push<'a>> {
    let formatter = Formatter::new(array, ty, chrono_tz::UTC)?;
    let quoted = !ty.is_numeric();
    Ok(Box::new(move |out, at| {
        let mut shown = String::new();
        formatter.push(&mut shown, at);
        let not_a_number = matches!(shown.as_str(), "NaN" | "Infinity" | "-Infinity");
        if quoted || not_a_number { push_quoted(out, &shown) } else { out.push_str(&shown) }
    }))
}

fn timestamp<'a>(array: &'a dyn Array, ty: &LogicalType, suffix: &'static str) -> Result<Push<'a>> {
    let formatter = Formatter::new(array, ty, chrono_tz::UTC)?;
    Ok(Box::new(move |out, at| {
        let mut shown = String::new();
        formatter.push(&mut shown, at);
        let shown = shown.replacen(' ', "T", 1);
        let shown = if shown.contains('.') { shown.trim_end_matches('0').trim_end_matches('.') } else { &shown };
        out.push('"');
        out.push_str(shown);
        out.push_str(suffix);
        out.push('"');
    }))
}

fn list<'a>(array: &'a dyn Array, element: &LogicalType) -> Result<Push<'a>> {
    let array = downcast::<ListArray>(array)?;
    let elements = JsonWriter::new(array.values().as_ref(), element)?;
    Ok(Box::new(move |out, at| {
        let offsets = array.value_offsets();
        push_list(out, ['[', ']'], offsets[at] as usize..offsets[at + 1] as usize, |out, at| elements.push(out, at));
    }))
}

fn map<'a>(array: &'a dyn Array, key: &LogicalType, value: &LogicalType) -> Result<Push<'a>> {
    if !key.is_character() {
        return Err(Error::user("bad-function-call", format!("JSON objects need string keys, not {key}")));
    }
    let array = downcast::<MapArray>(array)?;
    let keys: &StringArray = downcast(array.keys().as_ref())?;
    let values = JsonWriter::new(array.values().as_ref(), value)?;
    Ok(Box::new(move |out, at| {
        let offsets = array.value_offsets();
        let mut entries: Vec<usize> = (offsets[at] as usize..offsets[at + 1] as usize).collect();
        entries.sort_by_key(|at| keys.value(*at));
        push_list(out, ['{', '}'], entries, |out, at| {
            push_quoted(out, keys.value(at));
            out.push(':');
            values.push(out, at);
        });
    }))
}

fn row<'a>(array: &'a dyn Array, fields: &[RowField]) -> Result<Push<'a>> {
    let array = downcast::<StructArray>(array)?;
    let writer = |(field, column): (&RowField, &'a ArrayRef)| {
        Ok((field.name.clone(), JsonWriter::new(column.as_ref(), &field.ty)?))
    };
    let mut columns = fields.iter().zip(array.columns()).map(writer).collect::<Result<Vec<_>>>()?;
    columns.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Box::new(move |out, at| {
        push_list(out, ['{', '}'], &columns, |out, (name, column)| {
            push_quoted(out, name);
            out.push(':');
            column.push(out, at);
        });
    }))
}
