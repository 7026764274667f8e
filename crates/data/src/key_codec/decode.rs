//! Decoding: one reader per column, which takes its value from the front of each key in turn.

use super::{END, ESCAPE, EncodedKeys, FixedKey, NULL, PRESENT, corrupt, dispatch_fixed};
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryBuilder, BooleanBuilder, ListArray, MapArray, NullArray, PrimitiveBuilder,
    StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields};
use headwater_types::Result;
use std::sync::Arc;

/// Decodes all keys into one array per type.
pub(super) fn decode(types: &[DataType], keys: &EncodedKeys) -> Result<Vec<ArrayRef>> {
    let mut rest: Vec<&[u8]> = keys.iter().collect();
    let mut columns = Vec::with_capacity(types.len());
    for ty in types {
        let mut reader = reader(ty, keys.len());
        for key in &mut rest {
            reader.read(key)?;
        }
        columns.push(reader.finish()?);
    }
    match rest.iter().all(|key| key.is_empty()) {
        true => Ok(columns),
        false => Err(corrupt("bytes follow the last column")),
    }
}

/// Reads values of one type and collects them in an array.
trait ColumnReader {
    /// Takes one encoded value from the front of `key`.
    fn read(&mut self, key: &mut &[u8]) -> Result<()>;
    /// Adds a NULL that has no bytes: the field of a NULL row.
    fn push_null(&mut self);
    /// The array of everything read.
    fn finish(self: Box<Self>) -> Result<ArrayRef>;
}

fn reader(ty: &DataType, capacity: usize) -> Box<dyn ColumnReader> {
    macro_rules! fixed {
        ($t:ty) => {{
            let builder = PrimitiveBuilder::<$t>::with_capacity(capacity).with_data_type(ty.clone());
            Box::new(FixedReader { builder }) as Box<dyn ColumnReader>
        }};
    }
    dispatch_fixed!(
        ty,
        fixed,
        match ty {
            DataType::Null => Box::new(NullReader { rows: 0 }),
            DataType::Boolean => Box::new(BooleanReader { builder: BooleanBuilder::with_capacity(capacity) }),
            DataType::Utf8 => Box::new(TextReader { builder: StringBuilder::new(), scratch: vec![] }),
            DataType::Binary => Box::new(BinaryReader { builder: BinaryBuilder::new(), scratch: vec![] }),
            DataType::List(item) => Box::new(ListReader {
                item: item.clone(),
                nesting: Nesting::new(),
                values: reader(item.data_type(), capacity),
            }),
            DataType::Map(entries, _) => Box::new(MapReader::new(entries.clone())),
            DataType::Struct(fields) => Box::new(StructReader::new(fields.clone(), capacity)),
            other => unreachable!("{other} was refused when the encoder was made"),
        }
    )
}

/// Reads the marker of a column: whether a value follows.
fn take_present(key: &mut &[u8]) -> Result<bool> {
    match take_byte(key)? {
        NULL => Ok(false),
        PRESENT => Ok(true),
        _ => Err(corrupt("a column starts with an unknown marker")),
    }
}

fn take_byte(key: &mut &[u8]) -> Result<u8> {
    let (first, rest) = key.split_first().ok_or_else(|| corrupt("it ends within a column"))?;
    *key = rest;
    Ok(*first)
}

fn take_bytes<'a>(key: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (taken, rest) = key.split_at_checked(length).ok_or_else(|| corrupt("it ends within a value"))?;
    *key = rest;
    Ok(taken)
}

/// Takes an escaped byte string into `scratch`.
fn take_escaped(key: &mut &[u8], scratch: &mut Vec<u8>) -> Result<()> {
    scratch.clear();
    loop {
        let zero = key.iter().position(|b| *b == 0).ok_or_else(|| corrupt("a string is not terminated"))?;
        scratch.extend_from_slice(take_bytes(key, zero)?);
        take_byte(key)?;
        match take_byte(key)? {
            END => return Ok(()),
            ESCAPE => scratch.push(0),
            _ => return Err(corrupt("a string holds an unknown escape")),
        }
    }
}

