//! `ELT`.

use crate::kernel::{Call, Column, arrow_error, kernel};
use crate::types::common_type;
use crate::{Bound, Function, Operand};
use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::compute::interleave;
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result};

/// `ELT(index, expr, …)`: the expression at `index`, from 1; NULL when there is none.
pub const ELT: Function = Function::new(
    "ELT",
    "ELT(index <INTEGER_NUMERIC>, expr <CHARACTER_STRING>, exprs <CHARACTER_STRING>...)\n\
     ELT(index <INTEGER_NUMERIC>, expr <BINARY_STRING>, exprs <BINARY_STRING>...)",
    bind,
    |_| kernel(elt),
);

fn bind(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=usize::MAX)?;
    if let Some(Value::Int(index @ ..0)) = call.literal(0) {
        let message = format!("Index must be an integer starting from '0', but was '{index}'.");
        return Err(call.error_because(&message));
    }
    let mut types = vec![call.bigint(0)?];
    let binary = (1..call.len()).any(|i| call.ty(i).is_binary());
    for index in 1..call.len() {
        types.push(if binary { call.binary(index)? } else { call.string(index)? });
    }
    let root = common_type(&types[1..]).map_or_else(|| LogicalType::string().root, |ty| ty.root);
    call.returns_nullable(types, root)
}

/// Every argument, and one NULL behind them, is a source; the index selects among the sources of its row.
fn elt(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let index = Column::<Int64Array>::of(args, 0)?;
    let choices = &args[1..];
    let first = choices.first().ok_or_else(|| Error::internal("ELT without expressions"))?.array();
    let null = arrow::array::new_null_array(first.data_type(), 1);
    let mut sources: Vec<&dyn Array> = choices.iter().map(|choice| choice.array().as_ref()).collect();
    sources.push(null.as_ref());
    let choice_of = |row: usize| {
        let chosen = index.get(row).and_then(|index| usize::try_from(index).ok()?.checked_sub(1));
        match chosen.filter(|chosen| *chosen < choices.len()) {
            Some(chosen) => (chosen, choices[chosen].index(row)),
            None => (choices.len(), 0),
        }
    };
    let picks: Vec<_> = (0..rows).map(choice_of).collect();
    interleave(&sources, &picks).map_err(arrow_error)
}
