//! `cargo xtask bench nexmark`: events a second, CPU per event, peak memory; with `--against flink`, both
//! engines in turn over the same files, and the ratios.

use super::measure::{self, Cost, median};
use super::peer::Flink;
use crate::{cargo, golden};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options of `bench nexmark`.
#[derive(clap::Args)]
pub struct Options {
    /// Queries to run, by the names of their files.
    #[arg(long, value_delimiter = ',', default_value = "s_parse,q0,q1,q2,q5,q8,q11,q14,q21,q22")]
    queries: Vec<String>,
    /// Number of events.
    #[arg(long, default_value_t = 10_000_000)]
    events: u64,
    /// Parallelism of both engines.
    #[arg(long, default_value_t = 2)]
    parallelism: u32,
    /// Counted runs of each query.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Another engine to measure in turn.
    #[arg(long, value_parser = ["flink"])]
    against: Option<String>,
    /// A setting for both engines, as key=value; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// A setting of a second variant of Headwater that runs in turn with the first, for what a setting costs.
    #[arg(long = "variant", value_name = "KEY=VALUE", value_parser = setting)]
    variant: Vec<(String, String)>,
    /// Read events from the built-in generator instead of JSON files.
    #[arg(long)]
    generator: bool,
    /// Folder of queries, DDL, data generator and Flink's scripts.
    #[arg(long, value_name = "DIR")]
    peers: Option<PathBuf>,
    /// A release binary to measure instead of building one.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Folder for generated events; kept for the next run.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Runs the benchmark and prints a table.
pub fn run(options: &Options) -> Result<()> {
    let peers = options.peers.clone().unwrap_or_else(|| cargo::root().join("../shared/peers/flink"));
    if !peers.exists() {
        bail!("{} is not there: name the folder of queries with --peers", peers.display());
    }
    let headwater = match &options.binary {
        Some(binary) => binary.clone(),
        None => cargo::build_headwater(true)?,
    };
    let work = cargo::target_directory()?.join("nexmark");
    std::fs::create_dir_all(&work)?;
    let data = data(options, &peers, &work)?;
    let mut flink = match options.against.as_deref() {
        Some(_) if !options.generator => Some(Flink::start(&peers, &data)?),
        _ => None,
    };
    let variant = if options.variant.is_empty() { "" } else { " variant wall ratio | variant CPU ratio |" };
    println!(
        "| query | events/s | CPU us/event | peak MiB | Flink CPU us/event | CPU ratio | Flink peak MiB |{variant}"
    );
    println!("|---|---|---|---|---|---|---|{}", if variant.is_empty() { "" } else { "---|---|" });
    for query in &options.queries {
        let script = |name: &str, settings: &[(String, String)]| -> Result<PathBuf> {
            let path = work.join(format!("{query}{name}.sql"));
            std::fs::write(&path, script(options, settings, &peers, &data, query)?)?;
            Ok(path)
        };
        let scripts = Scripts {
            plain: script("", &options.settings)?,
            variant: script("-variant", &[&options.settings[..], &options.variant].concat())?,
        };
        let row = measure_query(options, &headwater, &scripts, query, flink.as_mut())?;
        println!("{row}");
    }
    Ok(())
}

/// The scripts of a query: as measured against others, and of the variant.
struct Scripts {
    plain: PathBuf,
    variant: PathBuf,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected key=value")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn measure_query(
    options: &Options,
    headwater: &Path,
    scripts: &Scripts,
    query: &str,
    mut flink: Option<&mut Flink>,
) -> Result<String> {
    let mut ours: Vec<Cost> = vec![];
    let mut variant: Vec<Cost> = vec![];
    let mut theirs: Vec<Cost> = vec![];
    let run = |script: &Path| measure::run(Command::new(headwater).arg("sql").arg("-f").arg(script));
    for _ in 0..options.runs {
        ours.push(run(&scripts.plain)?);
        if !options.variant.is_empty() {
            variant.push(run(&scripts.variant)?);
        }
        if let Some(flink) = flink.as_deref_mut() {
            theirs.push(flink.run(query, options.events, options.parallelism, &options.settings)?);
        }
    }
    let events = options.events as f64;
    let wall = median(ours.iter().map(|c| c.wall_s).collect());
    let cpu = median(ours.iter().map(|c| c.cpu_s).collect()) / events * 1e6;
    let memory = median(ours.iter().map(|c| c.memory_mb).collect());
    let mut row = format!("| {query} | {:.0} | {cpu:.3} | {memory:.0} |", events / wall);
    if theirs.is_empty() {
        row += " | | |";
    } else {
        let their_cpu = median(theirs.iter().map(|c| c.cpu_s).collect()) / events * 1e6;
        let their_memory = median(theirs.iter().map(|c| c.memory_mb).collect());
        row += &format!(" {their_cpu:.3} | {:.3} | {their_memory:.0} |", ratio(&ours, &theirs, |c| c.cpu_s));
    }
    if !variant.is_empty() {
        let (wall, cpu) = (ratio(&variant, &ours, |c| c.wall_s), ratio(&variant, &ours, |c| c.cpu_s));
        row += &format!(" {wall:.3} | {cpu:.3} |");
    }
    Ok(row)
}

/// The median of the ratios of runs that followed each other.
fn ratio(runs: &[Cost], others: &[Cost], of: fn(&Cost) -> f64) -> f64 {
    median(runs.iter().zip(others).map(|(a, b)| of(a) / of(b)).collect())
}

/// The folder of events; made with the generator of the peers when it is not there.
fn data(options: &Options, peers: &Path, work: &Path) -> Result<PathBuf> {
    let data = options.data.clone().unwrap_or_else(|| work.join(format!("data-{}", options.events)));
    golden::write_side_input(&data)?;
    if options.generator || data.join("json").exists() {
        return Ok(data);
    }
    let generator = work.join("nexgen");
    let source = peers.join("gen/nexgen.rs");
    let compiled = Command::new("rustc").args(["-C", "opt-level=3"]).arg(&source).arg("-o").arg(&generator).status()?;
    if !compiled.success() {
        bail!("{} does not compile", source.display());
    }
    eprintln!("generating {} events in {}", options.events, data.display());
    let status =
        Command::new(&generator).arg("--out").arg(&data).args(["--events", &options.events.to_string()]).status()?;
    if !status.success() {
        bail!("the event generator failed: {status}");
    }
    Ok(data)
}

/// DDL, then the query into a black hole.
fn script(options: &Options, settings: &[(String, String)], peers: &Path, data: &Path, query: &str) -> Result<String> {
    let path = peers.join(format!("queries/{query}.sql"));
    let body = std::fs::read_to_string(&path).with_context(|| format!("there is no query {}", path.display()))?;
    let ddl = std::fs::read_to_string(peers.join("ddl.sql"))?.replace("${DATA}", &data.display().to_string());
    let ddl = if options.generator { with_generator(&ddl, options.events) } else { ddl };
    let parallelism = options.parallelism;
    let set = |(key, value): &(String, String)| format!("SET '{key}' = '{value}';\n");
    let settings: String = settings.iter().map(set).collect();
    Ok(format!(
        "SET 'parallelism.default' = '{parallelism}';\nSET 'table.local-time-zone' = 'UTC';\n{settings}{ddl}\n\
         CREATE TABLE sink WITH ('connector' = 'blackhole') AS\n{};\n",
        body.trim()
    ))
}

/// The DDL with the event files replaced by the built-in generator.
fn with_generator(ddl: &str, events: u64) -> String {
    let mut text = String::new();
    for line in ddl.lines() {
        if line.contains("/json'") && line.contains("'format' = 'json'") {
            text.push_str(&format!(") WITH ('connector' = 'nexmark', 'number-of-rows' = '{events}');\n"));
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}
