//! Decoding: column by column over all rows, straight into Arrow buffers.

use super::{Kind, Layout, RowCodec, corrupt};
use arrow::array::{ArrayData, ArrayRef, BinaryArray, BooleanArray, StringArray, make_array, new_null_array};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::DataType;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_types::Result;
use std::sync::Arc;

/// Decodes rows to one array per column.
pub(super) fn decode(codec: &RowCodec, rows: &[&[u8]]) -> Result<Vec<ArrayRef>> {
    if rows.iter().any(|row| row.len() < codec.fixed_len) {
        return Err(corrupt("it is too short"));
    }
    let mut cursors = vec![codec.fixed_len; rows.len()];
    let mut columns = Vec::with_capacity(codec.columns.len());
    for (index, layout) in codec.columns.iter().enumerate() {
        columns.push(column(index, layout, rows, &mut cursors)?);
    }
    match cursors.iter().zip(rows).all(|(cursor, row)| *cursor == row.len()) {
        true => Ok(columns),
        false => Err(corrupt("bytes follow the last column")),
    }
}

fn column(index: usize, layout: &Layout, rows: &[&[u8]], cursors: &mut [usize]) -> Result<ArrayRef> {
    let nulls = nulls(index, rows);
    match &layout.kind {
        Kind::Null => Ok(new_null_array(&DataType::Null, rows.len())),
        Kind::Boolean(offset) => {
            let values = BooleanBuffer::collect_bool(rows.len(), |row| rows[row][*offset] != 0);
            Ok(Arc::new(BooleanArray::new(values, nulls)))
        }
        Kind::Fixed { offset, width } => fixed(&layout.ty, fixed_values(rows, *offset, *width), rows.len(), nulls),
        Kind::Variable => variable(&layout.ty, rows, cursors, nulls),
        Kind::Nested(encoder) => nested(encoder, rows, cursors, nulls.as_ref()),
    }
}

fn nulls(index: usize, rows: &[&[u8]]) -> Option<NullBuffer> {
    let (byte, bit) = (index / 8, 1u8 << (index % 8));
    if rows.iter().all(|row| row[byte] & bit == 0) {
        return None;
    }
    Some(NullBuffer::new(BooleanBuffer::collect_bool(rows.len(), |row| rows[row][byte] & bit == 0)))
}

fn fixed_values(rows: &[&[u8]], offset: usize, width: usize) -> Vec<u8> {
    match width {
        1 => gather::<1>(rows, offset),
        2 => gather::<2>(rows, offset),
        4 => gather::<4>(rows, offset),
        8 => gather::<8>(rows, offset),
        _ => gather::<16>(rows, offset),
    }
}

fn gather<const WIDTH: usize>(rows: &[&[u8]], offset: usize) -> Vec<u8> {
    let mut values = vec![0; rows.len() * WIDTH];
    for (value, row) in values.as_chunks_mut::<WIDTH>().0.iter_mut().zip(rows) {
        value.copy_from_slice(&row[offset..offset + WIDTH]);
    }
    values
}

fn fixed(ty: &DataType, values: Vec<u8>, rows: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    // A copy into an Arrow allocation, which is aligned for every type.
    let values = Buffer::from_slice_ref(&values);
    let data = ArrayData::builder(ty.clone()).len(rows).add_buffer(values).nulls(nulls).build();
    data.map(make_array).map_err(|e| corrupt(&e.to_string()))
}

/// Takes the next variable value of a row.
#[inline]
fn take<'a>(row: &'a [u8], cursor: &mut usize) -> Result<&'a [u8]> {
    let (mut length, mut shift) = (0usize, 0);
    loop {
        let byte = *row.get(*cursor).ok_or_else(|| corrupt("it is cut off"))?;
        *cursor += 1;
        length |= usize::from(byte & 0x7F) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
        if shift > 35 {
            return Err(corrupt("a length is impossible"));
        }
    }
    let value = row.get(*cursor..cursor.saturating_add(length)).ok_or_else(|| corrupt("it is cut off"))?;
    *cursor += length;
    Ok(value)
}

fn variable(ty: &DataType, rows: &[&[u8]], cursors: &mut [usize], nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    let mut parts = Vec::with_capacity(rows.len());
    for (index, (row, cursor)) in rows.iter().zip(cursors).enumerate() {
        let valid = nulls.as_ref().is_none_or(|n| n.is_valid(index));
        parts.push(if valid { take(row, cursor)? } else { &[] });
    }
    let mut offsets = Vec::with_capacity(rows.len() + 1);
    let mut values = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    offsets.push(0i32);
    for part in parts {
        values.extend_from_slice(part);
        offsets.push(i32::try_from(values.len()).map_err(|_| corrupt("more than 2 GiB of text in one batch"))?);
    }
    let (offsets, values) = (OffsetBuffer::new(offsets.into()), Buffer::from_vec(values));
    let array = match ty {
        DataType::Utf8 => StringArray::try_new(offsets, values, nulls).map(|a| Arc::new(a) as ArrayRef),
        _ => BinaryArray::try_new(offsets, values, nulls).map(|a| Arc::new(a) as ArrayRef),
    };
    array.map_err(|e| corrupt(&e.to_string()))
}

fn nested(encoder: &KeyEncoder, rows: &[&[u8]], cursors: &mut [usize], nulls: Option<&NullBuffer>) -> Result<ArrayRef> {
    /// NULL in the key codec.
    const NULL: &[u8] = &[0];
    let mut keys = EncodedKeys::new();
    for (index, (row, cursor)) in rows.iter().zip(cursors).enumerate() {
        let valid = nulls.is_none_or(|n| n.is_valid(index));
        keys.push(if valid { take(row, cursor)? } else { NULL });
    }
    let column = encoder.decode(&keys)?.pop();
    column.ok_or_else(|| corrupt("a nested column is missing"))
}
