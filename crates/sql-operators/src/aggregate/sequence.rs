//! Aggregates whose result depends on the values themselves and on their order: FIRST_VALUE, LAST_VALUE,
//! SINGLE_VALUE, LISTAGG, ARRAY_AGG, COLLECT, PERCENTILE, the aggregates of bitmaps and the JSON aggregates.
//!
//! A group is a list of values with arrival numbers. FIRST_VALUE and LAST_VALUE over appended rows keep one.

use super::bitmap::BitmapForm;
use super::encoding::{Reader, write_bytes};
use super::json::JsonForm;
use super::min_max::{NULL_KEY, decode, decode_keys};
use super::percentile::Percentiles;
use super::{Accumulator, Input, for_each, same, scan_by_rows, steps};
use crate::arrow_error;
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, MapArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::DataType;
use hashbrown::HashMap;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_types::{Error, Result};
use std::sync::Arc;

/// What becomes of the values of a group.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// The first one that is not NULL.
    First,
    /// The last one that is not NULL.
    Last,
    /// The only one; more are an error.
    Single,
    /// Their concatenation with a separator; NULLs are left out.
    Joined(String),
    /// An array, with or without NULLs.
    Array {
        /// Whether NULLs are elements.
        keep_nulls: bool,
    },
    /// A multiset, without NULLs.
    Multiset,
    /// JSON text of one or two arguments.
    Json(JsonForm),
    /// Percentiles of one argument, or of one and how often it counts.
    Percentile(Percentiles),
    /// A bitmap of the values, or the bitmaps combined.
    Bitmap(BitmapForm),
}

struct Entry {
    sequence: u64,
    value: Box<[u8]>,
}

pub(super) struct Sequence {
    shape: Shape,
    encoder: KeyEncoder,
    result: DataType,
    /// Whether only the entry that makes the result is kept.
    keep_one: bool,
    groups: Vec<Vec<Entry>>,
}

impl Sequence {
    /// `arguments` has two types for a JSON object and for percentiles with frequencies, one for all else.
    pub(super) fn new(shape: Shape, arguments: &[DataType], result: DataType, retract: bool) -> Result<Self> {
        let encoder = KeyEncoder::new(arguments)?;
        let keep_one = !retract && matches!(shape, Shape::First | Shape::Last);
        Ok(Self { shape, encoder, result, keep_one, groups: vec![] })
    }

    fn insert(&mut self, group: usize, sequence: u64, value: &[u8]) {
        let entries = &mut self.groups[group];
        if self.keep_one
            && let Some(known) = entries.first_mut()
        {
            let wins = if self.shape == Shape::First { sequence < known.sequence } else { sequence >= known.sequence };
            if wins {
                *known = Entry { sequence, value: value.into() };
            }
            return;
        }
        let position = match entries.last() {
            Some(last) if last.sequence > sequence => entries.partition_point(|e| e.sequence <= sequence),
            _ => entries.len(),
        };
        entries.insert(position, Entry { sequence, value: value.into() });
    }

    /// Takes back the first equal value; one that is not there was never counted.
    fn remove(&mut self, group: usize, value: &[u8]) {
        let entries = &mut self.groups[group];
        if let Some(position) = entries.iter().position(|e| *e.value == *value) {
            entries.remove(position);
        }
    }

    fn skips_nulls(&self) -> bool {
        !matches!(self.shape, Shape::Array { keep_nulls: true } | Shape::Single | Shape::Json(_))
    }

    fn one_value(&self, groups: &[u32]) -> Result<ArrayRef> {
        let pick = |group: &u32| {
            let entries = &self.groups[*group as usize];
            if self.shape == Shape::Last { entries.last() } else { entries.first() }
        };
        decode(&self.encoder, groups.iter().map(|g| pick(g).map(|e| e.value.as_ref())))
    }

    fn joined(&self, groups: &[u32], separator: &str) -> Result<ArrayRef> {
        let all = groups.iter().flat_map(|g| &self.groups[*g as usize]);
        let values = decode(&self.encoder, all.map(|e| Some(e.value.as_ref())))?;
        let values = values.as_string::<i32>();
        let mut next = 0;
        let join = |group: &u32| {
            let count = self.groups[*group as usize].len();
            let parts: Vec<&str> = (next..next + count).map(|i| values.value(i)).collect();
            next += count;
            (count > 0).then(|| parts.join(separator))
        };
        Ok(Arc::new(groups.iter().map(join).collect::<StringArray>()))
    }

    fn array(&self, groups: &[u32]) -> Result<ArrayRef> {
        let DataType::List(field) = &self.result else { return Err(self.bad_result()) };
        let all = groups.iter().flat_map(|g| &self.groups[*g as usize]);
        let values = decode(&self.encoder, all.map(|e| Some(e.value.as_ref())))?;
        let lengths = || groups.iter().map(|g| self.groups[*g as usize].len());
        let nulls: NullBuffer = lengths().map(|length| length > 0).collect();
        let offsets = OffsetBuffer::from_lengths(lengths());
        let array = ListArray::try_new(field.clone(), offsets, values, Some(nulls)).map_err(arrow_error)?;
        Ok(Arc::new(array))
    }

