//! Tables in a bucket of a real S3 server.

use super::Filesystem;
use crate::test_support::{reader_context, scan, table, texts, write_spec, writer_context};
use arrow::array::{Int32Array, RecordBatch, StringArray};
use headwater_connector_api::{Committable, Committer, Connector, ReaderContext, ReaderPoll, Sink, SplitAssignment};
use headwater_connector_api::{SinkWriter, SourceReader};
use headwater_connector_api::{Source, SplitEnumerator, WriterContext};
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_env::Env;
use headwater_plan::{SinkSpec, TableSpec};
use headwater_storage::Bucket;
use headwater_test_servers::S3;
use headwater_types::config::Configuration;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::io::Write;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

fn config() -> &'static Configuration {
    static SERVER: OnceLock<(S3, Configuration)> = OnceLock::new();
    let (_, config) = SERVER.get_or_init(|| {
        let server = S3::start().expect("the S3 server starts");
        server.create_bucket("files").expect("the bucket is made");
        let mut config = Configuration::new();
        for (key, value) in server.settings() {
            config.set(key, value);
        }
        (server, config)
    });
    config
}

fn bucket() -> Bucket {
    Bucket::open("s3://files", config()).unwrap().unwrap().0
}

fn connector() -> Filesystem {
    Filesystem::new(config().clone())
}

fn spec(path: &str, format: &str, more: &[(&str, &str)]) -> TableSpec {
    let columns = [("a", TypeRoot::Int.into()), ("b", LogicalType::string())];
    let mut options = vec![("connector", "filesystem"), ("path", path), ("format", format)];
    options.extend(more);
    table(&columns, &options)
}

fn batch(rows: impl Iterator<Item = (i32, String)>) -> ChangeBatch {
    let (numbers, words): (Vec<_>, Vec<_>) = rows.unzip();
    let types = [("a", TypeRoot::Int.into()), ("b", LogicalType::string())];
    let schema = arrow_schema(types.iter().map(|(n, t)| (*n, t)));
    let columns: Vec<arrow::array::ArrayRef> =
        vec![Arc::new(Int32Array::from(numbers)), Arc::new(StringArray::from(words))];
    let columns = columns.iter().zip(schema.fields());
    let columns = columns.map(|(c, f)| arrow::compute::cast(c, f.data_type()).unwrap()).collect();
    ChangeBatch::append(RecordBatch::try_new(schema, columns).unwrap())
}

/// A context whose waker wakes this thread.
fn waking() -> (Arc<dyn Fn() + Send + Sync>, impl Fn()) {
    let thread = std::thread::current();
    (Arc::new(move || thread.unpark()), || std::thread::park_timeout(Duration::from_secs(5)))
}

fn sink(spec: &SinkSpec) -> Box<dyn Sink> {
    connector().sink(spec).unwrap().unwrap()
}

fn writer(spec: &SinkSpec, restored: Vec<Vec<u8>>) -> Box<dyn SinkWriter> {
    let (waker, _) = waking();
    sink(spec).writer(WriterContext { waker, restored, checkpointing: true, ..writer_context(0, 1) }).unwrap()
}

fn write(writer: &mut dyn SinkWriter, batch: ChangeBatch) {
    let (_, wait) = waking();
    while !writer.is_ready() {
        wait();
    }
    writer.write(batch).unwrap();
}

/// A barrier: what is handed over and what is kept.
fn barrier(writer: &mut dyn SinkWriter, checkpoint: u64, end: bool) -> (Vec<Committable>, Vec<Vec<u8>>) {
    let (_, wait) = waking();
    writer.flush().unwrap();
    while !writer.is_flushed().unwrap() {
        wait();
    }
    let committables = writer.take_committables(checkpoint, end).unwrap();
    (committables, writer.snapshot().unwrap())
}

fn committer(spec: &SinkSpec) -> Box<dyn Committer> {
    let mut committer = sink(spec).committer().unwrap().unwrap();
    committer.start("job");
    committer
}

fn keys(prefix: &str) -> Vec<String> {
    bucket().list(prefix).unwrap().into_iter().map(|object| object.key).collect()
}

