//! Formats by the name in a table's `format` option.

use crate::avro::confluent::{self, ConfluentDecoder, ConfluentEncoder};
use crate::avro::{self, AvroDecoder, AvroEncoder};
use crate::csv::{self, CsvDecoder, CsvEncoder};
use crate::debezium::{self, DebeziumDecoder, DebeziumEncoder};
use crate::decoder::{ReadSchema, RowDecoder, RowEncoder};
use crate::json::{self, JsonDecoder, JsonEncoder};
use crate::parquet;
use crate::raw::{self, RawDecoder, RawEncoder};
use headwater_connector_api::{OptionSpec, Options};
use headwater_types::config::nearest;
use headwater_types::{Error, LogicalType, Result};

/// A built-in format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Avro records of the table's schema, as messages.
    Avro,
    /// Avro records of schemas in a Confluent schema registry, as messages.
    AvroConfluent,
    /// CSV.
    Csv,
    /// Changes as JSON lines in Debezium's envelope.
    DebeziumJson,
    /// JSON lines.
    Json,
    /// Parquet files.
    Parquet,
    /// The bytes of a line.
    Raw,
}

const FORMATS: &[(&str, Format)] = &[
    ("avro", Format::Avro),
    ("avro-confluent", Format::AvroConfluent),
    ("csv", Format::Csv),
    ("debezium-json", Format::DebeziumJson),
    ("json", Format::Json),
    ("parquet", Format::Parquet),
    ("raw", Format::Raw),
];

impl Format {
    /// The format of this name.
    pub fn from_name(name: &str) -> Result<Self> {
        if let Some((_, format)) = FORMATS.iter().find(|(n, _)| *n == name) {
            return Ok(*format);
        }
        let names = || FORMATS.iter().map(|(n, _)| *n);
        let hint = nearest(name, names()).map(|n| format!(" did you mean '{n}'?")).unwrap_or_default();
        let available = names().collect::<Vec<_>>().join(", ");
        Err(Error::user("unknown-format", format!("there is no format '{name}';{hint} available formats: {available}")))
    }

    /// The name in the `format` option.
    pub fn name(self) -> &'static str {
        FORMATS.iter().find(|(_, f)| *f == self).map_or("", |(n, _)| n)
    }

    /// The options it understands.
    pub fn options(self) -> &'static [OptionSpec] {
        match self {
            Self::Avro => avro::OPTIONS,
            Self::AvroConfluent => confluent::OPTIONS,
            Self::Csv => csv::options::OPTIONS,
            Self::DebeziumJson => debezium::OPTIONS,
            Self::Json => json::options::OPTIONS,
            Self::Parquet => parquet::options::OPTIONS,
            Self::Raw => raw::OPTIONS,
        }
    }

    /// Extension of the files it writes.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Avro | Self::AvroConfluent => "avro",
            Self::Csv => "csv",
            Self::DebeziumJson | Self::Json => "json",
            Self::Parquet => "parquet",
            Self::Raw => "txt",
        }
    }

    /// Whether a file can be read in ranges that begin after any line feed.
    pub fn is_splittable(self, options: Options<'_>) -> bool {
        match self {
            // A quoted field may hold line feeds.
            Self::Csv => options.boolean("csv.disable-quote-character", false).unwrap_or(false),
            Self::Json | Self::Raw => true,
            // The order of changes matters, and columnar files have no lines.
            Self::Avro | Self::AvroConfluent | Self::DebeziumJson | Self::Parquet => false,
        }
    }

    /// Whether files hold columns rather than records: see [`crate::parquet`].
    pub fn is_columnar(self) -> bool {
        self == Self::Parquet
    }

    /// Whether records carry row kinds.
    pub fn has_changes(self) -> bool {
        self == Self::DebeziumJson
    }

    /// What records tell beside their columns: keys and types.
    pub fn metadata(self) -> Vec<(&'static str, LogicalType)> {
        if self == Self::DebeziumJson { debezium::metadata_columns() } else { vec![] }
    }

    /// A decoder of records; an error for a columnar format.
    pub fn decoder(self, options: Options<'_>, schema: ReadSchema<'_>) -> Result<Box<dyn RowDecoder>> {
        self.decoder_with_metadata(options, schema, &[])
    }

    /// A decoder of records that produces columns of metadata behind the wanted ones; see [`Format::metadata`].
    pub fn decoder_with_metadata(
        self,
        options: Options<'_>,
        schema: ReadSchema<'_>,
        metadata: &[&str],
    ) -> Result<Box<dyn RowDecoder>> {
        match self {
            Self::Avro => Ok(Box::new(AvroDecoder::new(schema, avro::avro_options(options)?)?)),
            Self::AvroConfluent => Ok(Box::new(ConfluentDecoder::new(schema, options)?)),
            Self::DebeziumJson => {
                let decode = json::options::decode_options(options, self.name())?;
                let has_payload = options.boolean("debezium-json.schema-include", false)?;
                Ok(Box::new(DebeziumDecoder::new(schema, metadata, decode, has_payload)?))
            }
            Self::Parquet => Err(whole_files()),
            Self::Raw => Ok(Box::new(RawDecoder::new(schema, raw::raw_options(options)?)?)),
            Self::Csv => Ok(Box::new(CsvDecoder::new(schema, csv::options::csv_options(options)?))),
            Self::Json => {
                let fields = schema.wanted.iter().map(|(column, ty)| (schema.columns[*column].0.as_str(), ty));
                Ok(Box::new(JsonDecoder::new(fields, json::options::decode_options(options, "json")?)))
            }
        }
    }

    /// An encoder of records with these fields; an error for a columnar format.
    pub fn encoder(self, options: Options<'_>, columns: &[(String, LogicalType)]) -> Result<Box<dyn RowEncoder>> {
        let names = columns.iter().map(|(n, _)| n.clone());
        match self {
            Self::Avro => Ok(Box::new(AvroEncoder::new(columns, avro::avro_options(options)?)?)),
            Self::AvroConfluent => Ok(Box::new(ConfluentEncoder::new(columns, options)?)),
            Self::DebeziumJson => {
                let encode = json::options::encode_options(options, "debezium-json")?;
                Ok(Box::new(DebeziumEncoder::new(names, encode)))
            }
            Self::Parquet => Err(whole_files()),
            Self::Raw => Ok(Box::new(RawEncoder::new(columns, raw::raw_options(options)?)?)),
            Self::Csv => Ok(Box::new(CsvEncoder::new(columns, csv::options::csv_options(options)?)?)),
            Self::Json => Ok(Box::new(JsonEncoder::new(names, json::options::encode_options(options, "json")?))),
        }
    }
}

fn whole_files() -> Error {
    Error::internal("the parquet format has no records")
}
