//! `cargo xtask bench exchange`: Arrow batches between two processes, each on a core of its own.
//!
//! * **Throughput** over channels that share a connection, against a plain socket copy of buffers of the same size, in
//!   turn.
//! * **Latency** at half of that throughput, from when a batch is due to when the consumer takes it.
//! * **Isolation**: the throughput of channels beside others, on the same connection, that nobody reads.

use super::measure::median;
use crate::cargo;
use anyhow::{Context, Result, bail, ensure};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Options of `bench exchange`.
#[derive(clap::Args)]
pub struct Options {
    /// Rows of a batch; one has about 50 bytes.
    #[arg(long, default_value_t = 8192)]
    rows: usize,
    /// MiB that a run sends.
    #[arg(long, default_value_t = 8192)]
    mib: u64,
    /// Channels on the connection.
    #[arg(long, default_value_t = 4)]
    channels: u32,
    /// Runs of each kind; medians are printed.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Seconds that the latency is measured for.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The cores of producer and consumer.
    #[arg(long, default_values_t = [0, 1], num_args = 2)]
    cores: Vec<usize>,
    /// A built `exchange_load` example to measure instead of building one.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// Least throughput, GB/s, unless [`SHARE_MIN`] of a plain copy is less.
const THROUGHPUT_MIN: f64 = 1.5;
/// Least share of the throughput of a plain copy.
const SHARE_MIN: f64 = 0.6;
/// Longest latency of 99 of 100 batches, ms.
const LATENCY_MAX_MS: f64 = 10.0;
/// Least share of its throughput that a channel keeps beside one that nobody reads.
const BESIDE_STALLED_MIN: f64 = 0.9;

/// Runs the benchmark, prints a table, and fails when a bound is missed.
pub fn run(options: &Options) -> Result<()> {
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => {
            cargo::cargo(&["build", "--release", "--package", "headwater-transport", "--example", "exchange_load"])?;
            cargo::target_directory()?.join("release/examples/exchange_load")
        }
    };
    let bench = Bench { options, binary: &binary };
    let (mut plain, mut ours, mut beside) = (vec![], vec![], vec![]);
    for _ in 0..options.runs.max(1) {
        plain.push(bench.plain()?);
        ours.push(bench.exchange(0, options.mib, 0)?);
        beside.push(bench.exchange(2, options.mib, 0)?);
    }
    let speed = |runs: &[Figures]| median(runs.iter().map(Figures::gb_per_s).collect());
    let (plain_speed, our_speed, beside_speed) = (speed(&plain), speed(&ours), speed(&beside));
    let rate_mib = (our_speed / 2.0 * 1e9) as u64 >> 20;
    let paced = bench.exchange(0, rate_mib * options.seconds, rate_mib)?;
    println!("| {} rows a batch, {} channels | GB/s | CPU s/GB |", options.rows, options.channels);
    println!("|---|---|---|");
    for (name, runs) in [("plain socket copy", &plain), ("exchange", &ours), ("beside two stalled channels", &beside)] {
        println!("| {name} | {:.2} | {:.2} |", speed(runs), median(runs.iter().map(Figures::cpu_s_per_gb).collect()));
    }
    let p99_ms = paced.p99_us / 1e3;
    println!(
        "\nlatency at {:.2} GB/s: p50 {:.2} ms, p99 {p99_ms:.2} ms, longest {:.2} ms",
        paced.gb_per_s(),
        paced.p50_us / 1e3,
        paced.max_us / 1e3
    );
    let fast = our_speed >= THROUGHPUT_MIN || our_speed >= SHARE_MIN * plain_speed;
    let verdicts = [
        (fast, format!("throughput: {:.0} % of a plain copy", our_speed / plain_speed * 100.0)),
        (p99_ms < LATENCY_MAX_MS, format!("p99 latency: {p99_ms:.2} ms")),
        (
            beside_speed >= BESIDE_STALLED_MIN * our_speed,
            format!("beside stalled channels: {:.0} % of the throughput", beside_speed / our_speed * 100.0),
        ),
    ];
    verdicts.iter().for_each(|(met, what)| println!("{} {what}", if *met { "met   " } else { "MISSED" }));
    ensure!(verdicts.iter().all(|(met, _)| *met), "the exchange misses its bounds");
    Ok(())
}

