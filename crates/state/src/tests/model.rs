use super::*;
use headwater_data::key_codec::EncodedKeys;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

type Model = BTreeMap<(Vec<u8>, Vec<u8>), Vec<u8>>;

#[derive(Debug, Clone)]
enum Step {
    Put(Vec<u8>, Vec<u8>, Vec<u8>),
    Delete(Vec<u8>, Vec<u8>),
    Clear(Vec<u8>),
    Get(Vec<u8>, Vec<u8>),
    Scan(Vec<u8>, Bound<Vec<u8>>, Bound<Vec<u8>>, bool, usize),
    Prefetch(Vec<Vec<u8>>),
    Snapshot,
    /// Restores the given key groups from the last snapshot.
    Restore(u32, u32),
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(prop::sample::select(vec![0u8, 1, 255]), 0..3), (0u8..6).prop_map(|n| vec![n]),]
}

fn values() -> impl Strategy<Value = Vec<u8>> {
    (any::<u8>(), prop_oneof![9 => 0..40usize, 1 => 0..2000usize]).prop_map(|(byte, length)| vec![byte; length])
}

fn bounds() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![Just(Bound::Unbounded), keys().prop_map(Bound::Included), keys().prop_map(Bound::Excluded)]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        12 => (keys(), keys(), values()).prop_map(|(k, m, v)| Step::Put(k, m, v)),
        5 => (keys(), keys()).prop_map(|(k, m)| Step::Delete(k, m)),
        1 => keys().prop_map(Step::Clear),
        6 => (keys(), keys()).prop_map(|(k, m)| Step::Get(k, m)),
        4 => (keys(), bounds(), bounds(), any::<bool>(), 0..9usize).prop_map(|(k, a, b, r, n)| Step::Scan(k, a, b, r, n)),
        1 => prop::collection::vec(keys(), 0..5).prop_map(Step::Prefetch),
        2 => Just(Step::Snapshot),
        1 => (0..GROUPS, 1..=GROUPS).prop_map(|(start, length)| Step::Restore(start, (start + length).min(GROUPS))),
    ];
    prop::collection::vec(step, 0..150)
}

fn slice(bound: &Bound<Vec<u8>>) -> Bound<&[u8]> {
    bound.as_ref().map(Vec::as_slice)
}

fn within(bounds: (Bound<&[u8]>, Bound<&[u8]>), map_key: &[u8]) -> bool {
    let above = match bounds.0 {
        Bound::Unbounded => true,
        Bound::Included(start) => map_key >= start,
        Bound::Excluded(start) => map_key > start,
    };
    above
        && match bounds.1 {
            Bound::Unbounded => true,
            Bound::Included(end) => map_key <= end,
            Bound::Excluded(end) => map_key < end,
        }
}

fn scan_model(model: &Model, step: &Step) -> Vec<(Vec<u8>, Vec<u8>)> {
    let Step::Scan(key, start, end, reverse, limit) = step else { unreachable!() };
    let of_key = model.iter().filter(|((k, _), _)| k == key).map(|((_, m), v)| (m.clone(), v.clone()));
    let mut found: Vec<_> = of_key.filter(|(m, _)| within((slice(start), slice(end)), m)).collect();
    if *reverse {
        found.reverse();
    }
    found.truncate(limit + 1);
    found
}

