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

    /// What a restored checkpoint holds of the table.
    pub(crate) fn open(&mut self, state: &StateContext) -> Result<Option<Box<dyn EntryStream>>> {
        self.max_parallelism = state.max_parallelism;
        let Some(stored) = state.restored.table(&self.descriptor.name)? else { return Ok(None) };
        let types = |d: &TableDescriptor| d.key.iter().chain(&d.map_key).map(|c| c.ty.clone()).collect::<Vec<_>>();
        if stored.descriptor.kind != self.descriptor.kind || types(&stored.descriptor) != types(&self.descriptor) {
            let name = &self.descriptor.name;
            let message = format!("the stored state table '{name}' has other key columns than the operator needs");
            return Err(Error::user("state-incompatible", message));
        }
        Ok(Some(stored.entries))
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
/// Every instance gets the positions of all. The least progress counts, so that no window that some instance had
/// still open is late.
#[derive(Default)]
pub(crate) struct Position {
    list: Option<OperatorList>,
}

/// Name of the list of positions.
const POSITION: &str = "position";

impl Position {
    /// The restored progress and number of rows; `MIN_WATERMARK` and 0 in a new job.
    pub(crate) fn open(&mut self, state: &StateContext) -> Result<(i64, u64)> {
        let list = state.operator_list(POSITION, Redistribution::Union)?;
        let positions = list.items.iter().map(|item| read_position(item)).collect::<Result<Vec<_>>>()?;
        self.list = Some(list);
        let progress = positions.iter().map(|(progress, _)| *progress).min().unwrap_or(MIN_WATERMARK);
        Ok((progress, positions.iter().map(|(_, rows)| *rows).max().unwrap_or(0)))
    }

    /// Hands over the present position.
    pub(crate) fn snapshot(&mut self, progress: i64, rows: u64, snapshot: &mut Snapshot) {
        if let Some(list) = &mut self.list {
            list.items = vec![[progress.to_le_bytes(), rows.to_le_bytes()].concat()];
            list.snapshot(snapshot);
        }
    }
}

fn read_position(item: &[u8]) -> Result<(i64, u64)> {
    let parts = item.split_first_chunk::<8>().and_then(|(progress, rows)| Some((*progress, *rows.first_chunk::<8>()?)));
    let (progress, rows) = parts.ok_or_else(|| corrupt("a position ends too early"))?;
    Ok((i64::from_le_bytes(progress), u64::from_le_bytes(rows)))
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
