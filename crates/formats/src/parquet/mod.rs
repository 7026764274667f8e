//! Parquet files.
//!
//! Unlike the other formats a file is read as a whole: columns are found by name, at any depth, and only the wanted
//! leaves are read. Where the file's type differs from the wanted one the values are cast; what cannot be cast, or
//! a column that is not there, follows the table: NULL for an absent column, an error for a type that does not fit.

mod adapt;
pub mod options;
mod ranges;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

pub use ranges::Ranges;
pub use reader::ParquetReader;
pub use writer::ParquetWriter;