fn next_split(enumerator: &mut dyn SplitEnumerator, subtask: u32, parallelism: u32) -> Result<SplitAssignment> {
    let (_, wait) = (waking(), || std::thread::park_timeout(Duration::from_millis(5)));
    loop {
        match enumerator.next_split(subtask, parallelism)? {
            SplitAssignment::Wait(ms) if ms <= 100 => wait(),
            other => return Ok(other),
        }
    }
}

/// All rows that one reader finds.
fn drain(reader: &mut dyn SourceReader, enumerator: &mut dyn SplitEnumerator, parallelism: u32) -> Result<Vec<String>> {
    let (_, wait) = waking();
    let mut out = vec![];
    loop {
        match reader.poll()? {
            ReaderPoll::Batch(batch) => out.extend(texts(&batch)),
            ReaderPoll::NeedSplit => match next_split(enumerator, 0, parallelism)? {
                SplitAssignment::Split(split) => reader.add_split(split)?,
                _ => return Ok(out),
            },
            ReaderPoll::Pending(_) => wait(),
            _ => return Ok(out),
        }
    }
}

fn source(table: TableSpec) -> Box<dyn Source> {
    connector().source(&scan(table)).unwrap().unwrap()
}

fn reader(source: &dyn Source) -> Box<dyn SourceReader> {
    let (waker, _) = waking();
    source.reader(ReaderContext { waker, ..reader_context(0, 1, Env::real()) }).unwrap()
}

fn read(table: TableSpec) -> Result<Vec<String>> {
    let source = source(table);
    let mut enumerator = source.enumerator(&Env::real())?;
    drain(reader(source.as_ref()).as_mut(), enumerator.as_mut(), 1)
}

fn number(at: i32) -> (i32, String) {
    (at, format!("row {at}"))
}

#[test]
fn every_format_is_committed_once_and_read_back() {
    for format in ["json", "csv", "parquet"] {
        let path = format!("s3://files/formats/{format}");
        let spec = write_spec(spec(&path, format, &[]));
        let mut writer = writer(&spec, vec![]);
        write(writer.as_mut(), batch((0..1_000).map(number)));
        let (committables, state) = barrier(writer.as_mut(), 1, true);
        assert!(state.is_empty() && keys(&format!("formats/{format}")).is_empty(), "nothing is visible yet");
        drop(writer);
        // The process that staged is gone; of two that commit, the second finds it done.
        committer(&spec).commit(1, &committables).unwrap();
        let mut again = committer(&spec);
        again.commit(1, &committables).unwrap();
        again.finish().unwrap();
        assert_eq!(keys(&format!("formats/{format}")), [format!("formats/{format}/part-job-0-0.{format}")]);
        let rows = read(spec.table).unwrap();
        assert_eq!((rows.len(), rows[999].as_str()), (1_000, "+I[999, row 999]"), "{format}");
    }
}

/// Rows of a megabyte, so that files have several parts.
fn long(at: i32) -> (i32, String) {
    (at, at.to_string().repeat(1 << 20))
}

#[test]
fn a_restored_writer_goes_on_with_its_upload() {
    let spec = write_spec(spec("s3://files/restored", "csv", &[]));
    let mut first = writer(&spec, vec![]);
    for at in 0..10 {
        write(first.as_mut(), batch(std::iter::once(long(at))));
    }
    let (committables, state) = barrier(first.as_mut(), 1, false);
    assert!(committables.is_empty() && state.len() == 1, "the file stays open");
    let kept: usize = state.iter().map(Vec::len).sum();
    assert!(kept < 9 << 20, "full parts are with the store, not in the checkpoint: {kept}");
    // Rows behind the checkpoint, of which a part is uploaded, and a crash.
    for at in 90..99 {
        write(first.as_mut(), batch(std::iter::once(long(at))));
    }
    let _ = barrier(first.as_mut(), 2, false);
    drop(first);
    let mut second = writer(&spec, state);
    for at in 10..20 {
        write(second.as_mut(), batch(std::iter::once((at, "x".to_owned()))));
    }
    let (committables, _) = barrier(second.as_mut(), 2, true);
    drop(second);
    assert!(keys("restored").is_empty());
    for _ in 0..2 {
        committer(&spec).commit(2, &committables).unwrap();
    }
    let rows = read(spec.table).unwrap();
    let expected = (0..10).map(long).chain((10..20).map(|at| (at, "x".to_owned())));
    let expected: Vec<_> = expected.map(|(a, b)| format!("+I[{a}, {b}]")).collect();
    assert_eq!(rows.len(), 20);
    assert!(rows == expected, "rows of the first writer behind the checkpoint are gone, others are not");
}

