use super::Datagen;
use crate::test_support::{read, reader_context, scan, table};
use headwater_connector_api::{Connector, ReaderPoll};
use headwater_env::Env;
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};

#[test]
fn sequences_bound_the_source() {
    let columns = [("a", TypeRoot::Int.into()), ("b", LogicalType::string())];
    let sequence = |field: &str, start: &str, end: &str| {
        vec![
            (format!("fields.{field}.kind"), "sequence".to_string()),
            (format!("fields.{field}.start"), start.to_string()),
            (format!("fields.{field}.end"), end.to_string()),
        ]
    };
    let mut options = sequence("a", "5", "7");
    options.extend(sequence("b", "0", "100"));
    options.push(("rows-per-second".into(), "1000000000".into()));
    let options: Vec<_> = options.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let spec = scan(table(&columns, &options));
    let env = Env::simulated(0, 0);
    let mut reader = Datagen.source(&spec).unwrap().unwrap().reader(reader_context(0, 1, env.0.clone())).unwrap();
    let mut enumerator = Datagen.source(&spec).unwrap().unwrap().enumerator(&env.0).unwrap();
    let headwater_connector_api::SplitAssignment::Split(split) = enumerator.next_split(0, 1).unwrap() else {
        panic!("a split");
    };
    reader.add_split(split).unwrap();
    let ReaderPoll::Batch(first) = reader.poll().unwrap() else { panic!("the row that is due at once") };
    assert_eq!(crate::test_support::texts(&first), ["+I[5, 0]"]);
    assert!(matches!(reader.poll().unwrap(), ReaderPoll::Pending(Some(10))));
    env.1.advance_ms(10);
    let ReaderPoll::Batch(rest) = reader.poll().unwrap() else { panic!("the rest") };
    assert_eq!(crate::test_support::texts(&rest), ["+I[6, 1]", "+I[7, 2]"]);
    assert!(matches!(reader.poll().unwrap(), ReaderPoll::Finished));
}

#[test]
fn every_type_has_values_in_its_bounds() {
    let columns = [
        ("i", TypeRoot::TinyInt.into()),
        ("d", TypeRoot::Decimal(4, 2).into()),
        ("s", TypeRoot::VarChar(7).into()),
        ("b", TypeRoot::Binary(3).into()),
        ("t", TypeRoot::TimestampLtz(9, TimeAttribute::None).into()),
        ("l", TypeRoot::Array(Box::new(TypeRoot::Double.into())).into()),
        ("m", TypeRoot::Multiset(Box::new(TypeRoot::Boolean.into())).into()),
        ("r", TypeRoot::Row(vec![RowField::new("x", TypeRoot::SmallInt.into())]).into()),
        ("n", TypeRoot::BigInt.into()),
    ];
    let options = [
        ("number-of-rows", "1"),
        ("fields.i.min", "3"),
        ("fields.i.max", "3"),
        ("fields.r.x.min", "-2"),
        ("fields.r.x.max", "-2"),
        ("fields.n.null-rate", "1"),
        ("fields.s.length", "2"),
    ];
    let rows = read(&Datagen, &scan(table(&columns, &options)), 1).unwrap();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert!(row.starts_with("+I[3, ") && row.ends_with("+I[-2], null]"), "{row}");
    assert!(row.contains("1970-01-01T00:16:40Z"), "{row}");
}

#[test]
fn mistakes_are_explained() {
    let columns = [("amount", TypeRoot::Int.into())];
    let check = |option: (&str, &str), expected: &str| {
        let error = read(&Datagen, &scan(table(&columns, &[option])), 1).unwrap_err();
        assert!(error.message().contains(expected), "{error}");
    };
    check(("fields.amount.kin", "random"), "did you mean 'fields.amount.kind'?");
    check(("fields.amont.kind", "random"), "did you mean 'amount'?");
    check(("fields.amount.kind", "serial"), "random or sequence");
    check(("fields.amount.kind", "sequence"), "'fields.amount.start'");
    check(("fields.amount.max", "99999999999"), "-2147483648 to 2147483647");
    check(("rows-per-secnd", "1"), "did you mean 'rows-per-second'?");
}
