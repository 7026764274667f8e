//! The live line about a long job, and the summary at its end. Both go to stderr.

use headwater_embedded::{JobHandle, JobResult, OperatorTotals};
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_types::ids::VertexId;
use headwater_types::{MAX_WATERMARK, MIN_WATERMARK};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Jobs shorter than this say nothing.
const QUIET: Duration = Duration::from_secs(1);
/// How often the line is renewed on a terminal.
const INTERVAL: Duration = Duration::from_millis(500);
/// How often a line is written when stderr is no terminal.
const INTERVAL_LOG: Duration = Duration::from_secs(5);

/// Which operators of a job read and which write.
#[derive(Debug, Clone, Default)]
pub struct Ends {
    sources: Vec<(VertexId, u32)>,
    sinks: Vec<(VertexId, u32)>,
}

impl Ends {
    /// Those of a job graph.
    pub fn of(graph: &JobGraph) -> Self {
        let mut ends = Self::default();
        for vertex in &graph.vertices {
            for (position, operator) in (0..).zip(&vertex.chain) {
                match operator.spec {
                    OperatorSpec::Source(_) | OperatorSpec::Values(_) => ends.sources.push((vertex.id, position)),
                    OperatorSpec::Sink(_) => ends.sinks.push((vertex.id, position)),
                    _ => {}
                }
            }
        }
        ends
    }

    fn rows_in(&self, totals: &[OperatorTotals]) -> u64 {
        totals.iter().filter(|t| self.sources.contains(&(t.vertex, t.position))).map(|t| t.rows_out).sum()
    }

    fn rows_out(&self, totals: &[OperatorTotals]) -> u64 {
        totals.iter().filter(|t| self.sinks.contains(&(t.vertex, t.position))).map(|t| t.rows_in).sum()
    }

    /// The watermark at the sinks: what the result is complete up to.
    fn watermark(&self, totals: &[OperatorTotals]) -> Option<i64> {
        let at_sinks = totals.iter().filter(|t| self.sinks.contains(&(t.vertex, t.position))).map(|t| t.watermark);
        at_sinks.min().filter(|w| *w != MIN_WATERMARK && *w != MAX_WATERMARK)
    }
}

/// The live line.
pub struct Progress {
    ends: Ends,
    enabled: bool,
    is_terminal: bool,
    started: Instant,
    last: Instant,
    last_rows: (u64, u64),
    shown: bool,
    /// Restarts that were told.
    restarts: u32,
    /// From how many failed checkpoints on something is said again.
    failures_told: u64,
}

