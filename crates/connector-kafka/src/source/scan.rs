//! A scan, resolved against the table: which part of a record each produced column comes from.

use crate::bad_records::BadRecordPolicy;
use crate::table::{Layout, Metadata, Part};
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
}

impl Scan {
    pub(super) fn new(spec: &SourceSpec, layout: Layout) -> Result<Self> {
        let (mut wanted_key, mut wanted_value) = (vec![], vec![]);
        let mut produced = vec![];
        for column in &spec.produced {
            let origin = match &column.origin {
                ColumnOrigin::Metadata(key) => Origin::Metadata(Metadata::from_key(key)?),
                ColumnOrigin::Physical(at) => match place(&layout, *at)? {
                    Origin::Key(field) => {
                        wanted_key.push((field, column.ty.clone()));
                        Origin::Key(wanted_key.len() - 1)
                    }
                    Origin::Value(field) => {
                        wanted_value.push((field, column.ty.clone()));
                        Origin::Value(wanted_value.len() - 1)
                    }
                    metadata @ Origin::Metadata(_) => metadata,
                },
            };
            produced.push(Produced { name: column.name.clone(), ty: column.ty.clone(), origin });
        }
        let bad_records = BadRecordPolicy::from_options(Options(&spec.table.options))?;
        Ok(Self { layout, produced, bad_records, limit: spec.limit, wanted_key, wanted_value })
    }

    /// Checks the options of the formats.
    pub(super) fn check(&self) -> Result<()> {
        self.value_decoder()?;
        self.key_decoder().map(|_| ())
    }

    /// The decoder of values.
    pub(super) fn value_decoder(&self) -> Result<Box<dyn RowDecoder>> {
        decoder(&self.layout.value, &self.wanted_value)
    }

    /// The decoder of keys, when a column comes from there.
    pub(super) fn key_decoder(&self) -> Result<Option<Box<dyn RowDecoder>>> {
        let key = self.layout.key.as_ref().filter(|_| !self.wanted_key.is_empty());
        key.map(|key| decoder(key, &self.wanted_key)).transpose()
    }
}

fn decoder(part: &Part, wanted: &Wanted) -> Result<Box<dyn RowDecoder>> {
    part.format.decoder(Options(&part.options), ReadSchema { columns: &part.columns, wanted })
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
