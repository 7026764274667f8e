//! DISTINCT around any aggregate: the inner accumulator sees a value when it first appears in a group, and
//! its retraction when its last occurrence is taken back.

use super::encoding::{Reader, write_bytes};
use super::{Accumulator, Input, same};
use crate::keys::{FixedHasher, KeyReader, Keys};
use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use hashbrown::HashMap;
use headwater_types::Result;
use std::hash::BuildHasherDefault;

pub(super) struct Distinct {
    inner: Box<dyn Accumulator>,
    reader: KeyReader,
    seen: Seen,
}

/// How often each value occurs in each group.
enum Seen {
    Integers(Vec<Counts<i64>>),
    Bytes(Vec<Counts<Box<[u8]>>>),
}

/// Occurrences by value. Merging iterates, and functions such as LISTAGG show the order.
type Counts<K> = HashMap<K, i64, BuildHasherDefault<FixedHasher>>;

impl Distinct {
    pub(super) fn new(inner: Box<dyn Accumulator>, args: &[DataType]) -> Result<Self> {
        let reader = KeyReader::new(args)?;
        let seen = if reader.is_integer() { Seen::Integers(vec![]) } else { Seen::Bytes(vec![]) };
        Ok(Self { inner, reader, seen })
    }

    /// Passes values that are new to some groups on to the inner accumulator.
    fn add_new(&mut self, groups: &[u32], keys: Keys) -> Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        let args = self.reader.decode(&keys)?;
        self.inner.update(groups, &Input { args: &args, signs: None, sequence: 0 })
    }
}

impl Seen {
    /// Counts one value of a batch; the answer is the sign with which the inner accumulator sees the row.
    #[inline]
    fn count(&mut self, group: usize, keys: &Keys, row: usize, sign: i64) -> i8 {
        match (self, keys) {
            (Self::Integers(seen), Keys::Integer { values, .. }) => {
                let (before, after) = bump_integer(&mut seen[group], values[row], sign);
                transition(before, after)
            }
            (Self::Bytes(seen), Keys::Bytes { encoded, .. }) => {
                let (before, after) = bump_bytes(&mut seen[group], encoded.key(row), sign);
                transition(before, after)
            }
            _ => 0,
        }
    }
}

fn bump_integer(seen: &mut Counts<i64>, key: i64, by: i64) -> (i64, i64) {
    let count = seen.entry(key).or_insert(0);
    let before = *count;
    *count += by;
    let after = *count;
    if after == 0 {
        seen.remove(&key);
    }
    (before, after)
}

fn bump_bytes(seen: &mut Counts<Box<[u8]>>, key: &[u8], by: i64) -> (i64, i64) {
    let count = seen.entry_ref(key).or_insert(0);
    let before = *count;
    *count += by;
    let after = *count;
    if after == 0 {
        seen.remove(key);
    }
    (before, after)
}

fn transition(before: i64, after: i64) -> i8 {
    i8::from(after > 0) - i8::from(before > 0)
}

impl Accumulator for Distinct {
    fn grow(&mut self, groups: usize) {
        match &mut self.seen {
            Seen::Integers(seen) => seen.resize_with(groups.max(seen.len()), Counts::default),
            Seen::Bytes(seen) => seen.resize_with(groups.max(seen.len()), Counts::default),
        }
        self.inner.grow(groups);
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        let keys = self.reader.read(input.args, groups.len())?;
        let union =
            |nulls: Option<NullBuffer>, arg: &ArrayRef| NullBuffer::union(nulls.as_ref(), arg.logical_nulls().as_ref());
        let nulls = input.args.iter().fold(None, union);
        let sign_of = |row: usize| input.signs.map_or(1, |signs| signs[row]);
        let one = |(row, group): (usize, &u32)| match sign_of(row) {
            0 => 0,
            // NULLs are not values; what they mean is up to the inner function.
            sign if nulls.as_ref().is_some_and(|n| n.is_null(row)) => sign,
            sign => self.seen.count(*group as usize, &keys, row, i64::from(sign)),
        };
        let signs: Vec<i8> = groups.iter().enumerate().map(one).collect();
        self.inner.update(groups, &Input { signs: Some(&signs), ..*input })
    }

    fn merge(&mut self, other: &dyn Accumulator, groups: &[u32]) -> Result<()> {
        let other = same::<Self>(other);
        let mut new_groups = vec![];
        let keys = match (&mut self.seen, &other.seen) {
            (Seen::Integers(mine), Seen::Integers(theirs)) => {
                let mut new = vec![];
                for (values, group) in theirs.iter().zip(groups) {
                    for (value, count) in values {
                        let (before, after) = bump_integer(&mut mine[*group as usize], *value, *count);
                        if transition(before, after) > 0 {
                            new.push(*value);
                            new_groups.push(*group);
                        }
                    }
                }
                Keys::Integer { values: new.into(), nulls: None }
            }
            (Seen::Bytes(mine), Seen::Bytes(theirs)) => {
                let mut new = Keys::no_bytes();
                for (values, group) in theirs.iter().zip(groups) {
                    for (value, count) in values {
                        let (before, after) = bump_bytes(&mut mine[*group as usize], value, *count);
                        if transition(before, after) > 0 {
                            new.push_bytes(value);
                            new_groups.push(*group);
                        }
                    }
                }
                new
            }
            _ => Keys::Unit,
        };
        self.add_new(&new_groups, keys)
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        self.inner.evaluate(groups)
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        match &self.seen {
            Seen::Integers(seen) => {
                for (value, count) in &seen[group as usize] {
                    bytes.extend_from_slice(&count.to_le_bytes());
                    bytes.extend_from_slice(&value.to_le_bytes());
                }
            }
            Seen::Bytes(seen) => {
                for (value, count) in &seen[group as usize] {
                    bytes.extend_from_slice(&count.to_le_bytes());
                    write_bytes(bytes, value);
                }
            }
        }
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        let keys = match &mut self.seen {
            Seen::Integers(seen) => {
                let mut new = vec![];
                while !reader.is_empty() {
                    let (count, value) = (reader.i64()?, reader.i64()?);
                    let (before, after) = bump_integer(&mut seen[group as usize], value, count);
                    if transition(before, after) > 0 {
                        new.push(value);
                    }
                }
                Keys::Integer { values: new.into(), nulls: None }
            }
            Seen::Bytes(seen) => {
                let mut new = Keys::no_bytes();
                while !reader.is_empty() {
                    let (count, value) = (reader.i64()?, reader.bytes()?);
                    let (before, after) = bump_bytes(&mut seen[group as usize], value, count);
                    if transition(before, after) > 0 {
                        new.push_bytes(value);
                    }
                }
                new
            }
        };
        self.add_new(&vec![group; keys.len()], keys)
    }

    fn clear(&mut self, group: u32) {
        match &mut self.seen {
            Seen::Integers(seen) => seen[group as usize].clear(),
            Seen::Bytes(seen) => seen[group as usize].clear(),
        }
        self.inner.clear(group);
    }
}
