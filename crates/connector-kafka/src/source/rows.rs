//! Records as columns: key, value and metadata of many records become one batch.
//!
//! The decoders of key and value each collect rows of their own. Usually row `i` of both belongs to record `i`; when
//! it does not (a value of several changes, a key that is missing, a record without a value), the rows are put beside
//! each other by index when the batch is finished, in bulk.

use super::batch::Message;
use super::metadata::MetadataColumn;
use super::scan::{Origin, Scan};
use crate::bad_records::{BadRecords, Defect, Position, Raw};
use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use headwater_data::{ChangeBatch, RowKinds, arrow_schema};
use headwater_formats::{Decoded, RowDecoder};
use headwater_types::{Error, Result, RowKind};
use std::sync::Arc;

/// No row.
const ABSENT: u32 = u32::MAX;

/// Rows under construction.
pub(super) struct Rows {
    scan: Arc<Scan>,
    schema: SchemaRef,
    value: Box<dyn RowDecoder>,
    key: Option<Box<dyn RowDecoder>>,
    metadata: Vec<MetadataColumn>,
    /// The key decoder's row of every row; empty without key decoder.
    key_rows: Vec<u32>,
    /// The value decoder's row of every row; kept for upsert tables only.
    value_rows: Vec<u32>,
    rows: usize,
    bytes: usize,
}

impl Rows {
    pub(super) fn new(scan: Arc<Scan>) -> Result<Self> {
        let metadata = scan.produced.iter().filter_map(|produced| match produced.origin {
            Origin::Metadata(metadata) => Some(MetadataColumn::new(metadata)),
            _ => None,
        });
        Ok(Self {
            schema: arrow_schema(scan.produced.iter().map(|p| (p.name.as_str(), &p.ty))),
            value: scan.value_decoder()?,
            key: scan.key_decoder()?,
            metadata: metadata.collect(),
            key_rows: vec![],
            value_rows: vec![],
            rows: 0,
            bytes: 0,
            scan,
        })
    }

    /// A batch without rows.
    pub(super) fn no_rows(&self) -> ChangeBatch {
        ChangeBatch::append(RecordBatch::new_empty(self.schema.clone()))
    }

    /// Rows so far.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Bytes of the records so far.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds the rows of a record.
    pub(super) fn push(&mut self, message: &Message, bad: &mut BadRecords) -> Result<()> {
        self.bytes += message.key().map_or(0, <[u8]>::len) + message.payload().map_or(0, <[u8]>::len);
        let is_upsert = self.scan.layout.is_upsert;
        if is_upsert && message.key().is_none() {
            let (raw, reason) =
                (message.payload().unwrap_or_default(), "the record has no key, which an upsert table needs");
            return bad.handle(
                Defect { part: "value", raw, reason, ignored: false },
                whole(message),
                position(message),
            );
        }
        let key = match (&mut self.key, message.key()) {
            (Some(decoder), Some(key)) => match decode(decoder.as_mut(), "key", key, message, bad)? {
                // The row of a rejected key would be of nobody.
                None => return Ok(()),
                Some((first, rows)) => {
                    if rows > 0 {
                        first
                    } else {
                        ABSENT
                    }
                }
            },
            _ => ABSENT,
        };
        let (first, rows) = match message.payload() {
            Some(value) => match decode(self.value.as_mut(), "value", value, message, bad)? {
                Some(added) => added,
                None => return Ok(()),
            },
            None if is_upsert => (ABSENT, 1),
            // As in Flink: nothing to decode is no row.
            None => return Ok(()),
        };
        self.append(message, key, first, rows)
    }

    fn append(&mut self, message: &Message, key: u32, first: u32, rows: u32) -> Result<()> {
        if self.key.is_some() {
            self.key_rows.resize(self.key_rows.len() + rows as usize, key);
        }
        if self.scan.layout.is_upsert {
            self.value_rows.extend((0..rows).map(|row| if first == ABSENT { ABSENT } else { first + row }));
        }
        self.rows += rows as usize;
        self.metadata.iter_mut().try_for_each(|column| column.append(message, rows as usize))
    }

