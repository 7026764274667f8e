//! Columns under construction, written at explicit row numbers.
//!
//! A decoder writes the value of row `r` of a column when it meets it. Rows that it does not meet are padded
//! with NULL later and in bulk, so the nested fields of an absent ROW cost nothing per record. Writing the
//! same row twice keeps the last value; a record that turns out to be malformed is taken back by
//! [`Column::truncate`].
//!
//! Invariant: all values of rows below `len` are there; a list's child holds exactly the elements its offsets
//! cover, except while a row is being written.

mod build;
mod validity;

use headwater_data::arrow_types::timestamp_unit;
use headwater_types::{LogicalType, TypeRoot};
use std::mem;
use validity::Validity;

/// Variable-length values, one after the other.
#[derive(Debug)]
pub(crate) struct Bytes {
    offsets: Vec<i32>,
    data: Vec<u8>,
}

impl Bytes {
    fn new() -> Self {
        Self { offsets: vec![0], data: vec![] }
    }

    /// Appends bytes to the value being written.
    #[inline]
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
    }

    /// The buffer whose tail is the value being written.
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    fn last_offset(&self) -> usize {
        self.offsets.last().map_or(0, |o| *o as usize)
    }

    /// Ends the value being written.
    #[inline]
    fn close(&mut self) {
        // Decoders end a batch far below 2 GiB of input.
        self.offsets.push(self.data.len() as i32);
    }
}

/// The values of a column, by kind. The vector of a fixed-width kind holds one value a row.
#[derive(Debug)]
pub(crate) enum Data {
    Boolean(Vec<bool>),
    TinyInt(Vec<i8>),
    SmallInt(Vec<i16>),
    Int(Vec<i32>),
    BigInt(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Decimal { values: Vec<i128>, precision: u8, scale: u8 },
    Date(Vec<i32>),
    Time { values: Vec<i32>, precision: u8 },
    Timestamp { values: Vec<i64>, units_per_second: i64, zoned: bool },
    YearMonth(Vec<i32>),
    DayTime(Vec<i64>),
    Utf8(Bytes),
    Binary(Bytes),
    List { offsets: Vec<i32>, child: Box<Column> },
    Map { offsets: Vec<i32>, keys: Box<Column>, values: Box<Column> },
    Row(Vec<Column>),
    Null,
}

/// A column under construction.
#[derive(Debug)]
pub(crate) struct Column {
    ty: LogicalType,
    len: usize,
    validity: Validity,
    /// The values; push one, then call [`Column::commit`].
    pub(crate) data: Data,
}

impl Column {
    /// An empty column.
    pub(crate) fn new(ty: &LogicalType) -> Self {
        Self { ty: ty.clone(), len: 0, validity: Validity::default(), data: empty(ty) }
    }

    /// The logical type.
    pub(crate) fn ty(&self) -> &LogicalType {
        &self.ty
    }

    /// Rows written.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether a value was written at `row`.
    pub(crate) fn is_valid(&self, row: usize) -> bool {
        row < self.len && self.validity.is_marked(row)
    }

    /// The columns of a row type; empty for others.
    pub(crate) fn fields(&self) -> &[Self] {
        match &self.data {
            Data::Row(fields) => fields,
            _ => &[],
        }
    }

    /// The text at `row` of a character column; `None` for NULL.
    pub(crate) fn text_at(&self, row: usize) -> Option<&[u8]> {
        match &self.data {
            Data::Utf8(bytes) if self.is_valid(row) => {
                Some(&bytes.data[bytes.offsets[row] as usize..bytes.offsets[row + 1] as usize])
            }
            _ => None,
        }
    }

    /// Makes `row` the next row to write: pads the ones before it, forgets what was written from it on.
    #[inline]
    pub(crate) fn begin(&mut self, row: usize) {
        if self.len != row {
            self.seek(row);
        }
    }

    #[cold]
    fn seek(&mut self, row: usize) {
        if self.len > row {
            self.truncate(row);
        } else {
            self.pad(row);
        }
    }

    /// Counts the value that was just pushed to [`Column::data`] as valid.
    #[inline]
    pub(crate) fn commit(&mut self) {
        self.validity.mark(self.len);
        self.len += 1;
    }

    /// Ends the variable-length value being written and counts it as valid.
    #[inline]
    pub(crate) fn commit_bytes(&mut self) {
        if let Data::Utf8(bytes) | Data::Binary(bytes) = &mut self.data {
            bytes.close();
        }
        self.commit();
    }

    /// Ends the list or map being written and counts it as valid.
    pub(crate) fn commit_list(&mut self) {
        match &mut self.data {
            Data::List { offsets, child } => offsets.push(child.len as i32),
            Data::Map { offsets, keys, values } => {
                values.pad(keys.len);
                offsets.push(keys.len as i32);
            }
            _ => {}
        }
        self.commit();
    }

    /// Writes NULL at `row`.
    pub(crate) fn set_null(&mut self, row: usize) {
        self.begin(row);
        self.pad(row + 1);
    }

