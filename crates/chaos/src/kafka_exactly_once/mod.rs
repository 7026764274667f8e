//! A job that reads a topic and writes two, exactly once, while it and the broker are killed.
//!
//! ```text
//! producer ─> events ─┬─> TUMBLE, COUNT and SUM per key ─> windowed   (inserts)
//!                     └─> COUNT and SUM per key ─────────> totals     (a changelog)
//! ```
//!
//! A lost or repeated window is seen in `windowed` by its key and time. In `totals` every update names the row it
//! replaces, so the changes of a key must form an unbroken chain from nothing to the recomputed total.

mod checks;
mod input;
mod job;
mod topics;

pub use checks::wait_until_complete;
pub use input::Producer;
pub use job::sql;
pub use topics::create as create_topics;

use anyhow::{Context, Result};
use headwater_env::Env;
use headwater_test_servers::{Kafka, KafkaOptions};
use job::{Job, Moment};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::path::PathBuf;
use std::time::Duration;

/// Options of the experiment.
#[derive(clap::Args)]
pub struct Options {
    /// How often the job is killed.
    #[arg(long, default_value_t = 200)]
    kills: u32,
    /// Seed of the moments of the kills.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// After how many kills of the job the broker is killed, too.
    #[arg(long, default_value_t = 40)]
    broker_every: u32,
    /// Events per second.
    #[arg(long, default_value_t = 1000)]
    rate: u64,
    /// The binary to run.
    #[arg(long, value_name = "FILE")]
    headwater: PathBuf,
    /// Seconds that the last run of the job may take to write what is missing.
    #[arg(long, default_value_t = 120)]
    patience_s: u64,
}

/// What happened on the way.
#[derive(Debug, Default)]
struct Counts {
    kills: u32,
    /// Kills right after a checkpoint became complete, before or while its results were committed.
    while_committing: u32,
    broker_kills: u32,
    /// Runs that were killed before their first checkpoint.
    without_checkpoint: u32,
}

/// Runs the experiment.
pub fn run(options: &Options) -> Result<()> {
    let env = Env::real();
    let mut kafka = Kafka::start(&KafkaOptions::default()).context("no broker")?;
    println!("chaos: broker at {}, seed {}", kafka.bootstrap(), options.seed);
    topics::create(&kafka.bootstrap())?;
    let directory = tempfile::tempdir()?;
    let job = Job::new(&options.headwater, directory.path(), &kafka.bootstrap())?;
    let producer = input::Producer::start(&kafka.bootstrap(), options.rate, env.clone())?;
    let counts = kill_repeatedly(options, &env, &job, &mut kafka)?;
    let events = producer.finish()?;
    println!("chaos: {counts:?}, {events} events; waiting for the rest of the results");
    let running = job.start()?;
    let outcome = checks::wait_until_complete(&kafka.bootstrap(), events, &env, options.patience_s);
    running.kill()?;
    let found = outcome.with_context(|| format!("the job's output is in {}", job.log().display()))?;
    println!(
        "chaos: {} kills ({} while committing, {} before a first checkpoint), {} broker kills: {} windows and {} totals \
         over {} changes, each exactly once",
        counts.kills,
        counts.while_committing,
        counts.without_checkpoint,
        counts.broker_kills,
        found.windows,
        found.totals,
        found.changes,
    );
    println!("1 passed, 0 failed");
    Ok(())
}

fn kill_repeatedly(options: &Options, env: &Env, job: &Job, kafka: &mut Kafka) -> Result<Counts> {
    let mut random = StdRng::seed_from_u64(options.seed);
    let mut counts = Counts::default();
    while counts.kills < options.kills {
        let before = job.checkpoints();
        let running = job.start()?;
        let broker_too = options.broker_every > 0 && (counts.kills + 1) % options.broker_every == 0;
        let moment = match random.random_range(0..3) {
            0 => Moment::AfterCheckpoint { wait_ms: random.random_range(0..25) },
            _ => Moment::AfterMs(random.random_range(20..2000)),
        };
        if broker_too {
            pause(random.random_range(0..500));
            kafka.kill()?;
            pause(random.random_range(0..2000));
            kafka.start_again()?;
            counts.broker_kills += 1;
        }
        let committing = running.kill_at(moment, env)?;
        counts.kills += 1;
        counts.while_committing += u32::from(committing);
        counts.without_checkpoint += u32::from(job.checkpoints() <= before);
        if counts.kills % 10 == 0 {
            println!("chaos: {} kills, newest checkpoint {:?}", counts.kills, job.checkpoints());
        }
    }
    Ok(counts)
}

/// Lets time pass.
fn pause(ms: u64) {
    std::thread::park_timeout(Duration::from_millis(ms));
}
