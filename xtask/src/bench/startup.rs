//! `cargo xtask bench startup`: how soon the processes of a cluster are ready, how soon a job is accepted, and what they
//! take when idle.
//!
//! * **JobManager**: from its start until its REST API answers; by then TaskManagers and clients are answered too.
//! * **TaskManager**: from its start until the JobManager lists it.
//! * **Submission**: from the start of `headwater run --detached` with a script to its end; the job has an id then, and
//!   was handed to the JobManager.
//! * **Memory**: what both processes have resident, some seconds after they started, and again after jobs.

#![allow(clippy::disallowed_methods, reason = "a measurement reads the real clock and waits")]

use super::measure::median;
use crate::cargo;
use anyhow::{Context, Result, bail, ensure};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Options of `bench startup`.
#[derive(clap::Args)]
pub struct Options {
    /// Clusters to start; medians are printed.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Jobs to submit to each.
    #[arg(long, default_value_t = 5)]
    jobs: usize,
    /// A built `headwater` to measure instead of building one.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// What is measured, with the most that it may be.
const BOUNDS: [(&str, f64, &str); 5] = [
    ("JobManager ready", 100.0, "ms"),
    ("TaskManager registered", 300.0, "ms"),
    ("SQL job submitted", 100.0, "ms"),
    ("idle JobManager and TaskManager", 80.0, "MiB"),
    ("the same after the jobs", f64::INFINITY, "MiB"),
];
/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(1);
/// How long a process is left alone until it counts as idle.
const REST: Duration = Duration::from_secs(3);

/// Runs the benchmark, prints a table, and fails when a bound is missed.
pub fn run(options: &Options) -> Result<()> {
    let headwater = match &options.binary {
        Some(binary) => binary.clone(),
        None => cargo::build_headwater(true)?,
    };
    let work = cargo::target_directory()?.join("startup-bench");
    std::fs::create_dir_all(&work)?;
    let mut measured: [Vec<f64>; 5] = Default::default();
    for _ in 0..options.runs.max(1) {
        let values = measure(options, &headwater, &work)?;
        measured.iter_mut().zip(values).for_each(|(all, value)| all.push(value));
    }
    std::fs::remove_dir_all(&work)?;
    println!("| | median | most | bound |");
    println!("|---|---|---|---|");
    let mut missed = vec![];
    for ((name, bound, unit), values) in BOUNDS.iter().zip(measured) {
        let most = values.iter().copied().fold(0.0, f64::max);
        let value = median(values);
        println!("| {name} | {value:.0} {unit} | {most:.0} {unit} | {bound} |");
        if value >= *bound {
            missed.push(*name);
        }
    }
    ensure!(missed.is_empty(), "too slow or too large: {}", missed.join(", "));
    Ok(())
}

/// The measured values, in the order of [`BOUNDS`].
fn measure(options: &Options, headwater: &Path, work: &Path) -> Result<[f64; 5]> {
    let (rpc, rest) = (free_port()?, free_port()?);
    let settings = [
        format!("jobmanager.rpc.port={rpc}"),
        format!("rest.port={rest}"),
        "taskmanager.numberOfTaskSlots=2".to_owned(),
    ];
    let process = |verb: &str| Process::start(headwater, verb, &settings, work);
    let started = Instant::now();
    let job_manager = process("jobmanager")?;
    until("the JobManager answers", || get(rest, "/v1/overview").is_ok())?;
    let ready_ms = ms(started);
    let started = Instant::now();
    let task_manager = process("taskmanager")?;
    let registered = || get(rest, "/v1/overview").is_ok_and(|overview| overview["taskmanagers"] == 1);
    until("the TaskManager registers", registered)?;
    let registered_ms = ms(started);
    std::thread::sleep(REST);
    let resident = || Ok::<_, anyhow::Error>(job_manager.resident_mb()? + task_manager.resident_mb()?);
    let idle_mb = resident()?;
    let submitted = (0..options.jobs.max(1)).map(|_| submit(headwater, rest, work)).collect::<Result<Vec<_>>>()?;
    std::thread::sleep(REST);
    Ok([ready_ms, registered_ms, median(submitted), idle_mb, resident()?])
}

/// Submits a job, and waits for its end; how long the submission took.
fn submit(headwater: &Path, rest: u16, work: &Path) -> Result<f64> {
    let script = work.join("job.sql");
    std::fs::write(&script, JOB)?;
    let started = Instant::now();
    let mut run = Command::new(headwater);
    run.args(["run", "--detached", "-m", &format!("localhost:{rest}"), "-f"]).arg(&script);
    let output = run.output()?;
    let took_ms = ms(started);
    ensure!(output.status.success(), "the job was refused: {}", String::from_utf8_lossy(&output.stderr));
    let finished = || get(rest, "/v1/overview").is_ok_and(|jobs| jobs["jobs-running"] == 0);
    until("the job ends", finished)?;
    Ok(took_ms)
}

/// A windowed aggregation, which runs for a moment.
const JOB: &str = "
CREATE TABLE bids (event_type INT, person ROW<`dateTime` TIMESTAMP(3)>, auction ROW<`dateTime` TIMESTAMP(3)>,
  bid ROW<auction BIGINT, price BIGINT, `dateTime` TIMESTAMP(3)>,
  ts AS CASE event_type WHEN 0 THEN person.`dateTime` WHEN 1 THEN auction.`dateTime` ELSE bid.`dateTime` END,
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND)
  WITH ('connector' = 'nexmark', 'number-of-rows' = '10000');
CREATE TABLE prices (auction BIGINT, highest BIGINT, bids BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO prices SELECT bid.auction, MAX(bid.price), COUNT(*)
  FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)) WHERE event_type = 2
  GROUP BY bid.auction, window_start, window_end;
";

/// A process of the cluster; killed when dropped.
struct Process(Child);

impl Process {
    fn start(headwater: &Path, verb: &str, settings: &[String], work: &Path) -> Result<Self> {
        let mut command = Command::new(headwater);
        command.arg(verb).env_remove("HEADWATER_CONF_DIR").env_remove("FLINK_CONF_DIR");
        settings.iter().for_each(|setting| {
            command.args(["-D", setting]);
        });
        let log = std::fs::File::create(work.join(format!("{verb}.log")))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        Ok(Self(child.with_context(|| format!("{} does not start", headwater.display()))?))
    }

    /// Resident memory, MiB.
    fn resident_mb(&self) -> Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        let kb: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kb / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A document of the REST API.
fn get(port: u16, path: &str) -> Result<serde_json::Value> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer")?;
    ensure!(head.starts_with("HTTP/1.1 200"), "{head}");
    Ok(serde_json::from_str(body)?)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

fn until(what: &str, mut done: impl FnMut() -> bool) -> Result<()> {
    let started = Instant::now();
    while !done() {
        if started.elapsed() > PATIENCE {
            bail!("it takes too long until {what}");
        }
        std::thread::sleep(LOOK);
    }
    Ok(())
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
