//! Encoding: a measuring pass and a writing pass over each column, or one typed pass for a single column.
//!
//! Nested columns go through a side buffer, one value at a time.

use super::{END, ESCAPE, EncodedKeys, FixedKey, NULL, PRESENT, dispatch_fixed};
use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StructArray,
};
use arrow::datatypes::DataType;

/// Encodes columns of supported types, all of `rows` rows, into cleared `keys`.
pub(super) fn encode(columns: &[ArrayRef], rows: usize, keys: &mut EncodedKeys) {
    match columns {
        [column] => encode_single(column.as_ref(), rows, keys),
        _ => encode_many(columns, rows, keys),
    }
}

/// One column needs no measuring: values are appended in row order.
fn encode_single(column: &dyn Array, rows: usize, keys: &mut EncodedKeys) {
    keys.offsets.reserve(rows + 1);
    keys.offsets.push(0);
    macro_rules! fixed {
        ($ty:ty) => {
            append_fixed_column(column.as_primitive::<$ty>(), keys)
        };
    }
    dispatch_fixed!(
        column.data_type(),
        fixed,
        match column.data_type() {
            DataType::Utf8 => {
                let values = column.as_string::<i32>();
                append_bytes_column(column, |row| values.value(row).as_bytes(), keys);
            }
            DataType::Binary => {
                let values = column.as_binary::<i32>();
                append_bytes_column(column, |row| values.value(row), keys);
            }
            _ => append_any_column(column, rows, keys),
        }
    );
}

fn append_fixed_column<T>(column: &PrimitiveArray<T>, keys: &mut EncodedKeys)
where
    T: ArrowPrimitiveType,
    T::Native: FixedKey,
{
    let width = 1 + size_of::<T::Native>();
    if column.null_count() == 0 {
        keys.bytes.resize(column.len() * width, PRESENT);
        for (slot, value) in keys.bytes.chunks_exact_mut(width).zip(column.values()) {
            slot[1..].copy_from_slice(value.to_key().as_ref());
        }
        keys.offsets.extend((1..=column.len()).map(|row| row * width));
        return;
    }
    for value in column {
        append_fixed(value, &mut keys.bytes);
        keys.offsets.push(keys.bytes.len());
    }
}

fn append_bytes_column<'a>(column: &dyn Array, value: impl Fn(usize) -> &'a [u8], keys: &mut EncodedKeys) {
    for row in 0..column.len() {
        if column.is_null(row) {
            keys.bytes.push(NULL);
        } else {
            append_escaped(value(row), &mut keys.bytes);
        }
        keys.offsets.push(keys.bytes.len());
    }
}

fn append_any_column(column: &dyn Array, rows: usize, keys: &mut EncodedKeys) {
    for row in 0..rows {
        append_value(column, row, &mut keys.bytes);
        keys.offsets.push(keys.bytes.len());
    }
}

/// Several columns: measure every key, then write column by column at each key's cursor.
fn encode_many(columns: &[ArrayRef], rows: usize, keys: &mut EncodedKeys) {
    let lengths = &mut keys.cursors;
    lengths.clear();
    lengths.resize(rows, 0);
    let nested: Vec<Option<EncodedKeys>> = columns.iter().map(|c| measure(c.as_ref(), lengths)).collect();
    keys.offsets.reserve(rows + 1);
    let mut end = 0;
    keys.offsets.push(0);
    for length in lengths.iter_mut() {
        let start = end;
        end += *length;
        keys.offsets.push(end);
        *length = start;
    }
    keys.bytes.resize(end, 0);
    for (column, side) in columns.iter().zip(&nested) {
        match side {
            Some(side) => write_side(side, &mut keys.cursors, &mut keys.bytes),
            None => write_column(column.as_ref(), &mut keys.cursors, &mut keys.bytes),
        }
    }
}