#[test]
fn an_upload_that_the_store_ended_is_an_error() {
    let spec = write_spec(spec("s3://files/ended", "csv", &[]));
    let mut writer = writer(&spec, vec![]);
    (0..10).for_each(|at| write(writer.as_mut(), batch(std::iter::once(long(at)))));
    let (committables, _) = barrier(writer.as_mut(), 1, true);
    super::sink::end_upload(&bucket(), &committables[0]);
    let error = committer(&spec).commit(1, &committables).unwrap_err();
    assert_eq!(error.code(), "upload-lost", "{error}");
}

#[test]
fn columnar_files_of_several_parts_end_with_a_checkpoint() {
    let options = [("parquet.compression", "UNCOMPRESSED"), ("parquet.block.size", "1mb")];
    let spec = write_spec(spec("s3://files/columns", "parquet", &options));
    let mut writer = writer(&spec, vec![]);
    // Texts that differ, or a dictionary makes them small.
    let row = |at: i32| (at, (0..40_000).map(|n| format!("{:08x}", at * 40_000 + n)).collect::<String>());
    (0..40).for_each(|at| write(writer.as_mut(), batch(std::iter::once(row(at)))));
    let (committables, state) = barrier(writer.as_mut(), 1, false);
    assert_eq!((committables.len(), state.len()), (1, 0));
    assert!(committables[0].0.len() < 9 << 20);
    committer(&spec).commit(1, &committables).unwrap();
    let object = bucket().list("columns").unwrap().remove(0);
    assert!(object.size > 10 << 20, "{object:?}");
    let rows = read(spec.table).unwrap();
    assert_eq!(rows.len(), 40);
    assert!(rows[39] == format!("+I[39, {}]", row(39).1));
}

#[test]
fn partitions_overwrites_and_success_files() {
    let mut table = spec("s3://files/partitions", "csv", &[("sink.partition-commit.policy.kind", "success-file")]);
    table.partition_keys = vec!["b".into()];
    bucket().put("partitions/b=row 0/old.csv", b"9\n".to_vec()).unwrap();
    let mut spec = write_spec(table);
    spec.overwrite = true;
    let mut writer = writer(&spec, vec![]);
    write(writer.as_mut(), batch([(0, "row 0".to_owned()), (1, "x/y".to_owned())].into_iter()));
    let (committables, _) = barrier(writer.as_mut(), 1, true);
    committer(&spec).commit(1, &committables).unwrap();
    assert_eq!(
        keys("partitions"),
        [
            "partitions/b=row 0/_SUCCESS",
            "partitions/b=row 0/part-job-0-0.csv",
            "partitions/b=x%2Fy/_SUCCESS",
            "partitions/b=x%2Fy/part-job-0-1.csv",
        ]
    );
    assert_eq!(read(spec.table).unwrap(), ["+I[0, row 0]", "+I[1, x/y]"]);
}

#[test]
fn objects_are_found_as_files_are() {
    let bucket = bucket();
    let mut gz = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    gz.write_all(b"1,gz\n").unwrap();
    bucket.put("found/1.csv.gz", gz.finish().unwrap()).unwrap();
    bucket.put("found/2.csv", b"2,plain\n3,plain".to_vec()).unwrap();
    bucket.put("found/deep/4.csv", b"4,deep\n".to_vec()).unwrap();
    bucket.put("found/_tmp/5.csv", b"garbage".to_vec()).unwrap();
    bucket.put("found-not/6.csv", b"garbage".to_vec()).unwrap();
    let csv = |path: &str| spec(path, "csv", &[]);
    assert_eq!(read(csv("s3://files/found")).unwrap(), ["+I[1, gz]", "+I[2, plain]", "+I[3, plain]", "+I[4, deep]"]);
    assert_eq!(read(csv("s3a://files/found/*.csv")).unwrap(), ["+I[2, plain]", "+I[3, plain]"]);
    assert_eq!(read(csv("s3://files/found/2.csv")).unwrap().len(), 2);
    let absent = read(csv("s3://files/nothing/*.csv")).unwrap_err();
    assert_eq!(absent.code(), "path-not-found", "{absent}");
    let bad = spec("s3://files/found/_tmp", "csv", &[]);
    let bad = read(bad).unwrap_err();
    assert!(bad.message().contains("bad record in 's3://files/found/_tmp/5.csv', line 1"), "{bad}");
    let missing = read(csv("s3://no-such-bucket/x")).unwrap_err();
    assert_eq!(missing.code(), "bucket-missing", "{missing}");
}

