use super::Filesystem;
use crate::test_support::read_interrupted;
use headwater_connector_api::{Connector, ReaderContext, ReaderPoll, SplitAssignment};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_formats::text::java;
use headwater_plan::table::ColumnOrigin;
use headwater_plan::{ProducedColumn, SourceSpec, TableSpec};
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

fn table(options: &[(&str, &str)]) -> TableSpec {
    TableSpec {
        path: ["c", "d", "t"].map(String::from),
        columns: vec![("a".into(), TypeRoot::Int.into()), ("b".into(), LogicalType::string())],
        partition_keys: vec![],
        primary_key: vec![],
        options: options.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
    }
}

fn scan(table: TableSpec, metadata: &[(&str, LogicalType)]) -> SourceSpec {
    let physical = |(i, (name, ty)): (usize, &(String, LogicalType))| ProducedColumn {
        name: name.clone(),
        origin: ColumnOrigin::Physical(i),
        ty: ty.clone(),
    };
    let mut produced: Vec<_> = table.columns.iter().enumerate().map(physical).collect();
    produced.extend(metadata.iter().map(|(key, ty)| ProducedColumn {
        name: key.to_string(),
        origin: ColumnOrigin::Metadata(key.to_string()),
        ty: ty.clone(),
    }));
    SourceSpec { table, produced, limit: None }
}

fn context(bad: &Arc<AtomicU64>) -> ReaderContext {
    let bad = bad.clone();
    ReaderContext {
        subtask: 0,
        parallelism: 1,
        batch_rows: 2,
        env: Env::real(),
        waker: Arc::new(|| ()),
        on_bad_record: Arc::new(move || {
            bad.fetch_add(1, Ordering::Relaxed);
        }),
        on_bytes: Arc::new(|_| ()),
    }
}

fn rows(batch: &ChangeBatch, out: &mut Vec<String>) {
    for row in 0..batch.num_rows() {
        let mut text = vec![];
        java::row(&mut text, batch, row);
        out.push(String::from_utf8(text).unwrap());
    }
}

/// All rows of a scan in text form, and the number of bad records.
fn read(spec: &SourceSpec) -> Result<(Vec<String>, u64)> {
    let bad = Arc::new(AtomicU64::new(0));
    let source = Filesystem::default().source(spec)?.unwrap();
    let mut enumerator = source.enumerator(&Env::real())?;
    let mut reader = source.reader(context(&bad))?;
    let mut out = vec![];
    loop {
        match reader.poll()? {
            ReaderPoll::Batch(batch) => rows(&batch, &mut out),
            ReaderPoll::NeedSplit => match enumerator.next_split(0, 1)? {
                SplitAssignment::Split(split) => reader.add_split(split)?,
                _ => return Ok((out, bad.load(Ordering::Relaxed))),
            },
            _ => return Ok((out, bad.load(Ordering::Relaxed))),
        }
    }
}

fn json(path: &Path, more: &[(&str, &str)]) -> TableSpec {
    let mut options = vec![("connector", "filesystem"), ("path", path.to_str().unwrap()), ("format", "json")];
    options.extend(more);
    table(&options)
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn reads_a_directory_in_order_and_skips_hidden_names() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("b/2.json"), "{\"a\":3,\"b\":\"z\"}");
    write(&dir.path().join("a.json"), "\u{feff}{\"a\":1,\"b\":\"x\"}\n\n{\"b\":\"y\",\"a\":2}\n");
    write(&dir.path().join("_tmp/1.json"), "garbage");
    write(&dir.path().join(".hidden"), "garbage");
    let (rows, bad) = read(&scan(json(dir.path(), &[]), &[])).unwrap();
    assert_eq!(rows, ["+I[1, x]", "+I[2, y]", "+I[3, z]"]);
    assert_eq!(bad, 0);
    let pattern = dir.path().join("*/?.json");
    assert_eq!(read(&scan(json(&pattern, &[]), &[])).unwrap().0, ["+I[3, z]"]);
    let regex = [("source.path.regex-pattern", ".*/a\\.json")];
    assert_eq!(read(&scan(json(dir.path(), &regex), &[])).unwrap().0.len(), 2);
}

