//! The rows of each primary key in the order they came, and an index to find one.

use crate::numbers::Numbers;
use crate::row_values::{all_state_columns, state_columns, write_integers};
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::graph::RowType;
use headwater_plan::operators::SinkMaterializeSpec;
use headwater_state::{Column, MapTable, Snapshot, StateContext, TableDescriptor, Ttl};
use headwater_types::{Result, TypeRoot};
use std::ops::{Bound, ControlFlow};

/// An encoded number.
pub(super) type Number = Vec<u8>;

pub(super) struct KeyRows {
    /// Number -> row.
    rows: MapTable,
    /// Identity and number -> nothing.
    index: MapTable,
    numbers: Numbers,
}

impl KeyRows {
    pub(super) fn open(spec: &SinkMaterializeSpec, input: &RowType, state: &StateContext) -> Result<Self> {
        let key = state_columns(input, &spec.keys);
        let number = || Column::new("number", TypeRoot::BigInt.into());
        let ttl = Ttl::of_sql(spec.state_ttl_ms);
        let mut identity = match &spec.upsert_key {
            Some(columns) => state_columns(input, columns),
            None => all_state_columns(input),
        };
        identity.push(number());
        let rows = TableDescriptor::map("rows", key.clone(), vec![number()], all_state_columns(input)).with_rows();
        let index = TableDescriptor::map("index", key, identity, vec![]);
        Ok(Self {
            rows: state.map_table(rows.with_ttl(ttl))?,
            index: state.map_table(index.with_ttl(ttl))?,
            numbers: Numbers::open(state)?,
        })
    }

    pub(super) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.rows.snapshot(snapshot);
        self.index.snapshot(snapshot);
        self.numbers.snapshot(snapshot);
    }

    pub(super) fn prefetch(&mut self, keys: &EncodedKeys) -> Result<()> {
        self.rows.prefetch(keys)?;
        self.index.prefetch(keys)
    }

    /// The last row of a key.
    pub(super) fn last(&mut self, key: &[u8]) -> Result<Option<(Number, Vec<u8>)>> {
        let mut found = None;
        self.rows.scan(key, (Bound::Unbounded, Bound::Unbounded), true, &mut |number, row| {
            found = Some((number.to_vec(), row.to_vec()));
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// The first row of a key with this identity.
    pub(super) fn find(&mut self, key: &[u8], identity: &[u8]) -> Result<Option<Number>> {
        let mut found = None;
        self.index.scan(key, (Bound::Included(identity), Bound::Unbounded), false, &mut |place, _| {
            found = place.strip_prefix(identity).map(<[u8]>::to_vec);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// Adds a row behind the others.
    pub(super) fn push(&mut self, key: &[u8], identity: &[u8], row: &[u8]) -> Result<()> {
        let mut number = vec![];
        write_integers(&[self.numbers.next()], &mut number);
        self.index.put(key, &[identity, &number].concat(), &[])?;
        self.rows.put(key, &number, row)
    }

    /// Replaces a row where it is.
    pub(super) fn replace(&mut self, key: &[u8], number: &[u8], row: &[u8]) -> Result<()> {
        self.rows.put(key, number, row)
    }

    /// Removes a row.
    pub(super) fn remove(&mut self, key: &[u8], identity: &[u8], number: &[u8]) -> Result<()> {
        self.index.delete(key, &[identity, number].concat())?;
        self.rows.delete(key, number)
    }
}