impl Progress {
    /// A line for a job; `forced` shows it where stderr is no terminal.
    #[allow(clippy::disallowed_methods, reason = "the clock of the terminal, not of the engine")]
    pub fn new(ends: Ends, forced: bool) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let now = Instant::now();
        Self {
            ends,
            enabled: forced || is_terminal,
            is_terminal,
            started: now,
            last: now,
            last_rows: (0, 0),
            shown: false,
            restarts: 0,
            failures_told: 1,
        }
    }

    /// Renews the line when it is time.
    pub fn tick(&mut self, job: &JobHandle) {
        self.tell_restarts(job);
        self.tell_failures(job);
        let interval = if self.is_terminal { INTERVAL } else { INTERVAL_LOG };
        let due = if self.shown { self.last.elapsed() >= interval } else { self.started.elapsed() >= QUIET };
        if !self.enabled || !due {
            return;
        }
        let Ok(snapshots) = job.metrics() else { return };
        let line = self.line(&headwater_embedded::totals(&snapshots));
        let mut stderr = std::io::stderr().lock();
        let _ = match self.is_terminal {
            true => write!(stderr, "\r\x1b[K{line}"),
            false => writeln!(stderr, "{line}"),
        };
        let _ = stderr.flush();
        self.shown = true;
    }

    /// Says that checkpoints fail, and why: the first time, and then less and less often.
    fn tell_failures(&mut self, job: &JobHandle) {
        let Ok(checkpoints) = job.checkpoints() else { return };
        let failed = checkpoints.counts.failed;
        if failed < self.failures_told {
            return;
        }
        self.failures_told = failed.saturating_mul(2);
        self.clear();
        let latest = checkpoints.latest_failed;
        let number = latest.as_ref().map_or(0, |latest| latest.checkpoint);
        let why = latest.and_then(|latest| latest.failure).unwrap_or_else(|| "unknown".to_owned());
        crate::complain(format_args!(
            "[WARNING] Checkpoint {number} failed ({failed} failed, {} completed so far), the job goes on: {why}",
            checkpoints.counts.completed
        ));
    }

    /// Says why and when the job starts again; once per restart.
    fn tell_restarts(&mut self, job: &JobHandle) {
        let Ok(status) = job.status() else { return };
        if status.restarts <= self.restarts {
            return;
        }
        self.restarts = status.restarts;
        self.clear();
        let delay = Duration::from_millis(status.restart_delay_ms.try_into().unwrap_or(0));
        let cause = status.restart_cause.map_or_else(|| "unknown".to_owned(), |cause| cause.to_string());
        let restart =
            format_args!("[WARNING] Restarting the job in {} (restart {}): {cause}", duration(delay), self.restarts);
        crate::complain(restart);
    }

    #[allow(clippy::disallowed_methods, reason = "the clock of the terminal, not of the engine")]
    fn line(&mut self, totals: &[OperatorTotals]) -> String {
        let (rows_in, rows_out) = (self.ends.rows_in(totals), self.ends.rows_out(totals));
        let seconds = self.last.elapsed().as_secs_f64().max(0.001);
        let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
        let rates = (rate(rows_in, self.last_rows.0), rate(rows_out, self.last_rows.1));
        (self.last, self.last_rows) = (Instant::now(), (rows_in, rows_out));
        let mut line = format!(
            "{}  in {} ({}/s)  out {} ({}/s)",
            duration(self.started.elapsed()),
            count(rows_in as f64),
            count(rates.0),
            count(rows_out as f64),
            count(rates.1)
        );
        if let Some(watermark) = self.ends.watermark(totals) {
            line.push_str(&format!("  watermark {}", timestamp(watermark)));
            if let Some(lag) = lag(watermark) {
                line.push_str(&format!("  lag {}", duration(lag)));
            }
        }
        let late: u64 = totals.iter().map(|t| t.late_rows_dropped).sum();
        if late > 0 {
            line.push_str(&format!("  late {late}"));
        }
        line
    }

    /// Takes the line away, so that rows can be written in its place.
    pub fn clear(&mut self) {
        if self.shown && self.is_terminal {
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K");
            let _ = stderr.flush();
        }
    }

    /// The summary of an ended job: how much in which time, and every row that was dropped.
    pub fn finish(&mut self, result: &JobResult) {
        self.clear();
        let totals = result.totals();
        if self.shown {
            let rows_in = self.ends.rows_in(&totals);
            let seconds = self.started.elapsed().as_secs_f64();
            crate::complain(format_args!(
                "{} in {}: {rows_in} rows in ({}/s), {} rows out",
                result.state,
                duration(self.started.elapsed()),
                count(rows_in as f64 / seconds),
                self.ends.rows_out(&totals),
            ));
        }
        for (name, dropped) in dropped(&totals) {
            crate::complain(format_args!("[WARNING] {dropped} in {name}"));
        }
    }
}

/// What operators dropped, by display name.
fn dropped(totals: &[OperatorTotals]) -> BTreeMap<&str, String> {
    let describe = |t: &OperatorTotals| {
        let late = (t.late_rows_dropped > 0).then(|| format!("{} late rows dropped", t.late_rows_dropped));
        let bad = (t.bad_records > 0).then(|| format!("{} bad records skipped", t.bad_records));
        late.into_iter().chain(bad).collect::<Vec<_>>().join(", ")
    };
    totals.iter().map(|t| (t.name.as_str(), describe(t))).filter(|(_, text)| !text.is_empty()).collect()
}

/// `950`, `12.3k`, `4.56M`.
fn count(number: f64) -> String {
    match number {
        n if n >= 1e9 => format!("{:.2}G", n / 1e9),
        n if n >= 1e6 => format!("{:.2}M", n / 1e6),
        n if n >= 1e4 => format!("{:.1}k", n / 1e3),
        n => format!("{n:.0}"),
    }
}

/// `850ms`, `12.3s`, `4m05s`, `3h12m`, `45d`.
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        1..60 => format!("{:.1}s", duration.as_secs_f64()),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// How far event time is behind the wall clock; `None` when it is ahead.
fn lag(watermark: i64) -> Option<Duration> {
    let now = headwater_env::Env::real().now_ms();
    u64::try_from(now - watermark).ok().map(Duration::from_millis)
}

/// A time since the epoch, in UTC.
pub fn timestamp(millis: i64) -> String {
    let mut out = String::new();
    headwater_functions::text::push_timestamp(
        &mut out,
        millis.div_euclid(1000),
        (millis.rem_euclid(1000) * 1_000_000) as u32,
        3,
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_durations_are_short() {
        let texts = [count(950.0), count(12_345.0), count(4_560_000.0), count(2e9)];
        assert_eq!(texts, ["950", "12.3k", "4.56M", "2.00G"]);
        let texts = [850, 12_300, 245_000, 11_520_000, 400_000_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(texts, ["850ms", "12.3s", "4m05s", "3h12m", "4d"]);
    }
}
