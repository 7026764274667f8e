//! From key columns to dense group numbers.
//!
//! [`KeyReader`] reads the key columns of a batch once; a [`KeyIndex`] then numbers the distinct keys it has
//! seen `0, 1, 2, ...`, so that everything kept per key is a plain vector. One integer-like key column is hashed
//! as it is; anything else by its encoded bytes, which also are what the index keeps. Hashes live in memory
//! only; where a row goes is decided elsewhere, by the stable hash.

use crate::arrow_error;
use crate::columns::with_type;
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, make_array};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use hashbrown::HashTable;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_data::stable_hash;
use headwater_types::Result;
use std::hash::Hasher;
use std::ops::Range;

/// How keys of some column types are represented.
#[derive(Debug, Clone)]
pub(crate) struct KeyReader {
    encoder: KeyEncoder,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    /// No key columns: one group.
    Unit,
    /// One column whose values are integers of this many bytes.
    Integer(usize),
    /// Encoded bytes.
    Bytes,
}

/// The keys of a batch.
pub(crate) enum Keys {
    Unit,
    Integer { values: ScalarBuffer<i64>, nulls: Option<NullBuffer> },
    Bytes { encoded: EncodedKeys, hashes: Vec<u64> },
}

impl KeyReader {
    pub(crate) fn new(types: &[DataType]) -> Result<Self> {
        let form = match types {
            [] => Form::Unit,
            [DataType::Int64 | DataType::Timestamp(..) | DataType::Duration(_)] => Form::Integer(8),
            [DataType::Int32 | DataType::Date32 | DataType::Time32(_)] => Form::Integer(4),
            _ => Form::Bytes,
        };
        Ok(Self { encoder: KeyEncoder::new(types)?, form })
    }

    /// Reads the keys of `rows` rows.
    pub(crate) fn read(&self, columns: &[ArrayRef], rows: usize) -> Result<Keys> {
        match self.form {
            Form::Unit => Ok(Keys::Unit),
            Form::Integer(width) => {
                let nulls = columns[0].nulls().filter(|n| n.null_count() > 0).cloned();
                Ok(Keys::Integer { values: integers(&columns[0], width)?, nulls })
            }
            Form::Bytes => {
                let mut encoded = EncodedKeys::new();
                self.encoder.encode(columns, rows, &mut encoded)?;
                let mut hashes = Vec::with_capacity(rows);
                encoded.hash_into(&mut hashes);
                Ok(Keys::Bytes { encoded, hashes })
            }
        }
    }

    /// Whether keys are held as integers.
    pub(crate) fn is_integer(&self) -> bool {
        matches!(self.form, Form::Integer(_))
    }

    /// The columns that such keys were read from.
    pub(crate) fn decode(&self, keys: &Keys) -> Result<Vec<ArrayRef>> {
        match keys {
            Keys::Unit => Ok(vec![]),
            Keys::Integer { values, .. } => {
                Ok(vec![integer_column(values, None, 0..values.len(), &self.encoder.types()[0])?])
            }
            Keys::Bytes { encoded, .. } => self.encoder.decode(encoded),
        }
    }

    /// An empty index of such keys.
    pub(crate) fn index(&self) -> KeyIndex {
        match self.form {
            Form::Unit => KeyIndex::Unit { present: false },
            Form::Integer(_) => KeyIndex::Integer { table: HashTable::new(), keys: vec![], null: None },
            Form::Bytes => KeyIndex::Bytes { table: HashTable::new(), keys: EncodedKeys::new() },
        }
    }

    /// The encoded keys of all groups.
    pub(crate) fn encoded(&self, index: KeyIndex) -> Result<EncodedKeys> {
        let mut keys = EncodedKeys::new();
        match &index {
            KeyIndex::Unit { present: true } => keys.push(&[]),
            KeyIndex::Unit { present: false } => {}
            KeyIndex::Integer { .. } => {
                let groups = index.len();
                self.encoder.encode(&self.columns(&index, 0..groups)?, groups, &mut keys)?;
            }
            KeyIndex::Bytes { .. } => {
                if let KeyIndex::Bytes { keys, .. } = index {
                    return Ok(keys);
                }
            }
        }
        Ok(keys)
    }