/// Adds the encoded length of each row of `column`; nested columns are encoded into a side buffer at once.
fn measure(column: &dyn Array, lengths: &mut [usize]) -> Option<EncodedKeys> {
    macro_rules! fixed {
        ($ty:ty) => {{
            add_lengths(column, lengths, |_| size_of::<<$ty as ArrowPrimitiveType>::Native>());
            None
        }};
    }
    dispatch_fixed!(
        column.data_type(),
        fixed,
        match column.data_type() {
            DataType::Boolean => {
                add_lengths(column, lengths, |_| 1);
                None
            }
            DataType::Utf8 => {
                let values = column.as_string::<i32>();
                add_lengths(column, lengths, |row| escaped_len(values.value(row).as_bytes()));
                None
            }
            DataType::Binary => {
                let values = column.as_binary::<i32>();
                add_lengths(column, lengths, |row| escaped_len(values.value(row)));
                None
            }
            _ => Some(measure_nested(column, lengths)),
        }
    )
}

fn add_lengths(column: &dyn Array, lengths: &mut [usize], value_len: impl Fn(usize) -> usize) {
    match column.nulls() {
        None => lengths.iter_mut().enumerate().for_each(|(row, length)| *length += 1 + value_len(row)),
        Some(nulls) => lengths.iter_mut().enumerate().for_each(|(row, length)| {
            *length += 1 + if nulls.is_valid(row) { value_len(row) } else { 0 };
        }),
    }
}

fn measure_nested(column: &dyn Array, lengths: &mut [usize]) -> EncodedKeys {
    let mut side = EncodedKeys::new();
    side.offsets.push(0);
    append_any_column(column, lengths.len(), &mut side);
    for (length, key) in lengths.iter_mut().zip(side.iter()) {
        *length += key.len();
    }
    side
}

fn write_side(side: &EncodedKeys, cursors: &mut [usize], bytes: &mut [u8]) {
    for (cursor, key) in cursors.iter_mut().zip(side.iter()) {
        put(bytes, cursor, key);
    }
}

/// Writes a column that is not nested.
fn write_column(column: &dyn Array, cursors: &mut [usize], bytes: &mut [u8]) {
    macro_rules! fixed {
        ($ty:ty) => {
            write_fixed(column.as_primitive::<$ty>(), cursors, bytes)
        };
    }
    dispatch_fixed!(
        column.data_type(),
        fixed,
        match column.data_type() {
            DataType::Boolean => write_boolean(column.as_boolean(), cursors, bytes),
            DataType::Utf8 => {
                let values = column.as_string::<i32>();
                write_bytes(column, |row| values.value(row).as_bytes(), cursors, bytes);
            }
            DataType::Binary => {
                let values = column.as_binary::<i32>();
                write_bytes(column, |row| values.value(row), cursors, bytes);
            }
            other => unreachable!("{other} is nested and was measured into a side buffer"),
        }
    );
}

fn write_fixed<T>(column: &PrimitiveArray<T>, cursors: &mut [usize], bytes: &mut [u8])
where
    T: ArrowPrimitiveType,
    T::Native: FixedKey,
{
    for (row, (cursor, value)) in cursors.iter_mut().zip(column.values()).enumerate() {
        if column.is_null(row) {
            put(bytes, cursor, &[NULL]);
        } else {
            put(bytes, cursor, &[PRESENT]);
            put(bytes, cursor, value.to_key().as_ref());
        }
    }
}

fn write_boolean(column: &BooleanArray, cursors: &mut [usize], bytes: &mut [u8]) {
    for (cursor, value) in cursors.iter_mut().zip(column) {
        match value {
            None => put(bytes, cursor, &[NULL]),
            Some(value) => put(bytes, cursor, &[PRESENT, u8::from(value)]),
        }
    }
}

