use super::*;

fn taken(snapshot: impl FnOnce(&mut Snapshot)) -> Checkpoint {
    let (mut checkpoint, mut taken) = (Checkpoint::default(), Snapshot::new());
    snapshot(&mut taken);
    checkpoint.add(taken);
    checkpoint
}

fn key() -> Vec<Column> {
    vec![column("k", TypeRoot::Int)]
}

#[test]
fn list_state_keeps_the_order() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let open = |context: StateContext| ListState::open(&context, "list", key(), key(), None).unwrap();
        let all = |list: &mut ListState| {
            let mut all = vec![];
            list.for_each(b"k", &mut |element| all.push(element.to_vec())).unwrap();
            all
        };
        let mut list = open(fixture.empty());
        (0..300u16).for_each(|i| list.add(b"k", &i.to_be_bytes()).unwrap());
        let mut restored = open(fixture.restored(&taken(|s| list.snapshot(s)), 0..GROUPS));
        restored.add(b"k", b"last").unwrap();
        let found = all(&mut restored);
        assert_eq!((found.len(), found[299].as_slice(), found[300].as_slice()), (301, &[1, 43][..], &b"last"[..]));
        restored.update(b"k", [&b"x"[..], b"y"]).unwrap();
        assert_eq!(all(&mut restored), [b"x", b"y"]);
        restored.clear(b"k").unwrap();
        assert!(all(&mut restored).is_empty());
    }
}

#[test]
fn reducing_state_reduces() {
    let fixture = Fixture::new(Engine::Memory);
    let longer = |a: &[u8], b: &[u8], out: &mut Vec<u8>| out.extend_from_slice(if b.len() > a.len() { b } else { a });
    let open = |context: StateContext| {
        ReducingState::open(&context, TableDescriptor::value("longest", key(), key()), kinds::Reduction(longer))
            .unwrap()
    };
    let mut state = open(fixture.empty());
    assert_eq!(state.get(b"k").unwrap(), None);
    ["a", "ccc", "bb"].iter().for_each(|text| state.add(b"k", text.as_bytes()).unwrap());
    let mut restored = open(fixture.restored(&taken(|s| state.snapshot(s)), 0..GROUPS));
    assert_eq!(restored.get(b"k").unwrap(), Some(&b"ccc"[..]));
    restored.clear(b"k").unwrap();
    assert_eq!(restored.get(b"k").unwrap(), None);
}

#[test]
fn aggregating_state_keeps_an_accumulator() {
    struct Count;
    impl Aggregation for Count {
        fn add(&self, accumulator: Option<&[u8]>, _input: &[u8], out: &mut Vec<u8>) {
            out.push(accumulator.map_or(0, |a| a[0]) + 1);
        }

        fn result(&self, accumulator: &[u8], out: &mut Vec<u8>) {
            out.extend_from_slice(accumulator[0].to_string().as_bytes());
        }
    }
    let context = Fixture::new(Engine::Memory).empty();
    let mut state = AggregatingState::open(&context, TableDescriptor::value("count", key(), key()), Count).unwrap();
    (0..12).for_each(|_| state.add(b"k", b"").unwrap());
    assert_eq!(state.get(b"k").unwrap(), Some(&b"12"[..]));
}

#[test]
fn broadcast_state_comes_back_whole() {
    let fixture = Fixture::new(Engine::Memory);
    let mut state = BroadcastState::open(&fixture.empty(), "rules").unwrap();
    state.map.insert(b"a".to_vec(), b"1".to_vec());
    state.map.insert(b"b".to_vec(), vec![]);
    let checkpoint = taken(|s| state.snapshot(s));
    assert_eq!(checkpoint.lists[0].redistribution, Redistribution::Broadcast);
    let restored = BroadcastState::open(&fixture.restored(&checkpoint, 3..4), "rules").unwrap();
    assert_eq!(restored.map, state.map);
}

#[test]
fn timers_fire_in_order_and_survive() {
    let fixture = Fixture::new(Engine::Memory);
    let open = |context: StateContext| context.timer_table(TableDescriptor::timers("timers", key())).unwrap();
    let mut timers = open(fixture.empty());
    [(5, b"a"), (-3, b"b"), (5, b"b"), (5, b"a"), (9, b"c")]
        .iter()
        .for_each(|(time, key)| timers.register(*time, *key));
    assert_eq!((timers.len(), timers.first_ms()), (4, Some(-3)));
    assert_eq!(timers.pop_due(5).unwrap().0, -3);
    let mut checkpoint = taken(|s| timers.snapshot(s));
    assert_eq!(checkpoint.entries("timers"), 3, "a timer that came and went is not told");
    timers.delete(5, b"a");
    timers.delete(9, b"c");
    timers.register(9, b"c");
    timers.register(7, b"d");
    let mut snapshot = Snapshot::new();
    timers.snapshot(&mut snapshot);
    checkpoint.add(snapshot);
    let mut restored = open(fixture.restored(&checkpoint, 0..GROUPS));
    let fired: Vec<_> = std::iter::from_fn(|| restored.pop_due(100)).map(|(time, key)| (time, key[0])).collect();
    assert_eq!(fired, [(5, b'b'), (7, b'd'), (9, b'c')]);
}