    /// Replaces `key` by the encoded key of a group.
    pub(crate) fn write_key(&self, index: &KeyIndex, group: u32, key: &mut Vec<u8>) {
        key.clear();
        match index {
            KeyIndex::Unit { .. } => {}
            KeyIndex::Integer { null, .. } if *null == Some(group) => key.push(0),
            KeyIndex::Integer { keys, .. } => {
                let value = keys[group as usize];
                key.push(1);
                match self.form {
                    Form::Integer(4) => key.extend_from_slice(&(value as i32 ^ i32::MIN).to_be_bytes()),
                    _ => key.extend_from_slice(&(value ^ i64::MIN).to_be_bytes()),
                }
            }
            KeyIndex::Bytes { keys, .. } => key.extend_from_slice(keys.key(group as usize)),
        }
    }

    /// The keys that these bytes are.
    pub(crate) fn read_encoded(&self, encoded: &EncodedKeys) -> Result<Keys> {
        self.read(&self.encoder.decode(encoded)?, encoded.len())
    }

    /// The key columns of a range of groups.
    pub(crate) fn columns(&self, index: &KeyIndex, groups: Range<usize>) -> Result<Vec<ArrayRef>> {
        match index {
            KeyIndex::Unit { .. } => Ok(vec![]),
            KeyIndex::Integer { keys, null, .. } => {
                Ok(vec![integer_column(&keys[groups.clone()], *null, groups, &self.encoder.types()[0])?])
            }
            KeyIndex::Bytes { keys, .. } => {
                let mut wanted = EncodedKeys::new();
                groups.for_each(|group| wanted.push(keys.key(group)));
                if wanted.is_empty() {
                    return Ok(self.encoder.types().iter().map(arrow::array::new_empty_array).collect());
                }
                self.encoder.decode(&wanted)
            }
        }
    }
}

impl Keys {
    /// Encoded keys, of which there are none yet.
    pub(crate) fn no_bytes() -> Self {
        Self::Bytes { encoded: EncodedKeys::new(), hashes: vec![] }
    }

    /// Adds an encoded key, without its hash.
    pub(crate) fn push_bytes(&mut self, key: &[u8]) {
        if let Self::Bytes { encoded, .. } = self {
            encoded.push(key);
        }
    }

    /// Number of keys; a keyless batch counts none.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Unit => 0,
            Self::Integer { values, .. } => values.len(),
            Self::Bytes { encoded, .. } => encoded.len(),
        }
    }
}

fn integers(column: &ArrayRef, width: usize) -> Result<ScalarBuffer<i64>> {
    if width == 8 {
        let wide = with_type(column, &DataType::Int64)?;
        return Ok(wide.as_primitive::<Int64Type>().values().clone());
    }
    let narrow = with_type(column, &DataType::Int32)?;
    Ok(narrow.as_primitive::<Int32Type>().values().iter().map(|v| i64::from(*v)).collect())
}

fn integer_column(keys: &[i64], null: Option<u32>, groups: Range<usize>, ty: &DataType) -> Result<ArrayRef> {
    let nulls = null.filter(|group| groups.contains(&(*group as usize))).map(|null| {
        let start = groups.start;
        (0..keys.len()).map(|i| i + start != null as usize).collect::<NullBuffer>()
    });
    let data = match ty.primitive_width() {
        Some(4) => Int32Array::new(keys.iter().map(|k| *k as i32).collect(), nulls).into_data(),
        _ => Int64Array::new(keys.to_vec().into(), nulls).into_data(),
    };
    data.into_builder().data_type(ty.clone()).build().map(make_array).map_err(arrow_error)
}

/// Numbers distinct keys from zero in the order of their first appearance.
pub(crate) enum KeyIndex {
    Unit {
        present: bool,
    },
    Integer {
        table: HashTable<(i64, u32)>,
        keys: Vec<i64>,
        /// The group of the NULL key; its entry in `keys` means nothing.
        null: Option<u32>,
    },
    Bytes {
        /// Hash and group.
        table: HashTable<(u64, u32)>,
        keys: EncodedKeys,
    },
}

