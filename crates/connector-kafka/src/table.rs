//! Where the columns of a table stand in a record: in its key, its value, or its metadata.

use headwater_connector_api::options::bad_option;
use headwater_connector_api::{MetadataColumn, OptionSpec, Options};
use headwater_formats::Format;
use headwater_plan::TableSpec;
use headwater_types::{Error, LogicalType, Result, TimeAttribute, TypeRoot};
use std::collections::BTreeMap;

/// The key or the value of a record.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) format: Format,
    /// The format's options, without the prefix of the part.
    pub(crate) options: BTreeMap<String, String>,
    /// The fields as the format sees them.
    pub(crate) columns: Vec<(String, LogicalType)>,
    /// Their positions in the table.
    pub(crate) positions: Vec<usize>,
}

/// The parts of a record.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) key: Option<Part>,
    pub(crate) value: Part,
    /// Whether a record without a value takes the row of its key back.
    pub(crate) is_upsert: bool,
}

/// The metadata of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metadata {
    Topic,
    Partition,
    Headers,
    LeaderEpoch,
    Offset,
    Timestamp,
    TimestampType,
}

const METADATA: [(&str, Metadata); 7] = [
    ("topic", Metadata::Topic),
    ("partition", Metadata::Partition),
    ("headers", Metadata::Headers),
    ("leader-epoch", Metadata::LeaderEpoch),
    ("offset", Metadata::Offset),
    ("timestamp", Metadata::Timestamp),
    ("timestamp-type", Metadata::TimestampType),
];

impl Metadata {
    /// The metadata of this key.
    pub(crate) fn from_key(key: &str) -> Result<Self> {
        let found = METADATA.iter().find(|(name, _)| *name == key);
        found.map(|(_, metadata)| *metadata).ok_or_else(|| Error::internal(format!("no metadata has the key '{key}'")))
    }

    fn ty(self) -> LogicalType {
        let bytes = LogicalType::from(TypeRoot::VarBinary(u32::MAX >> 1));
        match self {
            Self::Topic | Self::TimestampType => LogicalType::string().not_null(),
            Self::Partition => LogicalType::new(TypeRoot::Int, false),
            Self::LeaderEpoch => LogicalType::new(TypeRoot::Int, true),
            Self::Offset => LogicalType::new(TypeRoot::BigInt, false),
            Self::Timestamp => LogicalType::new(TypeRoot::TimestampLtz(3, TimeAttribute::None), false),
            Self::Headers => LogicalType::new(TypeRoot::Map(Box::new(LogicalType::string()), Box::new(bytes)), false),
        }
    }

    fn is_writable(self) -> bool {
        matches!(self, Self::Headers | Self::Timestamp)
    }
}

/// Begins the keys of metadata that the format of values knows.
pub(crate) const VALUE_METADATA: &str = "value.";

/// All of those.
const VALUE_METADATA_KEYS: &[&str] = &[
    "value.ingestion-timestamp",
    "value.source.timestamp",
    "value.source.database",
    "value.source.schema",
    "value.source.table",
];