fn scan_table(table: &mut MapTable, step: &Step) -> Vec<(Vec<u8>, Vec<u8>)> {
    let Step::Scan(key, start, end, reverse, limit) = step else { unreachable!() };
    let mut found = vec![];
    table
        .scan(key, (slice(start), slice(end)), *reverse, &mut |map_key, value| {
            found.push((map_key.to_vec(), value.to_vec()));
            if found.len() > *limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .unwrap();
    found
}

fn owned(model: &Model, groups: &Range<u32>) -> Model {
    model
        .iter()
        .filter(|((k, _), _)| groups.contains(&group_of(k, GROUPS)))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn contents(table: &mut MapTable) -> Model {
    let mut found = Model::new();
    table
        .for_each(&mut |key, map_key, value| {
            assert!(found.insert((key.to_vec(), map_key.to_vec()), value.to_vec()).is_none(), "each entry once");
            Ok(())
        })
        .unwrap();
    found
}

/// Runs steps on a map table and on the model. Each restore is one of the next engine.
fn check_maps(engines: &[Engine], steps: &[Step]) {
    let mut engines = engines.iter().cycle();
    let mut next_engine = || *engines.next().unwrap();
    let fixture = Fixture::new(next_engine());
    let mut table = fixture.empty().map_table(map_descriptor()).unwrap();
    let (mut model, mut saved, mut checkpoint) = (Model::new(), Model::new(), Checkpoint::default());
    for step in steps {
        match step {
            Step::Put(key, map_key, value) => {
                table.put(key, map_key, value).unwrap();
                model.insert((key.clone(), map_key.clone()), value.clone());
            }
            Step::Delete(key, map_key) => {
                table.delete(key, map_key).unwrap();
                model.remove(&(key.clone(), map_key.clone()));
            }
            Step::Clear(key) => {
                table.clear(key).unwrap();
                model.retain(|(k, _), _| k != key);
            }
            Step::Get(key, map_key) => {
                let expected = model.get(&(key.clone(), map_key.clone())).map(Vec::as_slice);
                assert_eq!(table.get(key, map_key).unwrap(), expected);
                assert_eq!(table.is_empty(key).unwrap(), !model.keys().any(|(k, _)| k == key));
            }
            Step::Scan(..) => assert_eq!(scan_table(&mut table, step), scan_model(&model, step)),
            Step::Prefetch(keys) => {
                let mut encoded = EncodedKeys::new();
                keys.iter().for_each(|key| encoded.push(key));
                table.prefetch(&encoded).unwrap();
                table.prefetch_entries(encoded.iter().zip(encoded.iter().skip(1))).unwrap();
            }
            Step::Snapshot => {
                let mut snapshot = Snapshot::new();
                table.snapshot(&mut snapshot);
                checkpoint.add(snapshot);
                saved.clone_from(&model);
            }
            Step::Restore(start, end) => {
                fixture.engine.set(next_engine());
                table = fixture.restored(&checkpoint, *start..*end).map_table(map_descriptor()).unwrap();
                // A job goes on with what it owns; a checkpoint of the others would come from the others.
                saved = owned(&saved, &(*start..*end));
                model.clone_from(&saved);
                checkpoint = full_checkpoint(&model);
            }
        }
    }
    assert_eq!(contents(&mut table), model);
}

/// A checkpoint that holds exactly the model.
fn full_checkpoint(model: &Model) -> Checkpoint {
    let entry = |((key, map_key), value): (&'_ (Vec<u8>, Vec<u8>), &'_ Vec<u8>)| {
        (group_of(key, GROUPS), key.clone(), map_key.clone(), value.clone())
    };
    let rows: Vec<_> = model.iter().map(entry).collect();
    let entries =
        rows.iter().map(|(group, key, map_key, value)| EntryRef { group: *group, key, map_key, value: Some(value) });
    let mut checkpoint = Checkpoint::default();
    checkpoint.add(Snapshot { tables: vec![TableDelta::new(map_descriptor(), entries.collect())], lists: vec![] });
    checkpoint
}

/// The same on a value table: map keys become part of the key.
fn check_values(engines: &[Engine], steps: &[Step]) {
    let mut engines = engines.iter().cycle();
    let mut next_engine = || *engines.next().unwrap();
    let fixture = Fixture::new(next_engine());
    let mut table = fixture.empty().value_table(value_descriptor()).unwrap();
    let (mut model, mut saved, mut checkpoint) = (BTreeMap::new(), BTreeMap::new(), Checkpoint::default());
    for step in steps {
        match step {
            Step::Put(key, map_key, value) => {
                let key = [key.as_slice(), map_key].concat();
                table.put(&key, value).unwrap();
                model.insert(key, value.clone());
            }
            Step::Delete(key, map_key) => {
                let key = [key.as_slice(), map_key].concat();
                table.delete(&key).unwrap();
                model.remove(&key);
            }
            Step::Get(key, map_key) => {
                let key = [key.as_slice(), map_key].concat();
                assert_eq!(table.get(&key).unwrap(), model.get(&key).map(Vec::as_slice));
            }
            Step::Snapshot => {
                let mut snapshot = Snapshot::new();
                table.snapshot(&mut snapshot);
                checkpoint.add(snapshot);
                saved.clone_from(&model);
            }
            Step::Restore(..) => {
                fixture.engine.set(next_engine());
                table = fixture.restored(&checkpoint, 0..GROUPS).value_table(value_descriptor()).unwrap();
                model.clone_from(&saved);
            }
            Step::Clear(_) | Step::Scan(..) | Step::Prefetch(_) => {}
        }
    }
    let mut found = BTreeMap::new();
    table
        .for_each(&mut |key, value| {
            assert!(found.insert(key.to_vec(), value.to_vec()).is_none(), "each key once");
            Ok(())
        })
        .unwrap();
    assert_eq!(found, model);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn memory_maps_are_the_model(steps in steps()) {
        check_maps(&[Engine::Memory], &steps);
    }

    #[test]
    fn memory_values_are_the_model(steps in steps()) {
        check_values(&[Engine::Memory], &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn disk_maps_are_the_model(steps in steps()) {
        check_maps(&[Engine::Disk], &steps);
    }

    #[test]
    fn tiny_disk_maps_are_the_model(steps in steps()) {
        check_maps(&[Engine::TinyDisk], &steps);
    }

    #[test]
    fn tiny_disk_values_are_the_model(steps in steps()) {
        check_values(&[Engine::TinyDisk], &steps);
    }

    /// Sorted and unsorted runs follow each other.
    #[test]
    fn an_engine_goes_on_with_what_another_left(steps in steps()) {
        check_maps(&[Engine::Memory, Engine::TinyDisk], &steps);
        check_values(&[Engine::Memory, Engine::TinyDisk], &steps);
    }
}

/// Enough entries that everything is flushed, evicted and set aside, and maps are too large for memory.
#[test]
fn more_than_fits_into_memory() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let mut table = fixture.empty().map_table(map_descriptor()).unwrap();
        let (mut model, mut checkpoint) = (Model::new(), Checkpoint::default());
        for i in 0..20_000u32 {
            let (key, map_key) = (vec![(i % 7) as u8], (i.wrapping_mul(2_654_435_761) >> 20).to_be_bytes().to_vec());
            if i % 5 == 4 {
                table.delete(&key, &map_key).unwrap();
                model.remove(&(key, map_key));
            } else {
                table.put(&key, &map_key, &i.to_le_bytes()).unwrap();
                model.insert((key, map_key), i.to_le_bytes().to_vec());
            }
            if i % 6_000 == 5_999 {
                let mut snapshot = Snapshot::new();
                table.snapshot(&mut snapshot);
                checkpoint.add(snapshot);
            }
            if i % 997 == 0 {
                let scan = Step::Scan(vec![(i % 7) as u8], Bound::Unbounded, Bound::Unbounded, i % 2 == 0, 5000);
                assert_eq!(scan_table(&mut table, &scan), scan_model(&model, &scan), "{engine:?}");
            }
        }
        let mut snapshot = Snapshot::new();
        table.snapshot(&mut snapshot);
        checkpoint.add(snapshot);
        let mut other =
            Fixture::new(Engine::Memory).restored(&checkpoint, 2..GROUPS).map_table(map_descriptor()).unwrap();
        assert_eq!(contents(&mut other), owned(&model, &(2..GROUPS)), "{engine:?}");
        assert_eq!(contents(&mut table), model, "{engine:?}");
    }
}

#[test]
fn entries_that_come_and_go_leave_nothing() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let mut table = fixture.empty().value_table(value_descriptor()).unwrap();
        for i in 0..50_000u32 {
            table.put(&i.to_be_bytes(), b"value").unwrap();
            table.delete(&i.to_be_bytes()).unwrap();
        }
        if engine == Engine::Memory {
            assert!(table.memory_bytes() < 100_000, "{}", table.memory_bytes());
        }
        let (mut snapshot, mut checkpoint) = (Snapshot::new(), Checkpoint::default());
        table.snapshot(&mut snapshot);
        checkpoint.add(snapshot);
        let deletions = checkpoint.runs["values"].iter().map(Run::deletions).sum::<u64>();
        assert_eq!(checkpoint.entries("values"), deletions, "{engine:?}");
        if engine == Engine::Memory {
            assert_eq!(deletions, 0, "no checkpoint has seen the entries");
        }
    }
}

#[test]
fn a_snapshot_holds_what_changed() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let mut table = fixture.empty().value_table(value_descriptor()).unwrap();
        (0..1000u32).for_each(|i| table.put(&i.to_be_bytes(), b"1").unwrap());
        let (mut first, mut second, mut third) = (Snapshot::new(), Snapshot::new(), Snapshot::new());
        table.snapshot(&mut first);
        table.put(&7u32.to_be_bytes(), b"2").unwrap();
        table.put(&7u32.to_be_bytes(), b"3").unwrap();
        table.delete(&8u32.to_be_bytes()).unwrap();
        table.snapshot(&mut second);
        table.snapshot(&mut third);
        assert!(first.tables[0].len() >= 1000, "{engine:?}");
        assert!(third.tables[0].is_empty(), "{engine:?}");
        let mut stream = second.tables.remove(0).into_stream();
        let mut found = vec![];
        while stream.advance().unwrap() {
            found.push((stream.entry().key.to_vec(), stream.entry().value.map(<[u8]>::to_vec)));
        }
        found.sort();
        assert_eq!(found, [(vec![0, 0, 0, 7], Some(b"3".to_vec())), (vec![0, 0, 0, 8], None)], "{engine:?}");
    }
}

