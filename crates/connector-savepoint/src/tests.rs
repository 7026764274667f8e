//! Tables over the stored state that the embedded engine's tests keep.

use super::Savepoint;
use expect_test::expect;
use headwater_connector_api::{
    Connector, ReaderContext, ReaderPoll, Source, SourceReader, Split, SplitAssignment, SplitEnumerator,
};
use headwater_env::Env;
use headwater_formats::text::java;
use headwater_plan::table::ColumnOrigin;
use headwater_plan::{ProducedColumn, SourceSpec, TableSpec};
use headwater_types::config::Configuration;
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

const DISTINCT: &str = "distinct $51458507";

fn fixture(name: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../embedded/tests/fixtures/v1").join(name);
    path.to_str().expect("the path of a fixture is text").to_owned()
}

fn scan(columns: &[(&str, LogicalType)], options: &[(&str, &str)]) -> SourceSpec {
    let columns: Vec<(String, LogicalType)> = columns.iter().map(|(n, t)| ((*n).to_owned(), t.clone())).collect();
    let physical = |(at, (name, ty)): (usize, &(String, LogicalType))| ProducedColumn {
        name: name.clone(),
        origin: ColumnOrigin::Physical(at),
        ty: ty.clone(),
    };
    let produced = columns.iter().enumerate().map(physical).collect();
    let options = options.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let (partition_keys, primary_key) = (vec![], vec![]);
    let table = TableSpec { path: ["c", "d", "t"].map(String::from), columns, partition_keys, primary_key, options };
    SourceSpec { table, produced, limit: None }
}

/// The distinct values that the fixture has seen, with their counts.
fn distinct(columns: &[(&str, LogicalType)], path: &str) -> SourceSpec {
    let options = [("connector", "savepoint"), ("path", path), ("operator", "group-aggregate"), ("state", DISTINCT)];
    scan(columns, &options)
}

