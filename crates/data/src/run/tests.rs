mod points;
mod unsorted;

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

type Model = BTreeMap<(u32, Vec<u8>, Vec<u8>), Option<Vec<u8>>>;

fn packed(model: &Model) -> Entries {
    model
        .iter()
        .map(|((group, key, map_key), value)| EntryRef { group: *group, key, map_key, value: value.as_deref() })
        .collect()
}

fn unpacked(stream: &mut dyn EntryStream) -> Result<Model> {
    let mut model = Model::new();
    while stream.advance()? {
        let entry = stream.entry();
        let place = (entry.group, entry.key.to_vec(), entry.map_key.to_vec());
        assert!(model.last_key_value().is_none_or(|(last, _)| *last < place), "streams are sorted");
        model.insert(place, entry.value.map(<[u8]>::to_vec));
    }
    Ok(model)
}

/// Everything there is to read of a run.
fn read_whole(run: &Run) -> Result<Model> {
    run.load_filters()?;
    unpacked(&mut run.read_all())
}

fn run_of(model: &Model) -> Run {
    Run::of_bytes("test", encode(b"header", &packed(model), RunOptions::STORED).unwrap()).unwrap()
}

/// A run with a flipped bit, or cut there, cannot be read.
fn assert_damage_is_found(mut bytes: Vec<u8>, at: prop::sample::Index, bit: u32) {
    let position = at.index(bytes.len());
    bytes[position] ^= 1 << bit;
    let read = |bytes: Vec<u8>| Run::of_bytes("test", bytes).and_then(|run| read_whole(&run));
    assert!(read(bytes.clone()).is_err(), "a flipped bit at {position}");
    bytes.truncate(position);
    assert!(read(bytes).is_err(), "cut at {position}");
}

fn models() -> impl Strategy<Value = Model> {
    let bytes = |max| prop::collection::vec(prop::sample::select(vec![0u8, 1, 7, 255]), 0..max);
    let value = prop::option::of(prop_oneof![bytes(8), prop::collection::vec(any::<u8>(), 0..9_000)]);
    prop::collection::btree_map((0u32..6, bytes(5), bytes(4)), value, 0..60)
}

fn live(model: Model) -> Model {
    model.into_iter().filter(|(_, value)| value.is_some()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_run_holds_what_was_written(model in models()) {
        let run = run_of(&model);
        prop_assert_eq!(run.header(), b"header");
        prop_assert_eq!(run.entries(), model.len() as u64);
        prop_assert_eq!(run.deletions(), model.values().filter(|v| v.is_none()).count() as u64);
        prop_assert_eq!(unpacked(&mut run.read_all()).unwrap(), model);
    }

    #[test]
    fn a_slice_holds_its_groups(model in models(), start in 0u32..7, length in 0u32..7) {
        let groups = start..start + length;
        let expected: Model = model.iter().filter(|(k, _)| groups.contains(&k.0)).map(|(k, v)| (k.clone(), v.clone())).collect();
        prop_assert_eq!(unpacked(&mut run_of(&model).read(groups)).unwrap(), expected);
    }

    #[test]
    fn the_newest_wins(models in prop::collection::vec(models(), 0..6)) {
        let streams = |_: &()| models.iter().map(|m| run_of(m).read_all()).collect::<Vec<_>>();
        let mut expected = Model::new();
        models.iter().for_each(|m| expected.extend(m.clone()));
        prop_assert_eq!(unpacked(&mut Merge::deltas(streams(&()))).unwrap(), expected.clone());
        prop_assert_eq!(unpacked(&mut Merge::live(streams(&()))).unwrap(), live(expected));
    }

    #[test]
    fn damage_is_found(model in models(), at in any::<prop::sample::Index>(), bit in 0u32..8) {
        let bytes = encode(b"header", &packed(&model), RunOptions::STORED).unwrap();
        assert_damage_is_found(bytes, at, bit);
    }

    #[test]
    fn rubbish_is_no_block(bytes in prop::collection::vec(any::<u8>(), 0..200), version in 1u8..=2, seek: bool) {
        let mut cursor = cursor::BlockCursor::default();
        if cursor.start(&bytes, version).is_ok() {
            if seek {
                let _ = cursor.seek(&bytes, Place { group: 1, key: b"k", map_key: b"" });
            }
            for _ in 0..1000 {
                if !matches!(cursor.advance(&bytes), Ok(true)) {
                    break;
                }
            }
        }
    }
}

#[test]
fn every_single_byte_is_covered() {
    let model: Model = (0..3u32).map(|i| ((i, vec![i as u8], vec![]), (i != 1).then(|| vec![9; 100]))).collect();
    let bytes = encode(b"{}", &packed(&model), RunOptions::STORED).unwrap();
    let read = |bytes: Vec<u8>| Run::of_bytes("test", bytes).and_then(|run| read_whole(&run));
    for position in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[position] ^= 1 << bit;
            assert!(read(damaged).is_err(), "bit {bit} of byte {position}");
        }
        assert!(read(bytes[..position].to_vec()).is_err(), "cut at {position}");
    }
    assert_eq!(read(bytes).unwrap(), model);
}