struct NullReader {
    rows: usize,
}

impl ColumnReader for NullReader {
    fn read(&mut self, key: &mut &[u8]) -> Result<()> {
        if take_present(key)? {
            return Err(corrupt("a column of type NULL has a value"));
        }
        self.rows += 1;
        Ok(())
    }

    fn push_null(&mut self) {
        self.rows += 1;
    }

    fn finish(self: Box<Self>) -> Result<ArrayRef> {
        Ok(Arc::new(NullArray::new(self.rows)))
    }
}

struct FixedReader<T: ArrowPrimitiveType> {
    builder: PrimitiveBuilder<T>,
}

impl<T> ColumnReader for FixedReader<T>
where
    T: ArrowPrimitiveType,
    T::Native: FixedKey,
{
    fn read(&mut self, key: &mut &[u8]) -> Result<()> {
        if !take_present(key)? {
            self.builder.append_null();
            return Ok(());
        }
        let mut bytes = <T::Native as FixedKey>::Bytes::default();
        let width = bytes.as_ref().len();
        bytes.as_mut().copy_from_slice(take_bytes(key, width)?);
        self.builder.append_value(T::Native::from_key(bytes));
        Ok(())
    }

    fn push_null(&mut self) {
        self.builder.append_null();
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef> {
        Ok(Arc::new(self.builder.finish()))
    }
}

struct BooleanReader {
    builder: BooleanBuilder,
}

impl ColumnReader for BooleanReader {
    fn read(&mut self, key: &mut &[u8]) -> Result<()> {
        if !take_present(key)? {
            self.builder.append_null();
            return Ok(());
        }
        match take_byte(key)? {
            0 => self.builder.append_value(false),
            1 => self.builder.append_value(true),
            _ => return Err(corrupt("a boolean is neither false nor true")),
        }
        Ok(())
    }

    fn push_null(&mut self) {
        self.builder.append_null();
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef> {
        Ok(Arc::new(self.builder.finish()))
    }
}

struct TextReader {
    builder: StringBuilder,
    scratch: Vec<u8>,
}

impl ColumnReader for TextReader {
    fn read(&mut self, key: &mut &[u8]) -> Result<()> {
        if !take_present(key)? {
            self.builder.append_null();
            return Ok(());
        }
        take_escaped(key, &mut self.scratch)?;
        let text = std::str::from_utf8(&self.scratch).map_err(|_| corrupt("a string is not UTF-8"))?;
        self.builder.append_value(text);
        Ok(())
    }

    fn push_null(&mut self) {
        self.builder.append_null();
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef> {
        Ok(Arc::new(self.builder.finish()))
    }
}

struct BinaryReader {
    builder: BinaryBuilder,
    scratch: Vec<u8>,
}

impl ColumnReader for BinaryReader {
    fn read(&mut self, key: &mut &[u8]) -> Result<()> {
        if !take_present(key)? {
            self.builder.append_null();
            return Ok(());
        }
        take_escaped(key, &mut self.scratch)?;
        self.builder.append_value(&self.scratch);
        Ok(())
    }

    fn push_null(&mut self) {
        self.builder.append_null();
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef> {
        Ok(Arc::new(self.builder.finish()))
    }
}

/// Offsets and validity of a list or map column under construction.
struct Nesting {
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl Nesting {
    fn new() -> Self {
        Self { offsets: vec![0], valid: vec![] }
    }

    /// Reads one list: calls `element` for every element.
    fn read(&mut self, key: &mut &[u8], mut element: impl FnMut(&mut &[u8]) -> Result<()>) -> Result<()> {
        let valid = take_present(key)?;
        let mut elements = 0;
        while valid && take_byte(key)? == PRESENT {
            element(key)?;
            elements += 1;
        }
        self.push(valid, elements)
    }

    fn push(&mut self, valid: bool, elements: i32) -> Result<()> {
        let last = self.offsets.last().copied().unwrap_or(0);
        let next = last.checked_add(elements).ok_or_else(|| corrupt("too many list elements for one batch"))?;
        self.offsets.push(next);
        self.valid.push(valid);
        Ok(())
    }

    fn push_null(&mut self) {
        self.offsets.push(self.offsets.last().copied().unwrap_or(0));
        self.valid.push(false);
    }

    fn finish(self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        (OffsetBuffer::new(self.offsets.into()), nulls(self.valid))
    }
}

fn nulls(valid: Vec<bool>) -> Option<NullBuffer> {
    Some(NullBuffer::from(valid)).filter(|n| n.null_count() > 0)
}

struct ListReader {
    item: FieldRef,
    nesting: Nesting,
    values: Box<dyn ColumnReader>,
}

impl ColumnReader for ListReader {
    fn read(&mut self, key: &mut &[u8]) -> Result<()> {
        self.nesting.read(key, |key| self.values.read(key))
    }

    fn push_null(&mut self) {
        self.nesting.push_null();
    }

    fn finish(self: Box<Self>) -> Result<ArrayRef> {
        let (offsets, nulls) = self.nesting.finish();
        let list = ListArray::try_new(self.item, offsets, self.values.finish()?, nulls);
        list.map(|l| Arc::new(l) as ArrayRef).map_err(|e| corrupt(&e.to_string()))
    }
}

struct MapReader {
    entries: FieldRef,
    nesting: Nesting,
    columns: Vec<Box<dyn ColumnReader>>,
    rows: usize,
}

impl MapReader {
    fn new(entries: FieldRef) -> Self {
        let columns = map_fields(&entries).iter().map(|f| reader(f.data_type(), 0)).collect();
        Self { entries, nesting: Nesting::new(), columns, rows: 0 }
    }
}

fn map_fields(entries: &FieldRef) -> Fields {
    match entries.data_type() {
        DataType::Struct(fields) => fields.clone(),
        _ => Fields::empty(),
    }
}

impl ColumnReader for MapReader {
    fn read(&mut self, key: &mut &[u8]) -> Result<()> {
        self.nesting.read(key, |key| {
            self.rows += 1;
            self.columns.iter_mut().try_for_each(|column| column.read(key))
        })
    }

    fn push_null(&mut self) {
        self.nesting.push_null();
    }

    fn finish(self: Box<Self>) -> Result<ArrayRef> {
        let Self { entries, nesting, columns, rows } = *self;
        let (offsets, nulls) = nesting.finish();
        let columns = columns.into_iter().map(|c| c.finish()).collect::<Result<Vec<_>>>()?;
        let array = StructArray::try_new_with_length(map_fields(&entries), columns, None, rows)
            .and_then(|rows| MapArray::try_new(entries, offsets, rows, nulls, false));
        array.map(|a| Arc::new(a) as ArrayRef).map_err(|e| corrupt(&e.to_string()))
    }
}

struct StructReader {
    fields: Fields,
    columns: Vec<Box<dyn ColumnReader>>,
    valid: Vec<bool>,
}

impl StructReader {
    fn new(fields: Fields, capacity: usize) -> Self {
        let columns = fields.iter().map(|f| reader(f.data_type(), capacity)).collect();
        Self { fields, columns, valid: vec![] }
    }
}

impl ColumnReader for StructReader {
    fn read(&mut self, key: &mut &[u8]) -> Result<()> {
        if !take_present(key)? {
            self.push_null();
            return Ok(());
        }
        self.valid.push(true);
        self.columns.iter_mut().try_for_each(|column| column.read(key))
    }

    fn push_null(&mut self) {
        self.valid.push(false);
        self.columns.iter_mut().for_each(|column| column.push_null());
    }

    fn finish(self: Box<Self>) -> Result<ArrayRef> {
        let rows = self.valid.len();
        let columns = self.columns.into_iter().map(|c| c.finish()).collect::<Result<Vec<_>>>()?;
        let array = StructArray::try_new_with_length(self.fields, columns, nulls(self.valid), rows);
        array.map(|a| Arc::new(a) as ArrayRef).map_err(|e| corrupt(&e.to_string()))
    }
}
