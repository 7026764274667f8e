//! `cargo xtask conformance`: the conformance cases against recorded counts.
//!
//! The cases are not part of the repository; they are read from a folder beside it. The recorded counts
//! (`xtask/conformance.txt`) are a ratchet: fewer passed cases, or any failed case beyond the recorded number,
//! fail the run.

use crate::cargo;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Recorded counts: `folder passed failed`, one a line.
const COUNTS: &str = "xtask/conformance.txt";

/// How much is shown of a failed case: plans as text are long.
const SHOWN_MAX: usize = 400;

/// Options of `conformance`.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Folder of the cases.
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Record the counts of this run.
    #[arg(long)]
    bless: bool,
    /// Instead of the cases: run all Nexmark queries, kill them on the way, and compare their results.
    #[arg(long)]
    kills: bool,
    /// With `--kills`: only these queries, such as `q4,q20`.
    #[arg(long, value_delimiter = ',', requires = "kills")]
    queries: Vec<String>,
    /// A binary to run; otherwise one is built.
    #[arg(long, value_name = "FILE")]
    headwater: Option<PathBuf>,
    /// Seed of the moments of the kills.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Queries that are killed in every run: no state, an aggregation with updates, windows, a join.
const KILLED: &[&str] = &["q1", "q4", "q5", "q20"];

/// Builds the binary and runs the cases.
pub fn run(options: &Options) -> Result<()> {
    let headwater = match &options.headwater {
        Some(binary) => binary.clone(),
        None => cargo::build_headwater(false)?,
    };
    run_with(&headwater, options)
}

/// Runs the cases with a built binary.
pub fn run_with(headwater: &Path, options: &Options) -> Result<()> {
    let folder = options.cases.clone().unwrap_or_else(|| cargo::root().join("../shared/conformance"));
    let peers = cargo::root().join("../shared/peers/flink");
    if options.kills {
        let queries: Vec<&str> = options.queries.iter().map(String::as_str).collect();
        let selection = crate::golden::Selection { seed: options.seed, queries: &queries, once: false };
        return crate::golden::run_killed(headwater, &peers, &selection);
    }
    if !folder.exists() {
        eprintln!("conformance: {} is not there, so no case was run", folder.display());
        return Ok(());
    }
    let recorded = recorded()?;
    let mut counts = String::new();
    let mut worse = vec![];
    for name in ["flink-programs", "flink-functions", "flink-q"] {
        let count = count(headwater, &folder.join(name))?;
        println!("conformance: {name}: {} passed, {} failed, {} skipped", count.passed, count.failed, count.skipped);
        if let Some((passed, failed)) = recorded.get(name)
            && (count.passed < *passed || count.failed > *failed)
        {
            worse.push(format!(
                "{name}: {passed} passed and {failed} failed before, now {} and {}",
                count.passed, count.failed
            ));
        }
        counts.push_str(&format!("{name} {} {}\n", count.passed, count.failed));
    }
    if peers.exists() {
        crate::golden::run(headwater, &peers)?;
        let selection = crate::golden::Selection { seed: options.seed, queries: KILLED, once: true };
        crate::golden::run_killed(headwater, &peers, &selection)?;
    }
    if options.bless {
        std::fs::write(cargo::root().join(COUNTS), counts)?;
    } else if !worse.is_empty() {
        bail!("conformance became worse: {}", worse.join("; "));
    }
    Ok(())
}

struct Count {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Runs one folder and counts its last lines' verdicts.
fn count(headwater: &Path, folder: &Path) -> Result<Count> {
    let output = Command::new(headwater).arg("test").arg(folder).arg("--json").output();
    let output = output.with_context(|| format!("{} could not be started", headwater.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut count = Count { passed: 0, failed: 0, skipped: 0 };
    for line in text.lines().filter(|l| l.starts_with('{')) {
        let verdict: serde_json::Value = serde_json::from_str(line)?;
        match verdict["status"].as_str() {
            Some("passed") => count.passed += 1,
            Some("failed") => {
                let shown: String = line.chars().take(SHOWN_MAX).collect();
                eprintln!("conformance: failed: {shown}");
                count.failed += 1;
            }
            _ => count.skipped += 1,
        }
    }
    if count.passed == 0 {
        bail!("no case of {} passed: {}", folder.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(count)
}

fn recorded() -> Result<BTreeMap<String, (usize, usize)>> {
    let path = cargo::root().join(COUNTS);
    let text = if path.exists() { std::fs::read_to_string(path)? } else { String::new() };
    let entry = |line: &str| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), (words.next()?.parse().ok()?, words.next()?.parse().ok()?)))
    };
    Ok(text.lines().filter_map(entry).collect())
}

/// Runs the main job of the README and compares its results with the recorded ones.
pub fn main_job(headwater: &Path) -> Result<()> {
    let example = cargo::root().join("examples/flights");
    let script = example.join("run.sh");
    let status = Command::new("bash").arg(&script).arg("--check").env("HEADWATER", headwater).status();
    let status = status.with_context(|| format!("{} could not be started", script.display()))?;
    if !status.success() {
        bail!("the main job failed: {status}");
    }
    Ok(())
}
