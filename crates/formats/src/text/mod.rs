//! The text forms of scalar values, shared by the text formats.
//!
//! Parsers take the bytes of one value, allocate nothing, and answer `None` for text that is not of the form;
//! the caller knows the column and words the error.

pub(crate) mod convert;
pub(crate) mod decimal;
pub mod display;
pub mod java;
pub(crate) mod number;
pub mod temporal;
mod value;

#[cfg(test)]
mod tests;

pub use value::parse_value;

/// The bytes without leading and trailing ASCII white space.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}
