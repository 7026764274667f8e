//! What a changed job keeps of a checkpoint, operator by operator, before it is deployed.
//!
//! There is one answer: the report that a client shows is the one by which a job is refused ([`Report::refusal`]).
//!
//! | verdict on an operator | a restore |
//! |---|---|
//! | kept, migrated, new | goes ahead; columns and tables of aggregates that the query no longer has are left behind |
//! | rebuilt | is refused, or, if unclaimed state may be left behind, lets the operator start empty |
//! | dropped | is refused, or, if unclaimed state may be left behind, goes ahead without |

use crate::manifest::{Manifest, OperatorState, TableState};
use headwater_state::{Compatibility, TableDescriptor, compatibility};
use headwater_types::Error;
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
    /// It does not fit: the operator can only start empty; why.
    Rebuilt(String),
    /// It is new and starts empty.
    New,
    /// Nothing of the job takes it.
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
    /// Its columns that nothing takes any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dropped_columns: Vec<String>,
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

impl OperatorReport {
    /// What of an operator that goes on is left behind, for people.
    pub fn left_behind(&self) -> Vec<String> {
        let of_table = |table: &TableReport| match table.verdict {
            Verdict::Dropped if table.bytes > 0 => vec![format!("table '{}'", table.name)],
            _ => table.dropped_columns.iter().map(|column| format!("column '{column}'")).collect(),
        };
        self.tables.iter().flat_map(of_table).collect()
    }
}

/// What becomes of all state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The operators of the new job, then those that are left behind.
    pub operators: Vec<OperatorReport>,
}

impl Report {
    /// Whether a job may start from the checkpoint without being told to leave state behind.
    pub fn is_compatible(&self) -> bool {
        let fits = |o: &OperatorReport| !matches!(o.verdict, Verdict::Rebuilt(_) | Verdict::Dropped);
        self.operators.iter().all(fits)
    }

    /// Keys of the operators whose state does not fit.
    pub fn rebuilt(&self) -> Vec<&str> {
        let rebuilt = self.operators.iter().filter(|o| matches!(o.verdict, Verdict::Rebuilt(_)));
        rebuilt.map(|operator| operator.key.as_str()).collect()
    }

    /// Why a job cannot start from the checkpoint `name` with operators whose state does not fit; `None` when all
    /// fits. Operators that are left behind are the business of [`crate::restore::check`].
    pub fn refusal(&self, name: &str) -> Option<Error> {
        let why = |operator: &OperatorReport| match &operator.verdict {
            Verdict::Rebuilt(why) => Some(format!("'{}' ({}): {why}", operator.name, operator.key)),
            _ => None,
        };
        let unfit: Vec<String> = self.operators.iter().filter_map(why).collect();
        let message = format!(
            "'{name}' holds state that the job cannot go on with: {}. Restore with the query that wrote it, or set \
             'execution.state-recovery.ignore-unclaimed-state' to true to let these operators start empty",
            unfit.join("; ")
        );
        (!unfit.is_empty()).then(|| Error::user("state-incompatible", message))
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
    OperatorReport {
        key: state.key.clone(),
        name: state.name.clone(),
        verdict: Verdict::Dropped,
        tables: state.tables.iter().map(|table| left_table(table, Verdict::Dropped)).collect(),
    }
}

fn left_table(table: &TableState, verdict: Verdict) -> TableReport {
    TableReport { name: table.descriptor.name.clone(), verdict, dropped_columns: vec![], bytes: table.bytes() }
}

fn compare_operator(state: Option<&OperatorState>, wanted: &WantedOperator) -> OperatorReport {
    let stored = state.map_or(&[][..], |state| &state.tables);
    // An operator that had no table yet can get any.
    let had_tables = stored.iter().any(|table| !table.runs.is_empty());
    let mut tables: Vec<TableReport> = vec![];
    for descriptor in &wanted.tables {
        tables.push(match stored.iter().find(|table| table.descriptor.name == descriptor.name) {
            Some(table) => compare_table(table, descriptor),
            None => TableReport {
                name: descriptor.name.clone(),
                verdict: new_table(descriptor, had_tables),
                dropped_columns: vec![],
                bytes: 0,
            },
        });
    }
    let wanted_table = |table: &&TableState| wanted.tables.iter().any(|w| w.name == table.descriptor.name);
    for table in stored.iter().filter(|table| !wanted_table(table)) {
        let detachable = table.descriptor.detachable || table.runs.is_empty();
        let verdict = match detachable {
            true => Verdict::Dropped,
            false => Verdict::Rebuilt(format!("nothing takes its table '{}'", table.descriptor.name)),
        };
        tables.push(left_table(table, verdict));
    }
    let verdict = match state {
        None => Verdict::New,
        Some(_) => worst(&tables),
    };
    OperatorReport { key: wanted.key.clone(), name: wanted.name.clone(), verdict, tables }
}

/// A table that an operator opens and the checkpoint does not have.
fn new_table(wanted: &TableDescriptor, had_tables: bool) -> Verdict {
    match had_tables && !wanted.detachable {
        true => Verdict::Rebuilt(format!("it needs a table '{}' that the stored state does not have", wanted.name)),
        false => Verdict::New,
    }
}

/// The verdict on an operator, from those on its tables.
fn worst(tables: &[TableReport]) -> Verdict {
    if let Some(bad) = tables.iter().find(|table| matches!(table.verdict, Verdict::Rebuilt(_))) {
        return bad.verdict.clone();
    }
    let changes = |table: &TableReport| match &table.verdict {
        Verdict::Migrated(changes) => changes.clone(),
        _ => vec![],
    };
    let changes: Vec<String> = tables.iter().flat_map(changes).collect();
    if changes.is_empty() { Verdict::Kept } else { Verdict::Migrated(changes) }
}

/// Compares a stored table with the one an operator opens.
fn compare_table(stored: &TableState, wanted: &TableDescriptor) -> TableReport {
    let (verdict, dropped_columns) = match compatibility(&stored.descriptor, wanted) {
        Compatibility::Same => (Verdict::Kept, vec![]),
        Compatibility::Migrated { what, dropped } if what.is_empty() => (Verdict::Kept, dropped),
        Compatibility::Migrated { what, dropped } => (Verdict::Migrated(what), dropped),
        Compatibility::Incompatible { why } => {
            (Verdict::Rebuilt(format!("its table '{}' does not fit: {why}", wanted.name)), vec![])
        }
    };
    TableReport { name: wanted.name.clone(), verdict, dropped_columns, bytes: stored.bytes() }
}

#[cfg(test)]
mod tests;