    /// Pads with NULL up to `rows` rows.
    pub(crate) fn pad(&mut self, rows: usize) {
        if rows <= self.len {
            return;
        }
        match &mut self.data {
            Data::Boolean(v) => v.resize(rows, false),
            Data::TinyInt(v) => v.resize(rows, 0),
            Data::SmallInt(v) => v.resize(rows, 0),
            Data::Int(v) | Data::Date(v) | Data::YearMonth(v) | Data::Time { values: v, .. } => v.resize(rows, 0),
            Data::BigInt(v) | Data::DayTime(v) | Data::Timestamp { values: v, .. } => v.resize(rows, 0),
            Data::Float(v) => v.resize(rows, 0.0),
            Data::Double(v) => v.resize(rows, 0.0),
            Data::Decimal { values, .. } => values.resize(rows, 0),
            Data::Utf8(bytes) | Data::Binary(bytes) => pad_offsets(&mut bytes.offsets, rows),
            Data::List { offsets, .. } | Data::Map { offsets, .. } => pad_offsets(offsets, rows),
            Data::Row(_) | Data::Null => {}
        }
        self.len = rows;
    }

    /// Forgets the rows from `rows` on, also those of a value only partly written.
    pub(crate) fn truncate(&mut self, rows: usize) {
        match &mut self.data {
            Data::Boolean(v) => v.truncate(rows),
            Data::TinyInt(v) => v.truncate(rows),
            Data::SmallInt(v) => v.truncate(rows),
            Data::Int(v) | Data::Date(v) | Data::YearMonth(v) | Data::Time { values: v, .. } => v.truncate(rows),
            Data::BigInt(v) | Data::DayTime(v) | Data::Timestamp { values: v, .. } => v.truncate(rows),
            Data::Float(v) => v.truncate(rows),
            Data::Double(v) => v.truncate(rows),
            Data::Decimal { values, .. } => values.truncate(rows),
            Data::Utf8(bytes) | Data::Binary(bytes) => {
                bytes.offsets.truncate(rows + 1);
                bytes.data.truncate(bytes.last_offset());
            }
            Data::List { offsets, child } => child.truncate(truncate_offsets(offsets, rows)),
            Data::Map { offsets, keys, values } => {
                let elements = truncate_offsets(offsets, rows);
                keys.truncate(elements);
                values.truncate(elements);
            }
            Data::Row(fields) => fields.iter_mut().for_each(|f| f.truncate(rows)),
            Data::Null => {}
        }
        if self.len > rows {
            self.validity.truncate(rows);
            self.len = rows;
        }
    }
}

fn pad_offsets(offsets: &mut Vec<i32>, rows: usize) {
    let last = offsets.last().copied().unwrap_or(0);
    offsets.resize(rows + 1, last);
}

/// Truncates offsets to `rows` lists and returns the number of elements that remain.
fn truncate_offsets(offsets: &mut Vec<i32>, rows: usize) -> usize {
    offsets.truncate(rows + 1);
    offsets.last().map_or(0, |o| *o as usize)
}

fn boxed(ty: &LogicalType) -> Box<Column> {
    Box::new(Column::new(ty))
}

fn empty(ty: &LogicalType) -> Data {
    match &ty.root {
        TypeRoot::Char(_) | TypeRoot::VarChar(_) | TypeRoot::Variant => Data::Utf8(Bytes::new()),
        TypeRoot::Boolean => Data::Boolean(vec![]),
        TypeRoot::Binary(_) | TypeRoot::VarBinary(_) | TypeRoot::Bitmap => Data::Binary(Bytes::new()),
        TypeRoot::Decimal(precision, scale) => Data::Decimal { values: vec![], precision: *precision, scale: *scale },
        TypeRoot::TinyInt => Data::TinyInt(vec![]),
        TypeRoot::SmallInt => Data::SmallInt(vec![]),
        TypeRoot::Int => Data::Int(vec![]),
        TypeRoot::BigInt => Data::BigInt(vec![]),
        TypeRoot::Float => Data::Float(vec![]),
        TypeRoot::Double => Data::Double(vec![]),
        TypeRoot::Date => Data::Date(vec![]),
        TypeRoot::Time(precision) => Data::Time { values: vec![], precision: *precision },
        TypeRoot::Timestamp(p, _) => timestamps(*p, false),
        TypeRoot::TimestampLtz(p, _) => timestamps(*p, true),
        TypeRoot::IntervalYearMonth => Data::YearMonth(vec![]),
        TypeRoot::IntervalDayTime => Data::DayTime(vec![]),
        TypeRoot::Array(element) => Data::List { offsets: vec![0], child: boxed(element) },
        TypeRoot::Map(key, value) => Data::Map { offsets: vec![0], keys: boxed(key), values: boxed(value) },
        TypeRoot::Multiset(element) => {
            Data::Map { offsets: vec![0], keys: boxed(element), values: boxed(&TypeRoot::Int.into()) }
        }
        TypeRoot::Row(fields) => Data::Row(fields.iter().map(|f| Column::new(&f.ty)).collect()),
        TypeRoot::Null => Data::Null,
    }
}

fn timestamps(precision: u8, zoned: bool) -> Data {
    use arrow::datatypes::TimeUnit;
    let units_per_second = match timestamp_unit(precision) {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    Data::Timestamp { values: vec![], units_per_second, zoned }
}

/// Takes a vector and leaves one with room for as many values: the next batch will be like this one.
fn take_vec<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    mem::replace(values, room)
}
