//! The options of the JSON format, with Flink's names and defaults.

use crate::text::temporal::TimestampStandard;
use headwater_connector_api::{OptionSpec, Options};
use headwater_types::{Error, Result};

/// What an encoder does with a NULL key of a MAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NullKey {
    /// Fail.
    Fail,
    /// Leave the entry out.
    Drop,
    /// Write this text.
    Literal(String),
}

/// How JSON is read.
#[derive(Debug, Clone, Default)]
pub struct DecodeOptions {
    /// Whether a record without one of the read fields is bad.
    pub fail_on_missing_field: bool,
    /// Whether fields that cannot be converted become NULL and bad records are left out silently.
    pub ignore_parse_errors: bool,
    /// The form of timestamps.
    pub timestamp_standard: TimestampStandard,
}

impl DecodeOptions {
    /// The expected form of a timestamp, for messages.
    pub(super) fn timestamp_form(&self, zoned: bool) -> &'static str {
        match (self.timestamp_standard, zoned) {
            (TimestampStandard::Sql, false) => "a timestamp such as '2025-12-31 23:59:59.999'",
            (TimestampStandard::Sql, true) => "a timestamp such as '2025-12-31 23:59:59.999Z'",
            (TimestampStandard::Iso8601, false) => "a timestamp such as '2025-12-31T23:59:59.999'",
            (TimestampStandard::Iso8601, true) => "a timestamp such as '2025-12-31T23:59:59.999Z'",
        }
    }
}

/// How JSON is written.
#[derive(Debug, Clone)]
pub struct EncodeOptions {
    /// The form of timestamps.
    pub timestamp_standard: TimestampStandard,
    /// What happens to NULL keys of maps.
    pub null_key: NullKey,
    /// Whether decimals are written without an exponent.
    pub decimal_as_plain_number: bool,
    /// Whether NULL fields are left out.
    pub ignore_null_fields: bool,
}

/// The options the format understands.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::with_default("json.fail-on-missing-field", "false", "Whether a missing field makes a record bad."),
    OptionSpec::with_default(
        "json.ignore-parse-errors",
        "false",
        "Whether bad fields become NULL and bad rows vanish.",
    ),
    OptionSpec::with_default("json.timestamp-format.standard", "SQL", "Form of timestamps: SQL or ISO-8601."),
    OptionSpec::with_default("json.map-null-key.mode", "FAIL", "What to do with NULL map keys: FAIL, DROP or LITERAL."),
    OptionSpec::with_default("json.map-null-key.literal", "null", "The text of a NULL map key in mode LITERAL."),
    OptionSpec::with_default("json.encode.decimal-as-plain-number", "false", "Whether decimals have no exponent."),
    OptionSpec::with_default("json.encode.ignore-null-fields", "false", "Whether NULL fields are left out."),
    OptionSpec::with_default("json.decode.json-parser.enabled", "true", "Accepted; one parser serves both settings."),
];

fn standard(options: Options<'_>, prefix: &str) -> Result<TimestampStandard> {
    let choices = [("SQL", TimestampStandard::Sql), ("ISO-8601", TimestampStandard::Iso8601)];
    options.choice(&format!("{prefix}.timestamp-format.standard"), TimestampStandard::Sql, &choices)
}

/// Reads the decoding options; `prefix` is the name of the format.
pub fn decode_options(options: Options<'_>, prefix: &str) -> Result<DecodeOptions> {
    let decode = DecodeOptions {
        fail_on_missing_field: options.boolean(&format!("{prefix}.fail-on-missing-field"), false)?,
        ignore_parse_errors: options.boolean(&format!("{prefix}.ignore-parse-errors"), false)?,
        timestamp_standard: standard(options, prefix)?,
    };
    options.boolean("json.decode.json-parser.enabled", true)?;
    if decode.fail_on_missing_field && decode.ignore_parse_errors {
        let message = "the options 'json.fail-on-missing-field' and 'json.ignore-parse-errors' cannot both be true";
        return Err(Error::user("bad-option-value", message));
    }
    Ok(decode)
}

/// Reads the encoding options; `prefix` is the name of the format.
pub fn encode_options(options: Options<'_>, prefix: &str) -> Result<EncodeOptions> {
    let literal = options.get(&format!("{prefix}.map-null-key.literal")).unwrap_or("null");
    let modes = [("FAIL", 0), ("DROP", 1), ("LITERAL", 2)];
    let null_key = match options.choice(&format!("{prefix}.map-null-key.mode"), 0, &modes)? {
        0 => NullKey::Fail,
        1 => NullKey::Drop,
        _ => NullKey::Literal(literal.to_string()),
    };
    Ok(EncodeOptions {
        timestamp_standard: standard(options, prefix)?,
        null_key,
        decimal_as_plain_number: options.boolean(&format!("{prefix}.encode.decimal-as-plain-number"), false)?,
        ignore_null_fields: options.boolean(&format!("{prefix}.encode.ignore-null-fields"), false)?,
    })
}
