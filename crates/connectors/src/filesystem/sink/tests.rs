use super::FileSink;
use crate::filesystem::Filesystem;
use crate::test_support::{read, scan, table, write_spec, writer_context};
use arrow::array::RecordBatch;
use headwater_connector_api::{Committable, Committer, Connector, Sink, SinkWriter, WriterContext};
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_env::Env;
use headwater_formats::{Format, values};
use headwater_plan::{SinkSpec, TableSpec, Value};
use headwater_types::config::Configuration;
use headwater_types::{ErrorKind, LogicalType, RowKind, TypeRoot};
use std::path::Path;

fn spec(path: &Path, format: &str, more: &[(&str, &str)]) -> TableSpec {
    let columns = [("a", TypeRoot::Int.into()), ("p", LogicalType::string()), ("b", LogicalType::string())];
    let mut options = vec![("connector", "filesystem"), ("path", path.to_str().unwrap()), ("format", format)];
    options.extend(more);
    table(&columns, &options)
}

fn batch(table: &TableSpec, rows: &[(RowKind, i64, Option<&str>, &str)]) -> ChangeBatch {
    let text = |t: &str| Value::String(t.to_string());
    let cells = [
        rows.iter().map(|r| Value::Int(r.1)).collect::<Vec<_>>(),
        rows.iter().map(|r| r.2.map_or(Value::Null, text)).collect(),
        rows.iter().map(|r| text(r.3)).collect(),
    ];
    let types = table.columns.iter().map(|(_, t)| t);
    let arrays = types.zip(&cells).map(|(t, c)| values::array(t, t, c).unwrap()).collect();
    let schema = arrow_schema(table.columns.iter().map(|(n, t)| (n.as_str(), t)));
    ChangeBatch::from_kinds(RecordBatch::try_new(schema, arrays).unwrap(), rows.iter().map(|r| r.0))
}

const ROWS: &[(RowKind, i64, Option<&str>, &str)] = &[
    (RowKind::Insert, 1, Some("x"), "one"),
    (RowKind::Insert, 2, Some("a/b"), "two"),
    (RowKind::Insert, 3, None, "three"),
    (RowKind::Insert, 4, Some("x"), "four"),
];

fn sink(spec: &SinkSpec) -> FileSink {
    let format = Format::from_name(&spec.table.options["format"]).unwrap();
    FileSink::new(spec, format, &Configuration::new()).unwrap()
}

/// Writes the rows and returns what is to be committed.
fn stage(spec: &SinkSpec, rows: &[(RowKind, i64, Option<&str>, &str)]) -> Vec<Committable> {
    let mut writer = sink(spec).writer(writer_context(0, 1)).unwrap();
    writer.write(batch(&spec.table, rows)).unwrap();
    writer.take_committables(0, true).unwrap()
}

/// Names of all files below a directory, in order.
fn names(root: &Path) -> Vec<String> {
    fn visit(root: &Path, directory: &Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            match entry.path().is_dir() {
                true => visit(root, &entry.path(), out),
                false => out.push(entry.path().strip_prefix(root).unwrap().to_str().unwrap().to_string()),
            }
        }
    }
    let mut out = vec![];
    visit(root, root, &mut out);
    out.sort();
    out
}

#[test]
fn every_format_reads_what_it_wrote() {
    for format in ["json", "csv", "parquet"] {
        let dir = tempfile::tempdir().unwrap();
        let table = spec(
            dir.path(),
            format,
            &[("csv.null-literal", "")].map(|o| if format == "csv" { o } else { ("errors.mode", "fail") }),
        );
        let spec = write_spec(table.clone());
        let committables = stage(&spec, ROWS);
        assert!(names(dir.path()).iter().all(|name| name.starts_with('.')), "{format} shows staged files");
        let mut committer = sink(&spec).committer().unwrap().unwrap();
        committer.commit(0, &committables).unwrap();
        // Once more, as after a restore.
        committer.commit(0, &committables).unwrap();
        committer.finish().unwrap();
        assert_eq!(names(dir.path()), [format!("part-job-0-0.{format}")]);
        let rows = read(&Filesystem::default(), &scan(table), 1).unwrap();
        assert_eq!(rows, ["+I[1, x, one]", "+I[2, a/b, two]", "+I[3, null, three]", "+I[4, x, four]"], "{format}");
    }
}

