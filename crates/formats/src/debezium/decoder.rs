//! From envelopes to changes.

use super::metadata::Wanted;
use crate::decoder::{BadRecord, Decoded, OnBadRecord, Progress, ReadSchema, RowDecoder, batch_error};
use crate::json::options::DecodeOptions;
use crate::json::{JsonDecoder, on_one_line};
use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::{concat, take};
use arrow::error::ArrowError;
use headwater_data::RowKinds;
use headwater_types::{LogicalType, Result, RowField, RowKind, TypeRoot};

/// Decodes envelopes into changes.
pub struct DebeziumDecoder {
    /// Decodes the one column `payload` or the columns `before`, `after` and `op`, each envelope a row.
    json: JsonDecoder,
    has_payload: bool,
    metadata: Wanted,
    ignore_parse_errors: bool,
    /// The images of the decoded envelopes, in order: which row of which side, and its kind.
    images: Vec<(Side, u32, RowKind)>,
    /// A message without its line feeds.
    blanked: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// The images that an operation stands for.
fn images(op: &[u8]) -> Option<&'static [(Side, RowKind)]> {
    match op {
        b"c" | b"r" => Some(&[(Side::After, RowKind::Insert)]),
        b"u" => Some(&[(Side::Before, RowKind::UpdateBefore), (Side::After, RowKind::UpdateAfter)]),
        b"d" => Some(&[(Side::Before, RowKind::Delete)]),
        _ => None,
    }
}

impl DebeziumDecoder {
    /// A decoder of the wanted columns, and behind them of the metadata of these keys; `has_payload` says that lines
    /// hold schema and payload.
    pub fn new(schema: ReadSchema<'_>, metadata: &[&str], options: DecodeOptions, has_payload: bool) -> Result<Self> {
        let field = |(column, ty): &(usize, LogicalType)| RowField::new(schema.columns[*column].0.clone(), ty.clone());
        let image: LogicalType = TypeRoot::Row(schema.wanted.iter().map(field).collect()).into();
        let mut envelope: Vec<_> = [("before", image.clone()), ("after", image), ("op", LogicalType::string())]
            .map(|(n, t)| RowField::new(n, t))
            .into();
        let metadata = Wanted::new(metadata, &mut envelope)?;
        let ignore_parse_errors = options.ignore_parse_errors;
        let json = if has_payload {
            let payload = TypeRoot::Row(envelope).into();
            JsonDecoder::new([("payload", &payload)], options)
        } else {
            JsonDecoder::new(envelope.iter().map(|f| (f.name.as_str(), &f.ty)), options)
        };
        Ok(Self { json, has_payload, metadata, ignore_parse_errors, images: vec![], blanked: vec![] })
    }

    /// Notes the images of the envelope that was decoded last; an error says what is wrong with it.
    fn note(&mut self, row: usize) -> Result<(), String> {
        let columns = self.json.columns();
        let columns = if self.has_payload { columns[0].fields() } else { columns };
        let [before, after, op, ..] = columns else { return Err("the envelope has no payload".into()) };
        let op = op.text_at(row).ok_or("the envelope has no 'op'")?;
        let sides = images(op)
            .ok_or_else(|| format!("unknown operation '{}', expected c, r, u or d", String::from_utf8_lossy(op)))?;
        for (side, _) in sides {
            let (column, name) = if *side == Side::Before { (before, "before") } else { (after, "after") };
            if !column.is_valid(row) {
                let op = String::from_utf8_lossy(op);
                return Err(format!("the image '{name}' is missing, which the operation '{op}' needs"));
            }
        }
        self.images.extend(sides.iter().map(|(side, kind)| (*side, row as u32, *kind)));
        Ok(())
    }

    fn changes(&mut self, decoded: &Decoded) -> Result<Decoded, ArrowError> {
        let envelope = match self.has_payload {
            true => decoded.arrays[0].as_struct().columns(),
            false => &decoded.arrays[..],
        };
        let (before, after) = (envelope[0].as_struct(), envelope[1].as_struct());
        let rows = decoded.rows as u32;
        let images = std::mem::take(&mut self.images);
        let index = |(side, row, _): &(Side, u32, RowKind)| if *side == Side::Before { *row } else { rows + row };
        let indices = UInt32Array::from_iter_values(images.iter().map(index));
        let column = |(b, a): (&ArrayRef, &ArrayRef)| take(&concat(&[b as &dyn Array, a])?, &indices, None);
        let mut arrays = before.columns().iter().zip(after.columns()).map(column).collect::<Result<Vec<_>, _>>()?;
        let envelopes = UInt32Array::from_iter_values(images.iter().map(|(_, row, _)| *row));
        arrays.extend(self.metadata.take(envelope, &envelopes)?);
        let kinds: Vec<i8> = images.iter().map(|(_, _, kind)| *kind as i8).collect();
        Ok(Decoded { arrays, rows: images.len(), kinds: RowKinds::Mixed(kinds.into()) })
    }
}

impl RowDecoder for DebeziumDecoder {
    fn decode(&mut self, input: &[u8], at_end: bool, rows_max: usize, bad: OnBadRecord<'_>) -> Result<Progress> {
        let mut total = Progress::default();
        while self.images.len() < rows_max {
            let row = self.json.rows();
            let done = total;
            let step = self.json.decode(&input[done.consumed..], at_end, row + 1, &mut |record| {
                bad(BadRecord { start: done.consumed + record.start, line: done.lines + record.line, ..record })
            })?;
            if step.consumed == 0 {
                break;
            }
            total = Progress { consumed: done.consumed + step.consumed, lines: done.lines + step.lines };
            if self.json.rows() == row {
                continue;
            }
            if let Err(reason) = self.note(row) {
                self.json.forget_rows_from(row);
                // The line that ends here; bad and blank lines before it were consumed by the same step.
                let lines = input[..total.consumed].trim_ascii_end();
                let start = memchr::memrchr(b'\n', lines).map_or(0, |at| at + 1);
                let (raw, line, ignored) = (&lines[start..], total.lines - 1, self.ignore_parse_errors);
                bad(BadRecord { raw, start, line, position: 0, reason, ignored })?;
            }
        }
        Ok(total)
    }

    fn decode_message(&mut self, message: &[u8], bad: OnBadRecord<'_>) -> Result<()> {
        self.json.reset();
        let mut blanked = std::mem::take(&mut self.blanked);
        // An empty message is the tombstone that Debezium sends after a delete.
        let done = self.decode(on_one_line(message, &mut blanked), true, usize::MAX, bad);
        self.blanked = blanked;
        done.map(|_| ())
    }

    fn rows(&self) -> usize {
        self.images.len()
    }

    fn finish(&mut self) -> Result<Decoded> {
        let decoded = self.json.finish()?;
        self.changes(&decoded).map_err(batch_error)
    }

    fn reset(&mut self) {
        self.json.reset();
    }
}