#[test]
fn reads_every_compression() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    let text = b"{\"a\":1,\"b\":\"x\"}\n{\"a\":2}\n";
    let create = |name: &str| std::fs::File::create(dir.path().join(name)).unwrap();
    let mut gz = flate2::write::GzEncoder::new(create("1.json.gz"), flate2::Compression::fast());
    gz.write_all(text).unwrap();
    gz.finish().unwrap();
    let mut deflate = flate2::write::ZlibEncoder::new(create("2.json.deflate"), flate2::Compression::fast());
    deflate.write_all(text).unwrap();
    deflate.finish().unwrap();
    let mut bz = bzip2::write::BzEncoder::new(create("3.json.bz2"), bzip2::Compression::fast());
    bz.write_all(text).unwrap();
    bz.finish().unwrap();
    let mut xz = liblzma::write::XzEncoder::new(create("4.json.xz"), 1);
    xz.write_all(text).unwrap();
    xz.finish().unwrap();
    std::fs::write(dir.path().join("5.json.zst"), zstd::encode_all(&text[..], 1).unwrap()).unwrap();
    let (rows, _) = read(&scan(json(dir.path(), &[]), &[])).unwrap();
    assert_eq!(rows, ["+I[1, x]", "+I[2, null]"].repeat(5));
}

#[test]
fn offers_metadata_and_partition_columns() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("b=x%2Fy/f.json"), "{\"a\":1}\n");
    write(&dir.path().join("b=__HIVE_DEFAULT_PARTITION__/g.json"), "{\"a\":22}\n");
    let mut table = json(dir.path(), &[]);
    table.partition_keys = vec!["b".into()];
    let metadata = [("file.name", LogicalType::string()), ("file.size", TypeRoot::BigInt.into())];
    let (rows, _) = read(&scan(table, &metadata)).unwrap();
    assert_eq!(rows, ["+I[22, null, g.json, 9]", "+I[1, x/y, f.json, 8]"]);
}

fn message(result: Result<(Vec<String>, u64)>) -> String {
    let error: Error = result.unwrap_err();
    error.message().to_string()
}

#[test]
fn bad_records_follow_the_mode() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("in/f.json");
    write(&file, "{\"a\":1,\"b\":\"x\"}\n{\"a\":oops}\n{\"a\":2}\n");
    let failed = message(read(&scan(json(&file, &[]), &[])));
    assert!(failed.contains("f.json', line 2, byte 6 of the line"), "{failed}");
    assert!(failed.contains("field 'a'"), "{failed}");

    let (rows, bad) = read(&scan(json(&file, &[("errors.mode", "skip")]), &[])).unwrap();
    assert_eq!((rows.len(), bad), (2, 1));

    let (rows, bad) = read(&scan(json(&file, &[("json.ignore-parse-errors", "true")]), &[])).unwrap();
    assert_eq!((rows.len(), bad), (2, 1), "ignored records are counted, too");

    let letters = dir.path().join("letters");
    let options = [("errors.mode", "dead-letter"), ("errors.dead-letter.path", letters.to_str().unwrap())];
    let (rows, bad) = read(&scan(json(&file, &options), &[])).unwrap();
    assert_eq!((rows.len(), bad), (2, 1));
    let entry = std::fs::read_dir(&letters).unwrap().next().unwrap().unwrap();
    assert!(entry.file_name().to_str().unwrap().starts_with("dead-letter-"));
    let line = std::fs::read_to_string(entry.path()).unwrap();
    assert!(line.contains("\"line\":2,\"offset\":16,") && line.contains("\"raw\":\"{\\\"a\\\":oops}\""), "{line}");
}

