//! What an upload keeps in memory, and what it leaves when it does not come to its end.

use super::*;
use headwater_checkpoint::GroupSet;
use headwater_checkpoint::manifest::checksum;
use headwater_data::run::{Entries, EntryRef, Run};
use headwater_env::{MemoryStorage, ObjectMeta};
use headwater_runtime::{Barrier, BarrierKind};
use headwater_state::{Column, Snapshot, TableDelta, TableDescriptor};
use headwater_types::{LogicalType, TypeRoot};
use std::ops::Range;
use std::sync::Mutex;

/// Storage that knows how it was written, and that may be full.
#[derive(Default)]
struct Watched {
    objects: MemoryStorage,
    /// Sizes of the parts of finished and unfinished objects.
    parts: Mutex<Vec<usize>>,
    /// Bytes that it takes in all; 0 for any number.
    room: usize,
}

struct WatchedObject<'a> {
    storage: &'a Watched,
    path: String,
    content: Vec<u8>,
}

impl ObjectWriter for WatchedObject<'_> {
    fn write(&mut self, part: &[u8]) -> Result<()> {
        self.content.extend_from_slice(part);
        self.storage.parts.lock().unwrap().push(part.len());
        if self.storage.room > 0 && self.content.len() > self.storage.room {
            return Err(Error::user("storage-full", "the disk is full"));
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.storage.objects.put(&self.path, &self.content)
    }
}

impl Storage for Watched {
    fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        self.objects.put(path, content)
    }

    fn put_stream<'a>(&'a self, path: &str) -> Result<Box<dyn ObjectWriter + 'a>> {
        Ok(Box::new(WatchedObject { storage: self, path: path.to_owned(), content: vec![] }))
    }

    fn stream_bytes(&self) -> u64 {
        1 << 20
    }

    fn put_if_absent(&self, path: &str, content: &[u8]) -> Result<bool> {
        self.objects.put_if_absent(path, content)
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.objects.get(path)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>> {
        self.objects.get_range(path, range)
    }

    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        self.objects.list(prefix)
    }

    fn delete(&self, path: &str) -> Result<()> {
        self.objects.delete(path)
    }
}

const SUBTASK: SubtaskId = SubtaskId { vertex: headwater_types::ids::VertexId(0), index: 0 };

fn context(storage: &Arc<Watched>) -> UploadContext {
    let (env, memory) = (Env::simulated(1, 0).0, CheckpointMemory::new(8 << 20));
    UploadContext { env, storage: storage.clone(), memory, inline_bytes: 10, spreads: vec![] }
}

fn delta(table: &str, keys: Range<u32>) -> TableDelta {
    let column = |name: &str| vec![Column::new(name, LogicalType::from(TypeRoot::BigInt))];
    let keys: Vec<_> = keys.map(u32::to_be_bytes).collect();
    let entries = keys.iter().map(|key| EntryRef { group: 1, key, map_key: &[], value: Some(&[7; 100]) });
    TableDelta::new(TableDescriptor::value(table, column("k"), column("v")), entries.collect::<Entries>())
}

fn snapshot(checkpoint: u64, tables: Vec<TableDelta>) -> SubtaskSnapshot {
    let kind = BarrierKind::Checkpoint;
    let barrier = Barrier { checkpoint, triggered_at_ms: 0, alignment: headwater_runtime::Alignment::Aligned, kind };
    let snapshot = Snapshot { tables, lists: vec![] };
    SubtaskSnapshot {
        barrier,
        finished: false,
        aborted: false,
        splits: vec![],
        operators: vec![OperatorState { uid: "o".to_owned(), snapshot, watermark: 0 }],
        writer: vec![vec![1; 50], vec![2; 5], vec![3; 60]],
        committables: vec![],
        channel_state: vec![],
        stats: SnapshotStats::default(),
    }
}

fn tail() -> Tail {
    Tail::new(GroupSet::of(0..4))
}

/// Entries of the runs that a part names, which are all there and as they should be.
fn entries_of(storage: &Watched, part: &SubtaskPart) -> Vec<u64> {
    let runs = part.operators.iter().flat_map(|operator| &operator.tables).flat_map(|table| &table.runs);
    let read = |run: &headwater_checkpoint::manifest::Run| {
        let Place { file, offset, bytes, .. } = &run.place;
        let stored = storage.get_range(file, *offset..offset + bytes).unwrap();
        assert_eq!(checksum(&stored), run.place.checksum);
        Run::of_bytes("run", stored).unwrap().entries()
    };
    runs.map(read).collect()
}

#[test]
fn much_is_written_in_small_parts_and_little_into_one_file() {
    let storage = Arc::new(Watched::default());
    let context = context(&storage);
    let tables = vec![delta("a", 0..50_000), delta("b", 0..3)];
    let (part, statistics) = upload(&context, SUBTASK, snapshot(1, tables), &mut tail(), &|| false).unwrap();
    assert_eq!(entries_of(&storage, &part), [50_000, 3]);
    let parts = storage.parts.lock().unwrap().clone();
    assert!(parts.iter().all(|part| *part <= 300 << 10), "{parts:?}");
    assert!(parts.iter().sum::<usize>() as u64 == statistics.bytes && statistics.bytes > 5 << 20);
    let stored = |blob: &Blob| matches!(blob, Blob::Stored(_));
    assert_eq!(part.writer.iter().map(stored).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(storage.list("").unwrap().len(), 2, "runs, and opaque values");
    assert_eq!(context.memory.budget.used_bytes(), 0, "it is given back");
}

/// Neither leaves a file, and what changed is part of the next checkpoint.
#[test]
fn what_fails_or_is_given_up_leaves_no_file_and_loses_nothing() {
    let (full, storage) = (Watched { room: 1 << 20, ..Watched::default() }, Arc::new(Watched::default()));
    let full = Arc::new(full);
    let mut tail = tail();
    let failed = upload(&context(&full), SUBTASK, snapshot(1, vec![delta("a", 0..50_000)]), &mut tail, &|| false);
    assert_eq!(failed.unwrap_err().code(), "storage-full");
    let asked = Mutex::new(0);
    let given_up = || {
        *asked.lock().unwrap() += 1;
        *asked.lock().unwrap() > 3
    };
    let aborted = upload(&context(&storage), SUBTASK, snapshot(2, vec![delta("a", 9..20)]), &mut tail, &given_up);
    assert!(aborted.is_err());
    assert!(full.list("").unwrap().is_empty() && storage.list("").unwrap().is_empty());
    let (part, _) =
        upload(&context(&storage), SUBTASK, snapshot(3, vec![delta("a", 0..1)]), &mut tail, &|| false).unwrap();
    assert_eq!(entries_of(&storage, &part), [50_000, 11, 1]);
}

/// While storage is away, what is kept grows with the keys that changed and not with the checkpoints.
#[test]
fn an_outage_keeps_each_key_once() {
    let full = Arc::new(Watched { room: 1, ..Watched::default() });
    let (away, mut tail) = (context(&full), tail());
    for checkpoint in 1..=20 {
        let tables = vec![delta("a", 0..1000)];
        assert!(upload(&away, SUBTASK, snapshot(checkpoint, tables), &mut tail, &|| false).is_err());
    }
    let storage = Arc::new(Watched::default());
    let (part, _) = upload(&context(&storage), SUBTASK, snapshot(21, vec![]), &mut tail, &|| false).unwrap();
    let entries = entries_of(&storage, &part);
    assert!(entries.len() <= 4 && entries.iter().all(|entries| *entries == 1000), "{entries:?}");
}
