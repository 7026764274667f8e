//! The rows of a result in pages.
//!
//! A page is asked for by the token of the one before plus one. What was answered last can be asked for again, by
//! clients that did not get the answer; older pages are gone. A page has a bound in rows and in bytes, and so has what
//! waits for the next one: the rest of one batch, and the channel between query and gateway.

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray};
use headwater_data::{ChangeBatch, arrow_types::arrow_schema};
use headwater_embedded::{JobHandle, Polled, RunningQuery};
use headwater_sql::session::Rows;
use headwater_types::{Error, Result, TypeRoot};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Rows of a page.
pub(crate) const PAGE_ROWS_MAX: usize = 5_000;
/// Bytes of a page in memory, but for its last row.
pub(crate) const PAGE_BYTES_MAX: usize = 1 << 20;

/// Rows to be fetched.
pub(crate) struct Results {
    source: Source,
    /// Rows of a batch that did not fit into the last page.
    rest: Option<ChangeBatch>,
    /// The token of the next page.
    token: u64,
    previous: Option<Fetched>,
}

enum Source {
    Rows(VecDeque<ChangeBatch>),
    Query(Box<RunningQuery>),
    /// Nothing more comes; why, when it should have.
    Ended(Option<Error>),
}

/// A page.
#[derive(Clone)]
pub(crate) struct Fetched {
    pub(crate) batches: Vec<ChangeBatch>,
    /// There were no more rows.
    pub(crate) is_end: bool,
}

/// A token that is neither the next nor the last.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongToken {
    pub(crate) expected: u64,
}

impl Results {
    /// The rows of a query that runs.
    pub(crate) fn query(query: RunningQuery) -> Self {
        Self::of(Source::Query(Box::new(query)))
    }

    /// Rows that are there.
    ///
    /// # Errors
    /// When they are not what their columns say.
    pub(crate) fn rows(rows: &Rows) -> Result<Self> {
        let batches = if rows.rows.is_empty() { VecDeque::new() } else { [batch(rows)?].into() };
        Ok(Self::batches(batches))
    }

    fn batches(batches: VecDeque<ChangeBatch>) -> Self {
        Self::of(Source::Rows(batches))
    }

    fn of(source: Source) -> Self {
        Self { source, rest: None, token: 0, previous: None }
    }

    /// Ends the query, if it is one.
    pub(crate) fn canceller(&self) -> Option<Box<dyn FnOnce() + Send>> {
        match &self.source {
            Source::Query(query) => {
                let job: JobHandle = query.job().clone();
                Some(Box::new(move || job.cancel()))
            }
            Source::Rows(_) | Source::Ended(_) => None,
        }
    }

    /// The page of a token. The inner error is that of the query, after all its rows.
    ///
    /// # Errors
    /// When it is neither the next page nor the last.
    pub(crate) fn fetch(&mut self, token: u64, patience: Duration) -> std::result::Result<Result<Fetched>, WrongToken> {
        if token == self.token {
            return Ok(self.next(patience));
        }
        match &self.previous {
            Some(previous) if token.checked_add(1) == Some(self.token) => Ok(Ok(previous.clone())),
            _ => Err(WrongToken { expected: self.token }),
        }
    }

    fn next(&mut self, patience: Duration) -> Result<Fetched> {
        let batches = self.gather(patience);
        if let (true, Source::Ended(error)) = (batches.is_empty(), &self.source) {
            return match error {
                Some(error) => Err(error.clone()),
                None => Ok(Fetched { batches, is_end: true }),
            };
        }
        let page = Fetched { batches, is_end: false };
        self.previous = Some(page.clone());
        self.token += 1;
        Ok(page)
    }

    /// Waits for the first batch, then takes what there is up to the bounds of a page.
    fn gather(&mut self, patience: Duration) -> Vec<ChangeBatch> {
        let (mut batches, mut rows, mut bytes) = (vec![], 0, 0);
        while rows < PAGE_ROWS_MAX && bytes < PAGE_BYTES_MAX {
            let patience = if rows == 0 { patience } else { Duration::ZERO };
            let Some(batch) = self.rest.take().or_else(|| self.batch(patience)) else { break };
            let fits = fitting(&batch, PAGE_ROWS_MAX - rows, PAGE_BYTES_MAX - bytes);
            if fits < batch.num_rows() {
                self.rest = Some(batch.slice(fits, batch.num_rows() - fits));
            }
            let taken = batch.slice(0, fits);
            rows += fits;
            bytes += bytes_of(&batch, fits);
            batches.push(taken);
        }
        batches
    }

    fn batch(&mut self, patience: Duration) -> Option<ChangeBatch> {
        let query = match &mut self.source {
            Source::Ended(_) => return None,
            Source::Rows(batches) => {
                let next = batches.pop_front();
                if next.is_none() {
                    self.source = Source::Ended(None);
                }
                return next;
            }
            Source::Query(query) => query,
        };
        match query.poll(patience) {
            Polled::Batch(batch) => Some(batch),
            Polled::Nothing => None,
            Polled::End => {
                let error = query.wait().into_result().err();
                self.source = Source::Ended(error);
                None
            }
        }
    }
}

/// How many rows of a batch fit: at least one.
fn fitting(batch: &ChangeBatch, rows: usize, bytes: usize) -> usize {
    let all = batch.num_rows();
    let by_bytes = bytes.saturating_mul(all) / batch.bytes().max(1);
    all.min(rows).min(by_bytes.max(1))
}

fn bytes_of(batch: &ChangeBatch, rows: usize) -> usize {
    batch.bytes().saturating_mul(rows) / batch.num_rows().max(1)
}

/// A small table as a batch.
fn batch(rows: &Rows) -> Result<ChangeBatch> {
    let schema = arrow_schema(rows.columns.iter().map(|(name, ty)| (name.as_str(), ty)));
    let column = |at: usize| -> ArrayRef {
        let cells = rows.rows.iter().map(|row| row.get(at).and_then(Option::as_deref));
        match rows.columns[at].1.root {
            TypeRoot::Boolean => Arc::new(BooleanArray::from_iter(cells.map(|cell| cell.map(|text| text == "TRUE")))),
            _ => Arc::new(StringArray::from_iter(cells)),
        }
    };
    let columns = (0..rows.columns.len()).map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.rows.len()));
    let batch = RecordBatch::try_new_with_options(schema, columns, &options)
        .map_err(|error| Error::internal(format!("a table of text is no batch: {error}")))?;
    Ok(ChangeBatch::append(batch))
}
