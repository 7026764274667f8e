//! Conditional functions and functions about types.
//!
//! They evaluate all their arguments. Where that matters (an argument may fail), the planner turns `IF`,
//! `COALESCE`, `IFNULL` and `NULLIF` into CASE, which is lazy.

pub mod choose;
pub mod constraint;
pub mod inspect;
pub mod not_null;
#[cfg(test)]
mod tests;
