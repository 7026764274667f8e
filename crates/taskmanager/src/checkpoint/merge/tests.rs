//! What a merge makes of runs of either form.

use super::*;
use headwater_data::run::{DeltaBuilder, Entries, EntryRef, RunOptions, encode};
use headwater_env::MemoryStorage;
use headwater_state::Column;
use headwater_state::memory::MemoryBudget;
use headwater_types::{LogicalType, TypeRoot};

/// Key group, key and value; no value deletes.
type Entry = (u32, &'static str, Option<&'static str>);

fn table(name: &str) -> TableDescriptor {
    let column = |name: &str| vec![Column::new(name, LogicalType::from(TypeRoot::BigInt))];
    TableDescriptor::value(name, column("k"), column("v"))
}

fn entry(&(group, key, value): &Entry) -> EntryRef<'_> {
    EntryRef { group, key: key.as_bytes(), map_key: &[], value: value.map(str::as_bytes) }
}

fn memory(bytes: u64) -> WorkMemory {
    WorkMemory::new(MemoryBudget::unlimited(), bytes)
}

/// Stores a run of a checkpoint.
fn store(storage: &dyn Storage, checkpoint: u64, table: &TableDescriptor, sorted: bool, entries: &[Entry]) -> Run {
    let header = table.to_header().unwrap();
    let bytes = if sorted {
        encode(&header, &entries.iter().map(entry).collect::<Entries>(), RunOptions::DELTA).unwrap()
    } else {
        let mut delta = DeltaBuilder::new();
        delta.extend(entries.iter().map(entry));
        delta.finish(&header).unwrap()
    };
    let file = format!("run-{checkpoint}");
    storage.put(&file, &bytes).unwrap();
    let place = Place { file, offset: 0, bytes: bytes.len() as u64, checksum: 0 };
    let (groups, live) = (GroupSet::of(0..4), Some(100 + checkpoint));
    Run { kind: RunKind::Delta, checkpoint, groups, entries: entries.len() as u64, live, place }
}

/// The entries of a merged run as they are stored, and whether it is sorted.
fn merged(storage: &Arc<dyn Storage>, runs: Vec<Run>, kind: RunKind) -> (Vec<String>, bool) {
    let checkpoint = runs.last().unwrap().checkpoint;
    let what = Merge { runs, groups: GroupSet::of(0..4), kind, since: None, checkpoint };
    let run = merge(storage, &what, "merged", &memory(1 << 20), 0).unwrap();
    assert_eq!((run.checkpoint, run.live, &run.groups), (checkpoint, Some(100 + checkpoint), &what.groups));
    let (stored, mut seen) = (open(storage, &run, 0).unwrap(), vec![]);
    let show = |entry: EntryRef<'_>| {
        let (key, value) = (String::from_utf8_lossy(entry.key), entry.value.map(String::from_utf8_lossy));
        seen.push(format!("{key}={}", value.as_deref().unwrap_or("-")));
        Ok(())
    };
    stored.visit_written(show).unwrap();
    assert_eq!(run.entries, seen.len() as u64);
    (seen, stored.is_sorted())
}

const OLD: &[Entry] = &[(1, "a", Some("1")), (3, "b", Some("1")), (7, "z", Some("1"))];
const NEW: &[Entry] = &[(1, "a", None), (1, "c", Some("2"))];

#[test]
fn unsorted_runs_are_gathered_by_group_in_the_order_they_came() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::default());
    let runs =
        |sorted| vec![store(&*storage, 1, &table("t"), sorted, OLD), store(&*storage, 2, &table("t"), false, NEW)];
    let expected = (["a=1", "a=-", "c=2", "b=1"].map(str::to_owned).to_vec(), false);
    assert_eq!(merged(&storage, runs(false), RunKind::Delta), expected);
    assert_eq!(merged(&storage, runs(true), RunKind::Delta), expected, "one of them may be sorted");
}

#[test]
fn a_base_has_each_entry_once_and_in_order() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::default());
    let runs = vec![store(&*storage, 1, &table("t"), false, OLD), store(&*storage, 2, &table("t"), false, NEW)];
    assert_eq!(merged(&storage, runs, RunKind::Base), (["c=2", "b=1"].map(str::to_owned).to_vec(), true));
}

#[test]
fn sorted_runs_stay_sorted() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::default());
    let runs = vec![store(&*storage, 1, &table("t"), true, OLD), store(&*storage, 2, &table("t"), true, NEW)];
    assert_eq!(merged(&storage, runs, RunKind::Delta), (["a=-", "c=2", "b=1"].map(str::to_owned).to_vec(), true));
}

#[test]
fn a_table_that_changed_is_rewritten() {
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::default());
    let before = TableDescriptor { detachable: true, ..table("t") };
    let runs = vec![store(&*storage, 1, &before, false, OLD), store(&*storage, 2, &table("t"), false, NEW)];
    assert!(merged(&storage, runs, RunKind::Delta).1);
}

/// The parts of the runs are no more than the whole, as long as that is enough for the least part of each.
#[test]
fn runs_share_the_memory_by_their_sizes() {
    let storage = MemoryStorage::default();
    let mut runs: Vec<Run> = (1..=3).map(|checkpoint| store(&storage, checkpoint, &table("t"), false, OLD)).collect();
    let (min, max) = (run::Run::MEMORY_MIN, run::Run::MEMORY_MAX);
    assert_eq!(reading_bytes(&runs, 1 << 40), [min; 3], "of small runs nobody needs much");
    for (run, bytes) in runs.iter_mut().zip([1 << 20, 30 << 20, 3 << 30]) {
        run.place.bytes = bytes;
    }
    let parts = reading_bytes(&runs, 64 << 20);
    assert!(parts.iter().sum::<u64>() <= (64 << 20) + 3 * min && parts.is_sorted(), "{parts:?}");
    assert_eq!(reading_bytes(&runs, 1 << 40), [4 << 20, max, max]);
}
