//! Nexmark results against real Flink's.
//!
//! `xtask/nexmark-golden.txt` holds, per query, the number of rows and the SHA-256 of the sorted rows (as CSV) that
//! Flink 2.3.0 answered for 100,000 generated events; the same input is generated here and run at several
//! parallelisms. Queries marked `changelog` update their rows: their changes are written as Debezium records and
//! folded into the final rows. Those marked `ties` are compared at parallelism 1 only, because rows that are equal in
//! the sort key are chosen by arrival.
//!
//! [`kills`] runs the same queries with checkpoints, kills them on the way, and expects the same rows.

mod kills;

pub use kills::{Selection, run as run_killed};

use crate::cargo;
use anyhow::{Context, Result, bail};
use serde::de::IgnoredAny;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The recorded answers: `query rows sha256 [changelog] [ties]`, one a line.
const GOLDEN: &str = "xtask/nexmark-golden.txt";

/// The generator's arguments for the recorded input: four stretches of event time that cross 07:00, 08:00, 19:00
/// and midnight.
const INPUT: &[&str] = &[
    "--events",
    "100000",
    "--files",
    "1",
    "--rate",
    "500",
    "--extra",
    "25",
    "--seed",
    "7",
    "--segments",
    "1748761170000,1748764780000,1748804370000,1748822370000",
];

/// Runs every recorded query at parallelism 1, 2 and 4 and compares its rows.
pub fn run(headwater: &Path, peers: &Path) -> Result<()> {
    let work = prepare(peers)?;
    let mut wrong = vec![];
    for golden in recorded()? {
        for &parallelism in golden.parallelisms() {
            let query = Query { name: &golden.query, changelog: golden.changelog, parallelism };
            let got = answer(headwater, peers, &work, &query)?;
            let name = query.name;
            let word = if golden.answer == got { "equal" } else { "DIFFERENT" };
            println!("golden: {name} at parallelism {parallelism}: {word}");
            if golden.answer != got {
                wrong.push(format!("{name} at {parallelism}: {} rows instead of {}", got.rows, golden.answer.rows));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("results differ from Flink's: {}", wrong.join("; "));
    }
    Ok(())
}

/// One line of the recorded answers.
struct Golden {
    query: String,
    answer: Answer,
    changelog: bool,
    /// Whether rows that are equal in the sort key are chosen by arrival.
    ties: bool,
}

/// Number of rows and hash of the sorted rows.
#[derive(PartialEq, Eq)]
struct Answer {
    rows: usize,
    hash: String,
}

impl Golden {
    /// Parallelisms at which the rows are the same in every run.
    fn parallelisms(&self) -> &'static [u32] {
        if self.ties { &[1] } else { &[1, 2, 4] }
    }
}

fn recorded() -> Result<Vec<Golden>> {
    let text = std::fs::read_to_string(cargo::root().join(GOLDEN))?;
    let mut golden = vec![];
    for line in text.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let [query, rows, hash, marks @ ..] = &words[..] else { continue };
        let answer = Answer { rows: rows.parse()?, hash: (*hash).to_owned() };
        let (changelog, ties) = (marks.contains(&"changelog"), marks.contains(&"ties"));
        golden.push(Golden { query: (*query).to_owned(), answer, changelog, ties });
    }
    Ok(golden)
}

/// Generates the input, unless it is there, and answers the folder to work in.
fn prepare(peers: &Path) -> Result<PathBuf> {
    let work = cargo::target_directory()?.join("nexmark-golden");
    std::fs::create_dir_all(&work)?;
    generate(peers, &work)?;
    Ok(work)
}

fn generate(peers: &Path, work: &Path) -> Result<()> {
    if work.join("side/side.csv").exists() {
        return Ok(());
    }
    let generator = work.join("nexgen");
    let source = peers.join("gen/nexgen.rs");
    let compiled = Command::new("rustc").args(["-C", "opt-level=3"]).arg(&source).arg("-o").arg(&generator).status()?;
    let generated = Command::new(&generator).arg("--out").arg(work).args(INPUT).status()?;
    if !compiled.success() || !generated.success() {
        bail!("{} did not generate the input", source.display());
    }
    write_side_input(work)
}

/// The table that q13 joins with.
pub fn write_side_input(data: &Path) -> Result<()> {
    std::fs::create_dir_all(data.join("side"))?;
    let side: String = (0..10_000).map(|key| format!("{key},value-{key}\n")).collect();
    std::fs::write(data.join("side/side.csv"), side)?;
    Ok(())
}

/// A query to run.
struct Query<'a> {
    name: &'a str,
    /// Whether it updates its rows.
    changelog: bool,
    parallelism: u32,
}

