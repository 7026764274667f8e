//! A scan, resolved against the table: which part of a record each produced column comes from.

use crate::bad_records::BadRecordPolicy;
use crate::table::{Layout, Metadata, Part, VALUE_METADATA};
use headwater_connector_api::Options;
use headwater_formats::{ReadSchema, RowDecoder};
use headwater_plan::SourceSpec;
use headwater_plan::table::ColumnOrigin;
use headwater_types::{Error, LogicalType, Result};

/// Where a produced column comes from: the column of a decoder at a position, or metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Key(usize),
    Value(usize),
    /// Behind the columns of the decoder of values.
    ValueMetadata(usize),
    Metadata(Metadata),
}

/// A produced column.
#[derive(Debug, Clone)]
pub(super) struct Produced {
    pub(super) name: String,
    pub(super) ty: LogicalType,
    pub(super) origin: Origin,
}

/// Columns that a decoder produces, by position in its part.
type Wanted = Vec<(usize, LogicalType)>;

/// The scan.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) layout: Layout,
    pub(super) produced: Vec<Produced>,
    pub(super) bad_records: BadRecordPolicy,
    pub(super) limit: Option<u64>,
    wanted_key: Wanted,
    wanted_value: Wanted,
    /// Keys of metadata that the format of values knows.
    value_metadata: Vec<String>,
}

impl Scan {
    pub(super) fn new(spec: &SourceSpec, layout: Layout) -> Result<Self> {
        let (mut wanted_key, mut wanted_value, mut value_metadata) = (vec![], vec![], vec![]);
        let mut produced = vec![];
        for column in &spec.produced {
            let origin = match &column.origin {
                ColumnOrigin::Metadata(key) => match key.strip_prefix(VALUE_METADATA) {
                    Some(own) => {
                        value_metadata.push(own.to_owned());
                        Origin::ValueMetadata(value_metadata.len() - 1)
                    }
                    None => Origin::Metadata(Metadata::from_key(key)?),
                },
                ColumnOrigin::Physical(at) => match place(&layout, *at)? {
                    Origin::Key(field) => {
                        wanted_key.push((field, column.ty.clone()));
                        Origin::Key(wanted_key.len() - 1)
                    }
                    Origin::Value(field) => {
                        wanted_value.push((field, column.ty.clone()));
                        Origin::Value(wanted_value.len() - 1)
                    }
                    metadata @ (Origin::Metadata(_) | Origin::ValueMetadata(_)) => metadata,
                },
            };
            produced.push(Produced { name: column.name.clone(), ty: column.ty.clone(), origin });
        }
        let bad_records = BadRecordPolicy::from_options(Options(&spec.table.options))?;
        let limit = spec.limit;
        Ok(Self { layout, produced, bad_records, limit, wanted_key, wanted_value, value_metadata })
    }

    /// Checks the options of the formats.
    pub(super) fn check(&self) -> Result<()> {
        self.value_decoder()?;
        self.key_decoder().map(|_| ())
    }

    /// The decoder of values.
    pub(super) fn value_decoder(&self) -> Result<Box<dyn RowDecoder>> {
        let metadata: Vec<_> = self.value_metadata.iter().map(String::as_str).collect();
        decoder(&self.layout.value, &self.wanted_value, &metadata)
    }

    /// Position of the first column of metadata among those of the decoder of values.
    pub(super) fn value_metadata_from(&self) -> usize {
        self.wanted_value.len()
    }

    /// The decoder of keys, when a column comes from there.
    pub(super) fn key_decoder(&self) -> Result<Option<Box<dyn RowDecoder>>> {
        let key = self.layout.key.as_ref().filter(|_| !self.wanted_key.is_empty());
        key.map(|key| decoder(key, &self.wanted_key, &[])).transpose()
    }
}

fn decoder(part: &Part, wanted: &Wanted, metadata: &[&str]) -> Result<Box<dyn RowDecoder>> {
    let schema = ReadSchema { columns: &part.columns, wanted };
    part.format.decoder_with_metadata(Options(&part.options), schema, metadata)
}

/// The part and the field of a physical column. The value's is taken when both have it, as in Flink; but an upsert
/// table's key is the key's, which is there also when the value is not.
fn place(layout: &Layout, column: usize) -> Result<Origin> {
    let field = |part: &Part| part.positions.iter().position(|at| *at == column);
    let key = layout.key.as_ref().and_then(field).map(Origin::Key);
    let value = field(&layout.value).map(Origin::Value);
    let found = if layout.is_upsert { key.or(value) } else { value.or(key) };
    found.ok_or_else(|| Error::internal(format!("the column {column} is in no part of a record")))
}
