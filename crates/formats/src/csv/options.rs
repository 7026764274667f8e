//! The options of the CSV format, with Flink's names and defaults.

use headwater_connector_api::options::bad_option;
use headwater_connector_api::{OptionSpec, Options};
use headwater_types::{Error, Result};

/// How CSV is read and written.
#[derive(Debug, Clone)]
pub struct CsvOptions {
    /// Between fields.
    pub delimiter: u8,
    /// Around fields; `None` when quotes mean nothing.
    pub quote: Option<u8>,
    /// In front of characters taken literally.
    pub escape: Option<u8>,
    /// Text of NULL.
    pub null_literal: Option<String>,
    /// Between the elements of an array and the fields of a nested row.
    pub array_delimiter: String,
    /// Whether lines that start with `#` are no records.
    pub allow_comments: bool,
    /// Whether fields that cannot be converted become NULL and bad records are left out silently.
    pub ignore_parse_errors: bool,
    /// Whether decimals are written with an exponent where Java would.
    pub scientific_decimals: bool,
}

/// The options the format understands.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::with_default("csv.field-delimiter", ",", "Character between fields; escapes such as \\t are allowed."),
    OptionSpec::with_default("csv.disable-quote-character", "false", "Whether quotes mean nothing."),
    OptionSpec::with_default("csv.quote-character", "\"", "Character around fields."),
    OptionSpec::with_default("csv.allow-comments", "false", "Whether lines that start with # are left out."),
    OptionSpec::with_default("csv.ignore-parse-errors", "false", "Whether bad fields become NULL and bad rows vanish."),
    OptionSpec::with_default("csv.array-element-delimiter", ";", "Text between array elements and nested fields."),
    OptionSpec::optional("csv.escape-character", "Character in front of characters taken literally."),
    OptionSpec::optional("csv.null-literal", "Text of NULL."),
    OptionSpec::with_default(
        "csv.write-bigdecimal-in-scientific-notation",
        "true",
        "Whether decimals may be written with an exponent.",
    ),
];

/// Reads the options.
pub fn csv_options(options: Options<'_>) -> Result<CsvOptions> {
    let quotes_disabled = options.boolean("csv.disable-quote-character", false)?;
    if quotes_disabled && options.get("csv.quote-character").is_some() {
        let message = "the option 'csv.quote-character' has no effect beside 'csv.disable-quote-character'; remove one";
        return Err(Error::user("bad-option-value", message));
    }
    let quote = character(options, "csv.quote-character")?.unwrap_or(b'"');
    Ok(CsvOptions {
        delimiter: character(options, "csv.field-delimiter")?.unwrap_or(b','),
        quote: (!quotes_disabled).then_some(quote),
        escape: character(options, "csv.escape-character")?,
        null_literal: options.get("csv.null-literal").map(str::to_string),
        array_delimiter: options.get("csv.array-element-delimiter").unwrap_or(";").to_string(),
        allow_comments: options.boolean("csv.allow-comments", false)?,
        ignore_parse_errors: options.boolean("csv.ignore-parse-errors", false)?,
        scientific_decimals: options.boolean("csv.write-bigdecimal-in-scientific-notation", true)?,
    })
}

/// An option of one ASCII character, which may be written as a Java escape.
fn character(options: Options<'_>, name: &str) -> Result<Option<u8>> {
    let Some(text) = options.get(name) else { return Ok(None) };
    let byte = match text {
        "\\t" => b'\t',
        "\\\\" => b'\\',
        "\\'" => b'\'',
        "\\\"" => b'"',
        _ => match (text.as_bytes(), text.strip_prefix("\\u")) {
            ([byte], _) if byte.is_ascii() => *byte,
            (_, Some(digits)) => u8::from_str_radix(digits, 16)
                .ok()
                .filter(u8::is_ascii)
                .ok_or_else(|| bad_option(name, text, "one ASCII character"))?,
            _ => return Err(bad_option(name, text, "one ASCII character")),
        },
    };
    match byte {
        b'\n' | b'\r' => Err(bad_option(name, text, "a character that does not end lines")),
        byte => Ok(Some(byte)),
    }
}
