//! Configuration: Flink's keys with typed access.
//!
//! A [`Configuration`] is a flat, ordered map of string keys to string values, merged from the
//! configuration file, `-D` options and `SET` statements. Typed getters take an [`Key`] constant that
//! holds the name and the default, so a default value stands exactly once.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A known configuration key with its default, in Flink's text form.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Name as the user writes it.
    pub name: &'static str,
    /// Default in text form; empty for none.
    pub default: &'static str,
}

/// `parallelism.default`: parallelism of operators that set none.
pub const PARALLELISM_DEFAULT: Key = Key { name: "parallelism.default", default: "1" };
/// `pipeline.max-parallelism`: number of key groups; `-1` derives it from the parallelism.
pub const MAX_PARALLELISM: Key = Key { name: "pipeline.max-parallelism", default: "-1" };
/// `pipeline.name`: display name of the next job.
pub const PIPELINE_NAME: Key = Key { name: "pipeline.name", default: "" };
/// `execution.runtime-mode`: `STREAMING`, `BATCH` or `AUTOMATIC`.
pub const RUNTIME_MODE: Key = Key { name: "execution.runtime-mode", default: "STREAMING" };
/// `execution.buffer-timeout.interval`: how long a partly filled batch may wait.
pub const BUFFER_TIMEOUT: Key = Key { name: "execution.buffer-timeout.interval", default: "100 ms" };
/// `pipeline.auto-watermark-interval`: how often watermarks are emitted; 0 is per record.
pub const AUTO_WATERMARK_INTERVAL: Key = Key { name: "pipeline.auto-watermark-interval", default: "200 ms" };
/// `table.exec.source.idle-timeout`: after how long without rows a source subtask counts as idle; 0 is never.
pub const SOURCE_IDLE_TIMEOUT: Key = Key { name: "table.exec.source.idle-timeout", default: "0 ms" };
/// `table.local-time-zone`: session time zone; `default` is the system's.
pub const LOCAL_TIME_ZONE: Key = Key { name: "table.local-time-zone", default: "default" };
/// `table.dml-sync`: whether INSERT waits for the job's end.
pub const DML_SYNC: Key = Key { name: "table.dml-sync", default: "false" };
/// `table.optimizer.agg-phase-strategy`: `AUTO`, `ONE_PHASE` or `TWO_PHASE`.
pub const AGG_PHASE_STRATEGY: Key = Key { name: "table.optimizer.agg-phase-strategy", default: "AUTO" };

/// `execution.checkpointing.interval`: time between checkpoints; unset or 0 takes none.
pub const CHECKPOINTING_INTERVAL: Key = Key { name: "execution.checkpointing.interval", default: "0 ms" };

/// What begins so is of the engine, on its way with a job: it is nobody's to set or to see.
pub const INTERNAL_PREFIX: &str = "$internal.";
/// The lineage of a job, which it carries with it.
pub const JOB_LINEAGE: &str = "$internal.lineage";

/// A flat map of configuration values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    values: BTreeMap<String, String>,
}

impl Configuration {
    /// An empty configuration: every key has its default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value, replacing an earlier one.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.values.insert(key.into(), value.into());
    }

    /// Removes a value, so that the default holds again.
    pub fn unset(&mut self, key: &str) {
        self.values.remove(key);
    }

    /// The value set for a name, if any.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// All set values in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The set values that people may see, in key order: all but those of the engine.
    pub fn visible(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(key, _)| !key.starts_with(INTERNAL_PREFIX))
    }

    /// Takes over all values of `other`, which win.
    pub fn merge(&mut self, other: &Configuration) {
        self.values.extend(other.values.iter().map(|(k, v)| (k.clone(), v.clone())));
    }

    /// The text of a key: the value set, or its default.
    pub fn text(&self, key: Key) -> &str {
        self.get(key.name).unwrap_or(key.default)
    }

    /// A boolean key.
    pub fn boolean(&self, key: Key) -> Result<bool> {
        let text = self.text(key);
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(bad_value(key.name, text, "true or false")),
        }
    }

    /// An integer key.
    pub fn integer(&self, key: Key) -> Result<i64> {
        let text = self.text(key);
        text.trim().parse().map_err(|_| bad_value(key.name, text, "a whole number"))
    }

    /// A duration key, in Flink's notation (`200 ms`, `1 min`, `10s`; a bare number is milliseconds).
    pub fn duration(&self, key: Key) -> Result<Duration> {
        let text = self.text(key);
        parse_duration(text).ok_or_else(|| bad_value(key.name, text, "a duration such as '200 ms', '10 s' or '1 min'"))
    }
}

fn bad_value(name: &str, text: &str, expected: &str) -> Error {
    Error::user("bad-config-value", format!("'{text}' is not a valid value of '{name}': expected {expected}"))
}

/// Parses Flink's duration notation; a bare number is milliseconds. `None` when it is not one.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = split_number(text)?;
    let nanos: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "ms" | "milli" | "millis" | "millisecond" | "milliseconds" => 1_000_000,
        "d" | "day" | "days" => 86_400_000_000_000,
        "h" | "hour" | "hours" => 3_600_000_000_000,
        "m" | "min" | "minute" | "minutes" => 60_000_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "µs" | "us" | "micro" | "micros" | "microsecond" | "microseconds" => 1_000,
        "ns" | "nano" | "nanos" | "nanosecond" | "nanoseconds" => 1,
        _ => return None,
    };
    number.checked_mul(nanos).map(Duration::from_nanos)
}

/// Parses Flink's memory size notation (`128 mb`, `1g`, bare bytes) into bytes. `None` when it is not one.
pub fn parse_memory_bytes(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text)?;
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "" | "b" | "bytes" => 1,
        "k" | "kb" | "kibibytes" => 1 << 10,
        "m" | "mb" | "mebibytes" => 1 << 20,
        "g" | "gb" | "gibibytes" => 1 << 30,
        "t" | "tb" | "tebibytes" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(factor)
}

fn split_number(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..digits].parse().ok()?;
    Some((number, text[digits..].trim()))
}

/// The nearest of `known` to `name` when one is close enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(&name.to_lowercase(), &k.to_lowercase()), k))
        .min()
        .filter(|(distance, k)| {
            *distance <= (k.len().max(name.len()) / 3).max(1) && *distance < k.len().min(name.len())
        })
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_follow_flinks_notation() {
        for (text, expected) in [
            ("200 ms", Some(Duration::from_millis(200))),
            ("10s", Some(Duration::from_secs(10))),
            ("1 min", Some(Duration::from_secs(60))),
            ("5", Some(Duration::from_millis(5))),
            ("2 parsecs", None),
            ("", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn nearest_names_a_likely_typo_only() {
        assert_eq!(nearest("paralelism.default", ["parallelism.default", "rest.port"]), Some("parallelism.default"));
        assert_eq!(nearest("xyz", ["parallelism.default"]), None);
        // Names that share nothing are no typos of each other, however short they are.
        assert_eq!(nearest("x", ["n"]), None);
        assert_eq!(nearest("it", ["id"]), Some("id"));
    }
}