#[test]
fn a_checkpoint_makes_dead_letters_visible() {
    let dir = tempfile::tempdir().unwrap();
    let (file, letters) = (dir.path().join("in/f.json"), dir.path().join("letters"));
    write(&file, "{\"a\":1}\n{\"a\":oops}\n{\"a\":2}\n{\"a\":3}\n");
    let options = [("errors.mode", "dead-letter"), ("errors.dead-letter.path", letters.to_str().unwrap())];
    let spec = scan(json(&file, &options), &[]);
    let source = Filesystem::default().source(&spec).unwrap().unwrap();
    let mut enumerator = source.enumerator(&Env::real()).unwrap();
    let SplitAssignment::Split(split) = enumerator.next_split(0, 1).unwrap() else { panic!("there is a file") };
    let mut reader = source.reader(context(&Arc::default())).unwrap();
    reader.add_split(split).unwrap();
    assert!(matches!(reader.poll().unwrap(), ReaderPoll::Batch(_)));
    let visible =
        || std::fs::read_dir(&letters).unwrap().flatten().all(|e| !e.file_name().to_string_lossy().starts_with('.'));
    assert!(!visible());
    // Positions behind the record are in the checkpoint: a process that dies now has kept the letter.
    assert_eq!(reader.snapshot().unwrap().len(), 1);
    assert!(visible());
    std::mem::forget(reader);
    let names: Vec<_> = std::fs::read_dir(&letters).unwrap().flatten().map(|e| e.path()).collect();
    assert_eq!(std::fs::read_to_string(&names[0]).unwrap().lines().count(), 1);
}

#[test]
fn mistakes_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("data/f.json"), "");
    let absent = message(read(&scan(json(&dir.path().join("dat"), &[]), &[])));
    assert!(absent.contains("did you mean") && absent.contains("/data'"), "{absent}");
    let option = message(read(&scan(json(dir.path(), &[("json.ignore-parse-error", "true")]), &[])));
    assert!(option.contains("json.ignore-parse-errors"), "{option}");
    let value = message(read(&scan(json(dir.path(), &[("errors.mode", "drop")]), &[])));
    assert!(value.contains("fail, skip, dead-letter"), "{value}");
}

#[test]
fn every_line_is_read_once_however_the_file_is_split() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f.json");
    let lines: Vec<String> = (0..50).map(|i| format!("{{\"a\":{i},\"b\":\"{}\"}}", "x".repeat(i % 7))).collect();
    let text = lines.join("\n");
    write(&file, &text);
    let spec = scan(json(&file, &[]), &[]);
    let size = text.len() as u64;
    for step in [1, 2, 7, 16, 17, 100, size] {
        let source = Filesystem::default().source(&spec).unwrap().unwrap();
        let mut reader = source.reader(context(&Arc::default())).unwrap();
        let mut start = 0;
        while start < size {
            let end = (start + step).min(size);
            let split = super::split::FileSplit { path: file.clone(), start, end, size, modified_ms: 0, resume: None };
            reader.add_split(split.encode().unwrap()).unwrap();
            start = end;
        }
        let mut out = vec![];
        while let ReaderPoll::Batch(batch) = reader.poll().unwrap() {
            rows(&batch, &mut out);
        }
        let expected: Vec<_> = (0..50).map(|i| format!("+I[{i}, {}]", "x".repeat(i % 7))).collect();
        assert_eq!(out, expected, "ranges of {step} bytes");
    }
}