fn columns() -> [(&'static str, LogicalType); 3] {
    [("name", LogicalType::string()), ("$51458507", TypeRoot::Int.into()), ("occurrences", TypeRoot::BigInt.into())]
}

fn open(spec: &SourceSpec) -> Result<(Box<dyn Source>, Box<dyn SplitEnumerator>)> {
    let source = Savepoint { config: Configuration::new() }.source(spec)?.expect("it can be read");
    let enumerator = source.enumerator(&Env::real())?;
    Ok((source, enumerator))
}

fn reader(source: &dyn Source, subtask: u32, parallelism: u32) -> Result<(Box<dyn SourceReader>, Receiver<()>)> {
    let (sender, woken) = sync_channel(16);
    let reader = source.reader(ReaderContext {
        subtask,
        parallelism,
        batch_rows: 4,
        env: Env::real(),
        waker: Arc::new(move || {
            let _ = sender.try_send(());
        }),
        on_bad_record: Arc::new(|| ()),
        on_bytes: Arc::new(|_| ()),
    })?;
    Ok((reader, woken))
}

/// Reads until `rows` more rows are there or nothing is left; whether something may be left.
fn read(
    reader: &mut dyn SourceReader,
    woken: &Receiver<()>,
    enumerator: &mut dyn SplitEnumerator,
    parallelism: u32,
    rows: usize,
    out: &mut Vec<String>,
) -> Result<bool> {
    let wanted = out.len().saturating_add(rows);
    while out.len() < wanted {
        match reader.poll()? {
            ReaderPoll::Batch(batch) => {
                for row in 0..batch.num_rows() {
                    let mut text = vec![];
                    java::row(&mut text, &batch, row);
                    out.push(String::from_utf8(text).expect("rows are text"));
                }
            }
            ReaderPoll::Pending(_) => woken.recv().expect("the reader wakes"),
            ReaderPoll::NeedSplit => match enumerator.next_split(0, parallelism)? {
                SplitAssignment::Split(split) => reader.add_split(split)?,
                _ => return Ok(false),
            },
            other => panic!("{other:?}"),
        }
    }
    Ok(true)
}

fn all(spec: &SourceSpec, parallelism: u32) -> Result<Vec<String>> {
    let (source, mut enumerator) = open(spec)?;
    let mut out = vec![];
    for subtask in 0..parallelism {
        let (mut reader, woken) = reader(source.as_ref(), subtask, parallelism)?;
        read(reader.as_mut(), &woken, enumerator.as_mut(), parallelism, usize::MAX / 2, &mut out)?;
    }
    out.sort();
    Ok(out)
}

#[test]
fn entries_are_rows_at_any_parallelism() {
    let expected = all(&distinct(&columns(), &fixture("savepoint")), 1).unwrap();
    assert_eq!(expected.len(), 30, "{expected:?}");
    assert!(expected.iter().any(|row| row.contains("zero")), "{expected:?}");
    for parallelism in [2, 5] {
        assert_eq!(all(&distinct(&columns(), &fixture("savepoint")), parallelism).unwrap(), expected);
    }
    // Fewer columns in another order, and wider types.
    let some = [("occurrences", LogicalType::from(TypeRoot::BigInt)), ("$51458507", TypeRoot::BigInt.into())];
    assert_eq!(all(&distinct(&some, &fixture("savepoint")), 2).unwrap().len(), 30);
    assert_eq!(all(&distinct(&columns(), &fixture("checkpoint")), 1).unwrap().len(), 30);
}

#[test]
fn a_restored_reader_goes_on_where_it_was() {
    let spec = distinct(&columns(), &fixture("savepoint"));
    let expected = all(&spec, 1).unwrap();
    let (source, mut enumerator) = open(&spec).unwrap();
    let (mut out, mut splits): (Vec<String>, Vec<Split>) = (vec![], vec![]);
    loop {
        let (mut reader, woken) = reader(source.as_ref(), 0, 1).unwrap();
        splits.drain(..).for_each(|split| reader.add_split(split).unwrap());
        let more = read(reader.as_mut(), &woken, enumerator.as_mut(), 1, 3, &mut out).unwrap();
        splits = reader.snapshot().unwrap();
        let state = enumerator.snapshot().unwrap();
        enumerator = source.restore_enumerator(&Env::real(), &state).unwrap();
        if !more {
            break;
        }
    }
    out.sort();
    assert_eq!(out, expected);
}

#[test]
fn what_does_not_match_is_answered_with_what_there_is() {
    let path = fixture("savepoint");
    let message = |columns: &[(&str, LogicalType)], options: &[(&str, &str)]| {
        let error = open(&scan(columns, options)).map(drop).expect_err("it does not match");
        // The fixture's own path differs from machine to machine.
        let text = error.message().split('\'').map(|part| if part.contains("fixtures") { "PATH" } else { part });
        format!("{}: {}\n", error.code(), text.collect::<Vec<_>>().join("'"))
    };
    let base = [("connector", "savepoint"), ("path", path.as_str())];
    let with = |more: &[(&'static str, &'static str)]| [&base[..], more].concat();
    let text = [
        message(&[], &[("connector", "savepoint")]),
        message(&[], &with(&[("operators", "x")])),
        message(&[], &with(&[])),
        message(&[], &with(&[("operator", "window")])),
        message(&[], &with(&[("operator.uid", "group-aggregate[name]")])),
        message(&[], &with(&[("operator", "group"), ("state", "acumulators")])),
        message(&[("nam", LogicalType::string())], &with(&[("operator", "group"), ("state", DISTINCT)])),
        message(
            &[("name", TypeRoot::Int.into())],
            &with(&[("operator", "group"), ("fields.name.state-name", DISTINCT)]),
        ),
        message(&[], &[("connector", "savepoint"), ("path", "/no/such/fixtures")]),
    ];
    expect![[r#"
        missing-option: the savepoint connector needs the option 'path': the directory of a savepoint or checkpoint
        unknown-option: the savepoint connector does not know the option 'operators'; did you mean 'operator'?
        missing-option: 'PATH' holds state of several operators, so the option 'operator' is needed: 'join[$e3a67dbc=EXPR$0]', 'group-aggregate[name]'
        unknown-operator: 'PATH' holds no keyed state of an operator 'window'; it has: 'join[$e3a67dbc=EXPR$0]', 'group-aggregate[name]'
        missing-option: the operator 'group-aggregate[name]' has several tables, so the option 'state' is needed: 'accumulators', 'distinct $51458507'
        unknown-state: the operator 'group-aggregate[name]' has no state 'acumulators'; it has 'accumulators', 'distinct $51458507'
        unknown-state-column: the state 'distinct $51458507' has no column 'nam' (did you mean 'name'?); it has `name` VARCHAR(4) NOT NULL, `$51458507` INT, `occurrences` BIGINT
        state-column-type: the column 'name' is declared as INT and stored as VARCHAR(4): declare it as VARCHAR(4)
        checkpoint-missing: there is no checkpoint at 'PATH': expected the directory of a checkpoint or savepoint, which holds a file _metadata, or one above
    "#]].assert_eq(&text.concat());
}

#[test]
fn a_declared_not_null_is_held_to() {
    let key = [("$51458507", LogicalType::from(TypeRoot::Int).not_null())];
    assert_eq!(all(&distinct(&key, &fixture("savepoint")), 1).unwrap().len(), 30);
}

#[test]
fn a_table_is_declared() {
    use headwater_state::{Column, TableDescriptor};
    let column = |name: &str| Column::new(name, LogicalType::new(TypeRoot::VarChar(LENGTH_MAX), true));
    let descriptor = TableDescriptor::map("left-rows", vec![column("k")], vec![column("k"), column("v")], vec![]);
    expect![[r#"
        CREATE TABLE `rows of l` (
          `k` STRING,
          `map_key.k` STRING,
          `v` STRING
        ) WITH (
          'connector' = 'savepoint',
          'path' = '/it''s',
          'operator' = 'join[k=k]',
          'state' = 'left-rows'
        );
    "#]]
    .assert_eq(&super::declare::create_table("rows of l", "/it's", "join[k=k]", &descriptor));
}
