//! Regular expressions in Java's dialect.
//!
//! A pattern that Java rejects gives NULL (`REGEXP`: FALSE) as in Flink; one that Java takes but that is not
//! translated is an error: look-around and back-references are taken, `\G`, Unicode blocks and
//! `\p{java…}` are not. Literal patterns are compiled once per kernel, others when they
//! change from row to row. Groups count from 0, the whole match.

mod extract;
mod java;
mod pattern;
mod replace;
mod test;
#[cfg(test)]
mod tests;

pub(crate) use pattern::{Matcher, PatternCache};

use crate::Function;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    test::REGEXP,
    test::REGEXP_COUNT,
    test::REGEXP_INSTR,
    replace::REGEXP_REPLACE,
    extract::REGEXP_EXTRACT,
    extract::REGEXP_EXTRACT_ALL,
    extract::REGEXP_SUBSTR,
];
