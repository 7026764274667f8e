use super::*;
use arrow::array::*;
use std::sync::Arc;

fn column(name: &str, ty: &str) -> Column {
    let ty: LogicalType = match ty {
        "INT" => TypeRoot::Int.into(),
        "INT NOT NULL" => LogicalType::from(TypeRoot::Int).not_null(),
        "BIGINT" => TypeRoot::BigInt.into(),
        "FLOAT" => TypeRoot::Float.into(),
        "DOUBLE" => TypeRoot::Double.into(),
        "DECIMAL(5,2)" => TypeRoot::Decimal(5, 2).into(),
        "DECIMAL(9,4)" => TypeRoot::Decimal(9, 4).into(),
        "VARCHAR(3)" => TypeRoot::VarChar(3).into(),
        "STRING" => LogicalType::string(),
        "BYTES" => TypeRoot::VarBinary(i32::MAX as u32).into(),
        other => panic!("{other}"),
    };
    Column::new(name, ty)
}

type Columns<'a> = &'a [(&'a str, &'a str)];

fn table(columns: Columns<'_>) -> TableDescriptor {
    let columns = columns.iter().map(|(name, ty)| column(name, ty)).collect();
    TableDescriptor::value("t", vec![column("k", "INT")], columns).with_rows()
}

fn judge(stored: Columns<'_>, wanted: Columns<'_>) -> String {
    match compatibility(&table(stored), &table(wanted)) {
        Compatibility::Same => "same".to_owned(),
        Compatibility::Migrated { what, dropped } => {
            let dropped = dropped.iter().map(|column| format!("dropped: {column}"));
            what.into_iter().chain(dropped).collect::<Vec<_>>().join("; ")
        }
        Compatibility::Incompatible { why } => format!("no: {why}"),
    }
}

#[test]
fn rows_are_judged_column_by_column() {
    let cases: &[(Columns<'_>, Columns<'_>, &str)] = &[
        (&[("a", "INT")], &[("a", "INT")], "same"),
        (&[("a", "INT")], &[("a", "BIGINT")], "column 'a' was INT and is BIGINT"),
        (&[("a", "FLOAT")], &[("a", "DOUBLE")], "column 'a' was FLOAT and is DOUBLE"),
        (&[("a", "VARCHAR(3)")], &[("a", "STRING")], "column 'a' was VARCHAR(3) and is STRING"),
        (&[("a", "DECIMAL(5,2)")], &[("a", "DECIMAL(9,4)")], "column 'a' was DECIMAL(5, 2) and is DECIMAL(9, 4)"),
        (&[("a", "INT NOT NULL")], &[("a", "INT")], "column 'a' was INT NOT NULL and is INT"),
        (&[("a", "INT")], &[("b", "INT"), ("a", "INT")], "column 'b' is new and starts as NULL"),
        (&[("a", "INT"), ("b", "INT")], &[("b", "INT")], "dropped: a"),
        (&[("a", "INT"), ("b", "INT")], &[("b", "INT"), ("a", "INT")], "columns change their order"),
        (&[("a", "BIGINT")], &[("a", "INT")], "no: column 'a' was BIGINT and is INT"),
        (
            &[("a", "INT")],
            &[("a", "INT NOT NULL")],
            "no: column 'a' was INT and is INT NOT NULL: stored rows may hold NULL",
        ),
        (&[], &[("a", "INT NOT NULL")], "no: column 'a' is new and NOT NULL, so stored rows have no value"),
        (&[("a", "STRING")], &[("a", "INT")], "no: column 'a' was STRING and is INT"),
    ];
    for (stored, wanted, expected) in cases {
        assert_eq!(&judge(stored, wanted), expected);
    }
}

#[test]
fn keys_kinds_and_opaque_values_must_stay() {
    let stored = table(&[("a", "INT")]);
    let why = |wanted: &TableDescriptor, stored: &TableDescriptor| match compatibility(stored, wanted) {
        Compatibility::Incompatible { why } => why,
        other => panic!("{other:?}"),
    };
    let mut other_key = stored.clone();
    other_key.key = vec![column("k", "BIGINT")];
    assert_eq!(why(&other_key, &stored), "its key columns were (k INT) and are (k BIGINT)");
    let mut map = stored.clone();
    map.kind = crate::TableKind::Map;
    assert_eq!(why(&map, &stored), "it was a table of kind Value and is one of kind Map");
    let opaque = |ty| TableDescriptor::value("t", vec![], vec![column("a", ty)]);
    assert_eq!(why(&opaque("BIGINT"), &opaque("INT")), "its value columns were (a INT) and are (a BIGINT)");
    assert_eq!(compatibility(&opaque("INT"), &opaque("INT NOT NULL")), Compatibility::Same);
    assert_eq!(ValueMigrator::new(&stored, &other_key).unwrap_err().code(), "state-incompatible");
}

#[test]
fn a_changed_time_to_live_is_told() {
    let (none, some) = (table(&[]), table(&[]).with_ttl(Ttl::of_sql(5)));
    let what = |stored: &TableDescriptor, wanted: &TableDescriptor| match compatibility(stored, wanted) {
        Compatibility::Migrated { what, .. } => what.join("; "),
        other => format!("{other:?}"),
    };
    assert_eq!(what(&none, &some), "entries get a time to live of 5 ms from the restore on");
    assert_eq!(what(&some, &none), "entries lose their time to live");
    assert_eq!(what(&some, &some), "Same");
}

