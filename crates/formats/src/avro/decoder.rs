//! From Avro records to columns.

use super::input::{Failure, Input};
use super::plan::{Node, compile};
use super::{AvroOptions, schema};
use crate::column::{Column, Data};
use crate::decoder::{BadRecord, Decoded, OnBadRecord, Progress, ReadSchema, RowDecoder, batch_error};
use apache_avro::Schema;
use headwater_data::RowKinds;
use headwater_types::{Error, Result};

/// Elements without bytes that a collection may have: more can only be an attack.
const EMPTY_ELEMENTS_MAX: usize = 1 << 16;

/// The wanted columns under construction.
pub(super) struct Columns {
    names: Vec<String>,
    columns: Vec<Column>,
    rows: usize,
}

impl Columns {
    pub(super) fn new(schema: ReadSchema<'_>) -> Self {
        Self {
            names: schema.wanted.iter().map(|(column, _)| schema.columns[*column].0.clone()).collect(),
            columns: schema.wanted.iter().map(|(_, ty)| Column::new(ty)).collect(),
            rows: 0,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The plan of records written with a schema.
    pub(super) fn plan(&self, writer: &Schema) -> Result<Node> {
        let wanted: Vec<_> = self.names.iter().zip(&self.columns).map(|(name, c)| (name.as_str(), c.ty())).collect();
        compile(writer, &wanted)
    }

    /// Decodes the record that the rest of `input` is; on failure the columns are as before.
    pub(super) fn record(&mut self, plan: &Node, input: &mut Input<'_>) -> Result<(), Failure> {
        let done = fields(plan, input, &mut self.columns, self.rows);
        let done = done.and_then(|()| match input.left() {
            0 => Ok(()),
            left => Err(format!("{left} bytes follow the record; it was written with another schema")),
        });
        match done {
            Ok(()) => self.rows += 1,
            Err(_) => self.columns.iter_mut().for_each(|column| column.truncate(self.rows)),
        }
        done
    }

    pub(super) fn finish(&mut self) -> Result<Decoded> {
        let rows = std::mem::take(&mut self.rows);
        let arrays = self.columns.iter_mut().map(|c| c.finish(rows)).collect::<Result<_, _>>().map_err(batch_error)?;
        Ok(Decoded { arrays, rows, kinds: RowKinds::Append })
    }
}

/// The error of a format of messages that was given a file.
pub(super) fn messages_only() -> Error {
    Error::unsupported("Avro files are not supported yet: Avro is a format of messages, such as Kafka's")
}

/// Decodes records of the table's own schema.
pub struct AvroDecoder {
    columns: Columns,
    plan: Node,
}

impl AvroDecoder {
    /// A decoder of records with the schema that the table's columns say.
    pub fn new(read: ReadSchema<'_>, options: AvroOptions) -> Result<Self> {
        let columns = Columns::new(read);
        let plan = columns.plan(&parse(&schema::record(read.columns, options)?)?)?;
        Ok(Self { columns, plan })
    }
}

/// Parses a schema.
pub(super) fn parse(json: &str) -> Result<Schema> {
    Schema::parse_str(json).map_err(|e| Error::user("bad-schema", format!("an Avro schema cannot be read: {e}")))
}

impl RowDecoder for AvroDecoder {
    fn decode(&mut self, _input: &[u8], _at_end: bool, _rows_max: usize, _bad: OnBadRecord<'_>) -> Result<Progress> {
        Err(messages_only())
    }

    fn decode_message(&mut self, message: &[u8], bad: OnBadRecord<'_>) -> Result<()> {
        let mut input = Input::new(message);
        match self.columns.record(&self.plan, &mut input) {
            Ok(()) => Ok(()),
            Err(reason) => {
                bad(BadRecord { raw: message, start: 0, line: 0, position: input.at, reason, ignored: false })
            }
        }
    }

    fn rows(&self) -> usize {
        self.columns.rows()
    }

    fn finish(&mut self) -> Result<Decoded> {
        self.columns.finish()
    }

    fn reset(&mut self) {}
}

/// Reads a record into the columns of a row.
fn fields(plan: &Node, input: &mut Input<'_>, columns: &mut [Column], row: usize) -> Result<(), Failure> {
    match plan {
        Node::Union(variants) => match variant(variants, input)? {
            // A row that is NULL: all its columns are.
            Node::Null => Ok(()),
            record => fields(record, input, columns, row),
        },
        Node::Record(nodes) => nodes.iter().try_for_each(|(node, place)| match place {
            Some(place) => read(node, input, &mut columns[*place], row),
            None => skip(node, input),
        }),
        _ => Err("it is no record".into()),
    }
}

fn variant<'a>(variants: &'a [Node], input: &mut Input<'_>) -> Result<&'a Node, Failure> {
    let index = input.long()?;
    let found = usize::try_from(index).ok().and_then(|index| variants.get(index));
    found.ok_or_else(|| format!("a union of {} has no alternative {index}", variants.len()))
}

/// Reads a value into a column.
fn read(node: &Node, input: &mut Input<'_>, column: &mut Column, row: usize) -> Result<(), Failure> {
    column.begin(row);
    match node {
        Node::Null => column.set_null(row),
        Node::Union(variants) => {
            let variant = variant(variants, input)?;
            return read(variant, input, column, row);
        }
        Node::Record(_) => {
            if let Data::Row(children) = &mut column.data {
                fields(node, input, children, row)?;
            }
            column.commit();
        }
        Node::Array(element) => {
            if let Data::List { child, .. } = &mut column.data {
                each(element, input, |input| {
                    let at = child.len();
                    read(element, input, child, at)
                })?;
            }
            column.commit_list();
        }
        Node::Map(value) => {
            read_map(value, input, column)?;
            column.commit_list();
        }
        Node::Bytes | Node::Fixed(_) | Node::Enum(_) => {
            read_bytes(node, input, column)?;
            column.commit_bytes();
        }
        scalar => {
            read_scalar(scalar, input, &mut column.data)?;
            column.commit();
        }
    }
    Ok(())
}

fn read_map(value: &Node, input: &mut Input<'_>, column: &mut Column) -> Result<(), Failure> {
    let Data::Map { keys, values, .. } = &mut column.data else { return Err("it is no map".into()) };
    each(value, input, |input| {
        let at = keys.len();
        read(&Node::Bytes, input, keys, at)?;
        read(value, input, values, at)
    })
}

/// Calls for every element of an array or a map, which come in blocks.
fn each(
    node: &Node,
    input: &mut Input<'_>,
    mut element: impl FnMut(&mut Input<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    loop {
        let mut count = input.long()?;
        if count < 0 {
            // The size in bytes follows, for those who skip the block.
            input.long()?;
            count = count.checked_neg().ok_or("a block has no end")?;
        }
        if count == 0 {
            return Ok(());
        }
        let bound = input.left().max(if has_bytes(node) { 0 } else { EMPTY_ELEMENTS_MAX });
        if usize::try_from(count).map_or(true, |count| count > bound) {
            return Err(format!("a block of {count} elements does not fit into the record"));
        }
        for _ in 0..count {
            element(input)?;
        }
    }
}

/// Whether every value of a node takes at least one byte.
fn has_bytes(node: &Node) -> bool {
    match node {
        Node::Null | Node::Fixed(0) => false,
        Node::Record(fields) => fields.iter().any(|(node, _)| has_bytes(node)),
        _ => true,
    }
}

fn read_bytes(node: &Node, input: &mut Input<'_>, column: &mut Column) -> Result<(), Failure> {
    let read = match node {
        Node::Fixed(size) => input.take(*size)?,
        Node::Enum(symbols) => {
            let index = input.long()?;
            let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
            symbol.ok_or_else(|| format!("an enum of {} has no symbol {index}", symbols.len()))?.as_bytes()
        }
        _ => input.bytes()?,
    };
    match &mut column.data {
        Data::Utf8(out) => {
            simdutf8::basic::from_utf8(read).map_err(|_| "a text is not UTF-8")?;
            out.extend(read);
        }
        Data::Binary(out) => out.extend(read),
        _ => return Err("bytes for a column of another type".into()),
    }
    Ok(())
}

fn read_scalar(node: &Node, input: &mut Input<'_>, data: &mut Data) -> Result<(), Failure> {
    match node {
        Node::Boolean => match (input.byte()?, data) {
            (value @ (0 | 1), Data::Boolean(v)) => v.push(value == 1),
            (other, _) => return Err(format!("{other} is no boolean")),
        },
        Node::Long => integer(input.long()?, data)?,
        Node::Float => float(f64::from(f32::from_le_bytes(input.array()?)), data),
        Node::Double => float(f64::from_le_bytes(input.array()?), data),
        Node::Time { units_per_second } => time(input.long()?, *units_per_second, data)?,
        Node::Decimal { scale, size } => {
            let bytes = match size {
                Some(size) => input.take(*size)?,
                None => input.bytes()?,
            };
            decimal(bytes, *scale, data)?;
        }
        _ => return Err("it is no scalar".into()),
    }
    Ok(())
}

fn integer(value: i64, data: &mut Data) -> Result<(), Failure> {
    let out_of_range = |_| format!("{value} is out of the column's range");
    match data {
        Data::TinyInt(v) => v.push(value.try_into().map_err(out_of_range)?),
        Data::SmallInt(v) => v.push(value.try_into().map_err(out_of_range)?),
        Data::Int(v) | Data::Date(v) | Data::Time { values: v, .. } => v.push(value.try_into().map_err(out_of_range)?),
        Data::BigInt(v) => v.push(value),
        // A plain number is taken to count milliseconds, as in Flink.
        Data::Timestamp { .. } => return time(value, 1_000, data),
        other => float(value as f64, other),
    }
    Ok(())
}

fn float(value: f64, data: &mut Data) {
    match data {
        Data::Float(v) => v.push(value as f32),
        Data::Double(v) => v.push(value),
        _ => {}
    }
}

fn time(value: i64, units_per_second: i64, data: &mut Data) -> Result<(), Failure> {
    let out_of_range = || format!("{value} is out of the column's range");
    let scaled = |to: i64| match units_per_second <= to {
        true => value.checked_mul(to / units_per_second),
        false => Some(value.div_euclid(units_per_second / to)),
    };
    match data {
        Data::Timestamp { values, units_per_second, .. } => {
            let to = *units_per_second;
            values.push(scaled(to).ok_or_else(out_of_range)?);
        }
        Data::Time { values, .. } => {
            let ms = scaled(1_000).and_then(|ms| i32::try_from(ms).ok()).filter(|ms| (0..86_400_000).contains(ms));
            values.push(ms.ok_or_else(out_of_range)?);
        }
        other => integer(value, other)?,
    }
    Ok(())
}

/// A big-endian two's complement.
fn decimal(bytes: &[u8], scale: u32, data: &mut Data) -> Result<(), Failure> {
    let Data::Decimal { values, precision, scale: to } = data else {
        return Err("a decimal for another column".into());
    };
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let significant = bytes.len().saturating_sub(16);
    let fill = if negative { 0xff } else { 0 };
    let mut wide = [fill; 16];
    let low = &bytes[significant..];
    wide[16 - low.len()..].copy_from_slice(low);
    let value = i128::from_be_bytes(wide);
    let is_whole = bytes[..significant].iter().all(|byte| *byte == fill) && (value < 0) == negative;
    let to = u32::from(*to);
    let rescaled = match scale <= to {
        true => 10i128.checked_pow(to - scale).and_then(|factor| value.checked_mul(factor)),
        false => 10i128.checked_pow(scale - to).map(|factor| half_up(value, factor)),
    };
    let limit = 10i128.checked_pow(u32::from(*precision)).unwrap_or(i128::MAX);
    let fitting = rescaled.filter(|value| is_whole && value.checked_abs().is_some_and(|value| value < limit));
    values.push(fitting.ok_or("a decimal is out of the column's range")?);
    Ok(())
}

/// Division that rounds away from zero at a half.
fn half_up(value: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (value / divisor, value % divisor);
    if rest.abs() >= divisor - rest.abs() { quotient + value.signum() } else { quotient }
}

/// Skips a value.
fn skip(node: &Node, input: &mut Input<'_>) -> Result<(), Failure> {
    match node {
        Node::Null => Ok(()),
        Node::Boolean => input.byte().map(|_| ()),
        Node::Long | Node::Enum(_) | Node::Time { .. } => input.long().map(|_| ()),
        Node::Float => input.take(4).map(|_| ()),
        Node::Double => input.take(8).map(|_| ()),
        Node::Bytes | Node::Decimal { size: None, .. } => input.bytes().map(|_| ()),
        Node::Fixed(size) | Node::Decimal { size: Some(size), .. } => input.take(*size).map(|_| ()),
        Node::Union(variants) => {
            let variant = variant(variants, input)?;
            skip(variant, input)
        }
        Node::Array(element) => each(element, input, |input| skip(element, input)),
        Node::Map(value) => each(value, input, |input| {
            input.bytes()?;
            skip(value, input)
        }),
        Node::Record(fields) => fields.iter().try_for_each(|(node, _)| skip(node, input)),
    }
}