fn write_bytes<'a>(column: &dyn Array, value: impl Fn(usize) -> &'a [u8], cursors: &mut [usize], bytes: &mut [u8]) {
    for (row, cursor) in cursors.iter_mut().enumerate() {
        if column.is_null(row) {
            put(bytes, cursor, &[NULL]);
            continue;
        }
        put(bytes, cursor, &[PRESENT]);
        let mut rest = value(row);
        while let Some(zero) = rest.iter().position(|b| *b == 0) {
            put(bytes, cursor, &rest[..=zero]);
            put(bytes, cursor, &[ESCAPE]);
            rest = &rest[zero + 1..];
        }
        put(bytes, cursor, rest);
        put(bytes, cursor, &[0, END]);
    }
}

#[inline]
fn put(bytes: &mut [u8], cursor: &mut usize, part: &[u8]) {
    bytes[*cursor..*cursor + part.len()].copy_from_slice(part);
    *cursor += part.len();
}

/// Length of a byte string without its marker: every zero is escaped, two bytes end it.
fn escaped_len(value: &[u8]) -> usize {
    value.len() + value.iter().filter(|b| **b == 0).count() + 2
}

fn append_fixed<N: FixedKey>(value: Option<N>, out: &mut Vec<u8>) {
    match value {
        None => out.push(NULL),
        Some(value) => {
            out.push(PRESENT);
            out.extend_from_slice(value.to_key().as_ref());
        }
    }
}

fn append_escaped(value: &[u8], out: &mut Vec<u8>) {
    out.push(PRESENT);
    let mut rest = value;
    while let Some(zero) = rest.iter().position(|b| *b == 0) {
        out.extend_from_slice(&rest[..=zero]);
        out.push(ESCAPE);
        rest = &rest[zero + 1..];
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(&[0, END]);
}

/// Appends the column encoding of one value of any supported type.
fn append_value(column: &dyn Array, row: usize, out: &mut Vec<u8>) {
    if matches!(column.data_type(), DataType::Null) || column.is_null(row) {
        out.push(NULL);
        return;
    }
    macro_rules! fixed {
        ($ty:ty) => {
            append_fixed(Some(column.as_primitive::<$ty>().value(row)), out)
        };
    }
    dispatch_fixed!(
        column.data_type(),
        fixed,
        match column.data_type() {
            DataType::Boolean => out.extend_from_slice(&[PRESENT, u8::from(column.as_boolean().value(row))]),
            DataType::Utf8 => append_escaped(column.as_string::<i32>().value(row).as_bytes(), out),
            DataType::Binary => append_escaped(column.as_binary::<i32>().value(row), out),
            DataType::List(_) => append_list(column.as_list::<i32>(), row, out),
            DataType::Map(..) => append_map(column.as_map(), row, out),
            DataType::Struct(_) => append_struct(column.as_struct(), row, out),
            other => unreachable!("{other} was refused when the encoder was made"),
        }
    );
}

fn append_list(list: &ListArray, row: usize, out: &mut Vec<u8>) {
    out.push(PRESENT);
    let (start, end) = (list.value_offsets()[row] as usize, list.value_offsets()[row + 1] as usize);
    for element in start..end {
        out.push(PRESENT);
        append_value(list.values().as_ref(), element, out);
    }
    out.push(END);
}

fn append_map(map: &MapArray, row: usize, out: &mut Vec<u8>) {
    out.push(PRESENT);
    let (start, end) = (map.value_offsets()[row] as usize, map.value_offsets()[row + 1] as usize);
    let mut entries: Vec<Vec<u8>> = (start..end)
        .map(|entry| {
            let mut bytes = vec![PRESENT];
            append_value(map.keys().as_ref(), entry, &mut bytes);
            append_value(map.values().as_ref(), entry, &mut bytes);
            bytes
        })
        .collect();
    // Keys are prefix-free, so comparing whole entries orders them by key first.
    entries.sort_unstable();
    entries.iter().for_each(|entry| out.extend_from_slice(entry));
    out.push(END);
}

fn append_struct(row_value: &StructArray, row: usize, out: &mut Vec<u8>) {
    out.push(PRESENT);
    for field in row_value.columns() {
        append_value(field.as_ref(), row, out);
    }
}
