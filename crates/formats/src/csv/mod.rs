//! CSV, with the conventions of Flink's `csv` format: no header line, fields by position.

mod decoder;
mod encoder;
pub mod options;

#[cfg(test)]
mod tests;

pub use decoder::CsvDecoder;
pub use encoder::CsvEncoder;
pub use options::CsvOptions;
