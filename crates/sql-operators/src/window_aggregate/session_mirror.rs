//! Checkpoints of open sessions.
//!
//! A session is stored under its start and end as they were at the last barrier. When it has grown since, or was
//! merged into another one, the old entry is deleted. Changes are tracked from the first snapshot on; that one
//! writes all sessions.

use crate::mirror::{Mirror, push_bigint, take_bigint};
use crate::pane::Pane;
use crate::pane_mirror::AccumulatorCodec;
use crate::row_values::state_columns;
use crate::window;
use crate::window::sessions::SessionTable;
use headwater_plan::graph::RowType;
use headwater_plan::operators::WindowAggregateSpec;
use headwater_state::{Column, EncodedRows, Snapshot, StateContext, TableDescriptor};
use headwater_types::{LogicalType, Result, TypeRoot};

pub(super) struct SessionMirror {
    mirror: Mirror,
    codec: AccumulatorCodec,
    tracking: bool,
    /// Slots that changed, with the key of their session then. A slot may have been given back since.
    changed: Vec<(u32, Box<[u8]>)>,
    slots: Vec<Slot>,
    map_key: Vec<u8>,
}

/// What is known of a slot.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Whether it is among the changed ones.
    marked: bool,
    /// Start and end under which its session is stored.
    stored: Option<(i64, i64)>,
}

impl SessionMirror {
    /// A table for the sessions of an aggregation of this input.
    pub(super) fn new(spec: &WindowAggregateSpec, input: &RowType, retract: bool) -> Result<Self> {
        let codec = AccumulatorCodec::new(spec, input, retract)?;
        let bigint = |name: &str| Column::new(name, LogicalType::from(TypeRoot::BigInt));
        let map_key = vec![bigint("window_start"), bigint("window_end")];
        let descriptor = TableDescriptor::map("sessions", state_columns(input, &spec.keys), map_key, codec.columns())
            .with_rows()
            .cut_by(window::cut(&spec.window));
        Ok(Self {
            mirror: Mirror::new(descriptor),
            codec,
            tracking: false,
            changed: vec![],
            slots: vec![],
            map_key: vec![],
        })
    }

    /// Takes over the sessions of a checkpoint.
    pub(super) fn open(&mut self, state: &StateContext, table: &mut SessionTable, pane: &mut Pane) -> Result<()> {
        let Some(mut entries) = self.mirror.open(state)? else { return Ok(()) };
        let (mut slots, mut rows) = (vec![], EncodedRows::new());
        while entries.advance()? {
            let entry = entries.entry();
            let mut map_key = entry.map_key;
            let window = (take_bigint(&mut map_key)?, take_bigint(&mut map_key)?);
            let slot = table.restore(entry.key, window.0, window.1);
            self.slot(slot).stored = Some(window);
            slots.push(slot);
            rows.push(entry.value.unwrap_or_default());
        }
        self.tracking = true;
        pane.grow_to(table.slots());
        self.codec.load(pane, &slots, &rows)
    }

    fn slot(&mut self, slot: u32) -> &mut Slot {
        let position = slot as usize;
        if position >= self.slots.len() {
            self.slots.resize(position + 1, Slot::default());
        }
        &mut self.slots[position]
    }

    /// A session got a row.
    #[inline]
    pub(super) fn mark(&mut self, key: &[u8], slot: u32) {
        if self.tracking && !std::mem::replace(&mut self.slot(slot).marked, true) {
            self.changed.push((slot, key.into()));
        }
    }

    /// A session ended, or became part of another one.
    pub(super) fn forget(&mut self, key: &[u8], slot: u32) {
        if !self.tracking {
            return;
        }
        if let Some(window) = std::mem::take(self.slot(slot)).stored {
            self.write_map_key(window);
            self.mirror.delete(key, &self.map_key);
        }
    }

    fn write_map_key(&mut self, window: (i64, i64)) {
        self.map_key.clear();
        push_bigint(&mut self.map_key, window.0);
        push_bigint(&mut self.map_key, window.1);
    }

    /// Hands over the sessions that changed since the last barrier.
    pub(super) fn snapshot(&mut self, table: &SessionTable, pane: &Pane, snapshot: &mut Snapshot) -> Result<()> {
        if !std::mem::replace(&mut self.tracking, true) {
            for (key, slot) in table.all() {
                self.mark(key, slot);
            }
        }
        let mut changed = std::mem::take(&mut self.changed);
        // Of a slot that was given back and taken again, only the present session counts.
        let mut windows = vec![];
        changed.retain(|(slot, key)| {
            let window = table.window(key, *slot).filter(|_| std::mem::take(&mut self.slots[*slot as usize].marked));
            windows.extend(window);
            window.is_some()
        });
        let slots: Vec<u32> = changed.iter().map(|(slot, _)| *slot).collect();
        let rows = self.codec.encode(pane, &slots)?;
        for (((slot, key), window), row) in changed.iter().zip(windows).zip(rows.iter()) {
            let stored = self.slot(*slot).stored.replace(window);
            if let Some(old) = stored.filter(|old| *old != window) {
                self.write_map_key(old);
                self.mirror.delete(key, &self.map_key);
            }
            self.write_map_key(window);
            self.mirror.put(key, &self.map_key, row);
        }
        self.mirror.snapshot(snapshot);
        Ok(())
    }
}