#[test]
fn partitions_are_directories_with_success_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut table = spec(dir.path(), "json", &[("sink.partition-commit.policy.kind", "success-file")]);
    table.partition_keys = vec!["p".into()];
    let spec = write_spec(table.clone());
    let committables = stage(&spec, ROWS);
    sink(&spec).committer().unwrap().unwrap().commit(0, &committables).unwrap();
    assert_eq!(
        names(dir.path()),
        [
            "p=__HIVE_DEFAULT_PARTITION__/_SUCCESS",
            "p=__HIVE_DEFAULT_PARTITION__/part-job-0-0.json",
            "p=a%2Fb/_SUCCESS",
            "p=a%2Fb/part-job-0-1.json",
            "p=x/_SUCCESS",
            "p=x/part-job-0-2.json",
        ]
    );
    let text = std::fs::read_to_string(dir.path().join("p=x/part-job-0-2.json")).unwrap();
    assert_eq!(text, "{\"a\":1,\"b\":\"one\"}\n{\"a\":4,\"b\":\"four\"}\n");
    let mut rows = read(&Filesystem::default(), &scan(table), 1).unwrap();
    rows.sort();
    assert_eq!(rows, ["+I[1, x, one]", "+I[2, a/b, two]", "+I[3, null, three]", "+I[4, x, four]"]);
}

#[test]
fn files_roll_by_size_and_overwrite_replaces() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("old.csv"), "9,old,old\n").unwrap();
    let mut spec = write_spec(spec(dir.path(), "csv", &[("sink.rolling-policy.file-size", "1b")]));
    spec.overwrite = true;
    let mut writer = sink(&spec).writer(writer_context(3, 4)).unwrap();
    for rows in ROWS.chunks(2) {
        writer.write(batch(&spec.table, rows)).unwrap();
    }
    let committables = writer.take_committables(0, false).unwrap();
    assert_eq!(committables.len(), 2);
    sink(&spec).committer().unwrap().unwrap().commit(0, &committables).unwrap();
    assert_eq!(names(dir.path()), ["part-job-3-0.csv", "part-job-3-1.csv"]);
}

#[test]
fn nothing_is_left_of_a_writer_that_fails() {
    let dir = tempfile::tempdir().unwrap();
    let spec = write_spec(spec(dir.path(), "json", &[]));
    let mut writer = sink(&spec).writer(writer_context(0, 1)).unwrap();
    writer.write(batch(&spec.table, ROWS)).unwrap();
    assert_eq!(names(dir.path()).len(), 1);
    drop(writer);
    assert!(names(dir.path()).is_empty());
}

#[test]
fn a_lost_staged_file_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let spec = write_spec(spec(dir.path(), "json", &[]));
    let committables = stage(&spec, ROWS);
    std::fs::remove_file(dir.path().join(&names(dir.path())[0])).unwrap();
    let error = sink(&spec).committer().unwrap().unwrap().commit(0, &committables).unwrap_err();
    assert_eq!(error.code(), "staged-file-lost");
}

/// The file of a checkpoint that a later one has completed, and one that somebody deleted.
#[test]
fn an_open_file_that_is_gone_is_an_error_that_says_why() {
    for is_committed in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let spec = write_spec(spec(dir.path(), "json", &[]));
        let mut writer = sink(&spec).writer(writer_context(0, 1)).unwrap();
        writer.write(batch(&spec.table, ROWS)).unwrap();
        assert!(writer.take_committables(1, false).unwrap().is_empty());
        let restored = writer.snapshot().unwrap();
        let committables = writer.take_committables(2, true).unwrap();
        match is_committed {
            true => sink(&spec).committer().unwrap().unwrap().commit(2, &committables).unwrap(),
            false => std::fs::remove_file(dir.path().join(&names(dir.path())[0])).unwrap(),
        }
        let error = sink(&spec).writer(next_execution(&restored, "job-2")).map(|_| ()).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Corruption, "staged-file-lost"), "{error}");
        assert!(error.to_string().contains("restore from the newest checkpoint of the job"), "{error}");
    }
}

/// The context of a writer that goes on from the first checkpoint.
fn next_execution(restored: &[Vec<u8>], job: &str) -> WriterContext {
    let (restored, job) = (restored.to_vec(), job.to_owned());
    WriterContext { restored, restored_checkpoint: Some(1), job, ..writer_context(0, 1) }
}

