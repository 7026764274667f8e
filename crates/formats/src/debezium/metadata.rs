//! What an envelope tells of a change beside its images: the metadata of Flink's format.

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use arrow::error::ArrowError;
use headwater_types::{Error, LogicalType, Result, RowField, TimeAttribute, TypeRoot};
use std::sync::Arc;

/// A metadata key, and where the envelope holds it: milliseconds or a text of its root or of its `source`.
struct Known {
    key: &'static str,
    in_source: bool,
    field: &'static str,
    is_time: bool,
}

const KNOWN: &[Known] = &[
    Known { key: "ingestion-timestamp", in_source: false, field: "ts_ms", is_time: true },
    Known { key: "source.timestamp", in_source: true, field: "ts_ms", is_time: true },
    Known { key: "source.database", in_source: true, field: "db", is_time: false },
    Known { key: "source.schema", in_source: true, field: "schema", is_time: false },
    Known { key: "source.table", in_source: true, field: "table", is_time: false },
];

impl Known {
    fn of(key: &str) -> Result<&'static Self> {
        let found = KNOWN.iter().find(|known| known.key == key);
        found.ok_or_else(|| Error::internal(format!("the format debezium-json has no metadata '{key}'")))
    }

    /// Type of the envelope's field.
    fn stored(&self) -> LogicalType {
        if self.is_time { TypeRoot::BigInt.into() } else { LogicalType::string() }
    }
}

/// The metadata keys with their types.
pub(crate) fn columns() -> Vec<(&'static str, LogicalType)> {
    let ty = |known: &Known| match known.is_time {
        true => TypeRoot::TimestampLtz(3, TimeAttribute::None).into(),
        false => LogicalType::string(),
    };
    KNOWN.iter().map(|known| (known.key, ty(known))).collect()
}

/// Where a metadata column stands in decoded envelopes.
struct Place {
    column: usize,
    /// Field of the column `source`.
    field: Option<usize>,
    is_time: bool,
}

/// The wanted metadata columns.
pub(super) struct Wanted {
    places: Vec<Place>,
}

impl Wanted {
    /// Resolves metadata keys, and adds the fields that they need to those of the envelope.
    pub(super) fn new(keys: &[&str], envelope: &mut Vec<RowField>) -> Result<Self> {
        let known = keys.iter().map(|key| Known::of(key)).collect::<Result<Vec<_>>>()?;
        let mut source: Vec<RowField> = vec![];
        for known in &known {
            let fields = if known.in_source { &mut source } else { &mut *envelope };
            if !fields.iter().any(|field| field.name == known.field) {
                fields.push(RowField::new(known.field, known.stored()));
            }
        }
        let at = |fields: &[RowField], name: &str| fields.iter().position(|field| field.name == name);
        let places = known.iter().map(|known| match known.in_source {
            // The column `source` is the last one.
            true => Place { column: envelope.len(), field: at(&source, known.field), is_time: known.is_time },
            false => {
                Place { column: at(envelope, known.field).unwrap_or_default(), field: None, is_time: known.is_time }
            }
        });
        let places = places.collect();
        if !source.is_empty() {
            envelope.push(RowField::new("source", TypeRoot::Row(source).into()));
        }
        Ok(Self { places })
    }

    /// The columns for rows that come from these envelopes.
    pub(super) fn take(&self, envelopes: &[ArrayRef], rows: &UInt32Array) -> Result<Vec<ArrayRef>, ArrowError> {
        let column = |place: &Place| {
            let column = &envelopes[place.column];
            let stored = place.field.map_or(column, |field| column.as_struct().column(field));
            let taken = take(stored, rows, None)?;
            Ok(match place.is_time {
                true => {
                    let times = taken.as_primitive::<Int64Type>().reinterpret_cast::<TimestampMillisecondType>();
                    Arc::new(times.with_timezone("UTC")) as Arc<dyn Array>
                }
                false => taken,
            })
        };
        self.places.iter().map(column).collect()
    }
}
