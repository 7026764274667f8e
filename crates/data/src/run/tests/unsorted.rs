//! Unsorted runs against a simple model.

use super::*;

/// Entries as they come, each with the caller's number of its key.
type Written = Vec<(u32, Vec<u8>, Vec<u8>, Option<Vec<u8>>)>;

fn written() -> impl Strategy<Value = Written> {
    let bytes = |max| prop::collection::vec(prop::sample::select(vec![0u8, 1, 7, 255]), 0..max);
    let value = prop::option::of(prop_oneof![4 => bytes(8), 1 => prop::collection::vec(any::<u8>(), 0..3_000)]);
    prop::collection::vec((0u32..6, bytes(3), bytes(4), value), 0..150)
}

fn model_of(written: &Written) -> Model {
    written.iter().map(|(group, key, map_key, value)| ((*group, key.clone(), map_key.clone()), value.clone())).collect()
}

/// The entries in a builder: as the engine adds them, or one by one.
fn built(written: &Written, by_number: bool) -> DeltaBuilder {
    let (mut delta, mut numbers) = (DeltaBuilder::new(), BTreeMap::new());
    for (group, key, map_key, value) in written {
        if !by_number {
            delta.push(EntryRef { group: *group, key, map_key, value: value.as_deref() });
            continue;
        }
        let count = numbers.len() as u32;
        let number = *numbers.entry((group, key)).or_insert(count);
        let bytes = [map_key.as_slice(), value.as_deref().unwrap_or_default()].concat();
        let entry = PackedEntry { group: *group, bytes: &bytes, first: map_key.len(), has_value: value.is_some() };
        match map_key.is_empty() {
            true => {
                let bytes = [key.as_slice(), &bytes].concat();
                delta.push_value(PackedEntry { bytes: &bytes, first: key.len(), ..entry });
            }
            false => delta.push_of_key(number, || key, entry),
        }
    }
    delta
}

fn run_of(written: &Written, by_number: bool) -> Run {
    let bytes = built(written, by_number).finish(b"header").unwrap();
    Run::of_bytes("test", bytes).unwrap()
}

/// Entries in the order of a stream, where later ones replace earlier ones.
fn applied(stream: &mut dyn EntryStream) -> Model {
    let mut model = Model::new();
    while stream.advance().unwrap() {
        let entry = stream.entry();
        let place = (entry.group, entry.key.to_vec(), entry.map_key.to_vec());
        model.insert(place, entry.value.map(<[u8]>::to_vec));
    }
    model
}

