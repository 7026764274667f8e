//! Avro: rows as records in Avro's binary encoding.
//!
//! * `avro`: a message is one record of the schema that the table's columns say ([`schema`]), as in Flink.
//! * `avro-confluent`: a message is `0x00 schema-id:u32-be record`, and the schema it was written with is in a schema
//!   registry ([`confluent`]). Its fields are matched to columns by name; what a column needs is read as the column's type.
//!
//! Decoding goes straight from bytes to columns, led by a plan that is made once for each writer's schema ([`plan`]);
//! encoding straight from columns to bytes. Object container files are not read or written.

pub mod confluent;
mod decoder;
mod encoder;
mod input;
mod plan;
mod registry;
mod schema;

#[cfg(test)]
mod tests;

pub use decoder::AvroDecoder;
pub use encoder::AvroEncoder;

use headwater_connector_api::options::bad_option;
use headwater_connector_api::{OptionSpec, Options};
use headwater_types::{Error, Result};

/// The options that `avro` understands.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::with_default("avro.encoding", "binary", "Encoding of records; only binary is supported."),
    OptionSpec::with_default(
        "avro.timestamp_mapping.legacy",
        "true",
        "Whether TIMESTAMP is timestamp-millis; otherwise it is local-timestamp-millis and TIMESTAMP_LTZ is timestamp-millis.",
    ),
    OptionSpec::optional("avro.codec", "Has no effect on messages."),
];

/// How SQL types are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvroOptions {
    /// Whether TIMESTAMP is Avro's instant rather than its local timestamp.
    pub is_legacy: bool,
}

/// Reads the options of `avro`.
pub fn avro_options(options: Options<'_>) -> Result<AvroOptions> {
    let name = "avro.encoding";
    if let Some(encoding) = options.get(name).filter(|encoding| !encoding.eq_ignore_ascii_case("binary")) {
        return match encoding.eq_ignore_ascii_case("json") {
            true => Err(Error::unsupported("the JSON encoding of Avro is not supported yet")),
            false => Err(bad_option(name, encoding, "binary")),
        };
    }
    Ok(AvroOptions { is_legacy: options.boolean("avro.timestamp_mapping.legacy", true)? })
}
