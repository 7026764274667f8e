//! The streaming operators of SQL: one file per operator, built from a plan's operator specifications by
//! [`build`].
//!
//! Operators are synchronous state machines (see `headwater-operator-api`); they know no tokio, no
//! network and no connector. Windows share slices of time: `window` says where slices and windows lie,
//! `pane` what is kept per slice, `aggregate` how aggregate functions work on many groups at once.

mod aggregate;
mod build;
mod calc;
mod columns;
mod expand;
mod group_aggregate;
mod keys;
mod kinds;
mod limit;
mod output;
mod pane;
mod sort;
mod sort_limit;
mod temporal_sort;
mod unnest;
mod values;
mod watermark_assigner;
mod window;
mod window_aggregate;
mod window_buffer;
mod window_join;
mod window_rank;
mod window_table_function;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use build::{BuildContext, build, session_zone};
pub use values::values_batch;

/// An Arrow kernel failure, which the checks before it should have prevented.
fn arrow_error(error: arrow::error::ArrowError) -> headwater_types::Error {
    headwater_types::Error::internal(format!("a columnar kernel failed: {error}"))
}
