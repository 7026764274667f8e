//! Nexmark results against real Flink's.
//!
//! `xtask/nexmark-golden.txt` holds, per query, the number of rows and the SHA-256 of the sorted rows (as CSV) that
//! Flink 2.3.0 answered for 100,000 generated events; the same input is generated here and run at several
//! parallelisms.

use crate::cargo;
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The recorded answers: `query rows sha256`, one a line.
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
    let work = cargo::target_directory()?.join("nexmark-golden");
    std::fs::create_dir_all(&work)?;
    generate(peers, &work)?;
    let golden = std::fs::read_to_string(cargo::root().join(GOLDEN))?;
    let mut wrong = vec![];
    for line in golden.lines() {
        let [query, rows, hash] = line.split_whitespace().collect::<Vec<_>>()[..] else { continue };
        for parallelism in [1, 2, 4] {
            let (got_rows, got_hash) = answer(headwater, peers, &work, query, parallelism)?;
            let same = got_rows.to_string() == rows && got_hash == hash;
            println!("golden: {query} at parallelism {parallelism}: {}", if same { "equal" } else { "DIFFERENT" });
            if !same {
                wrong.push(format!("{query} at {parallelism}: {got_rows} rows instead of {rows}"));
            }
        }
    }
    if !wrong.is_empty() {
        bail!("results differ from Flink's: {}", wrong.join("; "));
    }
    Ok(())
}

fn generate(peers: &Path, work: &Path) -> Result<()> {
    if work.join("json").exists() {
        return Ok(());
    }
    let generator = work.join("nexgen");
    let source = peers.join("gen/nexgen.rs");
    let compiled = Command::new("rustc").args(["-C", "opt-level=3"]).arg(&source).arg("-o").arg(&generator).status()?;
    let generated = Command::new(&generator).arg("--out").arg(work).args(INPUT).status()?;
    if !compiled.success() || !generated.success() {
        bail!("{} did not generate the input", source.display());
    }
    Ok(())
}

/// Number of rows and hash of the sorted rows of one query.
fn answer(headwater: &Path, peers: &Path, work: &Path, query: &str, parallelism: u32) -> Result<(usize, String)> {
    let out = work.join(format!("out-{query}-{parallelism}"));
    if out.exists() {
        std::fs::remove_dir_all(&out)?;
    }
    let ddl = std::fs::read_to_string(peers.join("ddl.sql"))?.replace("${DATA}", &work.display().to_string());
    let body = std::fs::read_to_string(peers.join(format!("queries/{query}.sql")))?;
    let script = format!(
        "SET 'parallelism.default' = '{parallelism}';\nSET 'table.local-time-zone' = 'UTC';\n{ddl}\n\
         CREATE TABLE sink WITH ('connector' = 'filesystem', 'path' = '{}', 'format' = 'json',\n              'json.encode.decimal-as-plain-number' = 'true') AS\n{};\n",
        out.display(),
        body.trim()
    );
    let path = work.join(format!("{query}.sql"));
    std::fs::write(&path, script)?;
    let output = Command::new(headwater).arg("sql").arg("-f").arg(&path).output().context("headwater did not start")?;
    if !output.status.success() {
        bail!("{query}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let mut rows = vec![];
    for file in files(&out)? {
        let text = std::fs::read_to_string(file)?;
        for line in text.lines() {
            rows.push(values(line)?);
        }
    }
    rows.sort_unstable();
    let mut hash = Sha256::new();
    rows.iter().for_each(|row| hash.update(csv_line(row)));
    let hex = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    Ok((rows.len(), hex))
}

fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("{} was not written", folder.display()))?;
    let paths = entries.map(|e| Ok(e?.path())).collect::<Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|p| p.is_file()).collect())
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
