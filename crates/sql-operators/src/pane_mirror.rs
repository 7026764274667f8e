//! Checkpoints of panes: the changed groups of every pane, with their accumulators as the key codec's and the row
//! codec's bytes.

use crate::aggregate::{Accumulator, encoded_column};
use crate::group_aggregate::names::{accumulator_columns, call_texts};
use crate::mirror::{Mirror, push_bigint, take_bigint};
use crate::pane::{Pane, PaneLayout};
use crate::row_values::state_columns;
use crate::window;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::DataType;
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::graph::RowType;
use headwater_plan::operators::{AggregatePhase, WindowAggregateSpec};
use headwater_state::{Column, EncodedRows, RowCodec, Snapshot, StateContext, TableDescriptor};
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::collections::BTreeMap;

/// Accumulators as values of state: one BYTES column each.
pub(crate) struct AccumulatorCodec {
    codec: RowCodec,
    columns: Vec<Column>,
}

impl AccumulatorCodec {
    /// For the accumulators of an aggregation, and the row count where rows may be taken back.
    pub(crate) fn new(spec: &WindowAggregateSpec, input: &RowType, retract: bool) -> Result<Self> {
        let texts = match spec.phase {
            // Keys, the end of the slice, and accumulators under the texts of their calls.
            AggregatePhase::Global => input.iter().skip(spec.keys.len() + 1).map(|(name, _)| name.clone()).collect(),
            _ => call_texts(&spec.calls, input),
        };
        let mut columns = accumulator_columns(texts, &spec.calls, &spec.input_types, retract);
        if retract {
            // Where rows were not counted, nobody knows how many there were: the column cannot be added.
            let bytes = LogicalType::from(TypeRoot::VarBinary(LENGTH_MAX)).not_null();
            columns.push(Column::new("rows", bytes));
        }
        Ok(Self { codec: RowCodec::new(&vec![DataType::Binary; columns.len()])?, columns })
    }

    /// The value columns.
    pub(crate) fn columns(&self) -> Vec<Column> {
        self.columns.clone()
    }

    /// The accumulators of some groups.
    pub(crate) fn encode(&self, pane: &Pane, groups: &[u32]) -> Result<EncodedRows> {
        let encode = |accumulator: &dyn Accumulator| encoded_column(accumulator, groups.iter().copied());
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
            // An aggregate that is new to the query has none and starts with the next row.
            for (row, group) in groups.iter().enumerate().filter(|(row, _)| column.is_valid(*row)) {
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
    /// A table for the panes of an aggregation of this input.
    pub(crate) fn new(spec: &WindowAggregateSpec, input: &RowType, retract: bool) -> Result<Self> {
        let codec = AccumulatorCodec::new(spec, input, retract)?;
        let bigint = |name: &str| Column::new(name, LogicalType::from(TypeRoot::BigInt));
        let map_key = vec![bigint("grown"), bigint("window_end"), bigint("window_start")];
        let descriptor = TableDescriptor::map("panes", state_columns(input, &spec.keys), map_key, codec.columns())
            .with_rows()
            .cut_by(window::cut(&spec.window));
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