#[test]
fn debezium_writes_changes() {
    let dir = tempfile::tempdir().unwrap();
    let table = spec(dir.path(), "debezium-json", &[]);
    assert_eq!(Filesystem::default().sink_mode(&table).unwrap(), headwater_connector_api::ChangelogMode::Retract);
    let spec = write_spec(table);
    let rows = [(RowKind::UpdateBefore, 1, None, "x"), (RowKind::UpdateAfter, 1, None, "y")];
    let committables = stage(&spec, &rows);
    sink(&spec).committer().unwrap().unwrap().commit(0, &committables).unwrap();
    let text = std::fs::read_to_string(dir.path().join("part-job-0-0.json")).unwrap();
    let expected = "{\"before\":{\"a\":1,\"p\":null,\"b\":\"x\"},\"after\":null,\"op\":\"d\"}\n\
                    {\"before\":null,\"after\":{\"a\":1,\"p\":null,\"b\":\"y\"},\"op\":\"c\"}\n";
    assert_eq!(text, expected);
}

#[test]
fn a_path_that_cannot_be_written_is_explained() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let spec = write_spec(spec(&file, "json", &[]));
    let mut writer = sink(&spec).writer(writer_context(0, 1)).unwrap();
    let error = writer.write(batch(&spec.table, ROWS)).unwrap_err();
    assert_eq!(error.code(), "cannot-write");
}

#[test]
fn a_restored_writer_goes_on_in_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let spec = write_spec(spec(dir.path(), "json", &[]));
    let mut writer = sink(&spec).writer(writer_context(0, 1)).unwrap();
    writer.write(batch(&spec.table, &ROWS[..1])).unwrap();
    assert_eq!(writer.take_committables(1, false).unwrap(), []);
    let state = writer.snapshot().unwrap();
    assert_eq!(state.len(), 1);
    let old = ".part-job-0-0.json.inprogress";
    // Two attempts that end before a checkpoint leave the file as it was.
    for job in ["job-2", "job-3"] {
        let mut failed = sink(&spec).writer(next_execution(&state, job)).unwrap();
        failed.write(batch(&spec.table, &ROWS[1..2])).unwrap();
        drop(failed);
        assert_eq!(names(dir.path()), [old]);
    }
    let mut next = sink(&spec).writer(next_execution(&state, "job-4")).unwrap();
    // The writer before does not know yet that it was replaced.
    writer.write(batch(&spec.table, &ROWS[1..3])).unwrap();
    assert_eq!(writer.snapshot().unwrap().len(), 1);
    drop(writer);
    next.write(batch(&spec.table, &ROWS[3..])).unwrap();
    let mut committer = sink(&spec).committer().unwrap().unwrap();
    let replaced = next.take_committables(2, false).unwrap();
    let state = next.snapshot().unwrap();
    assert_eq!(
        names(dir.path()),
        [old, ".part-job-4-0-0.json.inprogress"],
        "the checkpoint before needs it until then"
    );
    committer.commit(2, &replaced).unwrap();
    assert_eq!(names(dir.path()), [".part-job-4-0-0.json.inprogress"]);
    drop(next);
    let mut last = sink(&spec).writer(next_execution(&state, "job-5")).unwrap();
    let committables = last.take_committables(3, true).unwrap();
    committer.commit(3, &committables).unwrap();
    committer.commit(3, &committables).unwrap();
    assert_eq!(names(dir.path()), ["part-job-5-0-0.json"]);
    let text = std::fs::read_to_string(dir.path().join("part-job-5-0-0.json")).unwrap();
    assert_eq!(text, "{\"a\":1,\"p\":\"x\",\"b\":\"one\"}\n{\"a\":4,\"p\":\"x\",\"b\":\"four\"}\n");
}

/// The bytes of a checkpoint are there or the restore fails: rows are not lost in silence.
#[test]
fn an_open_file_that_is_too_short_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let spec = write_spec(spec(dir.path(), "json", &[]));
    let mut writer = sink(&spec).writer(writer_context(0, 1)).unwrap();
    writer.write(batch(&spec.table, ROWS)).unwrap();
    let state = writer.snapshot().unwrap();
    let old = dir.path().join(&names(dir.path())[0]);
    std::fs::File::options().write(true).open(&old).unwrap().set_len(5).unwrap();
    let error = sink(&spec).writer(next_execution(&state, "job-2")).map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Corruption, "staged-file-lost"), "{error}");
    assert_eq!(names(dir.path()).len(), 1, "nothing is left of the copy");
}

