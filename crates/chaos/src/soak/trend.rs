//! Whether something grows: a straight line through its samples.

use super::usage::Usage;
use anyhow::{Result, ensure};
use std::collections::BTreeMap;

/// The first part of a run is no evidence: caches and pools fill.
const WARM_UP: f64 = 0.3;
/// Samples below which a line means nothing.
const SAMPLES_MIN: usize = 20;
/// The least part of a run that a process must have been watched for.
const SPAN_MIN: f64 = 0.25;

/// How much something may grow: in shares of what it is, or absolutely; the larger counts.
#[derive(Debug, Clone, Copy)]
struct Bound {
    share: f64,
    absolute: f64,
}

const MEMORY: Bound = Bound { share: 0.15, absolute: 32.0 };
const HANDLES: Bound = Bound { share: 0.2, absolute: 12.0 };
const FILES: Bound = Bound { share: 0.3, absolute: 40.0 };

/// Samples by what they are of; each with the share of the run at which it was taken.
#[derive(Default)]
pub struct Trends {
    series: BTreeMap<(String, &'static str), Series>,
}

struct Series {
    bound: Bound,
    samples: Vec<(f64, f64)>,
}

/// Where the line begins and where it ends.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    from: f64,
    to: f64,
}

impl Trends {
    /// Adds what a process has.
    pub fn add_process(&mut self, name: &str, share: f64, usage: &Usage) {
        self.add(name, "MiB", MEMORY, share, usage.memory_mb);
        self.add(name, "files", HANDLES, share, usage.files);
        self.add(name, "sockets", HANDLES, share, usage.sockets);
        self.add(name, "threads", HANDLES, share, usage.threads);
    }

    /// Adds how many files there are.
    pub fn add_files(&mut self, name: &str, share: f64, files: usize) {
        self.add(name, "files", FILES, share, files as f64);
    }

    fn add(&mut self, name: &str, unit: &'static str, bound: Bound, share: f64, value: f64) {
        let series = self.series.entry((name.to_owned(), unit));
        series.or_insert_with(|| Series { bound, samples: vec![] }).samples.push((share, value));
    }

    /// What was watched for long enough.
    fn lines(&self) -> impl Iterator<Item = (&str, &str, Line, bool)> {
        self.series.iter().filter_map(|((name, unit), series)| {
            let line = line(&series.samples)?;
            let most = (line.from * series.bound.share).max(series.bound.absolute);
            Some((name.as_str(), *unit, line, line.to - line.from <= most))
        })
    }

    /// Prints the lines.
    pub fn print(&self) {
        for (name, unit, line, is_flat) in self.lines() {
            let verdict = if is_flat { "flat" } else { "GROWS" };
            println!("chaos: {name}: from {:.1} to {:.1} {unit}: {verdict}", line.from, line.to);
        }
    }

    /// Fails when something grows, or nothing was watched.
    pub fn check(&self) -> Result<()> {
        let grown: Vec<String> =
            self.lines().filter(|(.., is_flat)| !is_flat).map(|(name, unit, ..)| format!("{name} ({unit})")).collect();
        ensure!(grown.is_empty(), "these grow: {}", grown.join(", "));
        ensure!(self.lines().next().is_some(), "the run was too short to see a trend");
        Ok(())
    }
}

/// The line of least squares through the samples behind the warm-up; `None` when they are too few.
fn line(samples: &[(f64, f64)]) -> Option<Line> {
    let first = samples.first()?.0;
    // A process that started later has its own warm-up.
    let begin = WARM_UP.max(first + WARM_UP / 3.0);
    let samples: Vec<(f64, f64)> = samples.iter().copied().filter(|(share, _)| *share >= begin).collect();
    let (from, to) = (samples.first()?.0, samples.last()?.0);
    if samples.len() < SAMPLES_MIN || to - from < SPAN_MIN {
        return None;
    }
    let count = samples.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let covariance: f64 = samples.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = samples.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let at = |x: f64| mean_y + covariance / variance * (x - mean_x);
    Some(Line { from: at(from), to: at(to) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trends(value: impl Fn(f64) -> f64, from: f64, samples: usize) -> Trends {
        let mut trends = Trends::default();
        for sample in 0..samples {
            let share = from + (1.0 - from) * sample as f64 / samples as f64;
            trends.add("tm", "MiB", MEMORY, share, value(share));
        }
        trends
    }

    #[test]
    fn what_rises_behind_the_warm_up_grows() {
        type Value = fn(f64) -> f64;
        let cases: [(&str, Value, bool); 5] = [
            ("constant", |_| 100.0, true),
            ("only at first", |share| 100.0 + 200.0 * share.min(0.25), true),
            ("up and down", |share| 100.0 + 30.0 * (share * 60.0).sin(), true),
            ("steadily", |share| 100.0 + 100.0 * share, false),
            ("down", |share| 300.0 - 200.0 * share, true),
        ];
        for (name, value, is_flat) in cases {
            assert_eq!(trends(value, 0.0, 200).check().is_ok(), is_flat, "{name}");
        }
    }

    #[test]
    fn short_lives_are_no_evidence() {
        assert!(trends(|share| 1e3 * share, 0.8, 100).check().unwrap_err().to_string().contains("too short"));
        assert!(trends(|share| 1e3 * share, 0.0, 10).check().unwrap_err().to_string().contains("too short"));
        assert!(trends(|share| 1e3 * share, 0.5, 100).check().unwrap_err().to_string().contains("tm (MiB)"));
    }
}
