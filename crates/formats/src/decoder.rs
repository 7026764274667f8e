//! The traits of record decoders and encoders.

use arrow::array::ArrayRef;
use arrow::error::ArrowError;
use headwater_data::{ChangeBatch, RowKinds};
use headwater_types::{Error, ErrorKind, LogicalType, Result};

/// A record that could not be decoded.
#[derive(Debug)]
pub struct BadRecord<'a> {
    /// Its bytes, without the line ending.
    pub raw: &'a [u8],
    /// Position of its first byte in the input of the call.
    pub start: usize,
    /// Lines of the input of the call before it.
    pub line: usize,
    /// Position in `raw` of what is wrong.
    pub position: usize,
    /// What is wrong.
    pub reason: String,
    /// Whether the format's own options say to leave such records out (`ignore-parse-errors`).
    pub ignored: bool,
}

/// Decides about a bad record: an error ends decoding, `Ok` leaves the record out. Is told of ignored records, too,
/// so that they can be counted.
pub type OnBadRecord<'a> = &'a mut dyn FnMut(BadRecord<'_>) -> Result<()>;

/// What a decoder reads: the schema of the records, and the columns wanted of it.
#[derive(Debug, Clone, Copy)]
pub struct ReadSchema<'a> {
    /// The fields of a record, in order.
    pub columns: &'a [(String, LogicalType)],
    /// The wanted columns by position in `columns`, with the type to produce: for a ROW perhaps only some of its
    /// fields, matched by name.
    pub wanted: &'a [(usize, LogicalType)],
}

/// How far a call of [`RowDecoder::decode`] came.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the input that are done with; the next input starts with the byte after them.
    pub consumed: usize,
    /// Line ends among them.
    pub lines: usize,
}

/// The rows a decoder collected.
#[derive(Debug)]
pub struct Decoded {
    /// The wanted columns, in the order they were asked for.
    pub arrays: Vec<ArrayRef>,
    /// Number of rows; counts even when no column is wanted.
    pub rows: usize,
    /// Their kinds.
    pub kinds: RowKinds,
}

/// Turns bytes into rows.
///
/// The order of calls is `(decode* finish)*`, where the inputs of successive calls of `decode` continue each
/// other: an input starts with the first byte that the call before did not consume. [`RowDecoder::reset`] starts
/// on other bytes.
pub trait RowDecoder: Send {
    /// Decodes whole records from the front of `input` until `rows_max` rows are collected. A record cut off at
    /// the end of the input is left for the next call unless `at_end`.
    fn decode(&mut self, input: &[u8], at_end: bool, rows_max: usize, bad: OnBadRecord<'_>) -> Result<Progress>;

    /// Decodes one message: bytes that are one record whatever line ends stand in them. To be called only
    /// instead of [`RowDecoder::decode`], never in between.
    fn decode_message(&mut self, message: &[u8], bad: OnBadRecord<'_>) -> Result<()> {
        self.reset();
        self.decode(message, true, usize::MAX, bad).map(|_| ())
    }

    /// Rows collected so far.
    fn rows(&self) -> usize;

    /// Takes the collected rows.
    fn finish(&mut self) -> Result<Decoded>;

    /// Forgets everything about the bytes that were to come; collected rows stay.
    fn reset(&mut self);
}

/// Turns rows into bytes.
pub trait RowEncoder: Send {
    /// Appends the encoded rows, each with its delimiter.
    fn encode(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) -> Result<()>;

    /// Appends one message for every row, without delimiters.
    fn encode_messages(&mut self, batch: &ChangeBatch, out: &mut Messages) -> Result<()> {
        for row in 0..batch.num_rows() {
            self.encode(&batch.slice(row, 1), &mut out.bytes)?;
            if out.bytes.last() == Some(&b'\n') {
                out.bytes.pop();
            }
            out.end_message();
        }
        Ok(())
    }
}

/// Encoded messages, one after the other in one buffer.
#[derive(Debug, Default, Clone)]
pub struct Messages {
    bytes: Vec<u8>,
    /// The end of every message, and whether it is there at all.
    ends: Vec<(usize, bool)>,
}

impl Messages {
    /// Number of messages.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Forgets all messages and keeps their room.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// The bytes of a message; `None` when there is none, as for a NULL in the raw format.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].0);
        let (end, present) = self.ends[index];
        present.then(|| &self.bytes[start..end])
    }

    /// The buffer whose tail is the message being written.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Ends the message being written.
    pub fn end_message(&mut self) {
        self.ends.push((self.bytes.len(), true));
    }

    /// Adds a message that is not there.
    pub fn push_absent(&mut self) {
        self.ends.push((self.bytes.len(), false));
    }
}

/// An Arrow error while a batch is put together: a broken invariant of ours.
pub(crate) fn batch_error(error: ArrowError) -> Error {
    Error::new(ErrorKind::Internal, "internal", format!("decoded columns do not form a batch: {error}"))
        .with_source(error)
}
