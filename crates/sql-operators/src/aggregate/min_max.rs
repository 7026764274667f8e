//! MIN and MAX.
//!
//! Over appended rows the extreme value is the state. Over a changelog it may be taken back, so every value
//! is kept with its count. Values that are not primitive are held in the key encoding, whose byte order is
//! the order of the values.

use super::encoding::{Reader, corrupt, write_bytes};
use super::{Accumulator, Input, for_each, same, steps};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, downcast_primitive};
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::{ArrowNativeTypeOp, DataType, ToByteSlice};
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_types::Result;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The key encoding of NULL.
pub(crate) const NULL_KEY: &[u8] = &[0];

/// The accumulator of MIN (or MAX) over values of a type.
pub(super) fn accumulator(max: bool, ty: &DataType, retract: bool) -> Result<Box<dyn Accumulator>> {
    let encoder = KeyEncoder::new(std::slice::from_ref(ty))?;
    if retract {
        return Ok(Box::new(Retractable { max, encoder, groups: vec![] }));
    }
    macro_rules! primitive {
        ($arrow:ty) => {
            Ok(Box::new(Primitive::<$arrow> { max, data_type: ty.clone(), values: vec![], present: vec![] }))
        };
    }
    downcast_primitive! {
        ty => (primitive),
        _ => Ok(Box::new(Encoded { max, encoder, values: vec![] })),
    }
}

struct Primitive<T: ArrowPrimitiveType> {
    max: bool,
    data_type: DataType,
    values: Vec<T::Native>,
    present: Vec<bool>,
}

impl<T: ArrowPrimitiveType> Primitive<T> {
    #[inline]
    fn offer(&mut self, group: usize, value: T::Native) {
        let known = self.values[group];
        let better = if self.max { value.is_gt(known) } else { value.is_lt(known) };
        if better || !self.present[group] {
            self.values[group] = value;
            self.present[group] = true;
        }
    }
}

impl<T: ArrowPrimitiveType> Accumulator for Primitive<T> {
    fn grow(&mut self, groups: usize) {
        let groups = groups.max(self.values.len());
        self.values.resize(groups, T::default_value());
        self.present.resize(groups, false);
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        let column = input.args[0].as_primitive::<T>();
        let values = column.values();
        for_each(groups, input.signs, column.nulls(), |row, group, _| self.offer(group, values[row]));
        Ok(())
    }

    fn scan(&mut self, groups: &[u32], input: &Input<'_>, resets: Option<&[bool]>) -> Result<ArrayRef> {
        let column = input.args[0].as_primitive::<T>();
        let values = column.values();
        let data_type = self.data_type.clone();
        let results = steps(groups, input.signs, column.nulls(), resets, |step| {
            self.present[step.group] &= !step.reset;
            if step.sign != 0 {
                self.offer(step.group, values[step.row]);
            }
            self.present[step.group].then(|| self.values[step.group])
        });
        let array: PrimitiveArray<T> = results.collect();
        Ok(Arc::new(array.with_data_type(data_type)))
    }

    fn merge(&mut self, other: &dyn Accumulator, groups: &[u32]) -> Result<()> {
        let other = same::<Self>(other);
        for (from, to) in groups.iter().enumerate() {
            if other.present[from] {
                self.offer(*to as usize, other.values[from]);
            }
        }
        Ok(())
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        let value = |group: &u32| self.present[*group as usize].then(|| self.values[*group as usize]);
        let array: PrimitiveArray<T> = groups.iter().map(value).collect();
        Ok(Arc::new(array.with_data_type(self.data_type.clone())))
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        if self.present[group as usize] {
            bytes.extend_from_slice(self.values[group as usize].to_byte_slice());
        }
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let wide = widened(bytes, &T::DATA_TYPE, size_of::<T::Native>())?;
        let values = ScalarBuffer::<T::Native>::new(Buffer::from(wide), 0, 1);
        self.offer(group as usize, values[0]);
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.present[group as usize] = false;
    }
}

/// The bytes of a number, also when they were written for a narrower type.
fn widened(bytes: &[u8], ty: &DataType, width: usize) -> Result<Vec<u8>> {
    match (ty, bytes.last()) {
        _ if bytes.len() == width => Ok(bytes.to_vec()),
        (DataType::Int16 | DataType::Int32 | DataType::Int64, Some(last)) if bytes.len() < width => {
            let mut wide = bytes.to_vec();
            wide.resize(width, if *last >= 0x80 { 0xFF } else { 0 });
            Ok(wide)
        }
        (DataType::Float64, _) => {
            let narrow = Reader::new(bytes).array::<4>()?;
            Ok(f64::from(f32::from_le_bytes(narrow)).to_le_bytes().to_vec())
        }
        _ => Err(corrupt()),
    }
}

struct Encoded {
    max: bool,
    encoder: KeyEncoder,
    values: Vec<Option<Box<[u8]>>>,
}

