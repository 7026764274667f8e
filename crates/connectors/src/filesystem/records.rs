//! The records of one split as columns.

use super::bad_records::{OnBad, Position};
use super::block::Blocks;
use super::files::Files;
use super::listing::cannot_read;
use super::remote::RemoteRecords;
use super::source::Scan;
use super::split::{FileSplit, Resume};
use headwater_connector_api::Options;
use headwater_data::RowKinds;
use headwater_formats::parquet::{ParquetReader, options::parquet_options};
use headwater_formats::{Decoded, ReadSchema, RowDecoder};
use headwater_types::Result;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

/// Bytes of input after which a batch ends, however few rows it has.
const BATCH_BYTES_MAX: usize = 16 << 20;

/// Checks that the scan's format can be read with the scan's options.
pub(super) fn check(scan: &Scan) -> Result<()> {
    if scan.format.is_columnar() {
        parquet_options(Options(&scan.options)).map(|_| ())
    } else {
        decoder(scan).map(|_| ())
    }
}

/// Decodes the splits of a reader one after the other.
pub(super) trait SplitRecords: Send {
    /// Starts on a split.
    fn open(&mut self, split: FileSplit) -> Result<()>;

    /// Whether a split is open.
    fn is_open(&self) -> bool;

    /// Whether the last call of [`SplitRecords::next`] found nothing because nothing has arrived; a waker will be called.
    fn is_waiting(&self) -> bool {
        false
    }

    /// The next rows, up to `rows_max`; `None` when there are none now, which at the end of a split closes it.
    fn next(&mut self, rows_max: usize, bad: OnBad<'_>, on_bytes: &dyn Fn(u64)) -> Result<Option<Decoded>>;

    /// What is left of the open split.
    fn remaining(&self) -> Option<FileSplit>;
}

/// The records of a scan, by where its files are. `waker` is called when there is more of slow files.
pub(super) fn records(
    scan: &Arc<Scan>,
    batch_rows: usize,
    waker: &Arc<dyn Fn() + Send + Sync>,
) -> Result<Box<dyn SplitRecords>> {
    match scan.files {
        Files::Local => blocking(scan, batch_rows),
        Files::Bucket(_) => {
            let scan = scan.clone();
            let make = Arc::new(move || blocking(&scan, batch_rows));
            Ok(Box::new(RemoteRecords::new(make, batch_rows, waker.clone())))
        }
    }
}

/// The records of a scan, by its format.
fn blocking(scan: &Arc<Scan>, batch_rows: usize) -> Result<Box<dyn SplitRecords>> {
    match scan.format.is_columnar() {
        true => Ok(Box::new(ColumnarRecords {
            scan: scan.clone(),
            batch_rows,
            file: None,
            rows: 0,
            first: None,
            uncounted: 0,
        })),
        false => Ok(Box::new(Records { scan: scan.clone(), decoder: decoder(scan)?, split: None, buffer: vec![] })),
    }
}

/// The rows of columnar files.
struct ColumnarRecords {
    scan: Arc<Scan>,
    batch_rows: usize,
    file: Option<(FileSplit, ParquetReader)>,
    /// Rows of the file that were emitted.
    rows: u64,
    /// Rows that were decoded while skipping to the first one.
    first: Option<Decoded>,
    /// Size of a file that was opened and not yet counted.
    uncounted: u64,
}

impl SplitRecords for ColumnarRecords {
    fn open(&mut self, split: FileSplit) -> Result<()> {
        self.uncounted = split.size;
        let schema = ReadSchema { columns: &self.scan.columns, wanted: &self.scan.wanted };
        let reader = match self.scan.files.ranges(&split.path, split.size)? {
            Some(ranges) => ParquetReader::open_ranges(ranges, schema, self.batch_rows),
            None => {
                let file = File::open(&split.path).map_err(|e| cannot_read(&split.path, e))?;
                ParquetReader::open(file, schema, self.batch_rows)
            }
        };
        let mut reader = reader.map_err(|e| e.context(format!("'{}'", split.path.display())))?;
        self.rows = split.resume.map_or(0, |resume| resume.rows);
        self.first = skip_rows(&mut reader, self.rows)?;
        self.file = Some((split, reader));
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.file.is_some()
    }

    fn next(&mut self, _rows_max: usize, _bad: OnBad<'_>, on_bytes: &dyn Fn(u64)) -> Result<Option<Decoded>> {
        on_bytes(std::mem::take(&mut self.uncounted));
        let rows = match (self.first.take(), &mut self.file) {
            (None, Some((_, reader))) => reader.next_rows()?,
            (first, _) => first,
        };
        match &rows {
            Some(rows) => self.rows += rows.rows as u64,
            None => self.file = None,
        }
        Ok(rows)
    }

