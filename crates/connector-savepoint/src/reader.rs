//! The reader of one subtask. It never waits for storage: an I/O thread reads the next batch while the lane has the
//! one before.

use crate::entries::Cursor;
use crate::source::Scan;
use crate::split::StateSplit;
use arrow::array::RecordBatch;
use headwater_connector_api::{ReaderContext, ReaderPoll, SourceReader, Split};
use headwater_data::ChangeBatch;
use headwater_types::Result;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// What the I/O thread read: a batch and where to go on, or the end of the split.
type Read = Result<Option<(Cursor, RecordBatch)>>;

pub(crate) struct StateReader {
    scan: Arc<Scan>,
    context: ReaderContext,
    waiting: VecDeque<StateSplit>,
    /// The split that is being read, from the first row that was not emitted.
    current: Option<StateSplit>,
    /// `None` while the I/O thread has not answered.
    answer: Arc<Mutex<Option<Read>>>,
    rows_left: u64,
}

impl StateReader {
    pub(crate) fn new(scan: Arc<Scan>, context: ReaderContext) -> Self {
        let rows_left = scan.spec.limit.unwrap_or(u64::MAX);
        let answer = Arc::default();
        Self { scan, context, waiting: VecDeque::new(), current: None, answer, rows_left }
    }

    /// Lets an I/O thread read the next batch.
    fn read(&self, cursor: impl FnOnce() -> Result<Cursor> + Send + 'static) {
        let (answer, waker, rows) = (self.answer.clone(), self.context.waker.clone(), self.context.batch_rows.max(1));
        self.context.env.spawn_blocking("savepoint-read", move || {
            let read = cursor().and_then(|mut cursor| Ok(cursor.next(rows)?.map(|batch| (cursor, batch))));
            *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
            waker();
        });
    }

    fn open(&mut self, split: StateSplit) {
        let (scan, opened) = (self.scan.clone(), split.clone());
        let now_ms = self.context.env.now_ms();
        self.current = Some(split);
        self.read(move || Cursor::open(&scan, &opened, now_ms));
    }

    fn take_answer(&self) -> Option<Read> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn emit(&mut self, cursor: Cursor, rows: RecordBatch) -> ReaderPoll {
        let read = rows.num_rows() as u64;
        if let Some(current) = &mut self.current {
            current.done += read;
        }
        (self.context.on_bytes)(rows.get_array_memory_size() as u64);
        let emitted = read.min(self.rows_left);
        self.rows_left -= emitted;
        if self.rows_left > 0 {
            self.read(move || Ok(cursor));
        }
        ReaderPoll::Batch(ChangeBatch::append(rows.slice(0, emitted as usize)))
    }
}

impl SourceReader for StateReader {
    fn add_split(&mut self, split: Split) -> Result<()> {
        self.waiting.push_back(StateSplit::decode(&split)?);
        Ok(())
    }

    fn poll(&mut self) -> Result<ReaderPoll> {
        if self.rows_left == 0 {
            return Ok(ReaderPoll::Finished);
        }
        if self.current.is_some() {
            match self.take_answer() {
                None => return Ok(ReaderPoll::Pending(None)),
                Some(read) => match read? {
                    Some((cursor, rows)) => return Ok(self.emit(cursor, rows)),
                    None => self.current = None,
                },
            }
        }
        match self.waiting.pop_front() {
            Some(split) => self.open(split),
            None => return Ok(ReaderPoll::NeedSplit),
        }
        Ok(ReaderPoll::Pending(None))
    }

    fn snapshot(&mut self) -> Result<Vec<Split>> {
        let current = self.current.iter().filter(|_| self.rows_left > 0);
        current.chain(&self.waiting).map(StateSplit::encode).collect()
    }
}
