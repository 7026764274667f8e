//! `cargo xtask bench lineage-emission`: what telling lineage costs a job whose endpoint is dead, slow or failing.
//!
//! A stateless query over the built-in generator runs in pairs, with emission off and on, whose order changes from pair
//! to pair. Emission is busier than anybody has it: an event a second. The time is that of the job: from the start of the
//! process until the statement is done; how long the process waits for its last events afterwards is a setting.

use super::measure::{self, Cost, median};
use crate::cargo;
use anyhow::{Result, bail};
use clap::ValueEnum;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options of `bench lineage-emission`.
#[derive(clap::Args)]
pub struct Options {
    /// Number of events.
    #[arg(long, default_value_t = 20_000_000)]
    events: u64,
    /// Pairs of runs for each endpoint.
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// Parallelism of the job.
    #[arg(long, default_value_t = 2)]
    parallelism: u32,
    /// What endpoints are like.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "dead,slow,failing")]
    endpoints: Vec<Endpoint>,
    /// Fail when a median says that the job takes more than this part longer, such as 0.01.
    #[arg(long, value_name = "PART")]
    limit: Option<f64>,
    /// A release binary to measure instead of building one.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// An endpoint that takes no events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Endpoint {
    /// Nobody listens.
    Dead,
    /// It takes connections and never answers.
    Slow,
    /// It answers 500.
    Failing,
}

/// What the client prints when the statement is done.
const DONE: &str = "Complete execution of the SQL update statement";
/// Connections that a slow endpoint holds.
const HELD_MAX: usize = 64;

/// Runs the benchmark and prints a table.
pub fn run(options: &Options) -> Result<()> {
    let headwater = match &options.binary {
        Some(binary) => binary.clone(),
        None => cargo::build_headwater(true)?,
    };
    let work = std::env::temp_dir().join(format!("headwater-lineage-emission-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let script = work.join("job.sql");
    std::fs::write(&script, statements(options))?;
    println!("| endpoint | events/s off | events/s on | time on/off: median | least | most | CPU on/off |");
    println!("|---|---|---|---|---|---|---|");
    let mut worst = f64::NEG_INFINITY;
    for endpoint in &options.endpoints {
        worst = worst.max(compare(options, &headwater, &script, *endpoint, &work)?);
    }
    std::fs::remove_dir_all(&work)?;
    match options.limit {
        Some(limit) if worst > 1.0 + limit => bail!("a job with lineage takes {worst:.4} of the time without"),
        _ => Ok(()),
    }
}

/// Measures one endpoint; the median ratio of times.
fn compare(options: &Options, headwater: &Path, script: &Path, endpoint: Endpoint, work: &Path) -> Result<f64> {
    let url = listen(endpoint)?;
    let (mut off, mut on): (Vec<Cost>, Vec<Cost>) = (vec![], vec![]);
    for pair in 0..options.pairs.max(1) {
        // What one run leaves in the spool is no work of the next.
        let spool = work.join(format!("spool-{endpoint:?}-{pair}"));
        for first in [true, false] {
            match first == (pair % 2 == 0) {
                true => off.push(measured(headwater, script, None)?),
                false => on.push(measured(headwater, script, Some((&url, &spool)))?),
            }
        }
    }
    let ratios = |of: fn(&Cost) -> f64| on.iter().zip(&off).map(|(on, off)| of(on) / of(off)).collect::<Vec<_>>();
    let rate = |costs: &[Cost]| options.events as f64 / median(costs.iter().map(|cost| cost.wall_s).collect());
    let walls = ratios(|cost| cost.wall_s);
    let (least, most) = walls.iter().fold((f64::MAX, f64::MIN), |(a, b), ratio| (a.min(*ratio), b.max(*ratio)));
    let (wall, cpu) = (median(walls), median(ratios(|cost| cost.cpu_s)));
    let (off, on) = (rate(&off), rate(&on));
    println!("| {endpoint:?} | {off:.0} | {on:.0} | {wall:.4} | {least:.4} | {most:.4} | {cpu:.4} |");
    Ok(wall)
}

fn measured(headwater: &Path, script: &Path, emission: Option<(&str, &Path)>) -> Result<Cost> {
    let mut command = Command::new(headwater);
    command.arg("sql").arg("-f").arg(script).env_remove("OPENLINEAGE_URL").env_remove("OPENLINEAGE_CONFIG");
    if let Some((url, spool)) = emission {
        let settings = [
            "transport.type=http".to_owned(),
            format!("transport.url={url}"),
            "trackingIntervalInSeconds=1".to_owned(),
            "headwater.closeTimeoutInMillis=1".to_owned(),
            format!("headwater.spool.directory={}", spool.display()),
        ];
        for setting in settings {
            command.arg("-D").arg(format!("openlineage.{setting}"));
        }
    }
    measure::run_until(&mut command, DONE)
}

fn statements(options: &Options) -> String {
    let Options { events, parallelism, .. } = options;
    format!(
        "SET 'parallelism.default' = '{parallelism}';
SET 'execution.checkpointing.interval' = '1s';
CREATE TABLE nexmark (event_type INT, bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
  `dateTime` TIMESTAMP(3), extra STRING>) WITH ('connector' = 'nexmark', 'number-of-rows' = '{events}');
CREATE TABLE sink (auction BIGINT, bidder BIGINT, price DECIMAL(23, 3), channel STRING)
  WITH ('connector' = 'blackhole');
INSERT INTO sink SELECT bid.auction, bid.bidder, 0.908 * bid.price, UPPER(bid.channel) FROM nexmark WHERE event_type = 2;
"
    )
}

/// The address of an endpoint, which serves as long as this process lives.
fn listen(endpoint: Endpoint) -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    match endpoint {
        Endpoint::Dead => {}
        Endpoint::Slow => drop(std::thread::spawn(move || hold(&listener))),
        Endpoint::Failing => drop(std::thread::spawn(move || refuse(&listener))),
    }
    Ok(url)
}

/// Takes connections and keeps them open.
fn hold(listener: &TcpListener) {
    let mut held = std::collections::VecDeque::new();
    for stream in listener.incoming().flatten() {
        held.push_back(stream);
        if held.len() > HELD_MAX {
            held.pop_front();
        }
    }
}

/// Answers every request with an error.
fn refuse(listener: &TcpListener) {
    for stream in listener.incoming().flatten() {
        // A client that went away is no concern here.
        let _ = answer(stream);
    }
}

fn answer(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    (&stream).write_all(b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}