#[test]
fn rows_are_rewritten() {
    let stored = table(&[("a", "INT"), ("gone", "STRING"), ("d", "DECIMAL(5,2)"), ("f", "FLOAT")]);
    let wanted = table(&[("f", "DOUBLE"), ("new", "STRING"), ("a", "BIGINT"), ("d", "DECIMAL(9,4)")]);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![Some(1), None])),
        Arc::new(StringArray::from(vec!["x", "y"])),
        Arc::new(Decimal128Array::from(vec![Some(150), None]).with_precision_and_scale(5, 2).unwrap()),
        Arc::new(Float32Array::from(vec![0.5, 1.5])),
    ];
    let (mut rows, mut out) = (EncodedRows::new(), EncodedRows::new());
    RowCodec::of_columns(&stored.value).unwrap().encode(&columns, 2, &mut rows).unwrap();
    ValueMigrator::new(&stored, &wanted).unwrap().unwrap().migrate(&rows, &mut out).unwrap();
    let expected: Vec<ArrayRef> = vec![
        Arc::new(Float64Array::from(vec![0.5, 1.5])),
        Arc::new(StringArray::from(vec![None::<&str>, None])),
        Arc::new(Int64Array::from(vec![Some(1), None])),
        Arc::new(Decimal128Array::from(vec![Some(15_000), None]).with_precision_and_scale(9, 4).unwrap()),
    ];
    assert_eq!(RowCodec::of_columns(&wanted.value).unwrap().decode(&out).unwrap(), expected);
    assert!(ValueMigrator::new(&stored, &stored).unwrap().is_none());
}

#[test]
fn accumulators_are_read_again_by_those_that_are_made_alike() {
    let layout = |function: &str, of: Option<&str>, widens| AccumulatorLayout {
        function: function.to_owned(),
        of: of.map(|ty| column("a", ty).ty),
        widens,
    };
    let judge = |before: Option<AccumulatorLayout>, after: Option<AccumulatorLayout>| {
        let of = |accumulator| {
            let mut bytes = column("f(a)", "BYTES");
            bytes.accumulator = accumulator;
            TableDescriptor::value("t", vec![], vec![bytes]).with_rows()
        };
        compatibility(&of(before), &of(after))
    };
    let (int, bigint) = (layout("MAX", Some("INT"), true), layout("MAX", Some("BIGINT"), true));
    assert_eq!(judge(Some(int.clone()), Some(int.clone())), Compatibility::Same);
    assert_eq!(judge(None, Some(int.clone())), Compatibility::Same);
    let what = vec!["column 'f(a)' held MAX of INT and holds MAX of BIGINT".to_owned()];
    assert_eq!(judge(Some(int.clone()), Some(bigint.clone())), Compatibility::Migrated { what, dropped: vec![] });
    for (before, after) in [
        (bigint, int.clone()),
        (int.clone(), layout("MAX over changes", Some("INT"), false)),
        (layout("SUM", Some("DECIMAL(5,2)"), false), layout("SUM", Some("DECIMAL(9,4)"), false)),
    ] {
        assert!(matches!(judge(Some(before), Some(after)), Compatibility::Incompatible { .. }));
    }
}

/// Rows that were stored before their tables said so are the same bytes.
#[test]
fn opaque_rows_of_the_same_columns_are_rows() {
    let opaque = TableDescriptor::value("t", vec![], vec![column("a", "INT")]);
    assert_eq!(compatibility(&opaque, &opaque.clone().with_rows()), Compatibility::Same);
    let wider = TableDescriptor::value("t", vec![], vec![column("a", "BIGINT")]).with_rows();
    assert!(matches!(compatibility(&opaque, &wider), Compatibility::Incompatible { .. }));
}

#[test]
fn entries_of_another_cut_do_not_fit() {
    let of = |cut: &str| table(&[("a", "INT")]).cut_by(cut);
    for (stored, wanted, expected) in [
        ("TUMBLE(10 ms)", "TUMBLE(10 ms)", true),
        ("TUMBLE(10 ms)", "TUMBLE(15 ms)", false),
        ("TUMBLE(10 ms)", "", false),
        // Stored before it was said.
        ("", "TUMBLE(15 ms)", true),
    ] {
        let fits = match compatibility(&of(stored), &of(wanted)) {
            Compatibility::Same => true,
            Compatibility::Incompatible { why } => {
                assert_eq!(why, format!("its entries are those of {stored} and would be those of {wanted}"));
                false
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(fits, expected, "{stored} {wanted}");
    }
}

#[test]
fn an_aggregate_may_be_new_over_rows_that_are_only_added() {
    let of = |names: &[&str], counted: bool| {
        let count = counted.then(|| column("rows", "INT NOT NULL"));
        let accumulator = |name: &&str| Column {
            accumulator: Some(AccumulatorLayout { function: "SUM".into(), of: None, widens: false }),
            ..column(name, "BYTES")
        };
        let columns = count.into_iter().chain(names.iter().map(accumulator)).collect();
        TableDescriptor::value("accumulators", vec![column("k", "INT")], columns).with_rows()
    };
    let added = compatibility(&of(&["SUM(a)"], false), &of(&["SUM(a)", "SUM(b)"], false));
    assert!(matches!(added, Compatibility::Migrated { .. }), "{added:?}");
    let Compatibility::Incompatible { why } = compatibility(&of(&["SUM(a)"], true), &of(&["SUM(a)", "SUM(b)"], true))
    else {
        panic!("rows that were counted in SUM(a) only would be taken back from SUM(b)")
    };
    assert_eq!(why, "column 'SUM(b)' is new, and rows that it has not seen may be taken back from it");
    // One that the query no longer has is dropped either way.
    let dropped = compatibility(&of(&["SUM(a)", "SUM(b)"], true), &of(&["SUM(a)"], true));
    assert!(matches!(dropped, Compatibility::Migrated { .. }), "{dropped:?}");
}
