//! What the tests of several connectors need.

use headwater_connector_api::{
    Connector, ReaderContext, ReaderPoll, SourceReader, SplitAssignment, SplitEnumerator, WriterContext,
};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_formats::text::java;
use headwater_plan::table::ColumnOrigin;
use headwater_plan::{ProducedColumn, SinkSpec, SourceSpec, TableSpec};
use headwater_types::{LogicalType, Result};
use std::sync::Arc;

pub(crate) fn table(columns: &[(&str, LogicalType)], options: &[(&str, &str)]) -> TableSpec {
    TableSpec {
        path: ["c", "d", "t"].map(String::from),
        columns: columns.iter().map(|(n, t)| (n.to_string(), t.clone())).collect(),
        partition_keys: vec![],
        primary_key: vec![],
        options: options.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
    }
}

/// A scan of all physical columns.
pub(crate) fn scan(table: TableSpec) -> SourceSpec {
    let physical = |(i, (name, ty)): (usize, &(String, LogicalType))| ProducedColumn {
        name: name.clone(),
        origin: ColumnOrigin::Physical(i),
        ty: ty.clone(),
    };
    let produced = table.columns.iter().enumerate().map(physical).collect();
    SourceSpec { table, produced, limit: None }
}

pub(crate) fn write_spec(table: TableSpec) -> SinkSpec {
    SinkSpec { table, metadata: vec![], overwrite: false, target_columns: vec![] }
}

pub(crate) fn reader_context(subtask: u32, parallelism: u32, env: Env) -> ReaderContext {
    ReaderContext {
        subtask,
        parallelism,
        batch_rows: 64,
        env,
        waker: Arc::new(|| ()),
        on_bad_record: Arc::new(|| ()),
        on_bytes: Arc::new(|_| ()),
    }
}

pub(crate) fn writer_context(subtask: u32, parallelism: u32) -> WriterContext {
    WriterContext {
        subtask,
        parallelism,
        job: "job".into(),
        env: Env::real(),
        waker: Arc::new(|| ()),
        on_bytes: Arc::new(|_| ()),
        restored: vec![],
        restored_checkpoint: None,
        checkpointing: false,
    }
}

/// The rows of a batch in Flink's text form.
pub(crate) fn texts(batch: &ChangeBatch) -> Vec<String> {
    let text = |row| {
        let mut out = vec![];
        java::row(&mut out, batch, row);
        String::from_utf8(out).unwrap()
    };
    (0..batch.num_rows()).map(text).collect()
}

/// All rows of a bounded scan whose readers are replaced after every batch: `parallelism[i % n]` of them are made
/// from the snapshots of those before.
pub(crate) fn read_interrupted(
    connector: &dyn Connector,
    spec: &SourceSpec,
    parallelism: &[u32],
) -> Result<Vec<String>> {
    let source = connector.source(spec)?.expect("a source");
    let env = Env::simulated(0, 1_000_000).0;
    let mut enumerator = source.enumerator(&env)?;
    let (mut splits, mut out) = (vec![], vec![]);
    for attempt in 0.. {
        let count = parallelism[attempt % parallelism.len()];
        let reader = |subtask| source.reader(reader_context(subtask, count, env.clone()));
        let mut readers = (0..count).map(reader).collect::<Result<Vec<_>>>()?;
        for (at, split) in splits.drain(..).enumerate() {
            readers[at % count as usize].add_split(split)?;
        }
        let before = out.len();
        for (subtask, reader) in readers.iter_mut().enumerate() {
            read_once(reader.as_mut(), enumerator.as_mut(), subtask as u32, count, &mut out)?;
            splits.extend(reader.snapshot()?);
        }
        if out.len() == before {
            return Ok(out);
        }
        enumerator = source.restore_enumerator(&env, &enumerator.snapshot()?)?;
    }
    unreachable!("attempts go on until nothing is read")
}

/// Reads one batch, if there is one.
fn read_once(
    reader: &mut dyn SourceReader,
    enumerator: &mut dyn SplitEnumerator,
    subtask: u32,
    parallelism: u32,
    out: &mut Vec<String>,
) -> Result<()> {
    loop {
        match reader.poll()? {
            ReaderPoll::Batch(batch) => {
                out.extend(texts(&batch));
                return Ok(());
            }
            ReaderPoll::NeedSplit => match enumerator.next_split(subtask, parallelism)? {
                SplitAssignment::Split(split) => reader.add_split(split)?,
                _ => return Ok(()),
            },
            _ => return Ok(()),
        }
    }
}

/// All rows of a bounded scan, reader after reader.
pub(crate) fn read(connector: &dyn Connector, spec: &SourceSpec, parallelism: u32) -> Result<Vec<String>> {
    let source = connector.source(spec)?.expect("a source");
    let env = Env::simulated(0, 1_000_000).0;
    let mut enumerator = source.enumerator(&env)?;
    let mut out = vec![];
    for subtask in 0..parallelism {
        let mut reader = source.reader(reader_context(subtask, parallelism, env.clone()))?;
        loop {
            match reader.poll()? {
                ReaderPoll::Batch(batch) => out.extend(texts(&batch)),
                ReaderPoll::NeedSplit => match enumerator.next_split(subtask, parallelism)? {
                    SplitAssignment::Split(split) => reader.add_split(split)?,
                    _ => break,
                },
                ReaderPoll::Finished => break,
                ReaderPoll::SplitBatch { .. } | ReaderPoll::SplitFinished(_) => panic!("splits are read in turn"),
                ReaderPoll::Pending(_) => panic!("the reader waits"),
            }
        }
    }
    Ok(out)
}
