//! `cargo xtask bench checkpoints`: how long checkpoints take while the sink takes a tenth of what the job could
//! deliver, with and without barriers that overtake rows, and whether the job loses or repeats anything when it is killed.
//!
//! ```text
//! nexmark bids ─> by key ─> COUNT, SUM ─> print, so many rows a second
//! ```
//!
//! A first run without throttle tells how fast the job is and what it must come to. Then, for each way of aligning, the
//! job runs throttled, is killed in the middle, starts again from its newest checkpoint, and runs to its end. A
//! checkpoint's duration is the time from its trigger, which its manifest tells, until the manifest was written. The
//! last counts of all keys must be those of the first run: a row that is lost or counted twice changes them.

use crate::cargo;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, UNIX_EPOCH};

/// Options of `bench checkpoints`.
#[derive(clap::Args)]
pub struct Options {
    /// Number of events.
    #[arg(long, default_value_t = 4_000_000)]
    events: u64,
    /// Keys of the aggregation.
    #[arg(long, default_value_t = 10_000)]
    keys: u64,
    /// What the sink takes of the rows that the job could deliver, percent.
    #[arg(long, default_value_t = 10)]
    percent: u64,
    /// Milliseconds between checkpoints.
    #[arg(long, default_value_t = 200)]
    interval_ms: u64,
    /// Parallelism of the job.
    #[arg(long, default_value_t = 2)]
    parallelism: u32,
    /// A release binary to measure instead of building one.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Folder for checkpoints and output; emptied before and after.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

/// Ways of aligning: how they are called, and what they set.
const MODES: [(&str, &[(&str, &str)]); 3] = [
    ("aligned", &[("execution.checkpointing.unaligned.enabled", "false")]),
    ("default", &[]),
    ("unaligned", &[("execution.checkpointing.unaligned.enabled", "true")]),
];

/// How often the checkpoint directory is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Last count and sum by key.
type Totals = BTreeMap<u64, (u64, String)>;

/// Runs the benchmark and prints a table.
pub fn run(options: &Options) -> Result<()> {
    let headwater = match &options.binary {
        Some(binary) => binary.clone(),
        None => cargo::build_headwater(true)?,
    };
    let directory = match &options.directory {
        Some(directory) => directory.join("headwater-checkpoint-bench"),
        None => cargo::target_directory()?.join("checkpoint-bench"),
    };
    let bench = Bench { options, headwater, directory };
    bench.empty()?;
    let measured = bench.measure();
    bench.empty()?;
    measured
}

struct Bench<'a> {
    options: &'a Options,
    headwater: PathBuf,
    directory: PathBuf,
}

/// What the job does at full speed.
struct Reference {
    totals: Totals,
    wall_s: f64,
    rows_per_second: u64,
}

/// Checkpoints of a run, by path of their manifests: milliseconds from the trigger to the end.
type Durations = BTreeMap<PathBuf, f64>;

