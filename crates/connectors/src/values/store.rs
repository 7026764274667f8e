//! The rows that `values` tables read and write, shared by the whole process.

use headwater_plan::Value;
use headwater_types::RowKind;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// A row of a changelog.
pub type Row = (RowKind, Vec<Value>);

#[derive(Default)]
struct Tables {
    sources: HashMap<String, Arc<Vec<Row>>>,
    sinks: HashMap<String, Vec<Row>>,
}

static TABLES: LazyLock<Mutex<Tables>> = LazyLock::new(Mutex::default);

fn tables() -> MutexGuard<'static, Tables> {
    // Holders only insert and clone: what a panic leaves behind is whole.
    TABLES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Access to the rows by the option `data-id` of a table.
pub struct Store;

impl Store {
    /// Sets the rows that a source emits: the physical columns in declared order, then the readable metadata.
    pub fn register(data_id: impl Into<String>, rows: Vec<Row>) {
        tables().sources.insert(data_id.into(), Arc::new(rows));
    }

    /// The rows a sink was sent so far, in the order they came; those of several subtasks interleave.
    pub fn results(data_id: &str) -> Vec<Row> {
        tables().sinks.get(data_id).cloned().unwrap_or_default()
    }

    /// Forgets the rows of a name, as source and as sink.
    pub fn remove(data_id: &str) {
        let mut tables = tables();
        tables.sources.remove(data_id);
        tables.sinks.remove(data_id);
    }

    pub(super) fn source_rows(data_id: &str) -> Option<Arc<Vec<Row>>> {
        tables().sources.get(data_id).cloned()
    }

    pub(super) fn append(data_id: &str, rows: impl IntoIterator<Item = Row>) {
        tables().sinks.entry(data_id.to_string()).or_default().extend(rows);
    }
}

/// A text that lives as long as the process; equal texts are kept once.
pub(super) fn intern(text: String) -> &'static str {
    static TEXTS: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = texts.get(text.as_str()) {
        return known;
    }
    let leaked: &'static str = text.leak();
    texts.insert(leaked);
    leaked
}
