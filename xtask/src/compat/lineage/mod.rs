//! Lineage between real systems: events of Flink's OpenLineage listener in our server, our events in Data.Rentgen.
//!
//! Both servers answer in the same shape, so both are asked by the same questions (`questions.py`). Everything that is
//! needed is fetched once by the package clients of the machine into the user's cache folder, runs on free ports of the
//! loopback interface, and ends with this process.

mod data_rentgen;
mod flink;
mod flink_openlineage;
mod rentgen;
mod server;

use super::report::Report;
use crate::cargo;
use anyhow::{Context, Result, bail};
use headwater_test_servers::process::Guarded;
use headwater_test_servers::{Kafka, KafkaOptions};
use std::ffi::OsStr;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What is asked of either server.
const QUESTIONS: &str = include_str!("questions.py");
/// Looks at a starting process, [`PAUSE`] apart.
const LOOKS: u32 = 600;
const PAUSE: Duration = Duration::from_millis(200);

/// Options of the commands about lineage.
#[derive(clap::Args)]
pub struct Options {
    /// A headwater binary to run instead of building one.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Build and run the release binary.
    #[arg(long)]
    release: bool,
}

/// Real Flink's events in our server.
pub fn flink_openlineage(options: &Options) -> Result<()> {
    run(options, "flink-openlineage", flink_openlineage::check)
}

/// Our events in real Data.Rentgen.
pub fn data_rentgen(options: &Options) -> Result<()> {
    run(options, "data-rentgen", data_rentgen::check)
}

fn run(options: &Options, name: &str, check: fn(&Path, &Path, &mut Report) -> Result<()>) -> Result<()> {
    let headwater = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => cargo::build_headwater(options.release)?,
    };
    let files = std::env::temp_dir().join(format!("headwater-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&files)?;
    let mut report = Report::default();
    let checked = check(&headwater, &files, &mut report);
    let finished = report.finish(false);
    // What processes said is of use only when something is wrong.
    match checked.is_ok() && finished.is_ok() {
        true => std::fs::remove_dir_all(&files)?,
        false => eprintln!("the logs are in {}", files.display()),
    }
    checked.and(finished)
}

/// A broker that makes topics when they are first named, as the ones of many companies do.
fn broker() -> Result<Kafka> {
    let properties = ["auto.create.topics.enable=true", "num.partitions=2", "offsets.topic.num.partitions=1"];
    let properties = properties.map(str::to_owned).to_vec();
    Kafka::start(&KafkaOptions { properties, ..KafkaOptions::default() }).context("the Kafka broker")
}

/// Starts a process that ends with this one. Its log is `name`.log below `files`.
fn start(name: &str, command: &[String], files: &Path) -> Result<Guarded> {
    let words: Vec<&OsStr> = command.iter().map(OsStr::new).collect();
    let (program, arguments) = words.split_first().context("a command has a program")?;
    // This directory goes away with the process.
    let own = files.join(name);
    std::fs::create_dir_all(&own)?;
    Guarded::start(program, arguments, &own, &log(name, files)).with_context(|| name.to_owned())
}

/// Where the log of a process is.
fn log(name: &str, files: &Path) -> PathBuf {
    files.join(format!("{name}.log"))
}

/// Waits until a process listens.
fn wait_for_port(name: &str, process: &Guarded, port: u16, files: &Path) -> Result<()> {
    for _ in 0..LOOKS {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        if !process.is_running() {
            break;
        }
        std::thread::park_timeout(PAUSE);
    }
    let log = std::fs::read_to_string(log(name, files)).unwrap_or_default();
    let tail: Vec<&str> = log.lines().rev().take(15).collect();
    bail!("{name} does not listen; its log ends, backwards:\n{}", tail.join("\n"))
}

/// Lets a Python script with [`QUESTIONS`] before it ask and report. `facts` are its arguments.
fn ask(script: &str, facts: &serde_json::Value, what: &str, report: &mut Report) -> Result<()> {
    let output = Command::new("python3")
        .args(["-c", &format!("{QUESTIONS}\n{script}"), &facts.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("python3 could not be started")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // What was found before a failure is told too.
    report.script(what, Ok(text.clone()));
    if !output.status.success() {
        bail!("{what}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}
