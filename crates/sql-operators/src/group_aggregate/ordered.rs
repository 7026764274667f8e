//! FIRST_VALUE and LAST_VALUE over a changelog: the values of a group in the order of their arrival.
//!
//! The table holds each value twice: under `(NULL, number)` to find the first and the last, and under
//! `(value, number)` to find the one that a retraction takes back, which is the oldest of its equals.

use super::kept::KeptCall;
use crate::aggregate::encoding::Reader;
use crate::aggregate::min_max::{NULL_KEY, decode, decode_keys};
use crate::aggregate::{Accumulator, Input, steps};
use crate::row_values::write_integers;
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_state::{MapTable, Snapshot, StateContext, TableDescriptor};
use headwater_types::{Error, Result};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

/// What follows the entries under NULL.
const VALUES: &[u8] = &[1];

pub(super) struct Ordered {
    last: bool,
    encoder: KeyEncoder,
    descriptor: TableDescriptor,
    table: Option<MapTable>,
    keys: Arc<EncodedKeys>,
    groups: Vec<Group>,
}

/// The number of the next value, and the result.
#[derive(Default, Clone)]
struct Group {
    next: i64,
    current: Option<Box<[u8]>>,
}

impl Ordered {
    /// `descriptor` is of a map from value and number to the value.
    pub(super) fn new(last: bool, argument: &DataType, descriptor: TableDescriptor) -> Result<Self> {
        let encoder = KeyEncoder::new(std::slice::from_ref(argument))?;
        Ok(Self { last, encoder, descriptor, table: None, keys: Arc::default(), groups: vec![] })
    }

    fn add(&mut self, group: usize, value: &[u8]) -> Result<()> {
        let table = self.table.as_mut().expect("the operator was opened");
        let key = self.keys.key(group);
        let group = &mut self.groups[group];
        table.put(key, &numbered(NULL_KEY, group.next), value)?;
        table.put(key, &numbered(value, group.next), NULL_KEY)?;
        group.next += 1;
        if self.last || group.current.is_none() {
            group.current = Some(value.into());
        }
        Ok(())
    }

    fn remove(&mut self, group: usize, value: &[u8]) -> Result<()> {
        let table = self.table.as_mut().expect("the operator was opened");
        let key = self.keys.key(group);
        let mut oldest: Option<Vec<u8>> = None;
        table.scan(key, (Bound::Included(value), Bound::Unbounded), false, &mut |map_key, _| {
            if map_key.starts_with(value) {
                oldest = Some(map_key.to_vec());
            }
            ControlFlow::Break(())
        })?;
        let Some(oldest) = oldest else { return Ok(()) };
        table.delete(key, &oldest)?;
        table.delete(key, &[NULL_KEY, &oldest[value.len()..]].concat())?;
        if self.groups[group].current.as_deref() == Some(value) {
            self.groups[group].current = result(table, key, self.last)?;
        }
        Ok(())
    }

    /// Applies rows in order; `after` is told the group of every row.
    fn run(&mut self, groups: &[u32], input: &Input<'_>, mut after: impl FnMut(&Self, usize)) -> Result<()> {
        let mut keys = EncodedKeys::new();
        self.encoder.encode(&input.args[..1], groups.len(), &mut keys)?;
        let nulls = input.args[0].logical_nulls();
        for step in steps(groups, input.signs, nulls.as_ref(), None, |step| step) {
            match step.sign {
                0 => {}
                1 => self.add(step.group, keys.key(step.row))?,
                _ => self.remove(step.group, keys.key(step.row))?,
            }
            after(self, step.group);
        }
        Ok(())
    }
}

/// A value (or NULL) with a number.
fn numbered(value: &[u8], number: i64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len() + 9);
    bytes.extend_from_slice(value);
    write_integers(&[number], &mut bytes);
    bytes
}

/// The first (or last) value.
fn result(table: &mut MapTable, key: &[u8], last: bool) -> Result<Option<Box<[u8]>>> {
    let mut found = None;
    table.scan(key, (Bound::Unbounded, Bound::Excluded(VALUES)), last, &mut |_, value| {
        found = Some(value.into());
        ControlFlow::Break(())
    })?;
    Ok(found)
}

impl Accumulator for Ordered {
    fn grow(&mut self, groups: usize) {
        self.groups.resize(groups.max(self.groups.len()), Group::default());
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        self.run(groups, input, |_, _| {})
    }

    fn scan(&mut self, groups: &[u32], input: &Input<'_>, _resets: Option<&[bool]>) -> Result<ArrayRef> {
        let mut results = EncodedKeys::new();
        self.run(groups, input, |ordered, group| {
            results.push(ordered.groups[group].current.as_deref().unwrap_or(NULL_KEY));
        })?;
        decode_keys(&self.encoder, &results)
    }

    fn merge(&mut self, _other: &dyn Accumulator, _groups: &[u32]) -> Result<()> {
        Err(Error::internal("an aggregate over a changelog is not merged"))
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        decode(&self.encoder, groups.iter().map(|group| self.groups[*group as usize].current.as_deref()))
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        let group = &self.groups[group as usize];
        bytes.extend_from_slice(&group.next.to_le_bytes());
        bytes.extend_from_slice(group.current.as_deref().unwrap_or_default());
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        let next = reader.i64()?;
        let current = reader.rest();
        self.groups[group as usize] = Group { next, current: (!current.is_empty()).then(|| current.into()) };
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.groups[group as usize].current = None;
    }
}

impl KeptCall for Ordered {
    fn open(&mut self, state: &StateContext) -> Result<()> {
        self.table = Some(state.map_table(self.descriptor.clone())?);
        Ok(())
    }

    fn begin(&mut self, keys: Arc<EncodedKeys>) {
        self.groups.clear();
        self.keys = keys;
    }

    fn forget(&mut self, key: &[u8]) -> Result<()> {
        self.table.as_mut().map_or(Ok(()), |table| table.clear(key))
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot) {
        if let Some(table) = &mut self.table {
            table.snapshot(snapshot);
        }
    }
}
