//! Formats: how records and columns are written as bytes.
//!
//! A row format turns bytes into columns ([`RowDecoder`]) and rows into bytes ([`RowEncoder`]); Parquet, which
//! lays out whole files, has an interface of its own. Formats know the schema and their options; files, splits
//! and the policy for bad records belong to connectors.

pub mod avro;
pub mod bad_records;
mod cells;
mod column;
pub mod csv;
pub mod debezium;
mod decoder;
mod format;
pub mod json;
pub mod parquet;
pub mod raw;
mod scan;
pub mod text;
pub mod values;

pub use decoder::{BadRecord, Decoded, Messages, OnBadRecord, Progress, ReadSchema, RowDecoder, RowEncoder};
pub use format::Format;