#[test]
fn memory_is_accounted_and_given_back() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let memory = memory::MemoryBudget::unlimited();
        let context = StateContext { memory: memory.clone(), ..fixture.empty() };
        let mut table = context.value_table(value_descriptor()).unwrap();
        (0..10_000u32).for_each(|i| table.put(&i.to_be_bytes(), &[1; 50]).unwrap());
        table.prefetch(&EncodedKeys::new()).unwrap();
        match engine {
            Engine::TinyDisk => assert!(memory.used_bytes() < 400_000, "{}", memory.used_bytes()),
            _ => assert!(memory.used_bytes() > 500_000, "{engine:?}: {}", memory.used_bytes()),
        }
        drop(table);
        // What is being written to a file at this moment is given back when it is.
        (0..10_000_000).take_while(|_| memory.used_bytes() > 0).for_each(|_| std::thread::yield_now());
        assert_eq!(memory.used_bytes(), 0);
    }
}

#[test]
fn a_disk_engine_empties_and_removes_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("operator");
    std::fs::create_dir_all(place.join("tree")).unwrap();
    std::fs::write(place.join("tree/rubbish"), b"left over").unwrap();
    let engine = EngineOptions::disk(&place, 1 << 20, 1 << 20);
    let context = StateContext { engine, ..StateContext::empty(Env::real(), GROUPS) };
    let mut table = context.value_table(value_descriptor()).unwrap();
    table.put(b"k", b"v").unwrap();
    assert!(!place.join("tree/rubbish").exists());
    drop((table, context));
    assert!(!place.exists());
}