fn within(model: &Model, groups: &[Range<u32>]) -> Model {
    let is_within = |group: u32| groups.iter().any(|groups| groups.contains(&group));
    model.iter().filter(|(place, _)| is_within(place.0)).map(|(place, value)| (place.clone(), value.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_unsorted_run_holds_what_was_written(written in written(), by_number: bool) {
        let (model, run) = (model_of(&written), run_of(&written, by_number));
        prop_assert_eq!(run.header(), b"header");
        prop_assert!(!run.is_sorted() && !run.is_indexed());
        prop_assert_eq!(run.entries(), written.len() as u64);
        prop_assert_eq!(run.deletions(), written.iter().filter(|entry| entry.3.is_none()).count() as u64);
        prop_assert_eq!(unpacked(&mut run.read_all()).unwrap(), model.clone());
        let every = std::iter::once(0..u32::MAX).collect();
        prop_assert_eq!(applied(&mut run.read_as_written(every)), model.clone());
        let from = Place { group: 2, key: &[1], map_key: &[] };
        let behind = model.into_iter().filter(|(place, _)| (place.0, place.1.as_slice()) >= (2, &[1])).collect::<Model>();
        prop_assert_eq!(unpacked(&mut run.read_from(from, u32::MAX, 100)).unwrap(), behind);
    }

    #[test]
    fn the_builder_shows_what_it_holds(written in written(), by_number: bool) {
        let delta = built(&written, by_number);
        prop_assert_eq!(delta.len(), written.len());
        let shown: Written = delta
            .iter()
            .map(|e| (e.group, e.key.to_vec(), e.map_key.to_vec(), e.value.map(<[u8]>::to_vec)))
            .collect();
        prop_assert_eq!(shown, written);
    }

    #[test]
    fn slices_hold_their_groups(written in written(), start in 0u32..7, length in 0u32..4, gap in 0u32..3) {
        let groups = [start..start + length, start + length + gap..start + length + gap + 2];
        let expected = within(&model_of(&written), &groups);
        let run = run_of(&written, true);
        prop_assert_eq!(applied(&mut run.read_as_written(groups.to_vec())), expected.clone());
        let mut read = Model::new();
        groups.iter().for_each(|groups| read.extend(unpacked(&mut run.read(groups.clone())).unwrap()));
        prop_assert_eq!(read, expected);
    }

    /// Sorted bases and deltas, and unsorted deltas, in any order.
    #[test]
    fn sorted_and_unsorted_runs_merge(runs in prop::collection::vec((written(), any::<bool>()), 0..5)) {
        let open = |(written, sorted): &(Written, bool)| match sorted {
            true => super::run_of(&model_of(written)),
            false => run_of(written, true),
        };
        let mut expected = Model::new();
        runs.iter().for_each(|(written, _)| expected.extend(model_of(written)));
        let streams = || runs.iter().map(|run| open(run).read_all()).collect::<Vec<_>>();
        prop_assert_eq!(unpacked(&mut Merge::deltas(streams())).unwrap(), expected.clone());
        prop_assert_eq!(unpacked(&mut Merge::live(streams())).unwrap(), live(expected));
    }

    /// Runs that are gathered into one hold what they held together, part by part.
    #[test]
    fn gathered_runs_hold_what_they_were_made_of(
        runs in prop::collection::vec(written(), 0..4), start in 0u32..4, length in 0u32..7,
    ) {
        let groups = vec![Range { start, end: start + length }];
        let (mut gathered, mut bytes, mut expected) = (GatheredRun::new(groups[0].clone()), vec![], Model::new());
        for written in &runs {
            let push = |entry: EntryRef<'_>| gathered.push(entry, &mut append_to(&mut bytes));
            run_of(written, true).visit_unsorted(&groups, push).unwrap();
            expected.extend(within(&model_of(written), &groups));
        }
        let entries = gathered.finish(b"header", &mut append_to(&mut bytes)).unwrap();
        let run = Run::of_bytes("test", bytes).unwrap();
        prop_assert_eq!((run.header(), run.entries()), (&b"header"[..], entries));
        prop_assert_eq!(unpacked(&mut run.read_all()).unwrap(), expected.clone());
        prop_assert_eq!(applied(&mut run.read_as_written(groups)), expected);
    }

    #[test]
    fn damage_of_an_unsorted_run_is_found(written in written(), at in any::<prop::sample::Index>(), bit in 0u32..8) {
        assert_damage_is_found(built(&written, true).finish(b"header").unwrap(), at, bit);
    }

    #[test]
    fn rubbish_is_no_unsorted_block(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut entries = crate::run::unsorted::BlockEntries::new(&bytes);
        while let Ok(Some(_)) = entries.next() {}
    }
}

/// The run that the test below writes.
const STORED: &str = "00ac020302066b65796d3176616c75650102006d3200010100016b0102016d31\
                      027b7d0120200001ac020401d5b7a9dc850a83d6000000\
                      2000000000000000170000009e106334cea9c74300000000034857535452554e";

/// The third version, byte by byte: later versions must read it.
#[test]
fn version_3_is_readable_for_ever() {
    let mut delta = DeltaBuilder::new();
    let entry = |bytes, first, has_value| PackedEntry { group: 300, bytes, first, has_value };
    delta.push_of_key(7, || b"key", entry(b"m1value", 2, true));
    delta.push_of_key(7, || unreachable!("the key is known"), entry(b"m2", 2, false));
    delta.push(EntryRef { group: 1, key: b"k", map_key: b"", value: Some(b"") });
    delta.push_of_key(7, || unreachable!("the key is known"), entry(b"m1", 2, true));
    let run = delta.finish(b"{}").unwrap();
    let written: String = run.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(written, STORED);
    let value = |value: &[u8]| Some(value.to_vec());
    let expected: Model = [
        ((1, b"k".to_vec(), vec![]), value(b"")),
        ((300, b"key".to_vec(), b"m1".to_vec()), value(b"")),
        ((300, b"key".to_vec(), b"m2".to_vec()), None),
    ]
    .into();
    assert_eq!(read_whole(&Run::of_bytes("stored", run).unwrap()).unwrap(), expected);
}
