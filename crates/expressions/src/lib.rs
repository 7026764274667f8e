//! Scalar expressions at run time: a [`headwater_plan::Expr`] compiled once per operator instance into an
//! [`Evaluator`], which is called per batch.
//!
//! Evaluation is lazy per row where SQL users rely on it: a later operand of AND and OR, and a branch of
//! CASE, is evaluated only for the rows that still need it, so `CASE WHEN x <> 0 THEN 1 / x END` never
//! divides by zero. DataFusion's physical expressions evaluate AND and OR eagerly, which is why the evaluator
//! is our own; kernels come from Arrow and from the function registry.
//!
//! Functions of the registry appear to DataFusion's optimiser as [`udf::FunctionUdf`]s, so that it folds and
//! moves calls with exactly the semantics they have at run time. [`value`] converts literals to arrays and back.
//!
//! This crate knows no operators, no runtime and no SQL text.

mod case;
mod coalesce;
mod compare;
mod compile;
mod evaluator;
mod field;
mod in_list;
mod logical;
mod node;
pub mod render;
mod scope;
pub mod udf;
pub mod value;

pub use compile::{compile, compile_all, evaluate_constant};
pub use evaluator::{Evaluator, EvaluatorSet};

use chrono_tz::Tz;
use headwater_env::Env;

#[cfg(test)]
mod tests;

/// What expressions are compiled with.
#[derive(Clone)]
pub struct ExprContext {
    /// The session time zone.
    pub zone: Tz,
    /// Clock and randomness.
    pub env: Env,
}

/// An Arrow failure as an error of this workspace: a bug unless a kernel checked its input.
fn arrow_error(error: arrow::error::ArrowError) -> headwater_types::Error {
    headwater_types::Error::internal(format!("an expression kernel failed: {error}"))
}
