//! A job with much state: wide rows by key, which a stream of events looks up by a join.
//!
//! ```text
//! wide rows (bounded, as fast as possible) ─┐
//!                                           ├─ join ─> event, width, when the event was made
//! events (at a rate) ───────────────────────┘
//! ```
//!
//! Every event finds one wide row, so each has to be in the output once. When it was made tells output that came after a
//! failure from output that was only committed after it.

use super::output::{for_each_record, for_each_record_of};
use super::query::{CHECKPOINTS, files, settings};
use super::rest::Rest;
use super::running::Running;
use super::{PATIENCE_MS, pause};
use anyhow::{Context, Result, ensure};
use headwater_env::Env;
use serde_json::Value;
use std::path::Path;

/// Characters of a wide row.
const WIDTH: u64 = 1000;
/// What a wide row takes in memory, about.
const ROW_BYTES: u64 = 1024;
/// Keys of events that follow each other are far apart.
const STEP: u64 = 7919;

/// The job.
#[derive(Debug, Clone, clap::Args)]
pub struct Job {
    /// State of the job, MiB.
    #[arg(long = "state-mb", default_value_t = 0)]
    pub megabytes: u64,
    /// State backend of the job: hashmap or rocksdb.
    #[arg(long, default_value = "hashmap")]
    pub backend: String,
    /// Events that look up wide rows.
    #[arg(long, default_value_t = 60_000)]
    pub lookups: u64,
    /// Lookups per second.
    #[arg(long, default_value_t = 1_000)]
    pub lookup_rate: u64,
}

impl Job {
    /// The script.
    pub fn sql(&self, out: &Path, parallelism: u32) -> Result<String> {
        let Self { backend, lookup_rate, .. } = self;
        let (settings, files) = (settings(parallelism, CHECKPOINTS), files(out, "json")?);
        let (keys, last_event) = (self.keys(), self.lookups.saturating_sub(1));
        let last_key = keys - 1;
        Ok(format!(
            "{settings}SET 'state.backend.type' = '{backend}';
CREATE TABLE wide (k BIGINT, payload STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '100000000',
  'fields.k.kind' = 'sequence', 'fields.k.start' = '0', 'fields.k.end' = '{last_key}', 'fields.payload.length' = '{WIDTH}');
CREATE TABLE events (id BIGINT, made TIMESTAMP(3), k AS MOD(id * {STEP}, {keys})) WITH ('connector' = 'datagen',
  'rows-per-second' = '{lookup_rate}', 'fields.id.kind' = 'sequence', 'fields.id.start' = '0', 'fields.id.end' = '{last_event}');
CREATE TABLE found (id BIGINT, width INT, made TIMESTAMP(3)) WITH ({files});
INSERT INTO found SELECT E.id, CHAR_LENGTH(W.payload), E.made FROM events E JOIN wide W ON E.k = W.k;
"
        ))
    }

    fn keys(&self) -> u64 {
        (self.megabytes << 20).div_euclid(ROW_BYTES).max(1)
    }

    /// Waits until all wide rows are in a checkpoint.
    pub fn wait_until_loaded(&self, running: &Running, rest: &Rest, env: &Env) -> Result<()> {
        let start_ms = env.now_ms();
        running.wait_for_output(0, env, PATIENCE_MS)?;
        let id = rest.job()?;
        while !is_loaded(&rest.get(&format!("/jobs/{id}"))?)? {
            ensure!(env.now_ms() - start_ms < PATIENCE_MS, "the wide rows are not read");
            pause(100);
        }
        let loaded_ms = env.now_ms();
        let checkpoint = loop {
            let latest = rest.get(&format!("/jobs/{id}/checkpoints"))?["latest"]["completed"].take();
            if latest["trigger_timestamp"].as_i64().is_some_and(|at_ms| at_ms > loaded_ms) {
                break latest;
            }
            ensure!(env.now_ms() - start_ms < PATIENCE_MS, "there is no checkpoint of the wide rows");
            pause(100);
        };
        println!(
            "chaos: {} wide rows are in the state after {} ms; the checkpoint has {} MiB",
            self.keys(),
            loaded_ms - start_ms,
            checkpoint["state_size"].as_i64().unwrap_or_default() >> 20,
        );
        Ok(())
    }

    /// Holds the output against what must be there.
    pub fn check(&self, out: &Path) -> Result<()> {
        let mut found = vec![0_u8; usize::try_from(self.lookups)?];
        for_each_record(out, &mut |record| {
            let id = record["id"].as_u64().and_then(|id| usize::try_from(id).ok());
            let times = id.and_then(|id| found.get_mut(id)).with_context(|| format!("an unknown event: {record}"))?;
            *times = times.saturating_add(1);
            ensure!(record["width"] == WIDTH, "an event has found a row that is another: {record}");
            Ok(())
        })?;
        let others = |times: u8| found.iter().filter(|found| **found == times).count();
        ensure!(
            others(1) == found.len(),
            "of {} events {} are missing and {} are there more than once",
            found.len(),
            others(0),
            found.len() - others(0) - others(1)
        );
        println!("chaos: {} events, each exactly once", found.len());
        Ok(())
    }
}

/// Whether the source of the wide rows has come to its end.
fn is_loaded(job: &Value) -> Result<bool> {
    let vertices = job["vertices"].as_array().context("a job with vertices")?;
    let reads = |vertex: &&Value| vertex["name"].as_str().is_some_and(|name| name.contains(", wide]]"));
    let source = vertices.iter().find(reads).with_context(|| format!("no source of the wide rows: {vertices:?}"))?;
    Ok(source["status"] == "FINISHED")
}

/// When the newest event of a file was made, milliseconds since the epoch.
pub fn made_ms(file: &Path) -> Result<i64> {
    let mut newest_ms = 0;
    for_each_record_of(file, &mut |record| {
        let made = record["made"].as_str().and_then(millis);
        newest_ms = newest_ms.max(made.with_context(|| format!("an event without a time: {record}"))?);
        Ok(())
    })?;
    Ok(newest_ms)
}

/// Milliseconds since the epoch of a time such as `2025-01-31 23:59:58.12`.
fn millis(text: &str) -> Option<i64> {
    let (date, time) = text.split_once([' ', 'T'])?;
    let numbers =
        |text: &str, separator| text.split(separator).map(|part| part.parse::<i64>().ok()).collect::<Option<Vec<_>>>();
    let (time, fraction) = time.trim_end_matches('Z').split_once('.').unwrap_or((time, "0"));
    let (date, time) = (numbers(date, '-')?, numbers(time, ':')?);
    let ([year, month, day], [hour, minute, second]) =
        (<[i64; 3]>::try_from(date).ok()?, <[i64; 3]>::try_from(time).ok()?);
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(seconds * 1_000 + format!("{fraction:0<3.3}").parse::<i64>().ok()?)
}

/// Days since the epoch, of the proleptic Gregorian calendar; the year begins in March, so that the leap day is its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::millis;

    #[test]
    fn times_are_read() {
        for (text, expected) in [
            ("1970-01-01 00:00:00", Some(0)),
            ("2000-02-29 00:00:01.5", Some(951_782_401_500)),
            ("2025-01-31 23:59:58.12", Some(1_738_367_998_120)),
            ("2025-01-31", None),
            ("2025-01 23:59:58", None),
        ] {
            assert_eq!(millis(text), expected, "{text}");
        }
    }
}