/// Runs one query to its end.
fn answer(headwater: &Path, peers: &Path, work: &Path, query: &Query<'_>) -> Result<Answer> {
    let out = work.join(format!("out-{}-{}", query.name, query.parallelism));
    remove(&out)?;
    let path = work.join(format!("{}.sql", query.name));
    std::fs::write(&path, script(peers, work, query, &out)?)?;
    let output = Command::new(headwater).arg("sql").arg("-f").arg(&path).output().context("headwater did not start")?;
    if !output.status.success() {
        bail!("{}: {}", query.name, String::from_utf8_lossy(&output.stderr));
    }
    read_answer(&out, query)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

/// The rows that a query wrote into a folder.
fn read_answer(out: &Path, query: &Query<'_>) -> Result<Answer> {
    let mut rows = Rows::new();
    for file in files(out)? {
        let text = std::fs::read_to_string(file)?;
        for line in text.lines() {
            if query.changelog { fold(line, &mut rows)? } else { *rows.entry(values(line)?).or_default() += 1 }
        }
    }
    let mut hash = Sha256::new();
    let mut count = 0;
    for (row, times) in &rows {
        if *times < 0 {
            bail!("{}: a row is taken back that was never there: {}", query.name, row.join(","));
        }
        count += *times as usize;
        (0..*times).for_each(|_| hash.update(csv_line(row)));
    }
    let hash = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok(Answer { rows: count, hash })
}

/// Rows, in order, with how often each is there.
type Rows = BTreeMap<Vec<String>, i64>;

fn script(peers: &Path, work: &Path, query: &Query<'_>, out: &Path) -> Result<String> {
    let ddl = std::fs::read_to_string(peers.join("ddl.sql"))?.replace("${DATA}", &work.display().to_string());
    let body = std::fs::read_to_string(peers.join(format!("queries/{}.sql", query.name)))?;
    let format = if query.changelog { "debezium-json" } else { "json" };
    Ok(format!(
        "SET 'parallelism.default' = '{}';\nSET 'table.local-time-zone' = 'UTC';\n{ddl}\n\
         CREATE TABLE sink WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = '{format}',\n              \
         '{format}.encode.decimal-as-plain-number' = 'true') AS\n{};\n",
        query.parallelism,
        out.display(),
        body.trim()
    ))
}

/// Applies one Debezium record, `{"before":ROW,"after":ROW,"op":..}`, where one of the rows is `null`.
fn fold(line: &str, rows: &mut Rows) -> Result<()> {
    let mut rest = line;
    for (key, change) in [("\"before\":", -1), ("\"after\":", 1)] {
        let at = rest.find(key).with_context(|| format!("a record has no {key}"))?;
        rest = &rest[at + key.len()..];
        let mut row = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        row.next().context("a record is cut off")??;
        let (row, after) = rest.split_at(row.byte_offset());
        if row != "null" {
            let times = rows.entry(values(row)?).or_default();
            *times += change;
        }
        rest = after;
    }
    Ok(())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{} was not written", folder.display()))?;
    let paths = entries.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
    let hidden = |path: &PathBuf| path.file_name().is_none_or(|name| name.to_string_lossy().starts_with(['.', '_']));
    Ok(paths.into_iter().filter(|p| p.is_file() && !hidden(p)).collect())
}

/// The values of a flat JSON object, in order, as text: strings without quotes, numbers as they were written.
fn values(line: &str) -> Result<Vec<String>> {
    let mut values = vec![];
    let mut rest = line.trim().strip_prefix('{').context("a line is not an object")?;
    while rest.starts_with('"') {
        let (_, after_key) = string(rest)?;
        rest = after_key.strip_prefix(':').context("a key has no value")?;
        let value = if rest.starts_with('"') {
            let (text, after) = string(rest)?;
            rest = after;
            text
        } else {
            let end = rest.find([',', '}']).context("a line is cut off")?;
            let text = &rest[..end];
            rest = &rest[end..];
            if text == "null" { String::new() } else { text.to_owned() }
        };
        values.push(value);
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Ok(values)
}

/// The string at the front of `text`, and what follows it.
fn string(text: &str) -> Result<(String, &str)> {
    let mut strings = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = strings.next().context("a string is missing")??;
    let end = strings.byte_offset();
    Ok((value, &text[end..]))
}

/// A record as the recorded answers were written: quotes only where they are needed.
fn csv_line(record: &[String]) -> String {
    let field = |text: &String| match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.clone(),
    };
    let fields: Vec<_> = record.iter().map(field).collect();
    fields.join(",") + "\n"
}
