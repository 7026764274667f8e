//! The runs of a subtask since the last checkpoint that it knows to be complete.
//!
//! A checkpoint may fail after operators have handed over what changed. What changed is kept here, as a run in storage
//! or as the operators handed it over, and is part of the next checkpoint. So a tail holds, table by table, everything
//! that the last complete checkpoint does not. Nothing is encoded before it is uploaded.

use super::upload::StateFile;
use headwater_checkpoint::manifest::{Run, RunKind};
use headwater_checkpoint::{GroupSet, assemble::TablePart};
use headwater_state::{TableDelta, TableDescriptor};
use headwater_types::Result;
use std::collections::BTreeMap;

/// Deltas of a table that are kept before they are merged into one.
const KEPT_MAX: usize = 4;

/// The tail of a subtask.
pub(super) struct Tail {
    groups: GroupSet,
    /// By operator uid and table name.
    tables: BTreeMap<(String, String), TableTail>,
}

struct TableTail {
    descriptor: TableDescriptor,
    /// Entries that the table has, where that is known.
    live: Option<u64>,
    /// Oldest first.
    pieces: Vec<Piece>,
}

/// Changes of a table.
enum Piece {
    /// In storage.
    Stored(Run),
    /// Not uploaded, or not successfully.
    Kept { checkpoint: u64, delta: Box<TableDelta> },
}

impl Piece {
    fn checkpoint(&self) -> u64 {
        match self {
            Self::Stored(run) => run.checkpoint,
            Self::Kept { checkpoint, .. } => *checkpoint,
        }
    }

    fn kept(&self) -> Option<&TableDelta> {
        match self {
            Self::Stored(_) => None,
            Self::Kept { delta, .. } => Some(delta),
        }
    }
}

impl Tail {
    /// The tail of a subtask that owns these key groups.
    pub(super) fn new(groups: GroupSet) -> Self {
        Self { groups, tables: BTreeMap::new() }
    }

    /// Adds what changed in a table.
    pub(super) fn push(&mut self, checkpoint: u64, uid: &str, delta: TableDelta) {
        let descriptor = delta.descriptor.clone();
        let key = (uid.to_owned(), descriptor.name.clone());
        let new = || TableTail { descriptor: descriptor.clone(), live: None, pieces: vec![] };
        let table = self.tables.entry(key).or_insert_with(new);
        table.descriptor = descriptor.clone();
        table.live = delta.live();
        if !delta.is_empty() {
            table.pieces.push(Piece::Kept { checkpoint, delta: Box::new(delta) });
            table.merge_kept();
        }
    }

    /// A checkpoint is complete: what it holds is no longer needed here.
    pub(super) fn complete(&mut self, checkpoint: u64) {
        for table in self.tables.values_mut() {
            table.pieces.retain(|piece| piece.checkpoint() > checkpoint);
        }
    }

    /// About how many bytes [`Tail::write`] writes, and the memory that it takes beside that of what it writes.
    pub(super) fn writing_bytes(&self) -> (u64, u64) {
        let kept = || self.tables.values().flat_map(|table| &table.pieces).filter_map(Piece::kept);
        let memory = kept().map(TableDelta::writing_bytes).max().unwrap_or(0);
        (kept().map(TableDelta::writes_bytes).sum(), memory)
    }

    /// Adds what is not in storage to a file.
    pub(super) fn write(&mut self, file: &mut StateFile<'_>) -> Result<Vec<Pending>> {
        let mut pending = vec![];
        for (key, table) in &mut self.tables {
            for (index, piece) in table.pieces.iter_mut().enumerate() {
                if let Piece::Kept { checkpoint, delta } = piece {
                    let place = file.append(|out| delta.write_run(out))?;
                    let (kind, groups, entries) = (RunKind::Delta, self.groups.clone(), delta.len() as u64);
                    let run = Run { kind, checkpoint: *checkpoint, groups, entries, live: table.live, place };
                    pending.push(Pending { key: key.clone(), index, run });
                }
            }
        }
        Ok(pending)
    }

    /// The file is in storage.
    pub(super) fn stored(&mut self, pending: Vec<Pending>) {
        for Pending { key, index, run } in pending {
            if let Some(piece) = self.tables.get_mut(&key).and_then(|table| table.pieces.get_mut(index)) {
                *piece = Piece::Stored(run);
            }
        }
    }

    /// The tables of an operator, with all runs of the tail; everything is in storage.
    pub(super) fn parts(&self, uid: &str) -> Vec<TablePart> {
        let stored = |piece: &Piece| match piece {
            Piece::Stored(run) => Some(run.clone()),
            Piece::Kept { .. } => None,
        };
        let part = |table: &TableTail| TablePart {
            descriptor: table.descriptor.clone(),
            runs: table.pieces.iter().filter_map(stored).collect(),
            replaces: false,
        };
        self.tables.iter().filter(|((owner, _), _)| owner == uid).map(|(_, table)| part(table)).collect()
    }
}

/// A run that is part of a file which is not yet in storage.
pub(super) struct Pending {
    key: (String, String),
    index: usize,
    run: Run,
}

impl TableTail {
    /// Keeps the number of deltas down while storage is away: then the tail grows with the keys that changed and not
    /// with time.
    fn merge_kept(&mut self) {
        let first = self.pieces.iter().rposition(|piece| piece.kept().is_none()).map_or(0, |at| at + 1);
        if self.pieces.len() - first <= KEPT_MAX {
            return;
        }
        let checkpoint = self.pieces.last().map_or(0, Piece::checkpoint);
        let delta = |piece| match piece {
            Piece::Kept { delta, .. } => Some(*delta),
            Piece::Stored(_) => None,
        };
        let merged = TableDelta::merged(self.pieces.drain(first..).filter_map(delta).collect());
        self.pieces.extend(merged.map(|delta| Piece::Kept { checkpoint, delta: Box::new(delta) }));
    }
}