#[test]
fn keys_may_be_long() {
    let fixture = Fixture::new(Engine::TinyDisk);
    let mut table = fixture.empty().value_table(value_descriptor()).unwrap();
    for i in 0..40u8 {
        table.put(&vec![i; 70_000], &[i]).unwrap();
    }
    for i in 0..40u8 {
        assert_eq!(table.get(&vec![i; 70_000]).unwrap(), Some(&[i][..]));
    }
}

/// The entries of one key do not have to fit into memory either.
#[test]
fn one_key_may_be_larger_than_memory() {
    let fixture = Fixture::new(Engine::TinyDisk);
    let memory = memory::MemoryBudget::unlimited();
    let mut table = StateContext { memory: memory.clone(), ..fixture.empty() }.map_table(map_descriptor()).unwrap();
    for i in 0..30_000u32 {
        table.put(b"", &i.to_be_bytes(), &[1; 50]).unwrap();
        if i % 1000 == 0 {
            assert_eq!(table.get(b"", &(i / 2).to_be_bytes()).unwrap(), Some(&[1; 50][..]));
        }
    }
    assert!(memory.used_bytes() < 500_000, "{}", memory.used_bytes());
    let mut count = 0;
    table.scan_all(b"", &mut |_, _| count += 1).unwrap();
    assert_eq!(count, 30_000);
}

/// Entries of a key that is only looked up stand as they came; their order appears when it is asked for.
#[test]
fn order_appears_when_it_is_asked_for() {
    let mut table = Fixture::new(Engine::Memory).empty().map_table(map_descriptor()).unwrap();
    let map_key = |n: u32| (n * 37 % 500).to_be_bytes();
    for n in 0..500 {
        table.put(b"k", &map_key(n), &[1]).unwrap();
    }
    table.put(b"k", &map_key(7), &[2; 300]).unwrap();
    for n in 500u32..600 {
        table.put(b"k", &n.to_be_bytes(), &[3]).unwrap();
    }
    table.delete(b"k", &map_key(8)).unwrap();
    assert_eq!(table.get(b"k", &map_key(7)).unwrap(), Some(&[2; 300][..]));
    assert_eq!(table.get(b"k", &map_key(8)).unwrap(), None);
    let mut found = vec![];
    table.scan_all(b"k", &mut |map_key, _| found.push(map_key.to_vec())).unwrap();
    assert!(found.is_sorted());
    assert_eq!(found.len(), 599);
}
