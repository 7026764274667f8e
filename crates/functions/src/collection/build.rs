//! Making arrays and maps out of existing values.

use crate::kernel::arrow_error;
use arrow::array::{Array, ArrayRef, ListArray, MapArray, StructArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, FieldRef};
use headwater_types::{Error, Result};
use std::ops::Range;
use std::sync::Arc;

/// The ranges of a column of arrays or maps under construction.
pub(super) struct Ranges {
    offsets: Vec<i32>,
    valid: Vec<bool>,
}

impl Ranges {
    pub(super) fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { offsets, valid: Vec::with_capacity(rows) }
    }

    /// Ends a row whose elements are the last ones up to `end`.
    pub(super) fn end_row(&mut self, end: usize, valid: bool) -> Result<()> {
        let end = i32::try_from(end).map_err(|_| {
            Error::user("array-too-long", "the arrays of a result have more than 2^31 elements in total")
        })?;
        self.offsets.push(end);
        self.valid.push(valid);
        Ok(())
    }

    fn finish(self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        let nulls = self.valid.contains(&false).then(|| NullBuffer::from(self.valid));
        (OffsetBuffer::new(ScalarBuffer::from(self.offsets)), nulls)
    }
}

/// Values picked from several columns of one type; the last one holds a NULL.
struct Picks<'a> {
    sources: Vec<&'a dyn Array>,
    picked: Vec<(usize, usize)>,
}

impl Picks<'_> {
    fn finish(&self, ty: &DataType) -> Result<ArrayRef> {
        let null = new_null_array(ty, 1);
        let mut sources = self.sources.clone();
        sources.push(null.as_ref());
        interleave(&sources, &self.picked).map_err(arrow_error)
    }
}

/// A column of arrays whose elements come from other columns.
pub(super) struct ListOutput<'a> {
    picks: Picks<'a>,
    ranges: Ranges,
}

impl<'a> ListOutput<'a> {
    /// An empty column over these sources of elements.
    pub(super) fn new(sources: impl IntoIterator<Item = &'a ArrayRef>, rows: usize) -> Self {
        let sources = sources.into_iter().map(|source| source.as_ref()).collect();
        Self { picks: Picks { sources, picked: Vec::new() }, ranges: Ranges::new(rows) }
    }

    /// Appends an element of a source.
    pub(super) fn push(&mut self, source: usize, index: usize) {
        self.picks.picked.push((source, index));
    }

    /// Appends elements of a source.
    pub(super) fn extend(&mut self, source: usize, indices: Range<usize>) {
        self.picks.picked.extend(indices.map(|index| (source, index)));
    }

    /// Ends a row: an array of what was appended since the last one, or NULL.
    pub(super) fn end_row(&mut self, valid: bool) -> Result<()> {
        self.ranges.end_row(self.picks.picked.len(), valid)
    }

    /// The column, of Arrow type `ty`.
    pub(super) fn finish(self, ty: &DataType) -> Result<ArrayRef> {
        let DataType::List(field) = ty else { return Err(Error::internal(format!("{ty} is not a list type"))) };
        let values = self.picks.finish(field.data_type())?;
        let (offsets, nulls) = self.ranges.finish();
        Ok(Arc::new(ListArray::try_new(field.clone(), offsets, values, nulls).map_err(arrow_error)?))
    }
}

/// A column of maps whose keys and values come from other columns.
pub(super) struct MapOutput<'a> {
    keys: Picks<'a>,
    values: Picks<'a>,
    ranges: Ranges,
}

impl<'a> MapOutput<'a> {
    /// An empty column over these sources of keys and values.
    pub(super) fn new(
        keys: impl IntoIterator<Item = &'a ArrayRef>,
        values: impl IntoIterator<Item = &'a ArrayRef>,
        rows: usize,
    ) -> Self {
        let picks = |sources: Vec<&'a dyn Array>| Picks { sources, picked: Vec::new() };
        Self {
            keys: picks(keys.into_iter().map(|source| source.as_ref()).collect()),
            values: picks(values.into_iter().map(|source| source.as_ref()).collect()),
            ranges: Ranges::new(rows),
        }
    }

    /// Appends an entry: key and value of sources.
    pub(super) fn push(&mut self, key: (usize, usize), value: (usize, usize)) {
        self.keys.picked.push(key);
        self.values.picked.push(value);
    }

    /// Ends a row: a map of what was appended since the last one, or NULL.
    pub(super) fn end_row(&mut self, valid: bool) -> Result<()> {
        self.ranges.end_row(self.keys.picked.len(), valid)
    }

    /// The column, of Arrow type `ty`.
    pub(super) fn finish(self, ty: &DataType) -> Result<ArrayRef> {
        let (entries, key, value) = map_fields(ty)?;
        let keys = self.keys.finish(key)?;
        if keys.null_count() > 0 {
            return Err(Error::user("null-map-key", "the key of a map must not be NULL"));
        }
        let values = self.values.finish(value)?;
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(Error::internal("map entries are structs"));
        };
        let structs = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(arrow_error)?;
        let (offsets, nulls) = self.ranges.finish();
        let map = MapArray::try_new(entries.clone(), offsets, structs, nulls, false);
        Ok(Arc::new(map.map_err(arrow_error)?))
    }
}

/// The entries field of a map type, and the types of keys and values.
fn map_fields(ty: &DataType) -> Result<(&FieldRef, &DataType, &DataType)> {
    if let DataType::Map(entries, _) = ty
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = &fields[..]
    {
        return Ok((entries, key.data_type(), value.data_type()));
    }
    Err(Error::internal(format!("{ty} is not a map type")))
}