    /// The rows as a batch; starts over empty. `limit` bounds their number.
    pub(super) fn finish(&mut self, limit: u64) -> Result<ChangeBatch> {
        let value = self.value.finish()?;
        let key = self.key.as_mut().map(|key| key.finish()).transpose()?;
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let (key_rows, value_rows) = (std::mem::take(&mut self.key_rows), std::mem::take(&mut self.value_rows));
        let kinds = kinds(&value, &value_rows);
        let batch = self.columns(rows, key.as_ref(), &value, &key_rows, &value_rows);
        let batch = batch.map_err(|e| Error::internal(format!("the columns of records do not form a batch: {e}")))?;
        let batch = match kinds {
            RowKinds::Append => ChangeBatch::append(batch),
            RowKinds::Mixed(kinds) => ChangeBatch::mixed(batch, kinds),
        };
        Ok(if (rows as u64) > limit { batch.slice(0, limit as usize) } else { batch })
    }

    fn columns(
        &mut self,
        rows: usize,
        key: Option<&Decoded>,
        value: &Decoded,
        key_rows: &[u32],
        value_rows: &[u32],
    ) -> std::result::Result<RecordBatch, ArrowError> {
        let key_index = key.and_then(|key| index(key_rows, key.rows));
        let value_index = self.scan.layout.is_upsert.then(|| index(value_rows, value.rows)).flatten();
        let mut metadata = self.metadata.iter_mut();
        let mut arrays = Vec::with_capacity(self.scan.produced.len());
        for produced in &self.scan.produced {
            arrays.push(match produced.origin {
                Origin::Key(at) => match key {
                    Some(key) => pick(&key.arrays[at], key_index.as_ref())?,
                    None => return Err(ArrowError::InvalidArgumentError("no key was decoded".into())),
                },
                Origin::Value(at) => pick(&value.arrays[at], value_index.as_ref())?,
                Origin::ValueMetadata(at) => {
                    pick(&value.arrays[self.scan.value_metadata_from() + at], value_index.as_ref())?
                }
                Origin::Metadata(_) => match metadata.next() {
                    Some(column) => column.finish(),
                    None => return Err(ArrowError::InvalidArgumentError("no metadata was kept".into())),
                },
            });
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options)
    }
}

/// The first row that a decoder added and their number; `None` when it rejected the record.
fn decode(
    decoder: &mut dyn RowDecoder,
    part: &'static str,
    bytes: &[u8],
    message: &Message,
    bad: &mut BadRecords,
) -> Result<Option<(u32, u32)>> {
    let first = decoder.rows();
    let mut is_rejected = false;
    decoder.decode_message(bytes, &mut |record| {
        is_rejected = true;
        let defect = Defect { part, raw: record.raw, reason: &record.reason, ignored: record.ignored };
        bad.handle(defect, whole(message), position(message))
    })?;
    let rows = decoder.rows() - first;
    Ok((!is_rejected || rows > 0).then_some((first as u32, rows as u32)))
}

fn whole(message: &Message) -> Raw<'_> {
    Raw { key: message.key(), value: message.payload() }
}

fn position(message: &Message) -> Position<'_> {
    Position { topic: message.topic(), partition: message.partition(), offset: message.offset() }
}

/// The index that puts a decoder's rows in place; `None` when they are there already.
fn index(rows: &[u32], decoded: usize) -> Option<UInt32Array> {
    let in_place = rows.len() == decoded && rows.iter().enumerate().all(|(at, row)| at as u32 == *row);
    if in_place {
        return None;
    }
    let present = NullBuffer::from_iter(rows.iter().map(|row| *row != ABSENT));
    let positions: Vec<u32> = rows.iter().map(|row| if *row == ABSENT { 0 } else { *row }).collect();
    Some(UInt32Array::new(positions.into(), Some(present)))
}

fn pick(array: &ArrayRef, index: Option<&UInt32Array>) -> std::result::Result<ArrayRef, ArrowError> {
    match index {
        None => Ok(array.clone()),
        // Taking nothing but NULLs from an empty array is out of its bounds for some types.
        Some(index) if array.is_empty() => Ok(arrow::array::new_null_array(array.data_type(), index.len())),
        Some(index) => take(array, index, None),
    }
}

fn kinds(value: &Decoded, value_rows: &[u32]) -> RowKinds {
    if !value_rows.contains(&ABSENT) {
        return value.kinds.clone();
    }
    let kind = |row: &u32| if *row == ABSENT { RowKind::Delete } else { RowKind::Insert } as i8;
    RowKinds::Mixed(value_rows.iter().map(kind).collect::<Vec<_>>().into())
}
