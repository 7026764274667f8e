//! The decoder of CSV.
//!
//! One pass: fields are found sixteen bytes at a time and converted straight into columns; only fields with quotes
//! or escapes are copied first. A record may span lines within quotes.

use super::options::CsvOptions;
use crate::column::Column;
use crate::decoder::{BadRecord, Decoded, OnBadRecord, Progress, ReadSchema, RowDecoder, batch_error};
use crate::scan::stop_at;
use crate::text::convert::Converter;
use headwater_data::RowKinds;
use headwater_types::{LogicalType, Result, TypeRoot};

/// Decodes CSV records into columns, by position.
pub struct CsvDecoder {
    options: CsvOptions,
    /// For each field of a record, the wanted column it goes to.
    targets: Vec<Option<usize>>,
    names: Vec<String>,
    columns: Vec<Column>,
    converter: Converter,
    rows: usize,
    scratch: Vec<u8>,
    validated: usize,
}

/// Why there is no row.
enum Failure {
    /// The record goes on behind the input.
    Incomplete,
    /// The bytes from `at` on are not what they should be.
    Bad { at: usize, reason: String },
}

/// The extent of a record that was read.
struct Record {
    next: usize,
    failure: Option<Failure>,
}

impl CsvDecoder {
    /// A decoder of the wanted columns of records with the schema's fields.
    pub fn new(schema: ReadSchema<'_>, options: CsvOptions) -> Self {
        let mut targets = vec![None; schema.columns.len()];
        for (target, (field, _)) in schema.wanted.iter().enumerate() {
            targets[*field] = Some(target);
        }
        let converter = Converter::new(options.array_delimiter.clone());
        Self {
            options,
            targets,
            names: schema.columns.iter().map(|(n, _)| n.clone()).collect(),
            columns: schema.wanted.iter().map(|(_, ty)| Column::new(ty)).collect(),
            converter,
            rows: 0,
            scratch: vec![],
            validated: 0,
        }
    }

    /// Whether the line at `start` is no record but a comment. The position after it. A blank line is a record: one
    /// empty field.
    fn skip_line(&self, input: &[u8], start: usize) -> Option<usize> {
        let skipped = self.options.allow_comments && input[start] == b'#';
        skipped.then(|| memchr::memchr(b'\n', &input[start..]).map_or(input.len(), |at| start + at + 1))
    }

    /// Reads the record at `start` to its end even if a field of it is bad.
    fn record(&mut self, input: &[u8], start: usize, at_end: bool) -> Record {
        let mut at = start;
        let mut field = 0;
        let mut failure = None;
        loop {
            let quoted = self.options.quote.is_some_and(|q| input.get(at) == Some(&q));
            let stop = if quoted { self.quoted(input, at) } else { self.plain(input, at) };
            let stop = match stop {
                Some(stop) if stop < input.len() || at_end => stop,
                None if at_end => {
                    let reason = "a quoted field is not closed before the end of the file".to_string();
                    return Record { next: input.len(), failure: Some(Failure::Bad { at, reason }) };
                }
                _ => return Record { next: start, failure: Some(Failure::Incomplete) },
            };
            let last = input.get(stop) != Some(&self.options.delimiter);
            let converted = self.convert(input, (at, stop), quoted, field);
            failure = failure.or(converted.err());
            field += 1;
            at = stop + 1;
            if last {
                let failure = failure.or_else(|| self.check_arity(field, start));
                return Record { next: at.min(input.len()), failure };
            }
        }
    }

    fn check_arity(&self, fields: usize, at: usize) -> Option<Failure> {
        let expected = self.targets.len();
        if fields == expected || (fields < expected && self.options.ignore_parse_errors) {
            return None;
        }
        Some(Failure::Bad { at, reason: format!("the record has {fields} fields, expected {expected}") })
    }

    /// The position of the delimiter or line feed after the plain field at `start`, or the length.
    #[inline]
    fn plain(&self, input: &[u8], start: usize) -> Option<usize> {
        let escape = self.options.escape.unwrap_or(b'\n');
        let stops = [self.options.delimiter, b'\n', escape];
        let mut at = stop_at(input, start, stops);
        while self.options.escape.is_some() && input.get(at) == self.options.escape.as_ref() {
            at = stop_at(input, (at + 2).min(input.len()), stops);
        }
        Some(at)
    }

    /// The same for a quoted field; `None` when it is not closed.
    fn quoted(&self, input: &[u8], start: usize) -> Option<usize> {
        let quote = self.options.quote?;
        let escape = self.options.escape.unwrap_or(quote);
        let mut at = start + 1;
        loop {
            at = stop_at(input, at, [quote, escape, quote]);
            match (input.get(at)?, input.get(at + 1)) {
                (byte, Some(next)) if *byte == quote && *next == quote => at += 2,
                (byte, _) if *byte == quote => return self.plain(input, at + 1),
                _ => at += 2,
            }
        }
    }