#[test]
fn columnar_files_end_with_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let spec = write_spec(spec(dir.path(), "parquet", &[]));
    let mut writer = sink(&spec).writer(writer_context(0, 1)).unwrap();
    writer.write(batch(&spec.table, &ROWS[..1])).unwrap();
    assert_eq!(writer.take_committables(1, false).unwrap().len(), 1);
    assert_eq!(writer.snapshot().unwrap().len(), 0);
    writer.write(batch(&spec.table, &ROWS[1..])).unwrap();
    assert_eq!(writer.take_committables(2, false).unwrap().len(), 1);
}

/// A writer of a simulated clock.
fn writer_at(spec: &SinkSpec, env: &Env, restored: Vec<Vec<u8>>) -> Box<dyn SinkWriter> {
    let context = WriterContext { env: env.clone(), restored, checkpointing: true, ..writer_context(0, 1) };
    sink(spec).writer(context).unwrap()
}

fn committer(spec: &SinkSpec) -> Box<dyn Committer> {
    let mut committer = sink(spec).committer().unwrap().unwrap();
    committer.start("job");
    committer
}

fn success_files(root: &Path) -> Vec<String> {
    names(root).into_iter().filter(|name| name.ends_with("DONE")).collect()
}

fn by_partition(root: &Path, more: &[(&str, &str)]) -> SinkSpec {
    let options = [
        ("sink.partition-commit.policy.kind", "success-file"),
        ("sink.partition-commit.success-file.name", "DONE"),
        ("sink.partition-commit.trigger", "partition-time"),
    ];
    let mut table = spec(root, "json", &[&options[..], more].concat());
    table.partition_keys = vec!["p".into()];
    write_spec(table)
}

const DAY_MS: i64 = 86_400_000;

fn days(days: &[&'static str]) -> Vec<(RowKind, i64, Option<&'static str>, &'static str)> {
    days.iter().map(|day| (RowKind::Insert, 1, Some(*day), "b")).collect()
}

#[test]
fn partitions_are_committed_by_their_time() {
    let dir = tempfile::tempdir().unwrap();
    let spec = by_partition(dir.path(), &[("sink.partition-commit.delay", "1 d")]);
    let (env, _) = Env::simulated(0, 0);
    let mut committer = committer(&spec);
    let mut writers = [writer_at(&spec, &env, vec![]), sink(&spec).writer(writer_context(1, 2)).unwrap()];
    let mut checkpoint = |writers: &mut [Box<dyn SinkWriter>], number: u64, watermarks: [i64; 2]| {
        let mut all = vec![];
        for (writer, watermark) in writers.iter_mut().zip(watermarks) {
            writer.watermark(watermark).unwrap();
            assert!(writer.is_flushed().unwrap());
            all.extend(writer.take_committables(number, false).unwrap());
        }
        committer.commit(number, &all).unwrap();
        committer.commit(number, &all).unwrap();
        success_files(dir.path())
    };
    writers[0].write(batch(&spec.table, &days(&["1970-01-01", "1970-01-02"]))).unwrap();
    writers[1].write(batch(&spec.table, &days(&["1970-01-01"]))).unwrap();
    // The watermark must pass the time and the delay, at every writer.
    assert_eq!(checkpoint(&mut writers, 1, [DAY_MS, DAY_MS]), [""; 0]);
    assert_eq!(checkpoint(&mut writers, 2, [DAY_MS + 1, DAY_MS]), [""; 0]);
    assert_eq!(checkpoint(&mut writers, 3, [DAY_MS + 1, DAY_MS + 1]), ["p=1970-01-01/DONE"]);
    let visible = names(dir.path()).into_iter().filter(|name| name.starts_with("p=1970-01-01/part")).count();
    assert_eq!(visible, 2, "the files of a complete partition are closed and committed with it");
    // What waits outlives a restore, also without another row.
    assert!(writers[0].is_flushed().unwrap());
    drop(writers[0].take_committables(4, false).unwrap());
    let state = writers[0].snapshot().unwrap();
    let mut restored = writer_at(&spec, &env, state);
    restored.watermark(10 * DAY_MS).unwrap();
    let last = restored.take_committables(5, false).unwrap();
    committer.commit(5, &last).unwrap();
    assert_eq!(success_files(dir.path()), ["p=1970-01-01/DONE", "p=1970-01-02/DONE"]);
    // Marked partitions are forgotten.
    restored.take_committables(6, false).unwrap();
    restored.take_committables(7, false).unwrap();
    assert_eq!(restored.snapshot().unwrap().len(), 0);
}

#[test]
fn the_end_completes_every_partition() {
    let dir = tempfile::tempdir().unwrap();
    let spec = by_partition(dir.path(), &[]);
    let mut writer = writer_at(&spec, &Env::simulated(0, 0).0, vec![]);
    writer.write(batch(&spec.table, &days(&["2970-01-01"]))).unwrap();
    writer.write(batch(&spec.table, &[(RowKind::Insert, 1, None, "b")])).unwrap();
    let early = writer.take_committables(1, false).unwrap();
    let mut committer = committer(&spec);
    committer.commit(1, &early).unwrap();
    assert_eq!(success_files(dir.path()), [""; 0]);
    committer.commit(2, &writer.take_committables(2, true).unwrap()).unwrap();
    assert_eq!(success_files(dir.path()).len(), 2);
}

#[test]
fn partitions_are_committed_some_time_after_they_began() {
    let dir = tempfile::tempdir().unwrap();
    let options = [("sink.partition-commit.trigger", "process-time"), ("sink.partition-commit.delay", "10 s")];
    let spec = by_partition(dir.path(), &options);
    let (env, clock) = Env::simulated(0, 0);
    let (mut writer, mut committer) = (writer_at(&spec, &env, vec![]), committer(&spec));
    writer.write(batch(&spec.table, &days(&["x"]))).unwrap();
    for (number, ms, expected) in [(1, 10_000, 0), (2, 1, 1)] {
        clock.advance_ms(ms);
        committer.commit(number, &writer.take_committables(number, false).unwrap()).unwrap();
        assert_eq!(success_files(dir.path()).len(), expected);
    }
}

#[test]
fn policies_that_cannot_be_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (kind, expected) in [
        ("metastore,success-file", "needs a metastore"),
        ("custom", "runs a Java class"),
        ("success", "expected success-file"),
    ] {
        let spec = write_spec(spec(dir.path(), "json", &[("sink.partition-commit.policy.kind", kind)]));
        let error = Filesystem::default().sink(&spec).err().unwrap();
        assert!(error.message().contains(expected), "{error}");
    }
    let spec = by_partition(dir.path(), &[]);
    let mut writer = writer_at(&spec, &Env::simulated(0, 0).0, vec![]);
    let error = writer.write(batch(&spec.table, &days(&["today"]))).unwrap_err();
    assert_eq!(error.code(), "bad-partition-time", "{error}");
}

