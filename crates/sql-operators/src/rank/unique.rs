//! Rows that are updated by a unique key: where each of the first rows is, by its key.
//!
//! A row that is pushed out also loses its entry here; its key is read off the row, for all such rows of a batch at
//! once.

use crate::row_values::{KeyColumns, StoredRows, state_columns};
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::graph::RowType;
use headwater_state::{Column, EncodedRows, MapTable, Snapshot, StateContext, TableDescriptor, Ttl};
use headwater_types::{LogicalType, Result, TypeRoot};

pub(super) struct UniquePlaces {
    pub(super) columns: KeyColumns,
    /// Unique key -> place.
    places: MapTable,
    /// Groups, places and rows that were pushed out.
    pushed_out: Vec<(u32, Vec<u8>)>,
    rows: EncodedRows,
}

impl UniquePlaces {
    pub(super) fn open(
        unique: &[usize],
        keys: &[usize],
        input: &RowType,
        ttl_ms: i64,
        state: &StateContext,
    ) -> Result<Self> {
        let bytes = LogicalType::from(TypeRoot::VarBinary(i32::MAX as u32));
        let value = vec![Column::new("place", bytes)];
        let descriptor =
            TableDescriptor::map("places", state_columns(input, keys), state_columns(input, unique), value);
        Ok(Self {
            columns: KeyColumns::new(input, unique)?,
            places: state.map_table(descriptor.with_ttl(Ttl::of_sql(ttl_ms)))?,
            pushed_out: vec![],
            rows: EncodedRows::new(),
        })
    }

    /// The place of a unique key.
    pub(super) fn place(&mut self, key: &[u8], unique: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.places.get(key, unique)?.map(<[u8]>::to_vec))
    }

    /// Sets the place of a unique key.
    pub(super) fn put(&mut self, key: &[u8], unique: &[u8], place: &[u8]) -> Result<()> {
        self.places.put(key, unique, place)
    }

    /// Removes a unique key.
    pub(super) fn delete(&mut self, key: &[u8], unique: &[u8]) -> Result<()> {
        self.places.delete(key, unique)
    }

    /// Takes note of a row that was pushed out.
    pub(super) fn push_out(&mut self, group: u32, place: Vec<u8>, row: &[u8]) {
        self.pushed_out.push((group, place));
        self.rows.push(row);
    }

    /// Forgets the places of rows that were pushed out and have not come back.
    pub(super) fn forget_pushed_out(&mut self, keys: &EncodedKeys, codec: &StoredRows) -> Result<()> {
        if self.pushed_out.is_empty() {
            return Ok(());
        }
        let rows = codec.decode(&self.rows.iter().collect::<Vec<_>>())?;
        let mut uniques = EncodedKeys::new();
        self.columns.encode(&rows, &mut uniques)?;
        for ((group, place), unique) in self.pushed_out.drain(..).zip(uniques.iter()) {
            let key = keys.key(group as usize);
            if self.places.get(key, unique)? == Some(place.as_slice()) {
                self.places.delete(key, unique)?;
            }
        }
        self.rows.clear();
        Ok(())
    }

    pub(super) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.places.snapshot(snapshot);
    }
}
