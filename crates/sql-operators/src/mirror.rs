//! Checkpoints of state that an operator keeps in a form of its own.
//!
//! Panes and window buffers live in columns, not in tables: a second copy of them in a table would double their
//! memory and slow every row. A [`Mirror`] is the table they would be: its owner hands it what changed when a
//! barrier passes, and gets back everything when it is opened. The mirror itself holds nothing but deletions that
//! wait for the next barrier.
//!
//! Whoever writes an entry twice between two barriers breaks the snapshot: owners write changed entries once, at
//! the barrier, and never use a map key again that they deleted.

use headwater_state::{
    Entries, EntryRef, EntryStream, OperatorList, Redistribution, Snapshot, StateContext, TableDelta, TableDescriptor,
    group_of,
};
use headwater_types::{Error, ErrorKind, MIN_WATERMARK, Result};
use std::ops::Range;

/// The table that in-memory state is written to.
pub(crate) struct Mirror {
    descriptor: TableDescriptor,
    max_parallelism: u32,
    pending: Entries,
}

impl Mirror {
    /// A table that holds nothing yet.
    pub(crate) fn new(descriptor: TableDescriptor) -> Self {
        Self { descriptor, max_parallelism: 1, pending: Entries::new() }
    }

    /// What a restored checkpoint holds of the table, values as the table has them now: it fits, or is refused, by the
    /// rules of all tables.
    pub(crate) fn open(&mut self, state: &StateContext) -> Result<Option<Box<dyn EntryStream>>> {
        self.max_parallelism = state.max_parallelism;
        state.restored_entries(&self.descriptor)
    }

    /// Writes an entry.
    pub(crate) fn put(&mut self, key: &[u8], map_key: &[u8], value: &[u8]) {
        self.push(key, map_key, Some(value));
    }

    /// Deletes an entry that an earlier snapshot holds.
    pub(crate) fn delete(&mut self, key: &[u8], map_key: &[u8]) {
        self.push(key, map_key, None);
    }

    fn push(&mut self, key: &[u8], map_key: &[u8], value: Option<&[u8]>) {
        let group = group_of(key, self.max_parallelism);
        self.pending.push(EntryRef { group, key, map_key, value });
    }

    /// Hands over what was written since the last barrier.
    pub(crate) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        let entries = std::mem::take(&mut self.pending);
        snapshot.tables.push(TableDelta::new(self.descriptor.clone(), entries));
    }
}

/// How far an operator has come: what it judges lateness by, and how many rows it has numbered.
///
/// Every instance gets the positions of all, each with the key groups it is about, and goes by those about its own. They
/// differ when barriers overtake: then some instances have taken more from their queues than others. The least counts,
/// so that no window that some instance had still open is late.
#[derive(Default)]
pub(crate) struct Position {
    list: Option<OperatorList>,
    groups: Range<u32>,
    uneven: bool,
}

/// Name of the list of positions.
const POSITION: &str = "position";

impl Position {
    /// The restored progress and number of rows; `MIN_WATERMARK` and 0 in a new job.
    pub(crate) fn open(&mut self, state: &StateContext) -> Result<(i64, u64)> {
        let list = state.operator_list(POSITION, Redistribution::Union)?;
        let positions = list.items.iter().map(|item| Stored::read(item)).collect::<Result<Vec<_>>>()?;
        self.groups = state.owned_groups.clone();
        self.list = Some(list);
        let own: Vec<i64> = positions.iter().filter(|p| p.is_about(&self.groups)).map(|p| p.progress).collect();
        self.uneven = own.iter().any(|progress| *progress != own[0]);
        let progress = own.into_iter().min().unwrap_or(MIN_WATERMARK);
        Ok((progress, positions.iter().map(|position| position.rows).max().unwrap_or(0)))
    }

    /// Whether the instances that the state comes from had not come equally far.
    pub(crate) fn is_uneven(&self) -> bool {
        self.uneven
    }

    /// Hands over the present position.
    pub(crate) fn snapshot(&mut self, progress: i64, rows: u64, snapshot: &mut Snapshot) {
        if let Some(list) = &mut self.list {
            let position = Stored { progress, rows, groups: self.groups.clone() };
            list.items = vec![position.write()];
            list.snapshot(snapshot);
        }
    }
}

/// A position as it is stored: progress, rows, first group, end of the groups; little endian.
struct Stored {
    progress: i64,
    rows: u64,
    groups: Range<u32>,
}

impl Stored {
    fn is_about(&self, groups: &Range<u32>) -> bool {
        self.groups.start < groups.end && groups.start < self.groups.end
    }

    fn write(&self) -> Vec<u8> {
        let mut bytes = [self.progress.to_le_bytes(), self.rows.to_le_bytes()].concat();
        bytes.extend([self.groups.start, self.groups.end].map(u32::to_le_bytes).as_flattened());
        bytes
    }

    fn read(item: &[u8]) -> Result<Self> {
        let (progress, rest) = item.split_first_chunk().ok_or_else(Self::cut_short)?;
        let (rows, rest) = rest.split_first_chunk().ok_or_else(Self::cut_short)?;
        let (start, rest) = rest.split_first_chunk().ok_or_else(Self::cut_short)?;
        let end = rest.first_chunk().ok_or_else(Self::cut_short)?;
        let groups = u32::from_le_bytes(*start)..u32::from_le_bytes(*end);
        Ok(Self { progress: i64::from_le_bytes(*progress), rows: u64::from_le_bytes(*rows), groups })
    }

    fn cut_short() -> Error {
        corrupt("a position ends too early")
    }
}

/// Appends a BIGINT as the key codec writes it.
pub(crate) fn push_bigint(bytes: &mut Vec<u8>, value: i64) {
    bytes.push(1);
    bytes.extend_from_slice(&(value ^ i64::MIN).to_be_bytes());
}

/// Takes a BIGINT off the front of a map key.
pub(crate) fn take_bigint(bytes: &mut &[u8]) -> Result<i64> {
    let (marked, rest) = bytes.split_first_chunk::<9>().ok_or_else(|| corrupt("a map key ends too early"))?;
    *bytes = rest;
    let value: [u8; 8] = std::array::from_fn(|i| marked[i + 1]);
    Ok(i64::from_be_bytes(value) ^ i64::MIN)
}

fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corruption, "bad-operator-state", format!("restored state cannot be read: {what}"))
}
