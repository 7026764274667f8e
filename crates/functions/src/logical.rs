//! Truth: NOT, IS TRUE and their like. AND and OR are nodes of expressions, because they are lazy.

use crate::kernel::{arrow_error, downcast, kernel, operand_nulls};
use crate::{Bound, BuildContext, Call, Function, Kernel};
use arrow::array::{ArrayRef, BooleanArray};
use arrow::buffer::BooleanBuffer;
use headwater_types::{Result, TypeRoot};
use std::sync::Arc;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("NOT", "NOT <BOOLEAN>", bind_not, build_not),
    Function::new("IS TRUE", "<BOOLEAN> IS TRUE", bind_test, |_| test(Test::True, true)),
    Function::new("IS NOT TRUE", "<BOOLEAN> IS NOT TRUE", bind_test, |_| test(Test::True, false)),
    Function::new("IS FALSE", "<BOOLEAN> IS FALSE", bind_test, |_| test(Test::False, true)),
    Function::new("IS NOT FALSE", "<BOOLEAN> IS NOT FALSE", bind_test, |_| test(Test::False, false)),
    Function::new("IS UNKNOWN", "<BOOLEAN> IS UNKNOWN", bind_test, |_| test(Test::Unknown, true)),
    Function::new("IS NOT UNKNOWN", "<BOOLEAN> IS NOT UNKNOWN", bind_test, |_| test(Test::Unknown, false)),
];

#[derive(Debug, Clone, Copy)]
enum Test {
    True,
    False,
    Unknown,
}

fn bind_not(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    call.returns(vec![call.boolean(0)?], TypeRoot::Boolean)
}

fn build_not(_: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    kernel(|args, _| {
        let negated = arrow::compute::not(downcast::<BooleanArray>(args[0].array())?).map_err(arrow_error)?;
        Ok(Arc::new(negated) as ArrayRef)
    })
}

fn bind_test(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    call.returns_not_null(vec![call.boolean(0)?], TypeRoot::Boolean)
}

fn test(test: Test, wanted: bool) -> Result<Box<dyn Kernel>> {
    kernel(move |args, rows| {
        let values = downcast::<BooleanArray>(args[0].array())?.values();
        let known = operand_nulls(&args[0], values.len()).map(|n| n.into_inner());
        let known = known.unwrap_or_else(|| BooleanBuffer::new_set(values.len()));
        let holds = match test {
            Test::True => values & &known,
            Test::False => &!values & &known,
            Test::Unknown => !&known,
        };
        let answer = Arc::new(BooleanArray::new(if wanted { holds } else { !&holds }, None)) as ArrayRef;
        if values.len() == rows { Ok(answer) } else { crate::cast::repeat(&answer, rows) }
    })
}
