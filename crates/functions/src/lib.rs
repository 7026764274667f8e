//! Scalar functions with Flink's names, typing rules and semantics, as vectorised kernels over Arrow.
//!
//! A [`Function`] is found by name ([`lookup`]). Binding ([`Function::bind`]) happens once per call site in the
//! planner: it takes the argument types (and literal values) and answers the types the arguments must be
//! cast to and the result type. Building ([`Function::build`]) happens once per operator instance: it compiles
//! literals (patterns, formats, zones) into a [`Kernel`], which is then called per batch and allocates
//! nothing per row but its result.
//!
//! This crate knows Arrow and Flink's types; it knows no DataFusion, no plan operators and no runtime.

pub mod api;

pub use api::{BindArg, Bound, BuildContext, Determinism, Function, Kernel, Operand};
pub use kernel::Call;
pub use registry::{all, lookup};

pub mod arithmetic;
pub mod bitmap;
pub mod cast;
pub mod collection;
pub mod comparison;
pub mod conditional;
pub mod decimal;
pub mod hash;
pub mod hash_code;
pub mod json;
pub mod kernel;
pub mod logical;
pub mod regexp;
pub mod registry;
pub mod string;
pub mod temporal;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod testkit;
pub mod text;
pub mod types;
pub mod url;
pub mod zone;
