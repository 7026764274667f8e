//! What a changed job keeps of a checkpoint, operator by operator, before it is deployed.

use crate::manifest::{Manifest, OperatorState, TableState};
use headwater_state::{Compatibility, TableDescriptor, compatibility};
use serde::Serialize;
use std::fmt;

/// An operator of the new job and the state it will open.
#[derive(Debug, Clone, PartialEq)]
pub struct WantedOperator {
    /// Key of the operator, see [`crate::layout::operator_keys`].
    pub key: String,
    /// Display name.
    pub name: String,
    /// Its tables.
    pub tables: Vec<TableDescriptor>,
}

/// What becomes of stored state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "verdict", content = "why")]
pub enum Verdict {
    /// It fits as it is.
    Kept,
    /// It is converted while it is read; the changes.
    Migrated(Vec<String>),
    /// It does not fit: the operator starts empty; why.
    Rebuilt(String),
    /// The operator is new and starts empty.
    New,
    /// No operator of the job takes it.
    Dropped,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("kept"),
            Self::Migrated(changes) => write!(f, "migrated: {}", changes.join(", ")),
            Self::Rebuilt(why) => write!(f, "rebuilt: {why}"),
            Self::New => f.write_str("new"),
            Self::Dropped => f.write_str("dropped"),
        }
    }
}

/// A table of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// Its name.
    pub name: String,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Stored bytes.
    pub bytes: u64,
}

/// An operator of the checkpoint or of the new job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorReport {
    /// Its key.
    pub key: String,
    /// Display name.
    pub name: String,
    /// What becomes of its state: the worst of its tables.
    pub verdict: Verdict,
    /// Its tables.
    pub tables: Vec<TableReport>,
}

/// What becomes of all state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The operators of the new job, then those that are left behind.
    pub operators: Vec<OperatorReport>,
}

impl Report {
    /// Whether all state is kept or migrated.
    pub fn is_compatible(&self) -> bool {
        let fits = |o: &OperatorReport| !matches!(o.verdict, Verdict::Rebuilt(_) | Verdict::Dropped);
        self.operators.iter().all(fits)
    }
}

/// Compares a checkpoint with the operators of a new job.
pub fn compare(manifest: &Manifest, wanted: &[WantedOperator]) -> Report {
    let mut operators: Vec<OperatorReport> =
        wanted.iter().map(|operator| compare_operator(manifest.operator(&operator.key), operator)).collect();
    let taken = |state: &&OperatorState| wanted.iter().any(|operator| operator.key == state.key);
    let left = manifest.operators.iter().filter(|state| !state.is_stateless() && !taken(state));
    operators.extend(left.map(dropped));
    Report { operators }
}

fn dropped(state: &OperatorState) -> OperatorReport {
    let table = |table: &TableState| table_report(&table.descriptor.name, Verdict::Dropped, table.bytes());
    OperatorReport {
        key: state.key.clone(),
        name: state.name.clone(),
        verdict: Verdict::Dropped,
        tables: state.tables.iter().map(table).collect(),
    }
}

fn table_report(name: &str, verdict: Verdict, bytes: u64) -> TableReport {
    TableReport { name: name.to_owned(), verdict, bytes }
}

fn compare_operator(state: Option<&OperatorState>, wanted: &WantedOperator) -> OperatorReport {
    let stored = |name: &str| state?.tables.iter().find(|table| table.descriptor.name == name);
    let mut tables: Vec<TableReport> = vec![];
    for descriptor in &wanted.tables {
        let table = stored(&descriptor.name);
        let verdict = table.map_or(Verdict::New, |table| compare_table(&table.descriptor, descriptor));
        tables.push(table_report(&descriptor.name, verdict, table.map_or(0, TableState::bytes)));
    }
    let wanted_table = |table: &&TableState| wanted.tables.iter().any(|w| w.name == table.descriptor.name);
    let left = state.map_or(&[][..], |state| &state.tables).iter().filter(|table| !wanted_table(table));
    tables.extend(left.map(|table| table_report(&table.descriptor.name, Verdict::Dropped, table.bytes())));
    let verdict = match state {
        None => Verdict::New,
        Some(_) => worst(&tables),
    };
    OperatorReport { key: wanted.key.clone(), name: wanted.name.clone(), verdict, tables }
}

/// The verdict on an operator, from those on its tables.
fn worst(tables: &[TableReport]) -> Verdict {
    if let Some(bad) = tables.iter().find(|table| matches!(table.verdict, Verdict::Rebuilt(_))) {
        return bad.verdict.clone();
    }
    let changes = |table: &TableReport| match &table.verdict {
        Verdict::Migrated(changes) => changes.clone(),
        Verdict::Dropped => vec![format!("table {} is dropped", table.name)],
        _ => vec![],
    };
    let changes: Vec<String> = tables.iter().flat_map(changes).collect();
    if changes.is_empty() { Verdict::Kept } else { Verdict::Migrated(changes) }
}

/// Compares a stored table with the one an operator opens.
pub fn compare_table(stored: &TableDescriptor, wanted: &TableDescriptor) -> Verdict {
    match compatibility(stored, wanted) {
        Compatibility::Same => Verdict::Kept,
        Compatibility::Migrated { what } => Verdict::Migrated(what),
        Compatibility::Incompatible { why } => Verdict::Rebuilt(why),
    }
}

#[cfg(test)]
mod tests;
