//! The runs of all tables as of the last completed checkpoint.

use crate::GroupSet;
use crate::manifest::{Manifest, Run, RunKind, TableState};
use std::collections::BTreeMap;

/// The runs that the next checkpoint builds on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Chain {
    checkpoint: Option<u64>,
    /// By operator key and table name.
    tables: BTreeMap<String, BTreeMap<String, TableState>>,
}

/// Tables of an operator without any.
static NO_TABLES: BTreeMap<String, TableState> = BTreeMap::new();

impl Chain {
    /// The runs of a completed checkpoint.
    pub fn of(manifest: &Manifest) -> Self {
        let tables_of =
            |tables: &[TableState]| tables.iter().map(|table| (table.descriptor.name.clone(), table.clone())).collect();
        let tables = manifest.operators.iter().map(|operator| (operator.key.clone(), tables_of(&operator.tables)));
        Self { checkpoint: Some(manifest.checkpoint), tables: tables.collect() }
    }

    /// The checkpoint it is of; `None` before the first.
    pub fn checkpoint(&self) -> Option<u64> {
        self.checkpoint
    }

    /// The tables of an operator.
    pub fn tables(&self, operator: &str) -> &BTreeMap<String, TableState> {
        self.tables.get(operator).unwrap_or(&NO_TABLES)
    }

    /// All tables with the keys of their operators.
    pub fn all(&self) -> impl Iterator<Item = (&str, &TableState)> {
        self.tables.iter().flat_map(|(key, tables)| tables.values().map(move |table| (key.as_str(), table)))
    }

    /// Puts `merged` in the place of the runs of a table that it was made of: those after checkpoint `since` (from
    /// the beginning when `None`) up to its own, in its groups. `false` when the table is gone.
    pub fn replace(&mut self, operator: &str, table: &str, since: Option<u64>, merged: Run) -> bool {
        let table = self.tables.get_mut(operator).and_then(|tables| tables.get_mut(table));
        let Some(table) = table else { return false };
        let made_of =
            |run: &Run| run.checkpoint <= merged.checkpoint && since.is_none_or(|since| run.checkpoint > since);
        for run in table.runs.iter_mut().filter(|run| made_of(run)) {
            run.groups = run.groups.without(&merged.groups);
        }
        table.runs.retain(|run| !run.groups.is_empty());
        insert(&mut table.runs, merged);
        true
    }
}

/// Takes groups away from all runs.
pub(super) fn take_away(runs: &mut Vec<Run>, groups: &GroupSet) {
    runs.iter_mut().for_each(|run| run.groups = run.groups.without(groups));
    runs.retain(|run| !run.groups.is_empty());
}

/// Adds a run behind those of its own and earlier checkpoints. A base takes its groups away from these.
pub(super) fn insert(runs: &mut Vec<Run>, run: Run) {
    let at = runs.partition_point(|other| other.checkpoint <= run.checkpoint);
    if run.kind == RunKind::Base {
        runs[..at].iter_mut().for_each(|older| older.groups = older.groups.without(&run.groups));
    }
    if run.entries > 0 {
        runs.insert(at, run);
    }
    runs.retain(|run| !run.groups.is_empty());
}
