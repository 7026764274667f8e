//! The options of the Parquet format.

use headwater_connector_api::options::bad_option;
use headwater_connector_api::{OptionSpec, Options};
use headwater_types::Result;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};

/// The options the format understands.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::with_default("parquet.compression", "SNAPPY", "UNCOMPRESSED, SNAPPY, GZIP, ZSTD or LZ4."),
    OptionSpec::with_default("parquet.block.size", "128mb", "Size of a row group."),
    OptionSpec::with_default("parquet.utc-timezone", "true", "Accepted; timestamps are read and written in UTC."),
    OptionSpec::with_default("parquet.timestamp.time.unit", "micros", "Accepted; the unit follows the precision."),
    OptionSpec::with_default("parquet.write.int64.timestamp", "true", "Accepted; timestamps are written as INT64."),
];

/// How files are written.
#[derive(Debug, Clone, Copy)]
pub struct ParquetOptions {
    pub(super) compression: Compression,
    pub(super) row_group_bytes: usize,
}

/// Reads the options.
pub fn parquet_options(options: Options<'_>) -> Result<ParquetOptions> {
    let codecs = [
        ("UNCOMPRESSED", Compression::UNCOMPRESSED),
        ("NONE", Compression::UNCOMPRESSED),
        ("SNAPPY", Compression::SNAPPY),
        ("GZIP", Compression::GZIP(GzipLevel::default())),
        ("ZSTD", Compression::ZSTD(ZstdLevel::default())),
        ("LZ4", Compression::LZ4_RAW),
    ];
    let row_group_bytes = match options.memory_bytes("parquet.block.size") {
        Ok(size) => size.unwrap_or(128 << 20),
        // Hadoop's option is a plain number of bytes.
        Err(_) => options.integer("parquet.block.size")?.unwrap_or(0).max(0) as u64,
    };
    if row_group_bytes < 1 << 10 {
        return Err(bad_option("parquet.block.size", &row_group_bytes.to_string(), "a size of 1 kb or more"));
    }
    let compression = options.choice("parquet.compression", Compression::SNAPPY, &codecs)?;
    Ok(ParquetOptions { compression, row_group_bytes: row_group_bytes as usize })
}