impl Encoded {
    fn offer(&mut self, group: usize, value: &[u8]) {
        let known = &mut self.values[group];
        let better = known.as_deref().is_none_or(|known| if self.max { value > known } else { value < known });
        if better {
            *known = Some(value.into());
        }
    }
}

impl Accumulator for Encoded {
    fn grow(&mut self, groups: usize) {
        self.values.resize(groups.max(self.values.len()), None);
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        let mut keys = EncodedKeys::new();
        self.encoder.encode(&input.args[..1], groups.len(), &mut keys)?;
        let nulls = input.args[0].logical_nulls();
        for_each(groups, input.signs, nulls.as_ref(), |row, group, _| self.offer(group, keys.key(row)));
        Ok(())
    }

    fn scan(&mut self, groups: &[u32], input: &Input<'_>, resets: Option<&[bool]>) -> Result<ArrayRef> {
        let mut keys = EncodedKeys::new();
        self.encoder.encode(&input.args[..1], groups.len(), &mut keys)?;
        let nulls = input.args[0].logical_nulls();
        let encoder = self.encoder.clone();
        let mut results = EncodedKeys::new();
        steps(groups, input.signs, nulls.as_ref(), resets, |step| {
            if step.reset {
                self.values[step.group] = None;
            }
            if step.sign != 0 {
                self.offer(step.group, keys.key(step.row));
            }
            results.push(self.values[step.group].as_deref().unwrap_or(NULL_KEY));
        })
        .for_each(drop);
        decode_keys(&encoder, &results)
    }

    fn merge(&mut self, other: &dyn Accumulator, groups: &[u32]) -> Result<()> {
        for (value, group) in same::<Self>(other).values.iter().zip(groups) {
            if let Some(value) = value {
                self.offer(*group as usize, value);
            }
        }
        Ok(())
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        decode(&self.encoder, groups.iter().map(|group| self.values[*group as usize].as_deref()))
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.values[group as usize].as_deref().unwrap_or_default());
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        if !bytes.is_empty() {
            self.offer(group as usize, bytes);
        }
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.values[group as usize] = None;
    }
}

struct Retractable {
    max: bool,
    encoder: KeyEncoder,
    /// Every value with how often it is there; retractions that come early count below zero.
    groups: Vec<BTreeMap<Box<[u8]>, i64>>,
}

impl Retractable {
    fn add(&mut self, group: usize, value: &[u8], count: i64) {
        let values = &mut self.groups[group];
        match values.get_mut(value) {
            Some(known) if *known + count == 0 => {
                values.remove(value);
            }
            Some(known) => *known += count,
            None => {
                values.insert(value.into(), count);
            }
        }
    }

    fn extreme(&self, group: u32) -> Option<&[u8]> {
        let mut present = self.groups[group as usize].iter().filter(|(_, count)| **count > 0);
        let entry = if self.max { present.next_back() } else { present.next() };
        entry.map(|(value, _)| value.as_ref())
    }
}

impl Accumulator for Retractable {
    fn grow(&mut self, groups: usize) {
        self.groups.resize_with(groups.max(self.groups.len()), BTreeMap::new);
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        let mut keys = EncodedKeys::new();
        self.encoder.encode(&input.args[..1], groups.len(), &mut keys)?;
        let nulls = input.args[0].logical_nulls();
        for_each(groups, input.signs, nulls.as_ref(), |row, group, sign| {
            self.add(group, keys.key(row), i64::from(sign));
        });
        Ok(())
    }

    fn merge(&mut self, other: &dyn Accumulator, groups: &[u32]) -> Result<()> {
        for (values, group) in same::<Self>(other).groups.iter().zip(groups) {
            values.iter().for_each(|(value, count)| self.add(*group as usize, value, *count));
        }
        Ok(())
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        decode(&self.encoder, groups.iter().map(|group| self.extreme(*group)))
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        for (value, count) in &self.groups[group as usize] {
            bytes.extend_from_slice(&count.to_le_bytes());
            write_bytes(bytes, value);
        }
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        while !reader.is_empty() {
            let count = reader.i64()?;
            self.add(group as usize, reader.bytes()?, count);
        }
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.groups[group as usize].clear();
    }
}

/// Decodes one encoded value (or NULL) per row.
pub(crate) fn decode<'a>(encoder: &KeyEncoder, values: impl Iterator<Item = Option<&'a [u8]>>) -> Result<ArrayRef> {
    let mut keys = EncodedKeys::new();
    values.for_each(|value| keys.push(value.unwrap_or(NULL_KEY)));
    decode_keys(encoder, &keys)
}

/// Decodes one encoded value per row.
pub(crate) fn decode_keys(encoder: &KeyEncoder, keys: &EncodedKeys) -> Result<ArrayRef> {
    if keys.is_empty() {
        return Ok(arrow::array::new_empty_array(&encoder.types()[0]));
    }
    Ok(encoder.decode(keys)?.remove(0))
}
