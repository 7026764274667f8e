//! The decoder of JSON lines.
//!
//! One pass over the bytes, led by the schema: expected keys are guessed from the record before, values are
//! parsed straight into Arrow buffers, and what nobody reads is skipped by its structure. UTF-8 is checked once
//! for a block. A malformed line takes back what it wrote and is handed to the caller's handler.

use super::cursor::{Cursor, Failure};
use super::options::DecodeOptions;
use super::value::{Reader, RowShape};
use crate::column::Column;
use crate::decoder::{BadRecord, Decoded, OnBadRecord, Progress, RowDecoder, batch_error};
use headwater_data::RowKinds;
use headwater_types::{LogicalType, Result};

/// Decodes JSON lines into columns, matched by name.
pub struct JsonDecoder {
    options: DecodeOptions,
    shape: RowShape,
    columns: Vec<Column>,
    rows: usize,
    /// Bytes at the start of the next input known to be UTF-8.
    validated: usize,
    scratch: Vec<u8>,
    /// A message without its line feeds.
    blanked: Vec<u8>,
}

impl JsonDecoder {
    /// A decoder of the fields with these names and types; types of rows may hold a part of the fields.
    pub fn new<'a>(fields: impl IntoIterator<Item = (&'a str, &'a LogicalType)>, options: DecodeOptions) -> Self {
        let fields: Vec<_> = fields.into_iter().collect();
        Self {
            options,
            columns: fields.iter().map(|(_, ty)| Column::new(ty)).collect(),
            shape: RowShape::new(fields),
            rows: 0,
            validated: 0,
            scratch: vec![],
            blanked: vec![],
        }
    }

    /// The columns as far as they are decoded.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Forgets the rows from `rows` on.
    pub(crate) fn forget_rows_from(&mut self, rows: usize) {
        self.columns.iter_mut().for_each(|c| c.truncate(rows));
        self.rows = self.rows.min(rows);
    }

    /// Counts lines when no column is wanted. Blank lines are no records.
    fn count(&mut self, input: &[u8], rows_max: usize) -> Progress {
        let mut progress = Progress::default();
        while progress.consumed < input.len() && self.rows < rows_max {
            let end = line_end(input, progress.consumed);
            self.rows += usize::from(!input[progress.consumed..end].trim_ascii().is_empty());
            progress.lines += 1;
            progress.consumed = end;
        }
        progress
    }

    /// Decodes one record, which starts at `start`; the position after its line.
    #[inline]
    fn record(&mut self, input: &[u8], start: usize) -> Result<usize, Failure> {
        let mut reader =
            Reader { cursor: Cursor { bytes: input, at: start }, options: &self.options, scratch: &mut self.scratch };
        reader.cursor.skip_blanks();
        if reader.cursor.peek() == b'\n' {
            return Ok(reader.cursor.at + 1);
        }
        reader.row(&mut self.shape, &mut self.columns, self.rows)?;
        reader.cursor.skip_blanks();
        // What follows the object on its line is not looked at, as in Flink.
        let at = reader.cursor.at;
        let next = if reader.cursor.peek() == b'\n' { at + 1 } else { line_end(input, at) };
        self.rows += 1;
        Ok(next)
    }

    /// Makes sure that the input is UTF-8, checking only what was not checked for an earlier call.
    fn validate(&mut self, input: &[u8]) -> bool {
        if self.validated < input.len() {
            let checked = simdutf8::basic::from_utf8(&input[self.validated..]).is_ok();
            self.validated = if checked { input.len() } else { 0 };
            return checked;
        }
        true
    }

    /// Decodes a block that is not UTF-8 as a whole: finds the lines that are.
    fn checked_record(&mut self, input: &[u8], start: usize) -> Result<usize, Failure> {
        let line = &input[start..line_end(input, start)];
        match simdutf8::compat::from_utf8(line) {
            Ok(_) => self.record(&input[..start + line.len()], start),
            Err(error) => Err(Failure::new(start + error.valid_up_to(), "the line is not UTF-8")),
        }
    }

    #[cold]
    fn reject(&mut self, input: &[u8], start: usize, failure: &Failure, bad: OnBadRecord<'_>) -> Result<usize> {
        self.forget_rows_from(self.rows);
        let end = line_end(input, start);
        let raw = input[start..end].trim_ascii_end();
        let position = failure.at().saturating_sub(start);
        let ignored = self.options.ignore_parse_errors;
        bad(BadRecord { raw, start, line: 0, position, reason: failure.to_string(), ignored })?;
        Ok(end)
    }
}

/// The position after the line that starts at or runs over `from`.
fn line_end(input: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &input[from..]).map_or(input.len(), |at| from + at + 1)
}

/// The message with its line feeds replaced by blanks, which mean the same: a JSON text has none within strings.
pub(crate) fn on_one_line<'a>(message: &'a [u8], blanked: &'a mut Vec<u8>) -> &'a [u8] {
    if memchr::memchr(b'\n', message).is_none() {
        return message;
    }
    blanked.clear();
    blanked.extend(message.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }));
    blanked
}

/// Upper bound of the bytes of a batch; far below the 2 GiB that 32-bit offsets reach.
pub(crate) const BATCH_BYTES_MAX: usize = 64 << 20;

impl RowDecoder for JsonDecoder {
    fn decode(&mut self, input: &[u8], at_end: bool, rows_max: usize, bad: OnBadRecord<'_>) -> Result<Progress> {
        let complete = if at_end { input.len() } else { memchr::memrchr(b'\n', input).map_or(0, |at| at + 1) };
        let input = &input[..complete];
        if self.columns.is_empty() {
            return Ok(self.count(input, rows_max));
        }
        let all_utf8 = self.validate(input);
        let mut progress = Progress::default();
        while progress.consumed < input.len() && self.rows < rows_max && progress.consumed < BATCH_BYTES_MAX {
            let start = progress.consumed;
            let next = if all_utf8 { self.record(input, start) } else { self.checked_record(input, start) };
            progress.consumed = match next {
                Ok(next) => next.min(input.len()),
                Err(failure) => {
                    let line = progress.lines;
                    self.reject(input, start, &failure, &mut |record| bad(BadRecord { line, ..record }))?
                }
            };
            progress.lines += 1;
        }
        self.validated = self.validated.saturating_sub(progress.consumed);
        Ok(progress)
    }

    fn decode_message(&mut self, message: &[u8], bad: OnBadRecord<'_>) -> Result<()> {
        self.validated = 0;
        let mut blanked = std::mem::take(&mut self.blanked);
        let done = self.decode(on_one_line(message, &mut blanked), true, usize::MAX, bad);
        self.blanked = blanked;
        done.map(|_| ())
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Decoded> {
        let rows = std::mem::take(&mut self.rows);
        let arrays = self.columns.iter_mut().map(|c| c.finish(rows)).collect::<Result<_, _>>().map_err(batch_error)?;
        Ok(Decoded { arrays, rows, kinds: RowKinds::Append })
    }

    fn reset(&mut self) {
        self.validated = 0;
    }
}
