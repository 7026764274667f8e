use super::*;
use arrow::array::{Array, ArrayRef, AsArray, Int32Array};
use arrow::datatypes::Int64Type;

fn descriptor(value: Vec<Column>, ttl: Option<Ttl>) -> TableDescriptor {
    TableDescriptor::value("rows", vec![column("k", TypeRoot::Int)], value).with_rows().with_ttl(ttl)
}

/// Writes 3,000 rows of one INT column, and returns their checkpoint.
fn stored(fixture: &Fixture, ttl: Option<Ttl>) -> Checkpoint {
    let columns = vec![column("n", TypeRoot::Int)];
    let codec = RowCodec::of_columns(&columns).unwrap();
    let mut table = fixture.empty().value_table(descriptor(columns, ttl)).unwrap();
    let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values(0..3000));
    let mut rows = EncodedRows::new();
    codec.encode(&[numbers], 3000, &mut rows).unwrap();
    for (i, row) in rows.iter().enumerate() {
        table.put(&(i as u32).to_be_bytes(), row).unwrap();
    }
    let (mut checkpoint, mut snapshot) = (Checkpoint::default(), Snapshot::new());
    table.snapshot(&mut snapshot);
    checkpoint.add(snapshot);
    checkpoint
}

#[test]
fn rows_are_migrated_by_a_restore() {
    for engine in ENGINES {
        for (before, after) in
            [(None, None), (Ttl::of_sql(50), Ttl::of_sql(60)), (None, Ttl::of_sql(9)), (Ttl::of_sql(9), None)]
        {
            let fixture = Fixture::new(engine);
            let checkpoint = stored(&fixture, before);
            let wanted = vec![column("new", TypeRoot::VarChar(9)), column("n", TypeRoot::BigInt)];
            let codec = RowCodec::of_columns(&wanted).unwrap();
            let mut table = fixture.restored(&checkpoint, 0..GROUPS).value_table(descriptor(wanted, after)).unwrap();
            let mut rows = EncodedRows::new();
            for i in 0..3000u32 {
                rows.push(table.get(&i.to_be_bytes()).unwrap().expect("every row is there"));
            }
            let columns = codec.decode(&rows).unwrap();
            assert_eq!(columns[0].null_count(), 3000);
            let numbers = columns[1].as_primitive::<Int64Type>();
            assert!(numbers.values().iter().copied().eq(0..3000), "{engine:?}");
        }
    }
}

#[test]
fn a_table_that_does_not_fit_is_an_error_that_says_why() {
    let fixture = Fixture::new(Engine::Memory);
    let checkpoint = stored(&fixture, None);
    let wanted = descriptor(vec![column("n", TypeRoot::SmallInt)], None);
    let error = fixture.restored(&checkpoint, 0..GROUPS).value_table(wanted).err().unwrap();
    assert_eq!(error.code(), "state-incompatible");
    assert!(error.message().contains("column 'n' was INT and is SMALLINT"), "{error}");
}

#[test]
fn stored_values_say_when_they_expire() {
    let limited = descriptor(vec![], Ttl::of_sql(50));
    let stored = [&1000i64.to_le_bytes()[..], b"row"].concat();
    assert_eq!(limited.split_value(&stored).unwrap(), (Some(1000), &b"row"[..]));
    assert!(!limited.is_expired(&stored, 1049) && limited.is_expired(&stored, 1050));
    assert!(limited.split_value(b"short").is_err());
    assert_eq!(descriptor(vec![], None).split_value(&stored).unwrap(), (None, stored.as_slice()));
}
