//! Debezium's JSON envelope of changes, as Flink's `debezium-json` format reads and writes it.
//!
//! A written line is `{"before":..,"after":..,"op":"c"|"d"}`: an update is a delete and a create. A read line may
//! also have the ops `u` (both images) and `r` (a snapshot row, an insert), and stand in the `payload` of an envelope
//! with its schema.

mod decoder;
mod encoder;
mod metadata;

#[cfg(test)]
mod tests;

pub use decoder::DebeziumDecoder;
pub use encoder::DebeziumEncoder;
pub(crate) use metadata::columns as metadata_columns;

use headwater_connector_api::OptionSpec;

/// The options the format understands.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::with_default("debezium-json.schema-include", "false", "Whether read lines hold schema and payload."),
    OptionSpec::with_default("debezium-json.ignore-parse-errors", "false", "Whether bad rows vanish."),
    OptionSpec::with_default("debezium-json.timestamp-format.standard", "SQL", "Form of timestamps: SQL or ISO-8601."),
    OptionSpec::with_default("debezium-json.map-null-key.mode", "FAIL", "NULL map keys: FAIL, DROP or LITERAL."),
    OptionSpec::with_default("debezium-json.map-null-key.literal", "null", "The text of a NULL map key."),
    OptionSpec::with_default("debezium-json.encode.decimal-as-plain-number", "false", "Whether decimals are plain."),
    OptionSpec::with_default("debezium-json.encode.ignore-null-fields", "false", "Whether NULL fields are left out."),
];
