//! The vocabulary every other crate speaks: Flink's logical types, event time, key groups,
//! identifiers, error kinds and configuration.
//!
//! This crate is layer 0: it knows no Arrow, no runtime and no SQL.

pub mod config;
pub mod config_keys;
pub mod error;
pub mod ids;
pub mod key_group;
pub mod logical_type;
pub mod row_kind;
pub mod time;

pub use error::{Error, ErrorKind, Result};
pub use logical_type::{LogicalType, RowField, TimeAttribute, TypeRoot};
pub use row_kind::RowKind;
pub use time::{MAX_WATERMARK, MIN_WATERMARK};
