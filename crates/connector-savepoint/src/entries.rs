//! Entries of a table as columns.

use crate::columns::{Part, Produced, produced};
use crate::lookup::find;
use crate::source::Scan;
use crate::split::StateSplit;
use arrow::array::{
    Array, ArrayRef, BinaryArray, Int32Array, RecordBatch, RecordBatchOptions, TimestampMillisecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::SchemaRef;
use headwater_checkpoint::StoredRun;
use headwater_checkpoint::manifest::TableState;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_data::run::Merge;
use headwater_data::{arrow_schema, arrow_type};
use headwater_env::{Storage, StorageProvider};
use headwater_jobmanager::locate::locate;
use headwater_state::{Column, EncodedRows, EntryStream, RowCodec, TableDescriptor};
use headwater_storage::Provider;
use headwater_types::{Error, ErrorKind, Result};
use std::ops::Range;
use std::sync::Arc;

/// The entries of a split, from some entry on.
pub(crate) struct Cursor {
    entries: Merge<Box<dyn EntryStream + Send>>,
    decoder: Decoder,
    /// What to do when a file turns out to be damaged.
    advice: String,
}

impl Cursor {
    /// Opens the runs of a split. Blocks.
    pub(crate) fn open(scan: &Scan, split: &StateSplit, now_ms: i64) -> Result<Self> {
        let origin = locate(&Provider, &split.path, &scan.wanted.config)?;
        let (_, table) = find(&origin.manifest, &split.path, Some(&split.operator), Some(&split.state))?;
        let storage = Provider.open(&origin.root, &scan.wanted.config)?;
        let decoder = Decoder::new(produced(&scan.spec, &table.descriptor)?, &table.descriptor)?;
        let streams = streams(table, &(split.start..split.end), &storage, now_ms);
        let entries = Merge::live(streams.map_err(|error| advise(error, &origin.advice))?);
        let mut cursor = Self { entries, decoder, advice: origin.advice };
        for _ in 0..split.done {
            cursor.advance()?;
        }
        Ok(cursor)
    }

    /// The next rows; `None` at the end. Blocks.
    pub(crate) fn next(&mut self, rows: usize) -> Result<Option<RecordBatch>> {
        self.decoder.clear();
        while self.decoder.rows() < rows && self.advance()? {
            let entry = self.entries.entry();
            self.decoder.push(entry.group, entry.key, entry.map_key, entry.value.unwrap_or_default())?;
        }
        if self.decoder.rows() == 0 { Ok(None) } else { self.decoder.finish().map(Some) }
    }

    fn advance(&mut self) -> Result<bool> {
        self.entries.advance().map_err(|error| advise(error, &self.advice))
    }
}

/// The runs of a table in some key groups.
fn streams(
    table: &TableState,
    groups: &Range<u32>,
    storage: &Arc<dyn Storage>,
    now_ms: i64,
) -> Result<Vec<Box<dyn EntryStream + Send>>> {
    let mut streams = vec![];
    for run in &table.runs {
        let mut run = run.clone();
        run.groups = run.groups.within(groups);
        if run.groups.is_empty() {
            continue;
        }
        let storage = storage.clone();
        let opened = StoredRun::open(&run, move |file, range| storage.get_range(file, range))?;
        streams.push(opened.read(&table.descriptor, now_ms)?);
    }
    Ok(streams)
}

/// Damaged files are named by whoever read them; this adds what to do.
fn advise(error: Error, advice: &str) -> Error {
    if error.kind() != ErrorKind::Corruption || advice.is_empty() {
        return error;
    }
    Error::new(error.kind(), error.code(), format!("{}; {advice}", error.message()))
}

/// Collects entries and decodes the parts that are asked for.
struct Decoder {
    produced: Vec<Produced>,
    schema: SchemaRef,
    descriptor: TableDescriptor,
    key: Option<KeyEncoder>,
    map_key: Option<KeyEncoder>,
    value: Option<RowCodec>,
    groups: Vec<i32>,
    times: Vec<Option<i64>>,
    keys: EncodedKeys,
    map_keys: EncodedKeys,
    values: EncodedRows,
}

impl Decoder {
    fn new(produced: Vec<Produced>, descriptor: &TableDescriptor) -> Result<Self> {
        let reads = |part: fn(&Part) -> bool| produced.iter().any(|column| part(&column.part));
        let encoder = |columns: &[Column]| {
            KeyEncoder::new(&columns.iter().map(|column| arrow_type(&column.ty)).collect::<Vec<_>>())
        };
        let key = reads(|part| matches!(part, Part::Key(_))).then(|| encoder(&descriptor.key)).transpose()?;
        let map_key =
            reads(|part| matches!(part, Part::MapKey(_))).then(|| encoder(&descriptor.map_key)).transpose()?;
        let value = reads(|part| matches!(part, Part::Value(_)));
        let value = value.then(|| RowCodec::of_columns(&descriptor.value)).transpose()?;
        Ok(Self {
            schema: arrow_schema(produced.iter().map(|column| (column.name.as_str(), &column.ty))),
            produced,
            descriptor: descriptor.clone(),
            key,
            map_key,
            value,
            groups: vec![],
            times: vec![],
            keys: EncodedKeys::new(),
            map_keys: EncodedKeys::new(),
            values: EncodedRows::new(),
        })
    }

    fn clear(&mut self) {
        self.groups.clear();
        self.times.clear();
        self.keys.clear();
        self.map_keys.clear();
        self.values.clear();
    }

    fn rows(&self) -> usize {
        self.groups.len()
    }

    fn push(&mut self, group: u32, key: &[u8], map_key: &[u8], value: &[u8]) -> Result<()> {
        let (time, value) = self.descriptor.split_value(value)?;
        self.groups.push(group as i32);
        self.times.push(time);
        self.keys.push(key);
        self.map_keys.push(map_key);
        self.values.push(value);
        Ok(())
    }

    fn finish(&self) -> Result<RecordBatch> {
        let decode = |encoder: &Option<KeyEncoder>, keys: &EncodedKeys| match encoder {
            Some(encoder) => encoder.decode(keys),
            None => Ok(vec![]),
        };
        let (key, map_key) = (decode(&self.key, &self.keys)?, decode(&self.map_key, &self.map_keys)?);
        let value = self.value.as_ref().map_or(Ok(vec![]), |codec| codec.decode(&self.values))?;
        let column = |produced: &Produced| -> Result<ArrayRef> {
            let stored: ArrayRef = match produced.part {
                Part::Key(at) => key[at].clone(),
                Part::MapKey(at) => map_key[at].clone(),
                Part::Value(at) => value[at].clone(),
                Part::Bytes => Arc::new(BinaryArray::from_iter_values(self.values.iter())),
                Part::Time => Arc::new(self.timer_times()?),
                Part::Group => Arc::new(Int32Array::from(self.groups.clone())),
                Part::Written => Arc::new(TimestampMillisecondArray::from(self.times.clone())),
            };
            shown(produced, &stored)
        };
        let columns = self.produced.iter().map(column).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|e| Error::internal(format!("entries of state do not form a batch: {e}")))
    }

    fn timer_times(&self) -> Result<TimestampMillisecondArray> {
        let time = |bytes: &[u8]| {
            let bytes = <[u8; 8]>::try_from(bytes);
            bytes
                .map(|bytes| i64::from_be_bytes(bytes) ^ i64::MIN)
                .map_err(|_| Error::new(ErrorKind::Corruption, "bad-timer", "a stored timer has no time"))
        };
        self.map_keys.iter().map(time).collect::<Result<Vec<_>>>().map(TimestampMillisecondArray::from)
    }
}

/// A stored column as it is declared.
fn shown(produced: &Produced, stored: &ArrayRef) -> Result<ArrayRef> {
    if !produced.ty.nullable && stored.null_count() > 0 {
        let message = format!("the column '{}' is declared NOT NULL, and state holds NULL in it", produced.name);
        return Err(Error::user("null-in-state", message));
    }
    let wanted = arrow_type(&produced.ty);
    if *stored.data_type() == wanted {
        return Ok(stored.clone());
    }
    cast(stored, &wanted)
        .map_err(|e| Error::internal(format!("the column '{}' cannot be converted: {e}", produced.name)))
}