    fn multiset(&self, groups: &[u32]) -> Result<ArrayRef> {
        let DataType::Map(field, _) = &self.result else { return Err(self.bad_result()) };
        let DataType::Struct(fields) = field.data_type() else { return Err(self.bad_result()) };
        let counted: Vec<Vec<(&[u8], i32)>> = groups.iter().map(|g| count(&self.groups[*g as usize])).collect();
        let elements = decode(&self.encoder, counted.iter().flatten().map(|(value, _)| Some(*value)))?;
        let counts: Int32Array = counted.iter().flatten().map(|(_, count)| *count).collect::<Vec<_>>().into();
        let entries = StructArray::try_new(fields.clone(), vec![elements, Arc::new(counts)], None);
        let offsets = OffsetBuffer::from_lengths(counted.iter().map(Vec::len));
        let array = MapArray::try_new(field.clone(), offsets, entries.map_err(arrow_error)?, None, false);
        Ok(Arc::new(array.map_err(arrow_error)?))
    }

    fn json(&self, groups: &[u32], form: &JsonForm) -> Result<ArrayRef> {
        form.texts(&self.arguments(groups)?, self.lengths(groups))
    }

    /// The arguments of all entries, group after group.
    fn arguments(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        let mut keys = EncodedKeys::new();
        groups.iter().flat_map(|g| &self.groups[*g as usize]).for_each(|entry| keys.push(&entry.value));
        match keys.is_empty() {
            true => Ok(self.encoder.types().iter().map(arrow::array::new_empty_array).collect()),
            false => self.encoder.decode(&keys),
        }
    }

    fn lengths(&self, groups: &[u32]) -> impl Iterator<Item = usize> {
        groups.iter().map(|g| self.groups[*g as usize].len())
    }

    fn bad_result(&self) -> Error {
        Error::internal(format!("{:?} of values cannot have the Arrow type {}", self.shape, self.result))
    }
}

/// Distinct values in the order of their first appearance, with their counts.
fn count(entries: &[Entry]) -> Vec<(&[u8], i32)> {
    let mut counted: Vec<(&[u8], i32)> = vec![];
    let mut positions: HashMap<&[u8], usize> = HashMap::new();
    for entry in entries {
        let position = *positions.entry(&entry.value).or_insert_with(|| {
            counted.push((&entry.value, 0));
            counted.len() - 1
        });
        counted[position].1 += 1;
    }
    counted
}

impl Accumulator for Sequence {
    fn grow(&mut self, groups: usize) {
        self.groups.resize_with(groups.max(self.groups.len()), Vec::new);
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        let mut keys = EncodedKeys::new();
        self.encoder.encode(&input.args[..self.encoder.types().len()], groups.len(), &mut keys)?;
        let nulls = if self.skips_nulls() { input.args[0].logical_nulls() } else { None };
        let sequence = input.sequence;
        for_each(groups, input.signs, nulls.as_ref(), |row, group, sign| match sign {
            1 => self.insert(group, sequence + row as u64, keys.key(row)),
            _ => self.remove(group, keys.key(row)),
        });
        let single = self.shape == Shape::Single;
        if single && groups.iter().any(|g| self.groups[*g as usize].len() > 1) {
            return Err(Error::user("single-value", "SingleValueAggFunction received more than one element."));
        }
        Ok(())
    }

    fn scan(&mut self, groups: &[u32], input: &Input<'_>, resets: Option<&[bool]>) -> Result<ArrayRef> {
        if !self.keep_one {
            return scan_by_rows(self, groups, input, resets);
        }
        let mut keys = EncodedKeys::new();
        self.encoder.encode(&input.args[..self.encoder.types().len()], groups.len(), &mut keys)?;
        let nulls = input.args[0].logical_nulls();
        let encoder = self.encoder.clone();
        let mut results = EncodedKeys::new();
        steps(groups, input.signs, nulls.as_ref(), resets, |step| {
            if step.reset {
                self.groups[step.group].clear();
            }
            if step.sign == 1 {
                self.insert(step.group, input.sequence + step.row as u64, keys.key(step.row));
            }
            results.push(self.groups[step.group].first().map_or(NULL_KEY, |e| e.value.as_ref()));
        })
        .for_each(drop);
        decode_keys(&encoder, &results)
    }

    fn merge(&mut self, other: &dyn Accumulator, groups: &[u32]) -> Result<()> {
        for (entries, group) in same::<Self>(other).groups.iter().zip(groups) {
            entries.iter().for_each(|e| self.insert(*group as usize, e.sequence, &e.value));
        }
        Ok(())
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        match &self.shape {
            Shape::First | Shape::Last | Shape::Single => self.one_value(groups),
            Shape::Joined(separator) => self.joined(groups, separator),
            Shape::Array { .. } => self.array(groups),
            Shape::Multiset => self.multiset(groups),
            Shape::Json(form) => self.json(groups, form),
            Shape::Bitmap(form) => form.results(&self.arguments(groups)?, self.lengths(groups)),
            Shape::Percentile(wanted) => wanted.results(&self.arguments(groups)?, self.lengths(groups), &self.result),
        }
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        for entry in &self.groups[group as usize] {
            bytes.extend_from_slice(&entry.sequence.to_le_bytes());
            write_bytes(bytes, &entry.value);
        }
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            let sequence = reader.u64()?;
            self.insert(group as usize, sequence, reader.bytes()?);
        }
        Ok(())
    }

    /// Arrival numbers start anew with every start of a job: what was stored came before all that is to come.
    fn load(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        let entries = &mut self.groups[group as usize];
        while !reader.is_empty() {
            reader.u64()?;
            entries.push(Entry { sequence: 0, value: reader.bytes()?.into() });
        }
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.groups[group as usize].clear();
    }
}
