//! Functions of doubles. Outside their domain they give NaN or infinity, never an error.
//!
//! They come from `libm`, whose algorithms are those of Java's `StrictMath`: the same digits as there, on every
//! platform.

use crate::kernel::{kernel, primitive1, primitive2};
use crate::{Bound, Call, Function, Kernel};
use arrow::array::{ArrayRef, Float64Array};
use arrow::datatypes::{DataType, Float64Type};
use headwater_types::{Result, TypeRoot};
use std::sync::Arc;

const fn of_double(name: &'static str, signature: &'static str, build: crate::api::Build) -> Function {
    Function::new(name, signature, bind_one, build)
}

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    of_double("SQRT", "SQRT(<NUMERIC>)", |_| one(f64::sqrt)),
    of_double("EXP", "EXP(<NUMERIC>)", |_| one(libm::exp)),
    of_double("LN", "LN(<NUMERIC>)", |_| one(libm::log)),
    of_double("LOG2", "LOG2(<NUMERIC>)", |_| one(log2)),
    of_double("LOG10", "LOG10(<NUMERIC>)", |_| one(libm::log10)),
    of_double("SIN", "SIN(<NUMERIC>)", |_| one(libm::sin)),
    of_double("COS", "COS(<NUMERIC>)", |_| one(libm::cos)),
    of_double("TAN", "TAN(<NUMERIC>)", |_| one(libm::tan)),
    of_double("COT", "COT(<NUMERIC>)", |_| one(|x| 1.0 / libm::tan(x))),
    of_double("ASIN", "ASIN(<NUMERIC>)", |_| one(libm::asin)),
    of_double("ACOS", "ACOS(<NUMERIC>)", |_| one(libm::acos)),
    of_double("ATAN", "ATAN(<NUMERIC>)", |_| one(libm::atan)),
    of_double("SINH", "SINH(<NUMERIC>)", |_| one(libm::sinh)),
    of_double("COSH", "COSH(<NUMERIC>)", |_| one(libm::cosh)),
    of_double("TANH", "TANH(<NUMERIC>)", |_| one(libm::tanh)),
    of_double("DEGREES", "DEGREES(<NUMERIC>)", |_| one(f64::to_degrees)),
    of_double("RADIANS", "RADIANS(<NUMERIC>)", |_| one(f64::to_radians)),
    Function::new("POWER", "POWER(<NUMERIC>, <NUMERIC>)", bind_two, |_| two(libm::pow)),
    Function::new("ATAN2", "ATAN2(<NUMERIC>, <NUMERIC>)", bind_two, |_| two(libm::atan2)),
    Function::new("LOG", "LOG(<NUMERIC>), LOG(base <NUMERIC>, <NUMERIC>)", bind_log, |context| {
        match context.arg_types.len() {
            1 => one(libm::log),
            _ => two(|base, x| libm::log(x) / libm::log(base)),
        }
    }),
    Function::new("PI", "PI()", bind_constant, |_| constant(std::f64::consts::PI)),
    Function::new("E", "E()", bind_constant, |_| constant(std::f64::consts::E)),
];

fn bind_one(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    call.returns(vec![call.double(0)?], TypeRoot::Double)
}

fn bind_two(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    call.returns(vec![call.double(0)?, call.double(1)?], TypeRoot::Double)
}

fn bind_log(call: &Call<'_>) -> Result<Bound> {
    if call.len() == 1 { bind_one(call) } else { bind_two(call) }
}

fn bind_constant(call: &Call<'_>) -> Result<Bound> {
    call.arity(0..=0)?;
    call.returns_not_null(vec![], TypeRoot::Double)
}

/// A quotient of natural logarithms, which differs from the exact one in the last digit.
fn log2(x: f64) -> f64 {
    libm::log(x) / std::f64::consts::LN_2
}

fn one(f: fn(f64) -> f64) -> Result<Box<dyn Kernel>> {
    kernel(move |args, rows| primitive1::<Float64Array, Float64Type>(args, rows, &DataType::Float64, f))
}

fn two(f: fn(f64, f64) -> f64) -> Result<Box<dyn Kernel>> {
    kernel(move |args, rows| primitive2::<Float64Array, Float64Array, Float64Type>(args, rows, &DataType::Float64, f))
}

fn constant(value: f64) -> Result<Box<dyn Kernel>> {
    kernel(move |_, rows| Ok(Arc::new(Float64Array::from_value(value, rows)) as ArrayRef))
}
