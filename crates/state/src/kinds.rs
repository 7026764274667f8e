//! The state kinds of the programming model, as thin wrappers over tables: list, reducing, aggregating and
//! broadcast state. Value and map state are [`ValueTable`] and [`MapTable`] themselves.

use crate::{Column, MapTable, OperatorList, Redistribution, Snapshot, StateContext, TableDescriptor, Ttl, ValueTable};
use headwater_types::{Error, ErrorKind, LogicalType, Result, TypeRoot};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

/// A list of values per key, in the order they were added. With a time to live every value has its own.
pub struct ListState {
    elements: MapTable,
}

impl ListState {
    /// Opens list state of keys and elements of these columns.
    ///
    /// # Errors
    /// When its stored form cannot be read or does not fit.
    pub fn open(
        context: &StateContext,
        name: &str,
        key: Vec<Column>,
        element: Vec<Column>,
        ttl: Option<Ttl>,
    ) -> Result<Self> {
        let index = vec![Column::new("index", LogicalType::from(TypeRoot::BigInt).not_null())];
        let descriptor = TableDescriptor::map(name, key, index, element).with_ttl(ttl);
        Ok(Self { elements: context.map_table(descriptor)? })
    }

    /// Adds an element at the end.
    ///
    /// # Errors
    /// When the engine cannot be read or written.
    pub fn add(&mut self, key: &[u8], element: &[u8]) -> Result<()> {
        let next = self.end(key)?;
        self.elements.put(key, &next.to_be_bytes(), element)
    }

    /// Replaces all elements.
    ///
    /// # Errors
    /// When the engine cannot be read or written.
    pub fn update<'a>(&mut self, key: &[u8], elements: impl IntoIterator<Item = &'a [u8]>) -> Result<()> {
        self.clear(key)?;
        let mut numbered = (0u64..).zip(elements);
        numbered.try_for_each(|(index, element)| self.elements.put(key, &index.to_be_bytes(), element))
    }

    /// Calls `visit` with every element in order.
    ///
    /// # Errors
    /// When the engine cannot be read.
    pub fn for_each(&mut self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.elements.scan_all(key, &mut |_, element| visit(element))
    }

    /// Removes all elements.
    ///
    /// # Errors
    /// When the engine cannot be read or written.
    pub fn clear(&mut self, key: &[u8]) -> Result<()> {
        self.elements.clear(key)
    }

    /// Hands what changed since the last call to a snapshot.
    pub fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.elements.snapshot(snapshot);
    }

    /// The index behind the last element.
    fn end(&mut self, key: &[u8]) -> Result<u64> {
        let mut end = 0;
        self.elements.scan(key, (Bound::Unbounded, Bound::Unbounded), true, &mut |index, _| {
            end = index.first_chunk().map_or(0, |index| u64::from_be_bytes(*index) + 1);
            ControlFlow::Break(())
        })?;
        Ok(end)
    }
}

/// How values become an accumulator, and an accumulator a result.
pub trait Aggregation {
    /// Adds an input to the accumulator; `None` before the first. Writes the new accumulator to `out`, which is empty.
    fn add(&self, accumulator: Option<&[u8]>, input: &[u8], out: &mut Vec<u8>);
    /// Writes the result of an accumulator to `out`, which is empty.
    fn result(&self, accumulator: &[u8], out: &mut Vec<u8>);
}

/// An accumulator per key.
pub struct AggregatingState<A> {
    aggregation: A,
    accumulators: ValueTable,
    scratch: Vec<u8>,
}

impl<A: Aggregation> AggregatingState<A> {
    /// Opens aggregating state; the value columns of the descriptor are those of the accumulator.
    ///
    /// # Errors
    /// When its stored form cannot be read or does not fit.
    pub fn open(context: &StateContext, descriptor: TableDescriptor, aggregation: A) -> Result<Self> {
        Ok(Self { aggregation, accumulators: context.value_table(descriptor)?, scratch: vec![] })
    }

    /// Adds an input to the accumulator of a key.
    ///
    /// # Errors
    /// When the engine cannot be read or written.
    pub fn add(&mut self, key: &[u8], input: &[u8]) -> Result<()> {
        self.scratch.clear();
        self.aggregation.add(self.accumulators.get(key)?, input, &mut self.scratch);
        self.accumulators.put(key, &self.scratch)
    }

    /// The result of a key; `None` before the first input.
    ///
    /// # Errors
    /// When the engine cannot be read.
    pub fn get(&mut self, key: &[u8]) -> Result<Option<&[u8]>> {
        self.scratch.clear();
        let Some(accumulator) = self.accumulators.get(key)? else { return Ok(None) };
        self.aggregation.result(accumulator, &mut self.scratch);
        Ok(Some(&self.scratch))
    }

    /// Removes the accumulator of a key.
    ///
    /// # Errors
    /// When the engine cannot be written.
    pub fn clear(&mut self, key: &[u8]) -> Result<()> {
        self.accumulators.delete(key)
    }

    /// Hands what changed since the last call to a snapshot.
    pub fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.accumulators.snapshot(snapshot);
    }
}

/// Values per key reduced to one, by a function `(value so far, value, out)`.
pub type ReducingState<F> = AggregatingState<Reduction<F>>;

/// A reduction as an [`Aggregation`]: the first value is the accumulator, and the accumulator the result.
pub struct Reduction<F>(pub F);

impl<F: Fn(&[u8], &[u8], &mut Vec<u8>)> Aggregation for Reduction<F> {
    fn add(&self, accumulator: Option<&[u8]>, input: &[u8], out: &mut Vec<u8>) {
        match accumulator {
            Some(accumulator) => (self.0)(accumulator, input, out),
            None => out.extend_from_slice(input),
        }
    }

    fn result(&self, accumulator: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(accumulator);
    }
}

/// A map that is the same in every instance: written by the elements of a broadcast stream.
pub struct BroadcastState {
    list: OperatorList,
    /// The map. Every instance must write the same.
    pub map: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl BroadcastState {
    /// Opens broadcast state.
    ///
    /// # Errors
    /// When its stored form cannot be read.
    pub fn open(context: &StateContext, name: &str) -> Result<Self> {
        let mut list = context.operator_list(name, Redistribution::Broadcast)?;
        let items = std::mem::take(&mut list.items);
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            let message = format!("the stored broadcast state '{name}' has a key without a value");
            return Err(Error::new(ErrorKind::Corruption, "bad-broadcast-state", message));
        }
        let map = pairs.iter().map(|[key, value]| (key.clone(), value.clone())).collect();
        Ok(Self { list, map })
    }

    /// Hands the map to a snapshot.
    pub fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.list.items = self.map.iter().flat_map(|(key, value)| [key.clone(), value.clone()]).collect();
        self.list.snapshot(snapshot);
        self.list.items.clear();
    }
}