#[test]
fn errors_say_what_is_wrong() {
    let good = encode(b"{}", &Entries::from_iter([entry(1, b"k", b"v")]), RunOptions::STORED).unwrap();
    let error = |bytes: Vec<u8>| Run::of_bytes("chk-7/a.run", bytes).err().unwrap();
    assert_eq!(error(vec![]).message(), "run 'chk-7/a.run': it is truncated: it has 0 bytes, a run has at least 32");
    let mut newer = good.clone();
    let version = newer.len() - 8;
    newer[version] = VERSION + 1;
    assert_eq!(error(newer).code(), "run-version");
    let mut damaged = good.clone();
    damaged[0] ^= 1;
    let run = Run::of_bytes("chk-7/a.run", damaged).unwrap();
    let message = unpacked(&mut run.read_all()).unwrap_err().to_string();
    assert_eq!(message, "run 'chk-7/a.run': the checksum of block 0 (at byte 0) does not match");
    let cut = error(good[..good.len() - 1].to_vec());
    assert_eq!(cut.kind(), ErrorKind::Corruption);
}

#[test]
fn the_writer_refuses_disorder() {
    let unsorted = Entries::from_iter([entry(1, b"b", b""), entry(1, b"a", b"")]);
    assert!(encode(b"", &unsorted, RunOptions::STORED).is_err());
    let twice = Entries::from_iter([entry(1, b"a", b""), entry(1, b"a", b"")]);
    assert!(encode(b"", &twice, RunOptions::STORED).is_err());
}

#[test]
fn a_slice_reads_only_its_blocks() {
    let model: Model = (0..64u32)
        .flat_map(|group| {
            (0..40u32).map(move |i| ((group, i.to_be_bytes().to_vec(), vec![]), Some(noise(group * 40 + i))))
        })
        .collect();
    let bytes = encode(b"{}", &packed(&model), RunOptions::STORED).unwrap();
    let length = bytes.len() as u64;
    let reads = Arc::new(Mutex::new(vec![]));
    let seen = reads.clone();
    let read = move |range: Range<u64>| {
        seen.lock().unwrap().push(range.end - range.start);
        Ok(bytes[range.start as usize..range.end as usize].to_vec())
    };
    let run = Run::open("test", length, Arc::new(read)).unwrap();
    let quarter = unpacked(&mut run.read(16..32)).unwrap();
    assert_eq!(quarter.len(), 16 * 40);
    let total: u64 = reads.lock().unwrap().iter().sum();
    assert!(total < length / 4 + 300_000, "{total} of {length} bytes were read");
    assert!(run.bytes_of(&(16..32)) < length / 3);
}

#[test]
fn a_run_can_be_taken_in_parts() {
    let model: Model = (0..500u32).map(|i| ((1, i.to_be_bytes().to_vec(), vec![]), Some(noise(i)))).collect();
    let (mut writer, mut parts) = (RunWriter::new(b"h").unwrap(), vec![]);
    for entry in packed(&model).iter() {
        writer.push(entry).unwrap();
        writer.write_finished(&mut append_to(&mut parts)).unwrap();
    }
    assert!(parts.len() as u64 <= writer.bytes() && !parts.is_empty());
    parts.extend(writer.finish().unwrap());
    let whole = encode(b"h", &packed(&model), RunOptions::STORED).unwrap();
    assert_eq!(parts, whole);
    parts.clear();
    let writer = RunWriter::new(b"h").unwrap();
    let entries = writer.write_all(&mut packed(&model).into_stream(), &mut append_to(&mut parts)).unwrap();
    assert_eq!((entries, &parts), (500, &whole));
}

/// An unsorted run is sorted in parts that fit into the memory there is, and written as often as it takes.
#[test]
fn little_memory_and_another_attempt_change_nothing() {
    let model: Model = (0..3000u32).map(|i| ((i % 64, i.to_be_bytes().to_vec(), vec![]), Some(noise(i)))).collect();
    let mut delta = DeltaBuilder::new();
    delta.extend(packed(&model).iter());
    let (mut bytes, mut again, mut parts) = (vec![], vec![], 0);
    let failed = delta.write(b"h", &mut |_| {
        parts += 1;
        if parts < 3 { Ok(()) } else { Err(Error::internal("the disk is full")) }
    });
    assert!(failed.is_err());
    delta.write(b"h", &mut append_to(&mut bytes)).unwrap();
    delta.write(b"h", &mut append_to(&mut again)).unwrap();
    assert_eq!(bytes, again);
    let run = Run::of_bytes("test", bytes).unwrap();
    assert_eq!(unpacked(&mut run.within(0).read_all()).unwrap(), model);
}

