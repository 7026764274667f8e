//! Encoding: a measuring pass over the columns of variable width, then one writing pass a column.

use super::{EncodedRows, Kind, RowCodec};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use headwater_data::key_codec::EncodedKeys;
use headwater_types::{Error, Result};

/// Encodes columns, all of `rows` rows.
pub(super) fn encode(codec: &RowCodec, columns: &[ArrayRef], rows: usize, out: &mut EncodedRows) -> Result<()> {
    check(codec, columns, rows)?;
    let sides = nested_sides(codec, columns, rows)?;
    let mut cursors = measure(codec, columns, &sides, rows);
    place(&mut cursors, out, codec.fixed_len);
    for (index, (layout, column)) in codec.columns.iter().zip(columns).enumerate() {
        write_nulls(index, column.as_ref(), out);
        match &layout.kind {
            Kind::Null => {}
            Kind::Boolean(offset) => write_booleans(*offset, column.as_ref(), out),
            Kind::Fixed { offset, width } => write_fixed(*offset, *width, column.as_ref(), out),
            Kind::Variable | Kind::Nested(_) => {
                write_variable(column.as_ref(), sides[index].as_ref(), &mut cursors, out)
            }
        }
    }
    Ok(())
}

fn check(codec: &RowCodec, columns: &[ArrayRef], rows: usize) -> Result<()> {
    let fits = columns.len() == codec.columns.len()
        && columns.iter().zip(codec.types()).all(|(c, ty)| c.data_type() == ty && c.len() == rows);
    if fits {
        return Ok(());
    }
    let found: Vec<_> = columns.iter().map(|c| format!("{}[{}]", c.data_type(), c.len())).collect();
    let expected: Vec<_> = codec.types().map(|ty| format!("{ty}[{rows}]")).collect();
    Err(Error::internal(format!("row columns are ({}), expected ({})", found.join(", "), expected.join(", "))))
}

/// Nested columns as key codec bytes.
fn nested_sides(codec: &RowCodec, columns: &[ArrayRef], rows: usize) -> Result<Vec<Option<EncodedKeys>>> {
    let side = |kind: &Kind, column: &ArrayRef| match kind {
        Kind::Nested(encoder) => {
            let mut keys = EncodedKeys::new();
            encoder.encode(std::slice::from_ref(column), rows, &mut keys)?;
            Ok(Some(keys))
        }
        _ => Ok(None),
    };
    codec.columns.iter().zip(columns).map(|(layout, column)| side(&layout.kind, column)).collect()
}

/// The length of every row.
fn measure(codec: &RowCodec, columns: &[ArrayRef], sides: &[Option<EncodedKeys>], rows: usize) -> Vec<usize> {
    let mut lengths = vec![codec.fixed_len; rows];
    for (column, side) in columns.iter().zip(sides) {
        for_each_variable(column.as_ref(), side.as_ref(), |row, bytes| {
            lengths[row] += varint_len(bytes.len()) + bytes.len();
        });
    }
    lengths
}

/// Turns lengths into offsets, and the lengths into the place where variable columns go.
fn place(lengths: &mut [usize], out: &mut EncodedRows, fixed_len: usize) {
    out.clear();
    out.offsets.reserve(lengths.len() + 1);
    out.offsets.push(0);
    let mut end = 0;
    for length in lengths.iter_mut() {
        let start = end;
        end += *length;
        out.offsets.push(end);
        *length = start + fixed_len;
    }
    out.bytes.resize(end, 0);
}

/// Calls `visit(row, bytes)` with every value of a column of variable width that is not NULL.
#[inline]
fn for_each_variable(column: &dyn Array, side: Option<&EncodedKeys>, mut visit: impl FnMut(usize, &[u8])) {
    let valid = column.nulls();
    let mut each = |row: usize, bytes: &[u8]| {
        if valid.is_none_or(|n| n.is_valid(row)) {
            visit(row, bytes);
        }
    };
    match (side, column.data_type()) {
        (Some(keys), _) => keys.iter().enumerate().for_each(|(row, key)| each(row, key)),
        (None, DataType::Utf8) => {
            let values = column.as_string::<i32>();
            (0..values.len()).for_each(|row| each(row, values.value(row).as_bytes()));
        }
        (None, DataType::Binary) => {
            let values = column.as_binary::<i32>();
            (0..values.len()).for_each(|row| each(row, values.value(row)));
        }
        _ => {}
    }
}

fn write_variable(column: &dyn Array, side: Option<&EncodedKeys>, cursors: &mut [usize], out: &mut EncodedRows) {
    for_each_variable(column, side, |row, value| {
        let mut at = cursors[row];
        let mut length = value.len();
        while length >= 0x80 {
            out.bytes[at] = length as u8 | 0x80;
            length >>= 7;
            at += 1;
        }
        out.bytes[at] = length as u8;
        out.bytes[at + 1..at + 1 + value.len()].copy_from_slice(value);
        cursors[row] = at + 1 + value.len();
    });
}

fn write_nulls(index: usize, column: &dyn Array, out: &mut EncodedRows) {
    let (byte, bit) = (index / 8, 1u8 << (index % 8));
    let EncodedRows { offsets, bytes } = out;
    let mut set = |row: usize| bytes[offsets[row] + byte] |= bit;
    match (column.data_type(), column.nulls()) {
        (DataType::Null, _) => (0..column.len()).for_each(set),
        (_, Some(nulls)) if nulls.null_count() > 0 => {
            (0..nulls.len()).filter(|row| nulls.is_null(*row)).for_each(&mut set);
        }
        _ => {}
    }
}

fn write_booleans(offset: usize, column: &dyn Array, out: &mut EncodedRows) {
    let values = column.as_boolean();
    for row in 0..values.len() {
        out.bytes[out.offsets[row] + offset] = u8::from(values.is_valid(row) && values.value(row));
    }
}

fn write_fixed(offset: usize, width: usize, column: &dyn Array, out: &mut EncodedRows) {
    let data = column.to_data();
    let values = &data.buffers()[0].as_slice()[data.offset() * width..];
    match width {
        1 => write_fixed_of::<1>(offset, values, column.nulls(), out),
        2 => write_fixed_of::<2>(offset, values, column.nulls(), out),
        4 => write_fixed_of::<4>(offset, values, column.nulls(), out),
        8 => write_fixed_of::<8>(offset, values, column.nulls(), out),
        _ => write_fixed_of::<16>(offset, values, column.nulls(), out),
    }
}

fn write_fixed_of<const WIDTH: usize>(at: usize, values: &[u8], nulls: Option<&NullBuffer>, out: &mut EncodedRows) {
    let (values, _) = values.as_chunks::<WIDTH>();
    let starts = &out.offsets[..out.offsets.len() - 1];
    for (row, (start, value)) in starts.iter().zip(values).enumerate() {
        if nulls.is_none_or(|n| n.is_valid(row)) {
            out.bytes[start + at..start + at + WIDTH].copy_from_slice(value);
        }
    }
}

fn varint_len(value: usize) -> usize {
    (usize::BITS - (value | 1).leading_zeros()).div_ceil(7) as usize
}
