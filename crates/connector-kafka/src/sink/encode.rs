//! From batches to records.

use super::frame::{Header, Record};
use super::settings::Settings;
use crate::table::{Metadata, Part};
use arrow::array::{Array, AsArray, MapArray, PrimitiveArray};
use arrow::datatypes::TimestampMillisecondType;
use headwater_connector_api::Options;
use headwater_data::ChangeBatch;
use headwater_formats::{Messages, RowEncoder};
use headwater_types::{Error, Result, RowKind};

/// Encodes the key or the value.
struct PartEncoder {
    encoder: Box<dyn RowEncoder>,
    positions: Vec<usize>,
    messages: Messages,
}

impl PartEncoder {
    fn new(part: &Part) -> Result<Self> {
        let encoder = part.format.encoder(Options(&part.options), &part.columns)?;
        Ok(Self { encoder, positions: part.positions.clone(), messages: Messages::default() })
    }

    fn encode(&mut self, batch: &ChangeBatch) -> Result<()> {
        self.messages.clear();
        let rows = batch.rows().project(&self.positions);
        let rows = rows.map_err(|e| Error::internal(format!("the sink's input lacks columns: {e}")))?;
        self.encoder.encode_messages(&batch.with_rows(rows), &mut self.messages)
    }
}

/// Encodes batches; keeps its buffers from one to the next.
pub(super) struct Encoder {
    key: Option<PartEncoder>,
    value: PartEncoder,
    is_upsert: bool,
    headers: Option<usize>,
    timestamp: Option<usize>,
}

impl Encoder {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let position = |wanted| settings.metadata.iter().find(|(metadata, _)| *metadata == wanted).map(|(_, at)| *at);
        Ok(Self {
            key: settings.layout.key.as_ref().map(PartEncoder::new).transpose()?,
            value: PartEncoder::new(&settings.layout.value)?,
            is_upsert: settings.layout.is_upsert,
            headers: position(Metadata::Headers),
            timestamp: position(Metadata::Timestamp),
        })
    }

    /// Hands the records of a batch to `take`, in order.
    pub(super) fn each(&mut self, batch: &ChangeBatch, mut take: impl FnMut(Record<'_>) -> Result<()>) -> Result<()> {
        self.value.encode(batch)?;
        if let Some(key) = &mut self.key {
            key.encode(batch)?;
        }
        let headers = self.headers.map(|at| headers(batch, at)).transpose()?;
        let times = self.timestamp.map(|at| times(batch, at)).transpose()?;
        for row in 0..batch.num_rows() {
            let kind = batch.kind(row);
            // The row that replaces it has the same key and follows.
            if self.is_upsert && kind == RowKind::UpdateBefore {
                continue;
            }
            let is_tombstone = self.is_upsert && kind == RowKind::Delete;
            take(Record {
                key: self.key.as_ref().and_then(|key| key.messages.get(row)),
                value: if is_tombstone { None } else { self.value.messages.get(row) },
                timestamp: times.map_or(Ok(None), |times| time_of(times, row))?,
                headers: headers.map_or(Ok(vec![]), |headers| headers_of(headers, row))?,
            })?;
        }
        Ok(())
    }
}

fn times(batch: &ChangeBatch, at: usize) -> Result<&PrimitiveArray<TimestampMillisecondType>> {
    let array = batch.rows().column(at).as_primitive_opt();
    array.ok_or_else(|| Error::internal("the metadata column 'timestamp' is not of the type TIMESTAMP_LTZ(3)"))
}

/// The time of a row, if it has one.
fn time_of(times: &PrimitiveArray<TimestampMillisecondType>, row: usize) -> Result<Option<i64>> {
    let ms = times.is_valid(row).then(|| times.value(row));
    if let Some(ms) = ms.filter(|ms| *ms < 0) {
        let message = format!(
            "the metadata column 'timestamp' of a row is {} milliseconds before 1970, and Kafka takes no time before: \
             write NULL for the time of writing, or leave such rows out",
            ms.unsigned_abs()
        );
        return Err(Error::user("kafka-refused", message));
    }
    Ok(ms)
}

fn headers(batch: &ChangeBatch, at: usize) -> Result<&MapArray> {
    let array = batch.rows().column(at).as_map_opt();
    array.ok_or_else(|| Error::internal("the metadata column 'headers' is not of the type MAP<STRING, BYTES>"))
}

fn headers_of(map: &MapArray, row: usize) -> Result<Vec<Header<'_>>> {
    if map.is_null(row) {
        return Ok(vec![]);
    }
    let offsets = map.offsets();
    let entries = offsets[row] as usize..offsets[row + 1] as usize;
    let (names, values) = (map.keys().as_string_opt::<i32>(), map.values().as_binary_opt::<i32>());
    let (Some(names), Some(values)) = (names, values) else {
        return Err(Error::internal("the metadata column 'headers' is not of the type MAP<STRING, BYTES>"));
    };
    Ok(entries.map(|at| (names.value(at), values.is_valid(at).then(|| values.value(at)))).collect())
}
