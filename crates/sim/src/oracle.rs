//! What a job has committed, folded to a result; two runs of a job must agree on it.

use crate::connector::OUTPUT;
use crate::jobs::Fold;
use crate::storage::ObjectStore;
use crate::trace::Trace;
use headwater_env::Storage;
use headwater_types::Result;
use std::collections::BTreeMap;

/// Rows of every sink, each with how often it is there.
pub(crate) type Table = BTreeMap<(String, String), i64>;

/// The result of what was committed so far.
pub(crate) fn committed(store: &ObjectStore, fold: Fold) -> Result<Table> {
    let mut table = Table::new();
    let mut last: BTreeMap<(String, String), Option<String>> = BTreeMap::new();
    // In the order of their paths, and so of their checkpoints.
    for object in store.objects().list(&format!("{OUTPUT}/"))? {
        let sink = object.path.split('/').nth(1).unwrap_or_default().to_owned();
        let content = store.objects().get(&object.path)?.unwrap_or_default();
        for line in String::from_utf8_lossy(&content).lines() {
            let (kind, row) = line.split_once('\t').unwrap_or((line, ""));
            let is_add = matches!(kind, "+I" | "+U");
            match fold {
                Fold::Retract => {
                    *table.entry((sink.clone(), row.to_owned())).or_default() += if is_add { 1 } else { -1 }
                }
                Fold::Upsert(columns) => {
                    let key = row.split('\t').take(columns).collect::<Vec<_>>().join("\t");
                    last.insert((sink.clone(), key), is_add.then(|| row.to_owned()));
                }
            }
        }
    }
    for ((sink, _), row) in last {
        if let Some(row) = row {
            table.insert((sink, row), 1);
        }
    }
    table.retain(|_, count| *count != 0);
    Ok(table)
}

/// Adds what was committed to the trace, for whoever looks at a failed seed.
pub(crate) fn show_committed(store: &ObjectStore, trace: &Trace) {
    for object in store.objects().list(&format!("{OUTPUT}/")).unwrap_or_default() {
        let content = store.objects().get(&object.path).ok().flatten().unwrap_or_default();
        trace.line(|| format!("committed {}:\n{}", object.path, String::from_utf8_lossy(&content).trim_end()));
    }
}

/// How two results differ; empty when they agree.
pub(crate) fn difference(expected: &Table, actual: &Table) -> Vec<String> {
    let all = expected.keys().chain(actual.keys().filter(|row| !expected.contains_key(*row)));
    let count = |table: &Table, row: &(String, String)| table.get(row).copied().unwrap_or_default();
    let differs = all.filter(|row| count(expected, row) != count(actual, row));
    let line = |row: &(String, String)| {
        let (expected, actual) = (count(expected, row), count(actual, row));
        format!("{} [{}]: {actual} times instead of {expected}", row.0, row.1.replace('\t', ", "))
    };
    differs.map(line).collect()
}
