//! What the autoscaler may do, by the keys of Flink's.

use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};

const ENABLED: Key = Key { name: "job.autoscaler.enabled", default: "false" };
const STABILIZATION: Key = Key { name: "job.autoscaler.stabilization.interval", default: "5 min" };
const WINDOW: Key = Key { name: "job.autoscaler.metrics.window", default: "15 min" };
const AGGREGATOR: Key = Key { name: "job.autoscaler.metrics.busy-time.aggregator", default: "MAX" };
const TARGET: Key = Key { name: "job.autoscaler.utilization.target", default: "0.7" };
const MIN: Key = Key { name: "job.autoscaler.utilization.min", default: "" };
const MAX: Key = Key { name: "job.autoscaler.utilization.max", default: "" };
const SCALE_UP_FACTOR: Key = Key { name: "job.autoscaler.scale-up.max-factor", default: "100000" };
const SCALE_DOWN_FACTOR: Key = Key { name: "job.autoscaler.scale-down.max-factor", default: "0.6" };
const SCALE_DOWN_INTERVAL: Key = Key { name: "job.autoscaler.scale-down.interval", default: "1 h" };
const CATCH_UP: Key = Key { name: "job.autoscaler.catch-up.duration", default: "30 min" };
const PARALLELISM_MIN: Key = Key { name: "job.autoscaler.vertex.min-parallelism", default: "1" };
const PARALLELISM_MAX: Key = Key { name: "job.autoscaler.vertex.max-parallelism", default: "200" };

/// How far the limits of the utilization are from its target where they are not set.
const BOUNDARY: f64 = 0.3;
/// The highest limit of the utilization where it is not set: a vertex cannot be seen to be busier than always.
const MAX_DEFAULT: f64 = 0.95;

/// Which of a vertex' subtasks tells how busy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregator {
    /// The one that is least busy.
    Min,
    /// All of them.
    Average,
    /// The busiest.
    Max,
}

/// What the autoscaler may do.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Limits {
    /// Nothing changes for so long after the job began to run.
    pub(super) stabilization_ms: i64,
    /// Rates are averages over so long.
    pub(super) window_ms: i64,
    pub(super) aggregator: Aggregator,
    /// The utilization that a vertex should have.
    pub(super) target: f64,
    /// Below it a vertex shrinks.
    pub(super) min: f64,
    /// Above it a vertex grows.
    pub(super) max: f64,
    /// By how much of its parallelism a vertex grows at once.
    pub(super) scale_up_factor: f64,
    /// By how much of its parallelism a vertex shrinks at once.
    pub(super) scale_down_factor: f64,
    /// A vertex shrinks when it could for so long.
    pub(super) scale_down_interval_ms: i64,
    /// The time in which a source that is behind should catch up.
    pub(super) catch_up_ms: i64,
    pub(super) parallelism_min: u32,
    pub(super) parallelism_max: u32,
}

impl Limits {
    /// What a configuration says; `None` where the autoscaler is off.
    ///
    /// # Errors
    /// When a value makes no sense, naming its key.
    pub(crate) fn from_config(config: &Configuration) -> Result<Option<Self>> {
        if !config.boolean(ENABLED)? {
            return Ok(None);
        }
        let millis = |key: Key| Ok::<_, Error>(i64::try_from(config.duration(key)?.as_millis()).unwrap_or(i64::MAX));
        let target = share(config, TARGET, None)?;
        let limits = Self {
            stabilization_ms: millis(STABILIZATION)?,
            window_ms: millis(WINDOW)?.max(1),
            aggregator: aggregator(config)?,
            target,
            min: share(config, MIN, Some((target - BOUNDARY).max(0.0)))?,
            max: share(config, MAX, Some((target + BOUNDARY).min(MAX_DEFAULT).max(target)))?,
            scale_up_factor: number(config, SCALE_UP_FACTOR, "a number of 0 or more", |n| n >= 0.0)?,
            scale_down_factor: share(config, SCALE_DOWN_FACTOR, None)?,
            scale_down_interval_ms: millis(SCALE_DOWN_INTERVAL)?,
            catch_up_ms: millis(CATCH_UP)?.max(1),
            parallelism_min: parallelism(config, PARALLELISM_MIN)?,
            parallelism_max: parallelism(config, PARALLELISM_MAX)?,
        };
        limits.check()?;
        Ok(Some(limits))
    }

    fn check(&self) -> Result<()> {
        let Self { target, min, max, .. } = self;
        if *target <= 0.0 || min > target || max < target {
            let message = format!(
                "the utilization is to be {target} between {min} and {max}: expected '{}' <= '{}' <= '{}', and more \
                 than 0",
                MIN.name, TARGET.name, MAX.name
            );
            return Err(Error::user("bad-option", message));
        }
        if self.parallelism_min > self.parallelism_max {
            let message = format!("'{}' is larger than '{}'", PARALLELISM_MIN.name, PARALLELISM_MAX.name);
            return Err(Error::user("bad-option", message));
        }
        Ok(())
    }
}

fn aggregator(config: &Configuration) -> Result<Aggregator> {
    match config.text(AGGREGATOR).trim().to_ascii_uppercase().as_str() {
        "MIN" => Ok(Aggregator::Min),
        "AVG" => Ok(Aggregator::Average),
        "MAX" => Ok(Aggregator::Max),
        other => Err(bad(AGGREGATOR, other, "MIN, AVG or MAX")),
    }
}

/// A number between 0 and 1; of a key without a default, this one where it is not set.
fn share(config: &Configuration, key: Key, default: Option<f64>) -> Result<f64> {
    match (config.text(key).trim(), default) {
        ("", Some(default)) => Ok(default),
        _ => number(config, key, "a number between 0 and 1", |n| (0.0..=1.0).contains(&n)),
    }
}

fn number(config: &Configuration, key: Key, expected: &str, is_valid: impl Fn(f64) -> bool) -> Result<f64> {
    let text = config.text(key).trim();
    let number = text.parse().ok().filter(|number: &f64| number.is_finite() && is_valid(*number));
    number.ok_or_else(|| bad(key, text, expected))
}

fn parallelism(config: &Configuration, key: Key) -> Result<u32> {
    let parallelism = u32::try_from(config.integer(key)?).ok().filter(|parallelism| *parallelism > 0);
    parallelism.ok_or_else(|| bad(key, config.text(key), "a number of subtasks"))
}

fn bad(key: Key, text: &str, expected: &str) -> Error {
    Error::user("bad-option", format!("'{text}' is not a valid value of '{}': expected {expected}", key.name))
}
