//! Whether and when a failed job starts again: Flink's restart strategies as a pure function of failures.

use headwater_types::config::{Configuration, parse_duration};
use headwater_types::{Error, Result};
use std::collections::VecDeque;

/// A strategy and what it has seen.
#[derive(Debug, Clone, PartialEq)]
pub enum RestartStrategy {
    /// Never.
    None,
    /// A number of times, each after the same pause.
    FixedDelay {
        /// Restarts that are left.
        attempts: u32,
        /// The pause, milliseconds.
        delay_ms: i64,
    },
    /// Unless there were too many failures in an interval.
    FailureRate {
        /// Failures allowed in the interval.
        max_failures: usize,
        /// The interval, milliseconds.
        interval_ms: i64,
        /// The pause, milliseconds.
        delay_ms: i64,
        /// When the latest failures happened.
        failures: VecDeque<i64>,
    },
    /// Always, after a pause that grows from failure to failure until the job has run well for a while.
    ExponentialDelay(Backoff),
}

/// The pauses of [`RestartStrategy::ExponentialDelay`].
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    /// The first pause, milliseconds.
    pub initial_ms: f64,
    /// The longest pause, milliseconds.
    pub max_ms: f64,
    /// How much longer each pause is than the one before.
    pub multiplier: f64,
    /// After how many milliseconds without failure the first pause is taken again.
    pub reset_ms: i64,
    /// Random part of a pause, up and down.
    pub jitter: f64,
    /// Restarts within a run of failures; `None` for any number.
    pub attempts_max: Option<u32>,
    attempts: u32,
    current_ms: f64,
    /// When the pause after the last failure was over.
    restarted_ms: Option<i64>,
}

impl RestartStrategy {
    /// What a configuration says. Without a type: exponential delay when the job takes checkpoints, else none.
    ///
    /// # Errors
    /// When a value is not one, naming its key.
    pub fn from_config(config: &Configuration, checkpointing: bool) -> Result<Self> {
        let text = config.get("restart-strategy.type").or(config.get("restart-strategy")).unwrap_or_default();
        let default = if checkpointing { "exponential-delay" } else { "none" };
        let read = Read { config };
        match if text.trim().is_empty() { default } else { text.trim() }.to_ascii_lowercase().as_str() {
            "none" | "off" | "disable" => Ok(Self::None),
            "fixed-delay" | "fixeddelay" => Ok(Self::FixedDelay {
                attempts: read.count("restart-strategy.fixed-delay.attempts", "1")?,
                delay_ms: read.millis("restart-strategy.fixed-delay.delay", "1 s")?,
            }),
            "failure-rate" | "failurerate" => Ok(Self::FailureRate {
                max_failures: read.count("restart-strategy.failure-rate.max-failures-per-interval", "1")? as usize,
                interval_ms: read.millis("restart-strategy.failure-rate.failure-rate-interval", "1 min")?,
                delay_ms: read.millis("restart-strategy.failure-rate.delay", "1 s")?,
                failures: VecDeque::new(),
            }),
            "exponential-delay" | "exponentialdelay" => Ok(Self::ExponentialDelay(Backoff::from_config(&read)?)),
            other => {
                Err(read.bad("restart-strategy.type", other, "none, fixed-delay, failure-rate or exponential-delay"))
            }
        }
    }

    /// The job failed: milliseconds to wait before it starts again, or `None` when it must not. `random` is spread
    /// evenly over all values.
    pub fn failed(&mut self, now_ms: i64, random: u64) -> Option<i64> {
        match self {
            Self::None => None,
            Self::FixedDelay { attempts, delay_ms } => {
                *attempts = attempts.checked_sub(1)?;
                Some(*delay_ms)
            }
            Self::FailureRate { max_failures, interval_ms, delay_ms, failures } => {
                failures.push_back(now_ms);
                while failures.front().is_some_and(|at| now_ms.saturating_sub(*at) > *interval_ms) {
                    failures.pop_front();
                }
                (failures.len() <= *max_failures).then_some(*delay_ms)
            }
            Self::ExponentialDelay(backoff) => backoff.failed(now_ms, random),
        }
    }
}

impl Backoff {
    fn from_config(read: &Read<'_>) -> Result<Self> {
        let key = |name: &str| format!("restart-strategy.exponential-delay.{name}");
        let initial_ms = read.millis(&key("initial-backoff"), "1 s")? as f64;
        let attempts = key("attempts-before-reset-backoff");
        let attempts_max = match read.text(&attempts, "infinite") {
            "infinite" | "inf" => None,
            _ => Some(read.count(&attempts, "")?),
        };
        let backoff = Self {
            initial_ms,
            max_ms: read.millis(&key("max-backoff"), "1 min")? as f64,
            multiplier: read.number(&key("backoff-multiplier"), "1.5")?,
            reset_ms: read.millis(&key("reset-backoff-threshold"), "1 h")?,
            jitter: read.number(&key("jitter-factor"), "0.1")?,
            attempts_max,
            attempts: 0,
            current_ms: initial_ms,
            restarted_ms: None,
        };
        if backoff.multiplier < 1.0 {
            return Err(read.bad(&key("backoff-multiplier"), &backoff.multiplier.to_string(), "at least 1"));
        }
        if !(0.0..=1.0).contains(&backoff.jitter) {
            return Err(read.bad(&key("jitter-factor"), &backoff.jitter.to_string(), "between 0 and 1"));
        }
        Ok(backoff)
    }

    fn failed(&mut self, now_ms: i64, random: u64) -> Option<i64> {
        let ran_well = self.restarted_ms.is_some_and(|since| now_ms.saturating_sub(since) >= self.reset_ms);
        if ran_well || self.restarted_ms.is_none() {
            self.current_ms = self.initial_ms;
            self.attempts = 0;
        }
        self.attempts += 1;
        if self.attempts_max.is_some_and(|max| self.attempts > max) {
            return None;
        }
        let spread = random as f64 / u64::MAX as f64 * 2.0 - 1.0;
        let pause_ms = (self.current_ms * (1.0 + self.jitter * spread)).min(self.max_ms).max(0.0) as i64;
        self.current_ms = (self.current_ms * self.multiplier).min(self.max_ms);
        self.restarted_ms = Some(now_ms.saturating_add(pause_ms));
        Some(pause_ms)
    }
}

/// Typed access by names that are put together.
struct Read<'a> {
    config: &'a Configuration,
}

impl<'a> Read<'a> {
    fn text(&self, key: &str, default: &'a str) -> &'a str {
        self.config.get(key).unwrap_or(default).trim()
    }

    fn millis(&self, key: &str, default: &'a str) -> Result<i64> {
        let text = self.text(key, default);
        let duration = parse_duration(text).and_then(|duration| i64::try_from(duration.as_millis()).ok());
        duration.ok_or_else(|| self.bad(key, text, "a duration such as '200 ms', '10 s' or '1 min'"))
    }

    fn count(&self, key: &str, default: &'a str) -> Result<u32> {
        let text = self.text(key, default);
        text.parse().map_err(|_| self.bad(key, text, "a whole number, at least 0"))
    }

    fn number(&self, key: &str, default: &'a str) -> Result<f64> {
        let text = self.text(key, default);
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.bad(key, text, "a number"))
    }

    fn bad(&self, key: &str, text: &str, expected: &str) -> Error {
        Error::user("bad-config-value", format!("'{text}' is not a valid value of '{key}': expected {expected}"))
    }
}

#[cfg(test)]
mod tests;
