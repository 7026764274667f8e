//! The shapes every function has.

use crate::kernel::Call;
use arrow::array::{Array, ArrayRef, Datum};
use chrono_tz::Tz;
use headwater_env::Env;
use headwater_plan::Value;
use headwater_types::{LogicalType, Result};

/// An argument at a call site, as the binder knows it.
#[derive(Debug, Clone)]
pub struct BindArg {
    /// Its type.
    pub ty: LogicalType,
    /// Its value when it is a literal (possibly NULL).
    pub literal: Option<Value>,
}

/// The outcome of binding a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// The types the arguments are to be cast to; as many as there are arguments.
    pub arg_types: Vec<LogicalType>,
    /// The type of the result.
    pub return_type: LogicalType,
}

/// Whether a call always gives the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Determinism {
    /// Same arguments, same result: may be folded and shared.
    Pure,
    /// Depends on the clock: constant within a batch query, per row in a streaming one.
    Temporal,
    /// Differs from call to call.
    Volatile,
}

/// What a kernel is built from.
pub struct BuildContext<'a> {
    /// Types of the arguments, as bound.
    pub arg_types: &'a [LogicalType],
    /// Values of the arguments that are literals.
    pub literals: &'a [Option<Value>],
    /// Type of the result, as bound.
    pub return_type: &'a LogicalType,
    /// The session time zone.
    pub zone: Tz,
    /// Clock and randomness.
    pub env: &'a Env,
}

/// An argument of a kernel call.
#[derive(Debug, Clone)]
pub enum Operand {
    /// One value per row.
    Array(ArrayRef),
    /// The same value for every row: an array of length one.
    Scalar(ArrayRef),
}

impl Operand {
    /// The underlying array, of length `rows` or one.
    pub fn array(&self) -> &ArrayRef {
        match self {
            Self::Array(array) | Self::Scalar(array) => array,
        }
    }

    /// Position in [`Operand::array`] of the value for row `row`.
    #[inline]
    pub fn index(&self, row: usize) -> usize {
        match self {
            Self::Array(_) => row,
            Self::Scalar(_) => 0,
        }
    }
}

/// So that Arrow's kernels take operands directly.
impl Datum for Operand {
    fn get(&self) -> (&dyn Array, bool) {
        (self.array().as_ref(), matches!(self, Self::Scalar(_)))
    }
}

/// A compiled call. Called once per batch.
pub trait Kernel: Send + Sync {
    /// Evaluates over `rows` rows. The result has `rows` values of the bound return type's Arrow type.
    /// When every operand is a scalar the caller passes `rows` = 1 (unless the function is volatile).
    fn eval(&self, args: &[Operand], rows: usize) -> Result<ArrayRef>;
}

/// Builds a kernel for a bound call.
pub type Build = fn(&BuildContext<'_>) -> Result<Box<dyn Kernel>>;

/// Types a call. Errors are user errors that name the function, the given types and the signature:
/// [`Call::error`] makes them.
pub type Bind = fn(&Call<'_>) -> Result<Bound>;

/// A function of the registry.
pub struct Function {
    /// Canonical upper-case name (or operator symbol such as `+`, `=`, `IS NULL`).
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// Signature for documentation and error messages, such as `LPAD(string, integer, string)`.
    pub signature: &'static str,
    /// Determinism.
    pub determinism: Determinism,
    /// Typing rule; call it through [`Function::bind`].
    pub bind: Bind,
    /// Kernel constructor; call it through [`Function::build`].
    pub build: Build,
}

impl Function {
    /// A pure function without aliases.
    pub const fn new(name: &'static str, signature: &'static str, bind: Bind, build: Build) -> Self {
        Self { name, aliases: &[], signature, determinism: Determinism::Pure, bind, build }
    }

    /// The same function under further names.
    #[must_use]
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The same function with another determinism.
    #[must_use]
    pub const fn determinism(mut self, determinism: Determinism) -> Self {
        self.determinism = determinism;
        self
    }

    /// Types a call with these arguments.
    pub fn bind(&self, args: &[BindArg]) -> Result<Bound> {
        (self.bind)(&Call { name: self.name, signature: self.signature, args })
    }

    /// Compiles a bound call.
    pub fn build(&self, context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
        (self.build)(context)
    }
}