impl KeyIndex {
    /// Number of groups.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Unit { present } => usize::from(*present),
            Self::Integer { keys, .. } => keys.len(),
            Self::Bytes { keys, .. } => keys.len(),
        }
    }

    /// Replaces `groups` by the group of every row in `rows`, adding groups for new keys.
    pub(crate) fn intern(&mut self, keys: &Keys, rows: Range<usize>, groups: &mut Vec<u32>) {
        groups.clear();
        match (self, keys) {
            (Self::Unit { present }, _) => {
                *present |= !rows.is_empty();
                groups.resize(rows.len(), 0);
            }
            (Self::Integer { table, keys: known, null }, Keys::Integer { values, nulls }) => {
                let is_null = |row: usize| nulls.as_ref().is_some_and(|n| n.is_null(row));
                match nulls {
                    None => groups.extend(values[rows].iter().map(|key| intern_integer(table, known, *key))),
                    Some(_) => groups.extend(rows.map(|row| match is_null(row) {
                        true => intern_null(known, null),
                        false => intern_integer(table, known, values[row]),
                    })),
                }
            }
            (Self::Bytes { table, keys: known }, Keys::Bytes { encoded, hashes }) => {
                groups.extend(rows.map(|row| intern_bytes(table, known, hashes[row], encoded.key(row))));
            }
            _ => unreachable!("keys and index come from the same reader"),
        }
    }

    /// Adds all groups of `other`; the result holds for every one of them its group here.
    pub(crate) fn merge(&mut self, other: &KeyIndex) -> Vec<u32> {
        match (self, other) {
            (Self::Unit { present }, other) => {
                *present |= other.len() > 0;
                vec![0; other.len()]
            }
            (Self::Integer { table, keys, null }, Self::Integer { keys: theirs, null: their_null, .. }) => {
                let one = |(group, key): (usize, &i64)| match *their_null == Some(group as u32) {
                    true => intern_null(keys, null),
                    false => intern_integer(table, keys, *key),
                };
                theirs.iter().enumerate().map(one).collect()
            }
            (Self::Bytes { table, keys }, Self::Bytes { keys: theirs, .. }) => {
                theirs.iter().map(|key| intern_bytes(table, keys, stable_hash(key), key)).collect()
            }
            _ => unreachable!("both indexes come from the same reader"),
        }
    }
}

/// Spreads an integer over 64 bits: one multiplication, folded.
#[inline]
pub(crate) fn hash_integer(key: i64) -> u64 {
    let product = u128::from(key as u64 ^ 0x9E37_79B9_7F4A_7C15) * 0xA076_1D64_78BD_642F;
    (product as u64) ^ ((product >> 64) as u64)
}

/// A hasher without a random seed, for maps that are iterated: two runs then see the same order.
#[derive(Default)]
pub(crate) struct FixedHasher(u64);

impl Hasher for FixedHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = self.0.rotate_left(5) ^ stable_hash(bytes);
    }

    fn write_i64(&mut self, value: i64) {
        self.0 = self.0.rotate_left(5) ^ hash_integer(value);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_i64(value as i64);
    }
}

#[inline]
fn intern_integer(table: &mut HashTable<(i64, u32)>, keys: &mut Vec<i64>, key: i64) -> u32 {
    let hash = hash_integer(key);
    if let Some((_, group)) = table.find(hash, |(known, _)| *known == key) {
        return *group;
    }
    let group = keys.len() as u32;
    keys.push(key);
    table.insert_unique(hash, (key, group), |(known, _)| hash_integer(*known));
    group
}

fn intern_null(keys: &mut Vec<i64>, null: &mut Option<u32>) -> u32 {
    *null.get_or_insert_with(|| {
        keys.push(0);
        keys.len() as u32 - 1
    })
}

#[inline]
fn intern_bytes(table: &mut HashTable<(u64, u32)>, keys: &mut EncodedKeys, hash: u64, key: &[u8]) -> u32 {
    let same = |entry: &(u64, u32)| entry.0 == hash && keys.key(entry.1 as usize) == key;
    if let Some((_, group)) = table.find(hash, same) {
        return *group;
    }
    let group = keys.len() as u32;
    keys.push(key);
    table.insert_unique(hash, (hash, group), |entry| entry.0);
    group
}