fn ranges(files: &[(&str, u64)], parallelism: u32) -> Vec<Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    for (name, mib) in files {
        let file = std::fs::File::create(dir.path().join(name)).unwrap();
        file.set_len(mib << 20).unwrap();
    }
    let source = Filesystem::default().source(&scan(json(dir.path(), &[]), &[])).unwrap().unwrap();
    let mut enumerator = source.enumerator(&Env::real()).unwrap();
    let mut out = vec![vec![]; parallelism as usize];
    let mut ended = 0;
    while ended < parallelism {
        ended = 0;
        for subtask in 0..parallelism {
            match enumerator.next_split(subtask, parallelism).unwrap() {
                SplitAssignment::Split(split) => {
                    let split = super::split::FileSplit::decode(&split).unwrap();
                    let name = split.path.file_name().unwrap().to_str().unwrap().to_string();
                    out[subtask as usize].push(format!("{name} {}..{}", split.start >> 20, split.end >> 20));
                }
                _ => ended += 1,
            }
        }
    }
    out
}

#[test]
fn splits_ascend_for_every_reader() {
    // A file each: readers keep to their own and help where most is left.
    assert_eq!(ranges(&[("a", 140), ("b", 1)], 2), [vec!["a 0..64", "a 64..140"], vec!["b 0..1"]]);
    let halves = [vec!["a 0..64", "a 128..192"], vec!["a 64..128", "a 192..256"], vec![]];
    assert_eq!(ranges(&[("a", 256)], 2), halves[..2]);
    // More files than readers: one sequence.
    assert_eq!(ranges(&[("a", 1), ("b", 0), ("c", 1)], 2), [vec!["a 0..1", "c 0..1"], vec!["b 0..0"]]);
    // Compressed files are never cut.
    assert_eq!(ranges(&[("a.gz", 300)], 1), [vec!["a.gz 0..300"]]);
}

#[test]
fn a_monitored_directory_is_listed_again() {
    let dir = tempfile::tempdir().unwrap();
    let later = dir.path().join("later");
    let spec = scan(json(&later, &[("source.monitor-interval", "10 s")]), &[]);
    let source = Filesystem::default().source(&spec).unwrap().unwrap();
    let (env, clock) = Env::simulated(0, 0);
    let mut enumerator = source.enumerator(&env).unwrap();
    assert_eq!(enumerator.next_split(0, 1).unwrap(), SplitAssignment::Wait(10_000));
    write(&later.join("f.json"), "{}\n");
    clock.advance_ms(4_000);
    assert_eq!(enumerator.next_split(0, 1).unwrap(), SplitAssignment::Wait(6_000));
    clock.advance_ms(6_000);
    assert!(matches!(enumerator.next_split(0, 1).unwrap(), SplitAssignment::Split(_)));
    clock.advance_ms(10_000);
    assert!(matches!(enumerator.next_split(0, 1).unwrap(), SplitAssignment::Wait(_)));
}

#[test]
fn paths_that_are_none_are_refused() {
    let cases = [
        ("", "'' is not a valid value of the option 'path': expected a file, a directory or a pattern"),
        ("hdfs://host/x", "there are no files at 'hdfs://': paths are local, 'file://' or 's3://'"),
    ];
    for (path, expected) in cases {
        let error = super::local_path(path).unwrap_err();
        assert_eq!(error.message(), expected);
    }
}

#[test]
fn restored_readers_go_on_where_others_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let lines =
        |from: u32| (from..from + 150).map(|n| format!("{{\"a\":{n},\"b\":\"row {n}\"}}\r\n")).collect::<String>();
    write(&dir.path().join("1.json"), &format!("\u{feff}{}", lines(0)));
    write(&dir.path().join("2.json"), lines(1000).trim_end());
    let compressed = std::fs::File::create(dir.path().join("3.json.gz")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(compressed, flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, lines(2000).as_bytes()).unwrap();
    encoder.finish().unwrap();
    let spec = scan(json(dir.path(), &[]), &[]);
    let (mut all, _) = read(&spec).unwrap();
    assert_eq!(all.len(), 450);
    all.sort();
    for parallelism in [&[1][..], &[2], &[3, 1, 2]] {
        let mut pieces = read_interrupted(&Filesystem::default(), &spec, parallelism).unwrap();
        pieces.sort();
        assert_eq!(pieces, all, "parallelism {parallelism:?}");
    }
}
