//! Looking up and scanning, against the model.

use super::*;
use std::ops::{Bound, ControlFlow};

const SMALL: RunOptions = RunOptions { block_bytes: 40, codec: Codec::Raw, filters: true };

fn options() -> impl Strategy<Value = RunOptions> {
    let codec = prop_oneof![Just(Codec::Raw), Just(Codec::Zstd)];
    (prop_oneof![Just(40usize), Just(300), Just(64 << 10)], codec, any::<bool>())
        .prop_map(|(block_bytes, codec, filters)| RunOptions { block_bytes, codec, filters })
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(vec![0u8, 1, 7, 255]), 0..5)
}

fn dense() -> impl Strategy<Value = Model> {
    let value = prop::option::of(prop::collection::vec(any::<u8>(), 0..20));
    prop::collection::btree_map((0u32..3, keys(), keys()), value, 0..400)
}

fn bounds() -> impl Strategy<Value = Bound<Vec<u8>>> {
    prop_oneof![Just(Bound::Unbounded), keys().prop_map(Bound::Included), keys().prop_map(Bound::Excluded)]
}

fn open(model: &Model, options: RunOptions) -> Run {
    let run = Run::of_bytes("test", encode(b"", &packed(model), options).unwrap()).unwrap();
    run.load_filters().unwrap();
    run
}

fn get(run: &Run, (group, key, map_key): (u32, &[u8], &[u8]), block: &mut BlockBuf) -> Option<Option<Vec<u8>>> {
    match run.get(Place { group, key, map_key }, KeyHashes::of(key, map_key), block).unwrap() {
        Found::Absent => None,
        Found::Deleted => Some(None),
        Found::Value => Some(Some(block.value().to_vec())),
    }
}

fn is_within(bounds: MapBounds<'_>, map_key: &[u8]) -> bool {
    let from = match bounds.0 {
        Bound::Unbounded => true,
        Bound::Included(start) => map_key >= start,
        Bound::Excluded(start) => map_key > start,
    };
    from && match bounds.1 {
        Bound::Unbounded => true,
        Bound::Included(end) => map_key <= end,
        Bound::Excluded(end) => map_key < end,
    }
}

/// Remembers everything.
#[derive(Default)]
struct Cache(Mutex<Blocks>);

type Blocks = BTreeMap<(u64, usize), Arc<Vec<u8>>>;

impl BlockCache for Cache {
    fn get(&self, run: u64, block: usize) -> Option<Arc<Vec<u8>>> {
        self.0.lock().unwrap().get(&(run, block)).cloned()
    }

    fn put(&self, run: u64, block: usize, rows: &Arc<Vec<u8>>) {
        self.0.lock().unwrap().insert((run, block), rows.clone());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn entries_are_found(
        model in dense(), others in prop::collection::vec((0u32..4, keys(), keys()), 0..50), options in options(), cached: bool
    ) {
        let mut run = open(&model, options);
        if cached {
            run = run.with_cache(Arc::new(Cache::default()));
        }
        let mut block = BlockBuf::default();
        for place in model.keys().chain(&others) {
            let expected = model.get(place).cloned();
            let (group, key, map_key) = place;
            prop_assert_eq!(get(&run, (*group, key, map_key), &mut block), expected, "{:?}", place);
        }
        for (group, key, _) in model.keys() {
            prop_assert!(run.may_contain_key(*group, key, KeyHashes::of(key, &[])));
        }
    }

    #[test]
    fn scans_are_ranges(
        model in dense(), group in 0u32..3, key in keys(), any_key in any::<prop::sample::Index>(),
        start in bounds(), end in bounds(), reverse: bool, options in options()
    ) {
        // Most random keys have no entries.
        let (group, key) = match model.len() {
            0 => (group, key),
            n if any_key.index(5) > 0 => model.keys().nth(any_key.index(n)).map(|(g, k, _)| (*g, k.clone())).unwrap(),
            _ => (group, key),
        };
        let bounds = (start.as_ref().map(Vec::as_slice), end.as_ref().map(Vec::as_slice));
        let of_key = model.iter().filter(|((g, k, _), _)| (*g, k) == (group, &key));
        let mut expected: Vec<_> = of_key.filter(|((_, _, m), _)| is_within(bounds, m)).map(|((_, _, m), v)| (m.clone(), v.clone())).collect();
        if reverse {
            expected.reverse();
        }
        let mut scan = KeyScan::new(&open(&model, options), group, &key, bounds, reverse);
        let mut found = vec![];
        while scan.advance().unwrap() {
            found.push((scan.map_key().to_vec(), scan.value().map(<[u8]>::to_vec)));
        }
        prop_assert!(!scan.advance().unwrap(), "it stays at its end");
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_read_starts_anywhere(model in dense(), group in 0u32..3, key in keys(), map_key in keys(), options in options()) {
        let from = (group, key, map_key);
        let expected: Model = model.range(from.clone()..).filter(|(k, _)| k.0 < 2).map(|(k, v)| (k.clone(), v.clone())).collect();
        let place = Place { group: from.0, key: &from.1, map_key: &from.2 };
        prop_assert_eq!(unpacked(&mut open(&model, options).read_from(place, 2, 100)).unwrap(), expected);
    }
}

#[test]
fn filters_spare_reads() {
    let model: Model = (0..1000u32).map(|i| ((1, i.to_be_bytes().to_vec(), vec![]), Some(vec![1]))).collect();
    let bytes = encode(b"", &packed(&model), SMALL).unwrap();
    let (reads, length) = (Arc::new(Mutex::new(0)), bytes.len() as u64);
    let seen = reads.clone();
    let read = move |range: Range<u64>| {
        *seen.lock().unwrap() += 1;
        Ok(bytes[range.start as usize..range.end as usize].to_vec())
    };
    let run = Run::open("test", length, Arc::new(read)).unwrap();
    run.load_filters().unwrap();
    *reads.lock().unwrap() = 0;
    let mut block = BlockBuf::default();
    for i in 1000..2000u32 {
        assert_eq!(get(&run, (1, &i.to_be_bytes(), &[]), &mut block), None);
    }
    assert!(*reads.lock().unwrap() < 50);
}

#[test]
fn a_damaged_block_is_named() {
    let model: Model = (0..100u32).map(|i| ((1, i.to_be_bytes().to_vec(), vec![]), Some(vec![1]))).collect();
    let mut bytes = encode(b"", &packed(&model), SMALL).unwrap();
    bytes[70] ^= 1;
    let run = Run::of_bytes("chk-7/a.run", bytes).unwrap();
    let mut outcomes = (0..100u32).map(|i| {
        let key = i.to_be_bytes();
        run.get(Place { group: 1, key: &key, map_key: &[] }, KeyHashes::of(&key, &[]), &mut BlockBuf::default())
    });
    let found = outcomes.try_for_each(|outcome| match outcome {
        Err(e) => ControlFlow::Break(e),
        Ok(found) => {
            assert_eq!(found, Found::Value, "what is damaged is not absent");
            ControlFlow::Continue(())
        }
    });
    let ControlFlow::Break(error) = found else { panic!("the damage was not found") };
    assert_eq!(error.kind(), ErrorKind::Corruption);
    assert!(error.to_string().starts_with("run 'chk-7/a.run': the checksum of block "), "{error}");
}
