use super::*;

const TTL_MS: i64 = 100;

fn ttl(update: TtlUpdate, visibility: TtlVisibility) -> Option<Ttl> {
    Some(Ttl { ttl_ms: TTL_MS, update, visibility })
}

fn values(fixture: &Fixture, ttl: Option<Ttl>) -> ValueTable {
    fixture.empty().value_table(value_descriptor().with_ttl(ttl)).unwrap()
}

fn checkpoint(snapshot: impl FnOnce(&mut Snapshot)) -> Checkpoint {
    let (mut checkpoint, mut taken) = (Checkpoint::default(), Snapshot::new());
    snapshot(&mut taken);
    checkpoint.add(taken);
    checkpoint
}

#[test]
fn writes_renew_and_expiry_is_exact() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let mut table = values(&fixture, Ttl::of_sql(TTL_MS));
        table.put(b"k", b"1").unwrap();
        fixture.clock.advance_ms(99);
        assert_eq!(table.get(b"k").unwrap(), Some(&b"1"[..]));
        table.put(b"k", b"2").unwrap();
        fixture.clock.advance_ms(99);
        assert_eq!(table.get(b"k").unwrap(), Some(&b"2"[..]), "reads do not renew, writes do");
        fixture.clock.advance_ms(1);
        assert_eq!(table.get(b"k").unwrap(), None);
    }
}

#[test]
fn reads_renew_when_asked_to() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let mut table = values(&fixture, ttl(TtlUpdate::OnReadAndWrite, TtlVisibility::NeverReturnExpired));
        table.put(b"k", b"1").unwrap();
        for _ in 0..3 {
            fixture.clock.advance_ms(99);
            assert_eq!(table.get(b"k").unwrap(), Some(&b"1"[..]));
        }
        fixture.clock.advance_ms(100);
        assert_eq!(table.get(b"k").unwrap(), None);
    }
}

#[test]
fn an_expired_value_may_be_seen_once_more() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let mut table = values(&fixture, ttl(TtlUpdate::OnCreateAndWrite, TtlVisibility::ReturnExpiredIfNotCleanedUp));
        table.put(b"k", b"1").unwrap();
        fixture.clock.advance_ms(500);
        assert_eq!(table.get(b"k").unwrap(), Some(&b"1"[..]));
        assert_eq!(table.get(b"k").unwrap(), None);
    }
}

#[test]
fn entries_of_a_map_expire_one_by_one() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let mut table = fixture.empty().map_table(map_descriptor().with_ttl(Ttl::of_sql(TTL_MS))).unwrap();
        let seen = |table: &mut MapTable| {
            let mut seen = vec![];
            table.scan_all(b"k", &mut |map_key, value| seen.push((map_key.to_vec(), value.to_vec()))).unwrap();
            seen
        };
        table.put(b"k", b"a", b"1").unwrap();
        fixture.clock.advance_ms(60);
        table.put(b"k", b"b", b"2").unwrap();
        assert_eq!(seen(&mut table).len(), 2);
        fixture.clock.advance_ms(60);
        assert_eq!(seen(&mut table), [(b"b".to_vec(), b"2".to_vec())]);
        assert!(!table.is_empty(b"k").unwrap());
        assert_eq!(table.get(b"k", b"a").unwrap(), None);
        fixture.clock.advance_ms(60);
        assert!(table.is_empty(b"k").unwrap());
        assert_eq!(seen(&mut table), []);
    }
}

#[test]
fn expired_entries_are_cleaned_up_while_others_are_written() {
    let fixture = Fixture::new(Engine::Memory);
    let mut table = values(&fixture, Ttl::of_sql(TTL_MS));
    (0..1000u32).for_each(|i| table.put(&i.to_be_bytes(), &[0; 100]).unwrap());
    fixture.clock.advance_ms(TTL_MS);
    (0..5000u32).for_each(|_| table.put(b"other", &[0; 100]).unwrap());
    let mut snapshot = Snapshot::new();
    table.snapshot(&mut snapshot);
    assert_eq!(snapshot.tables[0].len(), 1, "the expired ones are gone");
}

#[test]
fn snapshots_and_restores_leave_expired_entries_out() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let mut table = values(&fixture, Ttl::of_sql(TTL_MS));
        table.put(b"old", b"1").unwrap();
        fixture.clock.advance_ms(60);
        table.put(b"new", b"2").unwrap();
        let mut checkpoint = checkpoint(|snapshot| table.snapshot(snapshot));
        fixture.clock.advance_ms(60);
        let context = fixture.restored(&checkpoint, 0..GROUPS);
        let mut restored = context.value_table(value_descriptor().with_ttl(Ttl::of_sql(TTL_MS))).unwrap();
        assert_eq!(restored.get(b"old").unwrap(), None);
        assert_eq!(restored.get(b"new").unwrap(), Some(&b"2"[..]));
        table.put(b"late", b"3").unwrap();
        fixture.clock.advance_ms(TTL_MS);
        let mut snapshot = Snapshot::new();
        table.snapshot(&mut snapshot);
        checkpoint.add(snapshot);
        let context = fixture.restored(&checkpoint, 0..GROUPS);
        let mut restored = context.value_table(value_descriptor()).unwrap();
        assert_eq!(restored.get(b"late").unwrap(), None, "it was expired when the snapshot was taken");
    }
}

#[test]
fn a_time_to_live_can_come_and_go() {
    for engine in ENGINES {
        let fixture = Fixture::new(engine);
        let mut table = values(&fixture, None);
        table.put(b"k", b"1").unwrap();
        let without = checkpoint(|snapshot| table.snapshot(snapshot));
        fixture.clock.advance_ms(1000);
        let limited = value_descriptor().with_ttl(Ttl::of_sql(TTL_MS));
        let mut table = fixture.restored(&without, 0..GROUPS).value_table(limited).unwrap();
        fixture.clock.advance_ms(99);
        assert_eq!(table.get(b"k").unwrap(), Some(&b"1"[..]), "its life begins at the restore");
        table.put(b"k", b"2").unwrap();
        let with = checkpoint(|snapshot| table.snapshot(snapshot));
        fixture.clock.advance_ms(1000);
        let mut table = fixture.restored(&with, 0..GROUPS).value_table(value_descriptor()).unwrap();
        assert_eq!(table.get(b"k").unwrap(), Some(&b"2"[..]));
    }
}
