//! The runs of a subtask since the last checkpoint that it knows to be complete.
//!
//! A checkpoint may fail after operators have handed over what changed. Its runs are kept here, in storage or in
//! memory, and are part of the next checkpoint. So a tail holds, table by table, everything that the last complete
//! checkpoint does not.

use super::upload::RunFile;
use headwater_checkpoint::manifest::{Run, RunKind};
use headwater_checkpoint::{GroupSet, assemble::TablePart};
use headwater_data::run::{self, EntryStream, Merge, RunWriter};
use headwater_state::{TableDelta, TableDescriptor};
use headwater_types::Result;
use std::collections::BTreeMap;

/// Runs in memory of a table before they are merged into one.
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

/// A run of a tail.
enum Piece {
    /// In storage.
    Stored(Run),
    /// In memory: encoded, in parts that follow each other; not uploaded or not successfully.
    Kept { checkpoint: u64, entries: u64, parts: Vec<Vec<u8>> },
}

impl Piece {
    fn checkpoint(&self) -> u64 {
        match self {
            Self::Stored(run) => run.checkpoint,
            Self::Kept { checkpoint, .. } => *checkpoint,
        }
    }
}

impl Tail {
    /// The tail of a subtask that owns these key groups.
    pub(super) fn new(groups: GroupSet) -> Self {
        Self { groups, tables: BTreeMap::new() }
    }

    /// Adds what changed in a table.
    pub(super) fn push(&mut self, checkpoint: u64, uid: &str, delta: TableDelta) -> Result<()> {
        let descriptor = delta.descriptor.clone();
        let key = (uid.to_owned(), descriptor.name.clone());
        let new = || TableTail { descriptor: descriptor.clone(), live: None, pieces: vec![] };
        let table = self.tables.entry(key).or_insert_with(new);
        table.descriptor = descriptor.clone();
        table.live = delta.live();
        if !delta.is_empty() {
            let entries = delta.len() as u64;
            table.pieces.push(Piece::Kept { checkpoint, entries, parts: delta.into_run_parts()? });
            table.merge_kept()?;
        }
        Ok(())
    }

    /// A checkpoint is complete: what it holds is no longer needed here.
    pub(super) fn complete(&mut self, checkpoint: u64) {
        for table in self.tables.values_mut() {
            table.pieces.retain(|piece| piece.checkpoint() > checkpoint);
        }
    }

    /// Adds what is only in memory to a file.
    pub(super) fn write(&self, file: &mut RunFile<'_>) -> Result<Vec<Pending>> {
        let mut pending = vec![];
        for (key, table) in &self.tables {
            for (index, piece) in table.pieces.iter().enumerate() {
                if let Piece::Kept { checkpoint, entries, parts } = piece {
                    let (kind, groups, place) = (RunKind::Delta, self.groups.clone(), file.append(parts)?);
                    let run = Run { kind, checkpoint: *checkpoint, groups, entries: *entries, live: table.live, place };
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
    /// Keeps the number of runs in memory down while storage is away: then the tail grows with the keys that
    /// changed and not with time.
    fn merge_kept(&mut self) -> Result<()> {
        let first = self.pieces.iter().rposition(|piece| matches!(piece, Piece::Stored(_))).map_or(0, |at| at + 1);
        let kept = &self.pieces[first..];
        if kept.len() <= KEPT_MAX {
            return Ok(());
        }
        let checkpoint = kept.last().map_or(0, Piece::checkpoint);
        let mut streams = vec![];
        for piece in kept {
            if let Piece::Kept { parts, .. } = piece {
                streams.push(run::Run::of_bytes("a run in memory", parts.concat())?.read_all());
            }
        }
        let mut merged = Merge::deltas(streams);
        let mut writer = RunWriter::new(&self.descriptor.to_header()?)?;
        let mut entries = 0;
        while merged.advance()? {
            writer.push(merged.entry())?;
            entries += 1;
        }
        self.pieces.truncate(first);
        self.pieces.push(Piece::Kept { checkpoint, entries, parts: vec![writer.finish()?] });
        Ok(())
    }
}
