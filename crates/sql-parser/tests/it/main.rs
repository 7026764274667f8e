//! Tests through the public interface.

// The corpus tests say on stderr what they skipped and how much they covered.
#![allow(clippy::print_stderr)]

mod bounds;
mod corpus;
mod errors;
mod expressions;
mod fuzz;
mod json;
mod queries;
mod roundtrip;
mod scripts;
mod statements;
mod types;
