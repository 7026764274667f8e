//! The source: one split with all rows, so that their order is kept.

use super::store::Row;
use super::{Store, metadata_columns};
use arrow::array::{RecordBatch, RecordBatchOptions};
use headwater_connector_api::options::bad_option;
use headwater_connector_api::{
    Boundedness, Options, ReaderContext, ReaderPoll, Source, SourceReader, Split, SplitAssignment, SplitEnumerator,
};
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_env::Env;
use headwater_formats::values::array;
use headwater_plan::table::ColumnOrigin;
use headwater_plan::{SourceSpec, Value};
use headwater_types::{Error, ErrorKind, LogicalType, Result};
use std::sync::Arc;

/// A produced column: where its value stands in a row, and its types.
#[derive(Clone)]
struct Column {
    name: String,
    position: usize,
    declared: LogicalType,
    produced: LogicalType,
}

pub(super) struct ValuesSource {
    data_id: String,
    columns: Vec<Column>,
    /// Rows of a batch, when fewer than the reader could emit.
    batch_rows: usize,
}

impl ValuesSource {
    pub(super) fn new(scan: &SourceSpec) -> Result<Self> {
        let metadata = metadata_columns(&scan.table, "readable-metadata");
        let column = |produced: &headwater_plan::ProducedColumn| {
            let (position, declared) = match &produced.origin {
                ColumnOrigin::Physical(at) => (*at, scan.table.columns[*at].1.clone()),
                ColumnOrigin::Metadata(key) => {
                    let unknown = || Error::user("unknown-metadata", format!("the table has no metadata '{key}'"));
                    let at = metadata.iter().position(|(k, _)| k == key).ok_or_else(unknown)?;
                    (scan.table.columns.len() + at, produced.ty.clone())
                }
            };
            Ok(Column { name: produced.name.clone(), position, declared, produced: produced.ty.clone() })
        };
        Ok(Self {
            data_id: Options(&scan.table.options).require("data-id")?.to_string(),
            columns: scan.produced.iter().map(column).collect::<Result<_>>()?,
            batch_rows: batch_rows(Options(&scan.table.options))?,
        })
    }
}

impl Source for ValuesSource {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn enumerator(&self, _env: &Env) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(OneSplit { given: false }))
    }

    fn restore_enumerator(&self, _env: &Env, state: &[u8]) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(OneSplit { given: state == [1] }))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let rows = Store::source_rows(&self.data_id).ok_or_else(|| {
            Error::user("unknown-data-id", format!("no rows are registered under the data-id '{}'", self.data_id))
        })?;
        let batch_rows = context.batch_rows.min(self.batch_rows).max(1);
        Ok(Box::new(ValuesReader { next: rows.len(), rows, columns: self.columns.clone(), batch_rows }))
    }
}

/// The option `batch-rows`; without it as many as there are.
fn batch_rows(options: Options<'_>) -> Result<usize> {
    let bad = |text: &str| bad_option("batch-rows", text, "a positive number");
    options.get("batch-rows").map_or(Ok(usize::MAX), |text| text.parse().map_err(|_| bad(text)))
}

/// Gives the one split to the first reader that asks.
struct OneSplit {
    given: bool,
}

impl SplitEnumerator for OneSplit {
    fn next_split(&mut self, _subtask: u32, _parallelism: u32) -> Result<SplitAssignment> {
        let given = std::mem::replace(&mut self.given, true);
        Ok(if given { SplitAssignment::NoMoreSplits } else { SplitAssignment::Split(split(0)) })
    }

    fn snapshot(&mut self) -> Result<Vec<u8>> {
        Ok(vec![u8::from(self.given)])
    }
}

/// The rows from this position on.
fn split(next: u64) -> Split {
    Split(next.to_le_bytes().to_vec())
}

struct ValuesReader {
    rows: Arc<Vec<Row>>,
    columns: Vec<Column>,
    batch_rows: usize,
    /// The next row to emit; at the end until a split says to start.
    next: usize,
}

impl SourceReader for ValuesReader {
    fn add_split(&mut self, split: Split) -> Result<()> {
        let corrupt =
            || Error::new(ErrorKind::Corruption, "bad-split", "a split of a values table has not eight bytes");
        let next = u64::from_le_bytes(split.0.try_into().map_err(|_| corrupt())?);
        self.next = self.rows.len().min(next as usize);
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<Split>> {
        Ok(if self.next < self.rows.len() { vec![split(self.next as u64)] } else { vec![] })
    }

    fn poll(&mut self) -> Result<ReaderPoll> {
        if self.next >= self.rows.len() {
            return Ok(ReaderPoll::NeedSplit);
        }
        let end = (self.next + self.batch_rows).min(self.rows.len());
        let batch = batch(&self.columns, &self.rows[self.next..end])?;
        self.next = end;
        Ok(ReaderPoll::Batch(batch))
    }
}

fn batch(columns: &[Column], rows: &[Row]) -> Result<ChangeBatch> {
    let build = |column: &Column| {
        let values = rows.iter().map(|row| row.1.get(column.position).unwrap_or(&NULL));
        array(&column.declared, &column.produced, values).map_err(|e| e.context(format!("column '{}'", column.name)))
    };
    let arrays = columns.iter().map(build).collect::<Result<Vec<_>>>()?;
    let schema = arrow_schema(columns.iter().map(|c| (c.name.as_str(), &c.produced)));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let records = RecordBatch::try_new_with_options(schema, arrays, &options)
        .map_err(|e| Error::internal(format!("values do not form a batch: {e}")))?;
    Ok(ChangeBatch::from_kinds(records, rows.iter().map(|r| r.0)))
}

static NULL: Value = Value::Null;
