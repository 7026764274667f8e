//! The reader of one subtask: decoded columns, completed by what the file says of all its rows.

use super::bad_records::{BadRecords, Position};
use super::partitions::{metadata_value, partition_value};
use super::records::{SplitRecords, records};
use super::source::{Origin, Produced, Scan};
use super::split::FileSplit;
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use headwater_connector_api::{ReaderContext, ReaderPoll, SourceReader, Split};
use headwater_data::{ChangeBatch, RowKinds, arrow_schema};
use headwater_formats::{BadRecord, Decoded, values};
use headwater_types::{Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;

/// A column of the output for the current split.
enum Column {
    Record(usize),
    /// One value for all rows.
    Constant(ArrayRef),
}

pub(super) struct FileReader {
    scan: Arc<Scan>,
    schema: SchemaRef,
    context: ReaderContext,
    bad: BadRecords,
    records: Box<dyn SplitRecords>,
    columns: Vec<Column>,
    waiting: VecDeque<FileSplit>,
    rows_left: u64,
}

impl FileReader {
    pub(super) fn new(scan: Arc<Scan>, context: ReaderContext, bad: BadRecords) -> Result<Self> {
        Ok(Self {
            schema: arrow_schema(scan.produced.iter().map(|p| (p.name.as_str(), &p.ty))),
            records: records(&scan, context.batch_rows.max(1), &context.waker)?,
            rows_left: scan.limit.unwrap_or(u64::MAX),
            columns: vec![],
            waiting: VecDeque::new(),
            scan,
            context,
            bad,
        })
    }

    fn open(&mut self, split: FileSplit) -> Result<()> {
        let column = |produced: &Produced| {
            let value = match &produced.origin {
                Origin::Record(position) => return Ok(Column::Record(*position)),
                Origin::Partition(key) => partition_value(&split.path, key, &produced.ty, &self.scan.partition_null)?,
                Origin::Metadata(key) => metadata_value(&split, key)?,
            };
            values::array(&produced.ty, &produced.ty, [&value]).map(Column::Constant)
        };
        self.columns = self.scan.produced.iter().map(column).collect::<Result<_>>()?;
        self.records.open(split)
    }

    fn batch(&mut self, decoded: Decoded) -> Result<ChangeBatch> {
        let zeros = UInt32Array::from(vec![0; decoded.rows]);
        let array = |column: &Column| match column {
            Column::Record(position) => Ok(decoded.arrays[*position].clone()),
            Column::Constant(value) => take(value, &zeros, None),
        };
        let arrays = self.columns.iter().map(array).collect::<Result<Vec<_>, _>>();
        let options = RecordBatchOptions::new().with_row_count(Some(decoded.rows));
        let rows = arrays
            .and_then(|arrays| RecordBatch::try_new_with_options(self.schema.clone(), arrays, &options))
            .map_err(|e| Error::internal(format!("decoded columns do not form a batch: {e}")))?;
        Ok(match decoded.kinds {
            RowKinds::Append => ChangeBatch::append(rows),
            RowKinds::Mixed(kinds) => ChangeBatch::mixed(rows, kinds),
        })
    }
}

impl SourceReader for FileReader {
    fn add_split(&mut self, split: Split) -> Result<()> {
        self.waiting.push_back(FileSplit::decode(&split)?);
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<Split>> {
        // The positions are behind the records that the letters are about.
        self.bad.publish()?;
        self.records.remaining().into_iter().chain(self.waiting.iter().cloned()).map(|split| split.encode()).collect()
    }

    fn poll(&mut self) -> Result<ReaderPoll> {
        loop {
            if self.rows_left == 0 {
                self.bad.publish()?;
                return Ok(ReaderPoll::Finished);
            }
            if !self.records.is_open() {
                let Some(split) = self.waiting.pop_front() else {
                    self.bad.publish()?;
                    return Ok(ReaderPoll::NeedSplit);
                };
                self.open(split)?;
            }
            let rows_max = self.rows_left.min(self.context.batch_rows.max(1) as u64) as usize;
            let on_bytes = self.context.on_bytes.clone();
            let bad = &mut self.bad;
            let mut on_bad = |record: &BadRecord<'_>, position: Position<'_>| bad.handle(record, position);
            if let Some(decoded) = self.records.next(rows_max, &mut on_bad, on_bytes.as_ref())? {
                self.rows_left = self.rows_left.saturating_sub(decoded.rows as u64);
                return self.batch(decoded).map(ReaderPoll::Batch);
            }
            if self.records.is_waiting() {
                return Ok(ReaderPoll::Pending(None));
            }
        }
    }
}