    fn remaining(&self) -> Option<FileSplit> {
        let (split, _) = self.file.as_ref()?;
        Some(FileSplit { resume: Some(Resume { offset: 0, lines: 0, rows: self.rows }), ..split.clone() })
    }
}

/// Skips rows that were emitted before; returns those of the last decoded batch that were not.
fn skip_rows(reader: &mut ParquetReader, rows: u64) -> Result<Option<Decoded>> {
    let mut left = rows;
    while left > 0 {
        let Some(batch) = reader.next_rows()? else { return Ok(None) };
        let rows = batch.rows as u64;
        if rows > left {
            let (start, length) = (left as usize, (rows - left) as usize);
            let arrays = batch.arrays.iter().map(|array| array.slice(start, length)).collect();
            return Ok(Some(Decoded { arrays, rows: length, kinds: RowKinds::Append }));
        }
        left -= rows;
    }
    Ok(None)
}

fn decoder(scan: &Scan) -> Result<Box<dyn RowDecoder>> {
    let schema = ReadSchema { columns: &scan.columns, wanted: &scan.wanted };
    scan.format.decoder(Options(&scan.options), schema)
}

/// Decodes the records of one split after the other. The decoder and the buffer live as long as the reader, so
/// that what was learnt from one file serves the next.
struct Records {
    scan: Arc<Scan>,
    decoder: Box<dyn RowDecoder>,
    split: Option<Open>,
    buffer: Vec<u8>,
}

struct Open {
    split: FileSplit,
    blocks: Blocks,
    /// Lines of the split before the next record.
    lines: u64,
    /// Lines of the file before the split; counted when a record is bad.
    lines_before: Option<u64>,
}

impl SplitRecords for Records {
    fn open(&mut self, split: FileSplit) -> Result<()> {
        self.decoder.reset();
        let blocks = Blocks::open(&self.scan.files, &split, std::mem::take(&mut self.buffer))?;
        let lines = split.resume.map_or(0, |resume| resume.lines);
        self.split = Some(Open { split, blocks, lines, lines_before: None });
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.split.is_some()
    }

    fn next(&mut self, rows_max: usize, bad: OnBad<'_>, on_bytes: &dyn Fn(u64)) -> Result<Option<Decoded>> {
        let Some(open) = &mut self.split else { return Ok(None) };
        let mut consumed = 0;
        loop {
            let (input, at_end) = open.blocks.available();
            let position = open.blocks.position();
            let (split, lines, lines_before) = (&open.split, open.lines, &mut open.lines_before);
            let progress = self.decoder.decode(input, at_end, rows_max, &mut |record| {
                let needs_line = self.scan.bad_records.needs_line();
                let line = if needs_line { lines_in_front(&self.scan.files, split, lines_before)? + lines } else { 0 };
                let offset = position + record.start as u64;
                let line = line + record.line as u64 + 1;
                bad(&record, Position { path: &split.path, line, offset })
            })?;
            let finished = at_end && progress.consumed == input.len();
            open.blocks.consume(progress.consumed);
            on_bytes(open.blocks.take_read());
            open.lines += progress.lines as u64;
            if finished {
                let ended = self.split.take();
                self.buffer = ended.map(|open| open.blocks.into_buffer()).unwrap_or_default();
                break;
            }
            consumed += progress.consumed;
            if self.decoder.rows() >= rows_max || at_end || consumed >= BATCH_BYTES_MAX {
                break;
            }
            open.blocks.fill()?;
        }
        match self.decoder.rows() {
            0 => Ok(None),
            _ => self.decoder.finish().map(Some),
        }
    }

    fn remaining(&self) -> Option<FileSplit> {
        // Whatever was decoded has left with the batch, so the next record is the first one not emitted.
        let open = self.split.as_ref()?;
        let resume = Resume { offset: open.blocks.position(), lines: open.lines, rows: 0 };
        Some(FileSplit { resume: Some(resume), ..open.split.clone() })
    }
}

/// Lines of the file before the split's first record.
fn lines_in_front(files: &Files, split: &FileSplit, known: &mut Option<u64>) -> Result<u64> {
    if let Some(lines) = known {
        return Ok(*lines);
    }
    let file = files.open(&split.path, split.size)?;
    let lines = count_lines(file, split.start).map_err(|e| cannot_read(&split.path, e))?;
    *known = Some(lines);
    Ok(lines)
}

fn count_lines(file: impl Read, start: u64) -> std::io::Result<u64> {
    if start == 0 {
        return Ok(0);
    }
    // The line feed that ends the line over `start - 1` is in front of the split, too.
    let mut front = file.take(start - 1);
    let mut block = vec![0; 1 << 16];
    let mut lines = 1;
    loop {
        match front.read(&mut block)? {
            0 => return Ok(lines),
            read => lines += memchr::memchr_iter(b'\n', &block[..read]).count() as u64,
        }
    }
}
