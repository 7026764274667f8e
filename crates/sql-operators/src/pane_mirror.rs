//! Checkpoints of panes: the changed groups of every pane, with their accumulators as the key codec's and the row
//! codec's bytes.

use crate::aggregate::Accumulator;
use crate::mirror::{Mirror, push_bigint, take_bigint};
use crate::pane::{Pane, PaneLayout};
use arrow::array::{ArrayRef, AsArray, BinaryBuilder};
use arrow::datatypes::DataType;
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::operators::AggregateCall;
use headwater_state::{Column, EncodedRows, RowCodec, Snapshot, StateContext, TableDescriptor};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Accumulators as values of state: one BYTES column each.
pub(crate) struct AccumulatorCodec {
    codec: RowCodec,
    columns: Vec<Column>,
}

impl AccumulatorCodec {
    /// For the accumulators of these calls, and the row count where rows may be taken back.
    pub(crate) fn new(calls: &[AggregateCall], retract: bool) -> Result<Self> {
        let bytes = |name: &str| Column::new(name, LogicalType::from(TypeRoot::VarBinary(i32::MAX as u32)));
        let mut columns: Vec<Column> = calls.iter().map(|call| bytes(&call.function)).collect();
        if retract {
            columns.push(bytes("rows"));
        }
        Ok(Self { codec: RowCodec::new(&vec![DataType::Binary; columns.len()])?, columns })
    }

    /// The value columns.
    pub(crate) fn columns(&self) -> Vec<Column> {
        self.columns.clone()
    }

    /// The accumulators of some groups.
    pub(crate) fn encode(&self, pane: &Pane, groups: &[u32]) -> Result<EncodedRows> {
        let mut state = vec![];
        let mut encode = |accumulator: &dyn Accumulator| -> ArrayRef {
            let mut builder = BinaryBuilder::with_capacity(groups.len(), groups.len() * 16);
            for group in groups {
                state.clear();
                accumulator.encode(*group, &mut state);
                builder.append_value(&state);
            }
            Arc::new(builder.finish())
        };
        let mut columns: Vec<ArrayRef> = pane.accumulators.iter().map(|a| encode(a.as_ref())).collect();
        columns.extend(pane.live.as_ref().map(|live| encode(live)));
        let mut rows = EncodedRows::new();
        self.codec.encode(&columns, groups.len(), &mut rows)?;
        Ok(rows)
    }

    /// Takes over the accumulators of empty groups. Arrival numbers stay as they were: they order the slices of a
    /// window, and owners go on numbering rows where they stopped.
    pub(crate) fn load(&self, pane: &mut Pane, groups: &[u32], rows: &EncodedRows) -> Result<()> {
        if groups.is_empty() {
            return Ok(());
        }
        let columns = self.codec.decode(rows)?;
        for (accumulator, column) in pane.all_mut().zip(&columns) {
            let column = column.as_binary::<i32>();
            for (row, group) in groups.iter().enumerate() {
                accumulator.merge_encoded(*group, column.value(row))?;
            }
        }
        Ok(())
    }
}

/// Names a pane in state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PaneId {
    /// A slice or attached window by its end and start.
    Slice(i64, i64),
    /// The merged slices of a growing window, by its start.
    Grown(i64),
}

impl PaneId {
    fn write(self, bytes: &mut Vec<u8>) {
        bytes.clear();
        let (grown, end, start) = match self {
            Self::Slice(end, start) => (0, end, start),
            Self::Grown(start) => (1, 0, start),
        };
        [grown, end, start].into_iter().for_each(|value| push_bigint(bytes, value));
    }

    fn read(mut bytes: &[u8]) -> Result<Self> {
        let (grown, end) = (take_bigint(&mut bytes)?, take_bigint(&mut bytes)?);
        let start = take_bigint(&mut bytes)?;
        Ok(if grown == 1 { Self::Grown(start) } else { Self::Slice(end, start) })
    }
}

/// The table of panes.
pub(crate) struct PaneMirror {
    mirror: Mirror,
    codec: AccumulatorCodec,
}

impl PaneMirror {
    /// A table with these key columns for the panes of these calls.
    pub(crate) fn new(keys: Vec<Column>, calls: &[AggregateCall], retract: bool) -> Result<Self> {
        let codec = AccumulatorCodec::new(calls, retract)?;
        let bigint = |name: &str| Column::new(name, LogicalType::from(TypeRoot::BigInt));
        let map_key = vec![bigint("grown"), bigint("window_end"), bigint("window_start")];
        let descriptor = TableDescriptor::map("panes", keys, map_key, codec.columns());
        Ok(Self { mirror: Mirror::new(descriptor), codec })
    }

    /// The restored panes.
    pub(crate) fn open(&mut self, state: &StateContext, layout: &PaneLayout) -> Result<BTreeMap<PaneId, Pane>> {
        let Some(mut entries) = self.mirror.open(state)? else { return Ok(BTreeMap::new()) };
        let mut stored: BTreeMap<PaneId, (EncodedKeys, EncodedRows)> = BTreeMap::new();
        while entries.advance()? {
            let entry = entries.entry();
            let (keys, rows) = stored.entry(PaneId::read(entry.map_key)?).or_default();
            keys.push(entry.key);
            rows.push(entry.value.unwrap_or_default());
        }
        let restore = |(id, (keys, rows)): (PaneId, (EncodedKeys, EncodedRows))| {
            let mut pane = layout.pane()?;
            let groups = layout.intern(&mut pane, &keys)?;
            self.codec.load(&mut pane, &groups, &rows)?;
            pane.dirty.all_stored(pane.groups());
            Ok((id, pane))
        };
        stored.into_iter().map(restore).collect()
    }

    /// Writes the groups of a pane that changed since the last snapshot.
    pub(crate) fn store(&mut self, id: PaneId, layout: &PaneLayout, pane: &mut Pane) -> Result<()> {
        let groups = pane.dirty.take(pane.groups());
        if groups.is_empty() {
            return Ok(());
        }
        let rows = self.codec.encode(pane, &groups)?;
        let (mut key, mut map_key) = (vec![], vec![]);
        id.write(&mut map_key);
        for (row, group) in rows.iter().zip(&groups) {
            layout.reader.write_key(&pane.index, *group, &mut key);
            self.mirror.put(&key, &map_key, row);
        }
        Ok(())
    }

    /// Forgets a pane that is dropped or becomes another one.
    pub(crate) fn forget(&mut self, id: PaneId, layout: &PaneLayout, pane: &mut Pane) {
        let stored = pane.dirty.forget();
        let (mut key, mut map_key) = (vec![], vec![]);
        id.write(&mut map_key);
        for group in 0..stored as u32 {
            layout.reader.write_key(&pane.index, group, &mut key);
            self.mirror.delete(&key, &map_key);
        }
    }

    /// Hands over what was written since the last barrier.
    pub(crate) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.mirror.snapshot(snapshot);
    }
}
