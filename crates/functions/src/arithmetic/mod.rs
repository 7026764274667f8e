//! Arithmetic: operators, mathematical functions, random numbers.
//!
//! | file | what |
//! |---|---|
//! | `operators` | `+ - * / %` and the sign, typing |
//! | `numbers` | integer and floating point kernels: integers wrap, integer division by zero fails |
//! | `decimals` | decimal kernels: results that do not fit are NULL |
//! | `temporal` | points in time and intervals |
//! | `math` | functions of doubles |
//! | `rounding` | ABS, SIGN, CEIL, FLOOR, ROUND, TRUNCATE |
//! | `random` | RAND, RAND_INTEGER, UUID |
//! | `radix` | BIN, HEX, UNHEX |

mod decimals;
pub mod math;
mod numbers;
pub mod operators;
pub mod radix;
pub mod random;
pub mod rounding;
mod temporal;
#[cfg(test)]
mod tests;