impl Bench<'_> {
    fn empty(&self) -> Result<()> {
        match std::fs::remove_dir_all(&self.directory) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e.into()),
            _ => {}
        }
        Ok(std::fs::create_dir_all(&self.directory)?)
    }

    fn measure(&self) -> Result<()> {
        let reference = self.reference()?;
        let rate = (reference.rows_per_second * self.options.percent / 100).max(1);
        println!(
            "the job delivers {} rows a second, the sink takes {rate}; a checkpoint every {} ms",
            reference.rows_per_second, self.options.interval_ms
        );
        println!("| barriers | checkpoints | p50 ms | p99 ms | longest ms | nothing lost or repeated |");
        println!("|---|---|---|---|---|---|");
        let mut wrong = 0;
        for (name, settings) in MODES {
            let (durations, totals) = self.throttled(name, settings, rate, &reference)?;
            let mut durations: Vec<f64> = durations.into_values().collect();
            durations.sort_by(f64::total_cmp);
            let right = totals == reference.totals;
            wrong += u32::from(!right);
            println!(
                "| {name} | {} | {:.0} | {:.0} | {:.0} | {} |",
                durations.len(),
                quantile(&durations, 0.5),
                quantile(&durations, 0.99),
                quantile(&durations, 1.0),
                if right { "yes" } else { "NO" }
            );
        }
        if wrong > 0 {
            bail!("{wrong} runs came to other results than the one that was not killed");
        }
        Ok(())
    }

    #[allow(clippy::disallowed_methods, reason = "a measurement reads the real clock")]
    fn reference(&self) -> Result<Reference> {
        let started = Instant::now();
        let mut job = self.start("reference", 0, None, &[])?;
        if !job.wait()?.success() {
            bail!("the job failed: see {}", self.log("reference", 0).display());
        }
        let wall_s = started.elapsed().as_secs_f64();
        let mut totals = Totals::new();
        let rows = read_totals(&self.log("reference", 0), &mut totals)?;
        Ok(Reference { totals, wall_s, rows_per_second: (rows as f64 / wall_s) as u64 })
    }

    /// Runs the job in one way: to its middle, and from its newest checkpoint to its end.
    fn throttled(
        &self,
        name: &str,
        settings: &[(&str, &str)],
        rate: u64,
        reference: &Reference,
    ) -> Result<(Durations, Totals)> {
        let middle_s = reference.wall_s * 100.0 / self.options.percent.max(1) as f64 / 2.0;
        let mut durations = Durations::new();
        let mut job = self.start(name, 0, Some(rate), settings)?;
        self.follow(&mut job, name, Some(Duration::from_secs_f64(middle_s)), &mut durations)?;
        let checkpoints = self.checkpoints(name);
        let path = ("execution.state-recovery.path", checkpoints.to_str().context("the folder's path is not text")?);
        let mut job = self.start(name, 1, Some(rate), &[settings, &[path]].concat())?;
        self.follow(&mut job, name, None, &mut durations)?;
        let mut totals = Totals::new();
        read_totals(&self.log(name, 0), &mut totals)?;
        read_totals(&self.log(name, 1), &mut totals)?;
        Ok((durations, totals))
    }

    fn checkpoints(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}-checkpoints"))
    }

    fn log(&self, name: &str, life: u32) -> PathBuf {
        self.directory.join(format!("{name}-{life}.out"))
    }

    fn start(&self, name: &str, life: u32, rate: Option<u64>, settings: &[(&str, &str)]) -> Result<Child> {
        let script = self.directory.join(format!("{name}.sql"));
        std::fs::write(&script, self.sql(rate))?;
        let mut command = Command::new(&self.headwater);
        command.arg("sql").arg("-f").arg(&script);
        let mut set = |key: &str, value: &str| {
            command.args(["-D", &format!("{key}={value}")]);
        };
        set("parallelism.default", &self.options.parallelism.to_string());
        if rate.is_some() {
            set("execution.checkpointing.interval", &format!("{} ms", self.options.interval_ms));
            set("execution.checkpointing.dir", &self.checkpoints(name).display().to_string());
            set("execution.checkpointing.num-retained", "1000000");
            settings.iter().for_each(|(key, value)| set(key, value));
        }
        command.stdin(Stdio::null()).stdout(File::create(self.log(name, life))?);
        let started = command.stderr(File::create(self.directory.join(format!("{name}-{life}.err")))?).spawn();
        started.with_context(|| format!("{} does not start", self.headwater.display()))
    }

    fn sql(&self, rate: Option<u64>) -> String {
        let throttle = rate.map_or(String::new(), |rate| format!(", 'sink.rows-per-second' = '{rate}'"));
        let Options { events, keys, .. } = self.options;
        format!(
            "CREATE TABLE nexmark (event_type INT, bid ROW<auction BIGINT, price BIGINT>)
               WITH ('connector' = 'nexmark', 'number-of-rows' = '{events}');
             CREATE TABLE totals (k BIGINT, c BIGINT, s BIGINT) WITH ('connector' = 'print'{throttle});
             INSERT INTO totals SELECT MOD(bid.auction, {keys}), COUNT(*), SUM(bid.price) FROM nexmark
               WHERE event_type = 2 GROUP BY MOD(bid.auction, {keys});\n"
        )
    }

    /// Notes the durations of checkpoints until the process ends, or kills it when it is time.
    #[allow(clippy::disallowed_methods, reason = "a measurement reads the real clock and waits")]
    fn follow(&self, job: &mut Child, name: &str, kill: Option<Duration>, durations: &mut Durations) -> Result<()> {
        let started = Instant::now();
        loop {
            let ended = job.try_wait()?;
            self.note(name, durations);
            match (ended, kill) {
                (Some(status), None) if status.success() => return Ok(()),
                (Some(status), _) => bail!("the job ended too early: {status}, see {}", self.directory.display()),
                (None, Some(after)) if started.elapsed() > after && !durations.is_empty() => {
                    job.kill()?;
                    job.wait()?;
                    self.note(name, durations);
                    return Ok(());
                }
                (None, _) => std::thread::sleep(LOOK),
            }
        }
    }

    /// Looks for new manifests. What is deleted meanwhile is not counted.
    fn note(&self, name: &str, durations: &mut Durations) {
        for checkpoint in entries(&self.checkpoints(name)).iter().flat_map(|job| entries(job)) {
            let manifest = checkpoint.join("_metadata");
            if !durations.contains_key(&manifest)
                && let Some(duration_ms) = duration_ms(&manifest)
            {
                durations.insert(manifest, duration_ms);
            }
        }
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(directory).into_iter().flatten();
    read.flatten().map(|entry| entry.path()).collect()
}

/// From the trigger until the manifest was written.
fn duration_ms(manifest: &Path) -> Option<f64> {
    let written = std::fs::metadata(manifest).ok()?.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    let content = std::fs::read_to_string(manifest).ok()?;
    let fields: serde_json::Value = serde_json::from_str(content.lines().nth(1)?).ok()?;
    let triggered_ms = fields["triggered_ms"].as_i64()?;
    Some(written.as_secs_f64() * 1000.0 - triggered_ms as f64)
}

/// Adds the last totals that a process printed; how many rows there were. What a process that was killed had printed
/// behind its last checkpoint is printed again by the next, so the highest count of a key is its last.
fn read_totals(log: &Path, totals: &mut Totals) -> Result<usize> {
    let content = std::fs::read_to_string(log)?;
    let mut rows = 0;
    for line in content.lines() {
        let (Some((kind, rest)), true) = (line.split_once('['), line.ends_with(']')) else { continue };
        rows += 1;
        let mut fields = rest.trim_end_matches(']').split(", ");
        let mut number = || fields.next()?.parse::<u64>().ok();
        let (Some(key), Some(count)) = (number(), number()) else { continue };
        let sum = fields.next().unwrap_or_default().to_owned();
        let adds = kind.ends_with("+I") || kind.ends_with("+U");
        if adds && totals.get(&key).is_none_or(|(before, _)| *before < count) {
            totals.insert(key, (count, sum));
        }
    }
    Ok(rows)
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(at.max(1) - 1).copied().unwrap_or(f64::NAN)
}