/// Takes the parts of a run.
fn append_to(bytes: &mut Vec<u8>) -> impl FnMut(&[u8]) -> Result<()> {
    |part| {
        bytes.extend_from_slice(part);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Keys that begin alike for longer than sorting looks at first, that others continue, and that come again.
    #[test]
    fn entries_are_sorted_and_the_latest_wins(
        entries in prop::collection::vec((0u32..3, (0usize..3, 0u8..3), (0usize..3, 0u8..3), any::<Option<u8>>()), 0..80),
    ) {
        let part = |(length, last): (usize, u8)| {
            [&b"0123456789abcdef0123"[..[0, 9, 20][length]], &[last][..usize::from(last.min(1))]].concat()
        };
        let (mut packed, mut model) = (Entries::new(), Model::new());
        for (group, key, map_key, value) in entries {
            let (key, map_key) = (part(key), part(map_key));
            let value = value.map(|value| vec![value]);
            packed.push(EntryRef { group, key: &key, map_key: &map_key, value: value.as_deref() });
            model.insert((group, key, map_key), value);
        }
        packed.sort_latest();
        prop_assert_eq!(unpacked(&mut packed.into_stream()).unwrap(), model);
    }
}

/// A value that does not compress.
/// A value that does not compress.
fn noise(seed: u32) -> Vec<u8> {
    (0..256u32)
        .flat_map(|i| crate::stable_hash(&[seed.to_le_bytes(), i.to_le_bytes()].concat()).to_le_bytes())
        .collect()
}

fn entry<'a>(group: u32, key: &'a [u8], value: &'a [u8]) -> EntryRef<'a> {
    EntryRef { group, key, map_key: b"", value: Some(value) }
}

/// The first version, byte by byte: later versions must read it.
#[test]
fn version_1_is_readable_for_ever() {
    let model: Model = [
        ((0, b"ab".to_vec(), b"x".to_vec()), Some(b"1".to_vec())),
        ((0, b"ac".to_vec(), b"xy".to_vec()), None),
        ((300, b"".to_vec(), b"".to_vec()), Some(vec![])),
    ]
    .into();
    let stored = "03050f03020002ac0201000200010201010101000000000001616263787931027b7d011f1f0000ac02\
                  0301466f17a4b6bbdf761f00000000000000140000003bc3c070c0549edc00000000014857535452554e";
    let bytes = (0..stored.len()).step_by(2).map(|i| u8::from_str_radix(&stored[i..i + 2], 16).unwrap()).collect();
    assert_eq!(unpacked(&mut Run::of_bytes("stored", bytes).unwrap().read_all()).unwrap(), model);
}

#[test]
fn deltas_compact_into_a_base() {
    let run = |value: Option<&'static [u8]>| {
        let entries = Entries::from_iter([EntryRef { value, ..entry(1, b"k", b"") }, entry(2, b"k", b"v")]);
        Run::of_bytes("delta", encode(b"{}", &entries, RunOptions::STORED).unwrap()).unwrap()
    };
    let mut base = RunWriter::new(b"{}").unwrap();
    base.extend(&mut Merge::live(vec![run(Some(b"old")).read_all(), run(None).read_all()])).unwrap();
    let base = Run::of_bytes("base", base.finish().unwrap()).unwrap();
    assert_eq!((base.entries(), base.deletions()), (1, 0));
}

/// The second version, byte by byte: later versions must read it.
#[test]
fn version_2_is_readable_for_ever() {
    let model: Model = [
        ((0, b"ab".to_vec(), b"x".to_vec()), Some(b"1".to_vec())),
        ((0, b"ac".to_vec(), b"xy".to_vec()), None),
        ((300, b"".to_vec(), b"".to_vec()), Some(vec![])),
    ]
    .into();
    let stored = "03020f0302000000000000000000000000000000000000000000000000020000002c0100000a00000003000000020000000100000000\
                  020001020101010100000000000161626378793120000882400201228c000030224200402408400402086800000c018240020010027b\
                  7d014a4a0000ac020301c200875619c36b8c0201616278010120199016e27040920c6a0000000000000024000000942d0d424e059f6300000000024857535452554e";
    let options = RunOptions { codec: Codec::Raw, ..RunOptions::STORED };
    let encoded = encode(b"{}", &packed(&model), options).unwrap();
    let written: String = encoded.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(written, stored);
    let bytes = (0..stored.len()).step_by(2).map(|i| u8::from_str_radix(&stored[i..i + 2], 16).unwrap()).collect();
    assert_eq!(read_whole(&Run::of_bytes("stored", bytes).unwrap()).unwrap(), model);
}
