//! The streaming operators of SQL: one file per operator, built from a plan's operator specifications by
//! [`build`].
//!
//! Operators are synchronous state machines (see `headwater-operator-api`); they know no tokio, no
//! network and no connector. Windows share slices of time: `window` says where slices and windows lie,
//! `pane` what is kept per slice, `aggregate` how aggregate functions work on many groups at once.

mod aggregate;
mod batch_keys;
mod build;
mod calc;
mod calc_watermark;
mod change_rows;
mod changelog_codes;
mod changelog_normalize;
mod columns;
mod deduplicate;
mod drop_update_before;
mod expand;
mod group_aggregate;
mod hash_join;
mod interval_join;
mod join;
mod joined;
mod keyed_rows;
mod keys;
mod kinds;
mod limit;
mod match_recognize;
mod mini_batch;
mod mirror;
mod numbers;
mod order_key;
mod output;
mod over_aggregate;
mod pane;
mod pane_mirror;
mod rank;
mod row_mirror;
mod row_values;
mod sink_materialize;
mod sort;
mod sort_limit;
mod temporal_join;
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
mod recovery;
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
