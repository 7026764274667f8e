//! Typing rules shared by functions, operators and the planner.
//!
//! | question | answered by |
//! |---|---|
//! | Which type holds all of these (UNION, CASE, COALESCE)? | [`common_type`] |
//! | Which type do both sides of a comparison take? | [`comparison_type`] |
//! | May the planner insert this cast by itself? | [`supports_implicit_cast`] |
//! | May the user write this cast? | [`supports_explicit_cast`] |
//! | What do decimals give under `+ - * / %`? | [`decimal`] |
//! | What does an aggregate return? | [`aggregate_type`] |
//!
//! The rules are Flink's. They know types only; values are the business of [`crate::cast`].

mod aggregate;
mod casts;
mod common;
pub mod decimal;
#[cfg(test)]
mod tests;

pub use aggregate::aggregate_type;
pub use casts::{supports_explicit_cast, supports_implicit_cast};
pub use common::{common_type, comparison_type, least_restrictive};
