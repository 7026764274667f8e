//! Functions about the form of values: IS_ALPHA, IS_DECIMAL, IS_DIGIT, TYPEOF.

use crate::kernel::{Column, kernel};
use crate::{Bound, BuildContext, Call, Function, Kernel};
use arrow::array::{ArrayRef, BooleanArray, StringArray};
use arrow::buffer::BooleanBuffer;
use headwater_plan::Value;
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("IS_ALPHA", "IS_ALPHA(<ANY>)", bind_form, |c| form(c, is_alpha, |_| false)),
    Function::new("IS_DECIMAL", "IS_DECIMAL(<ANY>)", bind_form, |c| form(c, is_decimal, LogicalType::is_numeric)),
    Function::new("IS_DIGIT", "IS_DIGIT(<ANY>)", bind_form, |c| form(c, is_digit, LogicalType::is_integer)),
    Function::new("TYPEOF", "TYPEOF(input <ANY>[, force_serializable <BOOLEAN>])", bind_typeof, build_typeof),
];

fn bind_form(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    call.returns_not_null(vec![call.ty(0).clone()], TypeRoot::Boolean)
}

/// A test of text, which NULL does not pass. Of other types everything or nothing passes, by the type alone.
fn form(
    context: &BuildContext<'_>,
    test: fn(&str) -> bool,
    passes: fn(&LogicalType) -> bool,
) -> Result<Box<dyn Kernel>> {
    let ty = &context.arg_types[0];
    if ty.is_character() {
        return kernel(move |args, rows| {
            let texts = Column::<StringArray>::of(args, 0)?;
            let values = BooleanBuffer::collect_bool(rows, |row| texts.get(row).is_some_and(test));
            Ok(Arc::new(BooleanArray::new(values, None)) as ArrayRef)
        });
    }
    let all = passes(ty);
    kernel(move |_, rows| Ok(Arc::new(BooleanArray::new(BooleanBuffer::collect_bool(rows, |_| all), None)) as ArrayRef))
}

fn is_alpha(text: &str) -> bool {
    !text.is_empty() && text.chars().all(char::is_alphabetic)
}

fn is_digit(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_numeric())
}

fn is_decimal(text: &str) -> bool {
    let unsigned = text.trim_start_matches(['+', '-']);
    unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') && text.parse::<f64>().is_ok()
}

fn bind_typeof(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=2)?;
    let mut arg_types = vec![call.ty(0).clone()];
    if call.len() == 2 {
        if !matches!(call.literal(1), Some(Value::Boolean(_))) {
            return Err(call.error());
        }
        arg_types.push(call.boolean(1)?);
    }
    call.returns_nullable(arg_types, LogicalType::string().root)
}

fn build_typeof(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let serializable = matches!(context.literal(1), Some(Value::Boolean(true)));
    let ty = &context.arg_types[0];
    let name = match ty.root {
        TypeRoot::VarChar(LENGTH_MAX) if serializable => suffixed("VARCHAR(2147483647)", ty),
        TypeRoot::VarBinary(LENGTH_MAX) if serializable => suffixed("VARBINARY(2147483647)", ty),
        _ => ty.to_string(),
    };
    kernel(move |_, rows| Ok(Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&name, rows))) as ArrayRef))
}

fn suffixed(name: &str, ty: &LogicalType) -> String {
    if ty.nullable { name.to_owned() } else { format!("{name} NOT NULL") }
}