struct Bench<'a> {
    options: &'a Options,
    binary: &'a Path,
}

/// What a pair of processes tells.
struct Figures {
    bytes: f64,
    seconds: f64,
    cpu_s: f64,
    p50_us: f64,
    p99_us: f64,
    max_us: f64,
}

impl Figures {
    fn gb_per_s(&self) -> f64 {
        self.bytes / self.seconds / 1e9
    }

    fn cpu_s_per_gb(&self) -> f64 {
        self.cpu_s / (self.bytes / 1e9)
    }
}

impl Bench<'_> {
    fn plain(&self) -> Result<Figures> {
        let (rows, mib) = (self.options.rows.to_string(), self.options.mib.to_string());
        self.pair(&["plain-receive", &rows], |address| vec!["plain-send".into(), address, rows.clone(), mib.clone()])
    }

    fn exchange(&self, stalled: u32, mib: u64, mib_per_second: u64) -> Result<Figures> {
        let Options { rows, channels, .. } = self.options;
        let (channels, stalled) = (channels.to_string(), stalled.to_string());
        self.pair(&["consume", &channels, &stalled], |address| {
            let load = [rows.to_string(), mib.to_string(), mib_per_second.to_string()];
            ["produce".into(), address, channels.clone(), stalled.clone()].into_iter().chain(load).collect()
        })
    }

    /// Runs a receiver, and the sender that is told where it listens.
    fn pair(&self, receiver: &[&str], sender: impl FnOnce(String) -> Vec<String>) -> Result<Figures> {
        let [send_core, receive_core] = self.options.cores[..] else { bail!("expected two cores") };
        let mut receiving = self.on_core(receive_core);
        let mut receiving = receiving.args(receiver).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(receiving.stdout.take().context("the receiver has no output")?);
        let mut address = String::new();
        output.read_line(&mut address)?;
        let sent = self.on_core(send_core).args(sender(address.trim().to_owned())).output();
        let sent = sent.map_err(anyhow::Error::from).and_then(|sent| {
            ensure!(sent.status.success(), "the sender failed: {}", String::from_utf8_lossy(&sent.stderr));
            Ok(String::from_utf8(sent.stdout)?)
        });
        if sent.is_err() {
            receiving.kill()?;
        }
        // It may end now.
        drop(receiving.stdin.take());
        let received = ended(receiving, &mut output);
        figures(&sent?, &received?)
    }

    fn on_core(&self, core: usize) -> Command {
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string()]).arg(self.binary);
        command
    }
}

fn ended(mut child: Child, output: &mut impl Read) -> Result<String> {
    let mut text = String::new();
    output.read_to_string(&mut text)?;
    let status = child.wait()?;
    ensure!(status.success(), "the receiver failed: {status}");
    Ok(text)
}

/// The figures of both sides, which must have counted the same rows.
fn figures(sent: &str, received: &str) -> Result<Figures> {
    let number = |text: &str, key: &str| -> Result<f64> {
        let value = text.split_whitespace().find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        value.and_then(|value| value.parse().ok()).with_context(|| format!("there is no {key} in '{text}'"))
    };
    let (sent_rows, rows) = (number(sent, "rows")?, number(received, "rows")?);
    ensure!(sent_rows == rows, "{sent_rows} rows were sent, and {rows} have arrived");
    Ok(Figures {
        bytes: number(received, "bytes")?,
        seconds: number(received, "seconds")?,
        cpu_s: number(sent, "cpu_s")? + number(received, "cpu_s")?,
        p50_us: number(received, "p50_us")?,
        p99_us: number(received, "p99_us")?,
        max_us: number(received, "max_us")?,
    })
}
