//! MIN and MAX over a changelog: the values of a group with their counts in a map, ordered as the values are.

use super::kept::KeptCall;
use crate::aggregate::encoding::Reader;
use crate::aggregate::min_max::{NULL_KEY, decode, decode_keys};
use crate::aggregate::{Accumulator, Input, steps};
use crate::row_values::{read_counts, write_counts};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_state::{MapTable, Snapshot, StateContext, TableDescriptor};
use headwater_types::{Error, Result};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

pub(super) struct Extreme {
    max: bool,
    encoder: KeyEncoder,
    descriptor: TableDescriptor,
    /// Value -> how often it is there; below zero when it was taken back before it came.
    table: Option<MapTable>,
    keys: Arc<EncodedKeys>,
    current: Vec<Option<Box<[u8]>>>,
}

impl Extreme {
    /// `descriptor` is of a map from the value to its count.
    pub(super) fn new(max: bool, argument: &DataType, descriptor: TableDescriptor) -> Result<Self> {
        let encoder = KeyEncoder::new(std::slice::from_ref(argument))?;
        Ok(Self { max, encoder, descriptor, table: None, keys: Arc::default(), current: vec![] })
    }

    fn apply(&mut self, group: usize, value: &[u8], sign: i8) -> Result<()> {
        let table = self.table.as_mut().expect("the operator was opened");
        let key = self.keys.key(group);
        let mut count = [0];
        if let Some(stored) = table.get(key, value)? {
            read_counts(stored, &mut count);
        }
        let before = count[0];
        let after = before + i64::from(sign);
        if after == 0 {
            table.delete(key, value)?;
        } else {
            let mut bytes = Vec::with_capacity(9);
            write_counts(&[after], &mut bytes);
            table.put(key, value, &bytes)?;
        }
        if before <= 0 && after > 0 {
            self.offer(group, value);
        } else if before > 0 && after <= 0 && self.current[group].as_deref() == Some(value) {
            self.current[group] = extreme(table, key, self.max)?;
        }
        Ok(())
    }

    fn offer(&mut self, group: usize, value: &[u8]) {
        let known = &mut self.current[group];
        let better = known.as_deref().is_none_or(|known| if self.max { value > known } else { value < known });
        if better {
            *known = Some(value.into());
        }
    }

    /// Applies rows in order; `after` is told the group of every row.
    fn run(&mut self, groups: &[u32], input: &Input<'_>, mut after: impl FnMut(&Self, usize)) -> Result<()> {
        let mut keys = EncodedKeys::new();
        self.encoder.encode(&input.args[..1], groups.len(), &mut keys)?;
        let nulls = input.args[0].logical_nulls();
        for step in steps(groups, input.signs, nulls.as_ref(), None, |step| step) {
            if step.sign != 0 {
                self.apply(step.group, keys.key(step.row), step.sign)?;
            }
            after(self, step.group);
        }
        Ok(())
    }
}

/// The first (or last) value that is there.
fn extreme(table: &mut MapTable, key: &[u8], max: bool) -> Result<Option<Box<[u8]>>> {
    let mut found = None;
    table.scan(key, (Bound::Unbounded, Bound::Unbounded), max, &mut |value, stored| {
        let mut count = [0];
        read_counts(stored, &mut count);
        if count[0] <= 0 {
            return ControlFlow::Continue(());
        }
        found = Some(value.into());
        ControlFlow::Break(())
    })?;
    Ok(found)
}

impl Accumulator for Extreme {
    fn grow(&mut self, groups: usize) {
        self.current.resize(groups.max(self.current.len()), None);
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        self.run(groups, input, |_, _| {})
    }

    fn scan(&mut self, groups: &[u32], input: &Input<'_>, _resets: Option<&[bool]>) -> Result<ArrayRef> {
        let mut results = EncodedKeys::new();
        self.run(groups, input, |extreme, group| {
            results.push(extreme.current[group].as_deref().unwrap_or(NULL_KEY));
        })?;
        decode_keys(&self.encoder, &results)
    }

    fn merge(&mut self, _other: &dyn Accumulator, _groups: &[u32]) -> Result<()> {
        Err(Error::internal("an aggregate over a changelog is not merged"))
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        decode(&self.encoder, groups.iter().map(|group| self.current[*group as usize].as_deref()))
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(self.current[group as usize].as_deref().unwrap_or_default());
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        if !Reader::new(bytes).is_empty() {
            self.offer(group as usize, bytes);
        }
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.current[group as usize] = None;
    }
}

impl KeptCall for Extreme {
    fn open(&mut self, state: &StateContext) -> Result<()> {
        self.table = Some(state.map_table(self.descriptor.clone())?);
        Ok(())
    }

    fn begin(&mut self, keys: Arc<EncodedKeys>) {
        self.current.clear();
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