#[test]
fn every_line_is_read_once_however_an_object_is_split() {
    let lines: Vec<String> = (0..50).map(|at| format!("{at},{}", "x".repeat(at % 7))).collect();
    let text = lines.join("\n");
    bucket().put("split/f.csv", text.clone().into_bytes()).unwrap();
    let source = source(spec("s3://files/split", "csv", &[("csv.null-literal", "-")]));
    let size = text.len() as u64;
    for step in [7, 100, size] {
        let mut reader = reader(source.as_ref());
        for start in (0..size).step_by(step as usize) {
            let end = (start + step).min(size);
            let path = "s3://files/split/f.csv".into();
            let split = super::split::FileSplit { path, start, end, size, modified_ms: 0, resume: None };
            reader.add_split(split.encode().unwrap()).unwrap();
        }
        let (_, wait) = waking();
        let mut out = vec![];
        loop {
            match reader.poll().unwrap() {
                ReaderPoll::Batch(batch) => out.extend(texts(&batch)),
                ReaderPoll::Pending(_) => wait(),
                _ => break,
            }
        }
        let expected: Vec<_> = (0..50).map(|at| format!("+I[{at}, {}]", "x".repeat(at % 7))).collect();
        assert_eq!(out, expected, "ranges of {step} bytes");
    }
}

#[test]
fn a_restored_reader_goes_on_where_another_stopped() {
    let text: String = (0..500).map(|at| format!("{at},x\n")).collect();
    bucket().put("resumed/f.csv", text.into_bytes()).unwrap();
    let source = source(spec("s3://files/resumed", "csv", &[]));
    let mut enumerator = source.enumerator(&Env::real()).unwrap();
    let SplitAssignment::Split(split) = next_split(enumerator.as_mut(), 0, 1).unwrap() else { panic!("no split") };
    let (mut splits, mut out, (_, wait)) = (vec![split], vec![], waking());
    while !splits.is_empty() {
        let mut reader = reader(source.as_ref());
        splits.drain(..).for_each(|split| reader.add_split(split).unwrap());
        loop {
            match reader.poll().unwrap() {
                ReaderPoll::Pending(_) => wait(),
                ReaderPoll::Batch(batch) => {
                    out.extend(texts(&batch));
                    break;
                }
                _ => break,
            }
        }
        splits = reader.snapshot().unwrap();
    }
    assert_eq!(out.len(), 500);
    assert_eq!(out[499], "+I[499, x]");
}

#[test]
fn a_monitored_prefix_is_listed_again() {
    let source = source(spec("s3://files/monitored", "csv", &[("source.monitor-interval", "1 h")]));
    let (env, clock) = Env::simulated(0, 0);
    let mut enumerator = source.enumerator(&env).unwrap();
    assert!(matches!(next_split(enumerator.as_mut(), 0, 1).unwrap(), SplitAssignment::Wait(ms) if ms > 1_000_000));
    bucket().put("monitored/f.csv", b"1,x\n".to_vec()).unwrap();
    let state = enumerator.snapshot().unwrap();
    clock.advance_ms(3_600_000);
    assert!(matches!(next_split(enumerator.as_mut(), 0, 1).unwrap(), SplitAssignment::Split(_)));
    let mut restored = source.restore_enumerator(&env, &state).unwrap();
    assert!(matches!(next_split(restored.as_mut(), 0, 1).unwrap(), SplitAssignment::Split(_)));
}