    /// Converts the field of the extent into its column, if anybody wants it.
    #[inline]
    fn convert(&mut self, input: &[u8], extent: (usize, usize), quoted: bool, field: usize) -> Result<(), Failure> {
        let Some(target) = self.targets.get(field).copied().flatten() else { return Ok(()) };
        let mut text = &input[extent.0..extent.1];
        if input.get(extent.1) != Some(&self.options.delimiter) {
            text = text.strip_suffix(b"\r").unwrap_or(text);
        }
        if quoted || self.options.escape.is_some_and(|e| text.contains(&e)) {
            self.unquote(text, quoted);
            text = &self.scratch;
        }
        let column = &mut self.columns[target];
        if self.options.null_literal.as_ref().is_some_and(|n| n.as_bytes() == text)
            || (text.is_empty() && !has_empty_value(column.ty()))
        {
            column.set_null(self.rows);
            return Ok(());
        }
        match self.converter.write(column, text, self.rows) {
            Ok(()) => Ok(()),
            Err(_) if self.options.ignore_parse_errors => {
                column.set_null(self.rows);
                Ok(())
            }
            Err(expected) => {
                let shown = String::from_utf8_lossy(&text[..text.len().min(64)]);
                let reason = format!("field '{}': cannot read '{shown}' as {expected}", self.names[field]);
                Err(Failure::Bad { at: extent.0, reason })
            }
        }
    }

    /// Puts the text without quotes and escapes into the scratch buffer.
    fn unquote(&mut self, text: &[u8], quoted: bool) {
        self.scratch.clear();
        let quote = self.options.quote.filter(|_| quoted);
        let mut at = usize::from(quoted);
        while let Some(byte) = text.get(at) {
            at += 1;
            if Some(*byte) == self.options.escape && at < text.len() && Some(*byte) != quote {
                self.scratch.push(unescape(text[at]));
                at += 1;
            } else if Some(*byte) == quote {
                if text.get(at) != Some(byte) {
                    // What follows the closing quote are blanks.
                    return;
                }
                self.scratch.push(*byte);
                at += 1;
            } else {
                self.scratch.push(*byte);
            }
        }
    }

    fn validate(&mut self, input: &[u8]) -> bool {
        if self.validated < input.len() {
            let checked = simdutf8::basic::from_utf8(&input[self.validated..]).is_ok();
            self.validated = if checked { input.len() } else { 0 };
            return checked;
        }
        true
    }

    #[cold]
    fn reject(&mut self, record: BadRecord<'_>, bad: OnBadRecord<'_>) -> Result<()> {
        self.columns.iter_mut().for_each(|c| c.truncate(self.rows));
        bad(record)
    }
}

/// Whether the empty text is a value of the type in Flink: `false`, no bytes, no elements. Elsewhere it is read as
/// NULL, where Flink fails.
fn has_empty_value(ty: &LogicalType) -> bool {
    ty.is_character() || ty.is_binary() || matches!(ty.root, TypeRoot::Boolean | TypeRoot::Array(_))
}

fn unescape(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'0' => 0,
        other => other,
    }
}

impl RowDecoder for CsvDecoder {
    fn decode(&mut self, input: &[u8], at_end: bool, rows_max: usize, bad: OnBadRecord<'_>) -> Result<Progress> {
        let complete = if at_end { input.len() } else { memchr::memrchr(b'\n', input).map_or(0, |at| at + 1) };
        let input = &input[..complete];
        let all_utf8 = self.validate(input);
        let mut progress = Progress::default();
        while progress.consumed < input.len() && self.rows < rows_max {
            let start = progress.consumed;
            if let Some(next) = self.skip_line(input, start) {
                progress = Progress { consumed: next, lines: progress.lines + 1 };
                continue;
            }
            let Record { next, mut failure } = self.record(input, start, at_end);
            let raw = &input[start..next];
            if !all_utf8 && let Err(error) = simdutf8::compat::from_utf8(raw) {
                let reason = "the record is not UTF-8".to_string();
                failure = Some(Failure::Bad { at: start + error.valid_up_to(), reason });
            }
            match failure {
                Some(Failure::Incomplete) => {
                    self.columns.iter_mut().for_each(|c| c.truncate(self.rows));
                    break;
                }
                Some(Failure::Bad { at, reason }) => {
                    let (raw, position) = (raw.trim_ascii_end(), at - start);
                    let ignored = self.options.ignore_parse_errors;
                    self.reject(BadRecord { raw, start, line: progress.lines, position, reason, ignored }, bad)?;
                }
                None => self.rows += 1,
            }
            progress.consumed = next;
            progress.lines += memchr::memchr_iter(b'\n', raw).count();
        }
        self.validated = self.validated.saturating_sub(progress.consumed);
        Ok(progress)
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