/// All metadata columns of a table.
pub(crate) fn metadata_columns(table: &TableSpec) -> Vec<MetadataColumn> {
    let column = |(key, m): (&'static str, Metadata)| MetadataColumn { key, ty: m.ty(), writable: m.is_writable() };
    let mut all: Vec<_> = METADATA.map(column).into();
    let options = Options(&table.options);
    let format = options.get("value.format").or_else(|| options.get("format")).map(Format::from_name);
    let known = format.and_then(Result::ok).map_or(vec![], Format::metadata);
    all.extend(VALUE_METADATA_KEYS.iter().filter_map(|key| {
        let (_, ty) = known.iter().find(|(own, _)| key.strip_prefix(VALUE_METADATA) == Some(*own))?;
        Some(MetadataColumn { key, ty: ty.clone(), writable: false })
    }));
    all
}

impl Layout {
    /// Reads and checks the options of key and value.
    pub(crate) fn new(table: &TableSpec, is_upsert: bool) -> Result<Self> {
        let options = Options(&table.options);
        let key_fields = if is_upsert { upsert_key(table)? } else { key_fields(table)? };
        let except_key = options.choice("value.fields-include", false, &[("ALL", false), ("EXCEPT_KEY", true)])?;
        let prefix = options.get("key.fields-prefix").unwrap_or_default();
        if !prefix.is_empty() && !except_key {
            return Err(bad_option(
                "value.fields-include",
                "ALL",
                "EXCEPT_KEY, as the option 'key.fields-prefix' is set",
            ));
        }
        let key = match options.get("key.format") {
            Some(name) => Some(key_part(table, name, &key_fields, prefix)?),
            None if key_fields.is_empty() => None,
            None => return Err(missing("key.format", "it says how the key's columns are written")),
        };
        if key.is_some() && key_fields.is_empty() {
            return Err(missing("key.fields", "it names the columns of the key, as 'key.format' is set"));
        }
        let positions: Vec<_> =
            (0..table.columns.len()).filter(|at| !(except_key && key_fields.contains(at))).collect();
        let (name, part_prefix) = value_format(options, is_upsert)?;
        let columns = positions.iter().map(|at| table.columns[*at].clone()).collect();
        let value = Part::new(table, name, part_prefix, columns, positions)?;
        let layout = Self { key, value, is_upsert };
        layout.check_changes(table)?;
        Ok(layout)
    }

    fn check_changes(&self, table: &TableSpec) -> Result<()> {
        let (key, value) = (self.key.as_ref().map(|key| key.format), self.value.format);
        if let Some(format) = key.filter(|format| format.has_changes()) {
            return Err(bad_option("key.format", format.name(), "a format without row kinds"));
        }
        if self.is_upsert && value.has_changes() {
            let expected = "a format without row kinds, or the connector 'kafka'";
            return Err(bad_option("value.format", value.name(), expected));
        }
        if !self.is_upsert && !value.has_changes() && !table.primary_key.is_empty() {
            let message = format!(
                "the kafka connector with the format '{}' cannot keep a PRIMARY KEY, since a topic may hold many records of \
                 one key: leave it out, or use the connector 'upsert-kafka'",
                value.name()
            );
            return Err(Error::user("bad-primary-key", message));
        }
        Ok(())
    }
}

impl Part {
    fn new(
        table: &TableSpec,
        format: &str,
        prefix: &str,
        columns: Vec<(String, LogicalType)>,
        positions: Vec<usize>,
    ) -> Result<Self> {
        let format = Format::from_name(format)?;
        if format.is_columnar() {
            return Err(bad_option(&format!("{prefix}format"), format.name(), "a format of records"));
        }
        let own = format!("{prefix}{}.", format.name());
        let stripped = |(name, value): (&String, &String)| {
            name.starts_with(&own).then(|| (name[prefix.len()..].to_string(), value.clone()))
        };
        let mut options: BTreeMap<_, _> = table.options.iter().filter_map(stripped).collect();
        Options(&options).validate(&format!("'{prefix}format' of the kafka"), format.options(), &[])?;
        if let Some(topic) = table.options.get("topic").filter(|_| format == Format::AvroConfluent) {
            let part = if prefix == "key." { "key" } else { "value" };
            options.entry("avro-confluent.subject".into()).or_insert_with(|| format!("{topic}-{part}"));
        }
        Ok(Self { format, options, columns, positions })
    }
}

fn key_part(table: &TableSpec, format: &str, fields: &[usize], prefix: &str) -> Result<Part> {
    let column = |at: &usize| {
        let (name, ty) = &table.columns[*at];
        let stripped = name.strip_prefix(prefix).filter(|rest| !rest.is_empty()).ok_or_else(|| {
            let expected = format!("a prefix of all columns of the key; '{name}' does not have it");
            bad_option("key.fields-prefix", prefix, &expected)
        })?;
        Ok((stripped.to_string(), ty.clone()))
    };
    let columns = fields.iter().map(column).collect::<Result<_>>()?;
    Part::new(table, format, "key.", columns, fields.to_vec())
}

/// Positions of the columns in `key.fields`.
fn key_fields(table: &TableSpec) -> Result<Vec<usize>> {
    let Some(text) = Options(&table.options).get("key.fields") else { return Ok(vec![]) };
    let names = text.split(';').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| position(table, name, "the option 'key.fields'")).collect()
}

fn upsert_key(table: &TableSpec) -> Result<Vec<usize>> {
    if table.primary_key.is_empty() {
        let message =
            "the upsert-kafka connector needs a PRIMARY KEY (..) NOT ENFORCED: its columns are the record's key";
        return Err(Error::user("missing-primary-key", message));
    }
    table.primary_key.iter().map(|name| position(table, name, "the primary key")).collect()
}

fn position(table: &TableSpec, name: &str, who: &str) -> Result<usize> {
    table.columns.iter().position(|(n, _)| n == name).ok_or_else(|| {
        let names: Vec<_> = table.columns.iter().map(|(n, _)| n.as_str()).collect();
        let columns = names.join(", ");
        Error::user("unknown-column", format!("{who} names '{name}', which is no column of the table: {columns}"))
    })
}

/// Name of the value's format and the prefix of its options.
fn value_format(options: Options<'_>, is_upsert: bool) -> Result<(&str, &'static str)> {
    match (options.get("format"), options.get("value.format")) {
        (Some(_), Some(_)) => {
            Err(Error::user("bad-option-value", "the options 'format' and 'value.format' mean the same: leave one out"))
        }
        (None, Some(name)) => Ok((name, "value.")),
        (Some(name), None) if !is_upsert => Ok((name, "")),
        (Some(_), None) => Err(missing("value.format", "upsert-kafka does not know 'format'")),
        (None, None) => Err(missing("value.format", "it says how values are written, such as 'json'")),
    }
}

fn missing(name: &str, why: &str) -> Error {
    Error::user("missing-option", format!("the kafka connector needs the option '{name}': {why}"))
}

/// The options of a table that belong to its formats with a prefix, which are checked with the parts.
pub(crate) fn is_part_option(name: &str, options: Options<'_>) -> bool {
    ["key", "value"].iter().any(|part| {
        let format = options.get(&format!("{part}.format")).unwrap_or_default();
        name.strip_prefix(part)
            .and_then(|rest| rest.strip_prefix('.')?.strip_prefix(format))
            .is_some_and(|r| r.starts_with('.'))
    })
}

/// The options of the format that is named without a prefix.
pub(crate) fn bare_format_options(table: &TableSpec) -> Vec<OptionSpec> {
    let format = Options(&table.options).get("format").and_then(|name| Format::from_name(name).ok());
    format.map_or(vec![], |format| format.options().to_vec())
}