#[test]
fn idle_files_are_closed_by_the_clock() {
    let dir = tempfile::tempdir().unwrap();
    let options = [
        ("sink.rolling-policy.rollover-interval", "10 s"),
        ("sink.rolling-policy.inactivity-interval", "3 s"),
        ("sink.rolling-policy.check-interval", "1 s"),
    ];
    let spec = write_spec(spec(dir.path(), "json", &options));
    let (env, clock) = Env::simulated(0, 0);
    let mut writer = writer_at(&spec, &env, vec![]);
    assert_eq!(writer.next_tick_ms(), None);
    writer.write(batch(&spec.table, &ROWS[..1])).unwrap();
    let mut ticks = 0;
    while let Some(due_ms) = writer.next_tick_ms() {
        clock.advance_ms(due_ms - env.now_ms());
        writer.tick(env.now_ms()).unwrap();
        ticks += 1;
    }
    assert_eq!((ticks, env.now_ms()), (3, 3_000), "an idle writer is left alone");
    // A file that is written all the time ends by its age, checkpoint or not.
    for _ in 0..11 {
        writer.write(batch(&spec.table, &ROWS[..1])).unwrap();
        clock.advance_ms(1_000);
    }
    assert_eq!(names(dir.path()).len(), 3);
    assert_eq!(writer.take_committables(1, false).unwrap().len(), 2);
}

#[test]
fn an_aborted_job_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(dir.path().join("p=x")).unwrap();
    let staged = ["p=x/.part-job-1-0-0.json.inprogress", ".part-job-12-3-4.json.inprogress"];
    let others = [".part-jobs-1-0-0.json.inprogress", "part-job-0-0-0.json"];
    for name in staged.iter().chain(&others) {
        std::fs::write(dir.path().join(name), "").unwrap();
    }
    let mut spec = write_spec(spec(dir.path(), "json", &[]));
    spec.table.partition_keys = vec!["p".into()];
    // No file was committed, so only the job's name says which are its own.
    committer(&spec).abort().unwrap();
    assert_eq!(names(dir.path()), others);
    std::fs::write(dir.path().join(staged[0]), "").unwrap();
    committer(&spec).finish().unwrap();
    assert_eq!(names(dir.path()), others);
}
