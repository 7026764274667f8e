//! What the configuration says about checkpoints and restores, by Flink's keys.
//!
//! Two defaults differ from Flink's. Barriers overtake rows when a checkpoint has been aligned for
//! [`UNALIGNED_AFTER_MS`], where Flink's wait as long as it takes, unless it is told otherwise: a sink that is slow for a
//! while must not keep the job from being recoverable. And where `execution.checkpointing.tolerable-failed-checkpoints` is not set, failed
//! checkpoints never fail the job: they are counted, logged and shown. Flink's 0 ends in a restart loop exactly
//! when the storage is away, which is when a restart can help least.

use headwater_types::config::{Configuration, Key, parse_duration, parse_memory_bytes};
use headwater_types::{Error, Result};

const INTERVAL: Key = Key { name: "execution.checkpointing.interval", default: "0 ms" };
const MIN_PAUSE: Key = Key { name: "execution.checkpointing.min-pause", default: "0 ms" };
const TIMEOUT: Key = Key { name: "execution.checkpointing.timeout", default: "10 min" };
const MAX_CONCURRENT: Key = Key { name: "execution.checkpointing.max-concurrent-checkpoints", default: "1" };
const TOLERABLE: Key = Key { name: "execution.checkpointing.tolerable-failed-checkpoints", default: "" };
const MODE: Key = Key { name: "execution.checkpointing.mode", default: "EXACTLY_ONCE" };
const UNALIGNED: Key = Key { name: "execution.checkpointing.unaligned.enabled", default: "" };
const ALIGNED_TIMEOUT: Key = Key { name: "execution.checkpointing.aligned-checkpoint-timeout", default: "" };
const AFTER_FINISH: Key = Key { name: "execution.checkpointing.checkpoints-after-tasks-finish", default: "true" };
const DIRECTORY: Key = Key { name: "execution.checkpointing.dir", default: "" };
const SAVEPOINT_DIRECTORY: Key = Key { name: "execution.checkpointing.savepoint-dir", default: "" };
const RETAINED: Key = Key { name: "execution.checkpointing.num-retained", default: "1" };
const RETENTION: Key =
    Key { name: "execution.checkpointing.externalized-checkpoint-retention", default: "NO_EXTERNALIZED_CHECKPOINTS" };
const INLINE_BYTES: Key = Key { name: "execution.checkpointing.data-inline-threshold", default: "20 kb" };
const HISTORY: Key = Key { name: "web.checkpoints.history", default: "10" };
/// Where a job starts from.
pub const RECOVERY_PATH: Key = Key { name: "execution.state-recovery.path", default: "" };
const CLAIM_MODE: Key = Key { name: "execution.state-recovery.claim-mode", default: "NO_CLAIM" };
/// Operators that start empty although the checkpoint has state of them, as a JSON list of their keys: set by whoever
/// submits a job, after comparing its operators with the checkpoint.
pub const START_EMPTY: Key = Key { name: "headwater.state-recovery.start-empty", default: "[]" };
const IGNORE_UNCLAIMED: Key = Key { name: "execution.state-recovery.ignore-unclaimed-state", default: "false" };

/// Older spellings that Flink still reads.
const ALIASES: &[(&str, &str)] = &[
    ("execution.checkpointing.dir", "state.checkpoints.dir"),
    ("execution.checkpointing.savepoint-dir", "state.savepoints.dir"),
    ("execution.checkpointing.num-retained", "state.checkpoints.num-retained"),
    ("execution.state-recovery.path", "execution.savepoint.path"),
    ("execution.state-recovery.claim-mode", "execution.savepoint-restore-mode"),
    ("execution.state-recovery.ignore-unclaimed-state", "execution.savepoint.ignore-unclaimed-state"),
    ("execution.checkpointing.unaligned.enabled", "execution.checkpointing.unaligned"),
    ("execution.checkpointing.aligned-checkpoint-timeout", "execution.checkpointing.alignment-timeout"),
];

/// Milliseconds after the trigger from which on barriers overtake, where nothing is said about it.
pub const UNALIGNED_AFTER_MS: u64 = 1_000;

/// Shortest interval of periodic checkpoints, as in Flink.
const INTERVAL_MS_MIN: i64 = 10;

/// How a job takes checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Milliseconds between the starts of periodic checkpoints; `None` takes none.
    pub interval_ms: Option<i64>,
    /// Milliseconds between the end of a checkpoint and the start of the next.
    pub min_pause_ms: i64,
    /// After how many milliseconds a checkpoint expires.
    pub timeout_ms: i64,
    /// Checkpoints that may be under way at once.
    pub max_concurrent: usize,
    /// Failed checkpoints in a row that the job survives; `None` for any number.
    pub tolerable_failures: Option<u32>,
    /// Whether rows may be counted twice after a restore.
    pub at_least_once: bool,
    /// When barriers overtake rows: never, or this many milliseconds after the trigger.
    pub unaligned_after_ms: Option<u64>,
    /// Whether checkpoints go on when some tasks have finished.
    pub after_tasks_finish: bool,
    /// Where checkpoints go; `None` keeps them in memory.
    pub directory: Option<String>,
    /// Where savepoints go that name no directory.
    pub savepoint_directory: Option<String>,
    /// Completed checkpoints to keep.
    pub retained: usize,
    /// What happens to them when the job ends.
    pub retention: Retention,
    /// Opaque values up to this size stand in the manifest.
    pub inline_bytes: u64,
    /// Checkpoints that the statistics remember.
    pub history: usize,
}

/// What happens to completed checkpoints when the job ends. Those of finished jobs are always deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Deleted however the job ends.
    Delete,
    /// Kept when the job fails, deleted when it is cancelled.
    DeleteOnCancellation,
    /// Kept when the job fails or is cancelled.
    RetainOnCancellation,
}

/// How a job starts from a checkpoint or savepoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// A checkpoint's or savepoint's directory or manifest, or a directory of such.
    pub path: Option<String>,
    /// Whose the files are.
    pub claim: ClaimMode,
    /// Whether state that no operator of the job takes, or can take, is left behind instead of refused.
    pub ignore_unclaimed: bool,
    /// Keys of operators that start empty, whatever the checkpoint has of them.
    pub start_empty: Vec<String>,
}

/// Whose the files of the checkpoint are that a job starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimMode {
    /// The job's: it deletes them when its own first checkpoint has replaced them.
    Claim,
    /// The user's: the job never deletes or needs them once its own first checkpoint is complete.
    NoClaim,
}

impl Settings {
    /// What a configuration says.
    ///
    /// # Errors
    /// When a value is not one, naming its key.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        let interval_ms = Some(millis(config, INTERVAL)?).filter(|ms| *ms > 0);
        if interval_ms.is_some_and(|ms| ms < INTERVAL_MS_MIN) {
            return Err(bad(INTERVAL, text(config, INTERVAL), "at least 10 ms"));
        }
        let max_concurrent = count(config, MAX_CONCURRENT)?.max(1) as usize;
        let settings = Self {
            interval_ms,
            min_pause_ms: millis(config, MIN_PAUSE)?,
            timeout_ms: millis(config, TIMEOUT)?,
            max_concurrent,
            tolerable_failures: tolerable_failures(config)?,
            at_least_once: choice(config, MODE, &[("EXACTLY_ONCE", false), ("AT_LEAST_ONCE", true)])?,
            unaligned_after_ms: unaligned_after_ms(config, max_concurrent)?,
            after_tasks_finish: boolean(config, AFTER_FINISH)?,
            directory: optional(config, DIRECTORY),
            savepoint_directory: optional(config, SAVEPOINT_DIRECTORY),
            retained: count(config, RETAINED)?.max(1) as usize,
            retention: choice(config, RETENTION, RETENTIONS)?,
            inline_bytes: memory(config, INLINE_BYTES)?,
            history: count(config, HISTORY)? as usize,
        };
        settings.check()?;
        Ok(settings)
    }

    /// Refuses combinations that cannot work.
    fn check(&self) -> Result<()> {
        if self.unaligned_after_ms.is_some() && self.max_concurrent > 1 {
            let message = format!("'{}' cannot be above 1 while '{}' is true", MAX_CONCURRENT.name, UNALIGNED.name);
            return Err(Error::user("bad-config-value", message));
        }
        if self.retention != Retention::Delete && self.directory.is_none() && self.interval_ms.is_some() {
            let message = format!("'{}' keeps checkpoints, so '{}' must be set", RETENTION.name, DIRECTORY.name);
            return Err(Error::user("missing-checkpoint-directory", message));
        }
        Ok(())
    }
}

const RETENTIONS: &[(&str, Retention)] = &[
    ("NO_EXTERNALIZED_CHECKPOINTS", Retention::Delete),
    ("DELETE_ON_CANCELLATION", Retention::DeleteOnCancellation),
    ("RETAIN_ON_CANCELLATION", Retention::RetainOnCancellation),
];

impl Recovery {
    /// What a configuration says.
    ///
    /// # Errors
    /// When a value is not one, naming its key.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        Ok(Self {
            path: optional(config, RECOVERY_PATH),
            claim: choice(config, CLAIM_MODE, &[("NO_CLAIM", ClaimMode::NoClaim), ("CLAIM", ClaimMode::Claim)])?,
            ignore_unclaimed: boolean(config, IGNORE_UNCLAIMED)?,
            start_empty: serde_json::from_str(text(config, START_EMPTY))
                .map_err(|_| bad(START_EMPTY, text(config, START_EMPTY), "a JSON list of operator keys"))?,
        })
    }
}

fn tolerable_failures(config: &Configuration) -> Result<Option<u32>> {
    match optional(config, TOLERABLE) {
        None => Ok(None),
        Some(_) => Ok(Some(count(config, TOLERABLE)?)),
    }
}

/// Where the configuration does not say whether, barriers overtake after a while, if they can: not when several
/// checkpoints may be under way at once. Where it says only that they do, they do at once, as in Flink.
fn unaligned_after_ms(config: &Configuration, max_concurrent: usize) -> Result<Option<u64>> {
    let said = optional(config, UNALIGNED).map(|_| boolean(config, UNALIGNED)).transpose()?;
    let after_ms = optional(config, ALIGNED_TIMEOUT).map(|_| millis(config, ALIGNED_TIMEOUT)).transpose()?;
    let after_ms = after_ms.map(|ms| ms.unsigned_abs());
    Ok(match said {
        Some(false) => None,
        Some(true) => Some(after_ms.unwrap_or(0)),
        None if max_concurrent > 1 => None,
        None => Some(after_ms.unwrap_or(UNALIGNED_AFTER_MS)),
    })
}

/// The text of a key, under its present or an older name.
fn text(config: &Configuration, key: Key) -> &str {
    let older = ALIASES.iter().filter(|(name, _)| *name == key.name).find_map(|(_, older)| config.get(older));
    config.get(key.name).or(older).unwrap_or(key.default).trim()
}

fn optional(config: &Configuration, key: Key) -> Option<String> {
    Some(text(config, key)).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn millis(config: &Configuration, key: Key) -> Result<i64> {
    let text = text(config, key);
    let duration = parse_duration(text).and_then(|duration| i64::try_from(duration.as_millis()).ok());
    duration.ok_or_else(|| bad(key, text, "a duration such as '200 ms', '10 s' or '1 min'"))
}

fn count(config: &Configuration, key: Key) -> Result<u32> {
    let text = text(config, key);
    text.parse().map_err(|_| bad(key, text, "a whole number, at least 0"))
}

fn memory(config: &Configuration, key: Key) -> Result<u64> {
    let text = text(config, key);
    parse_memory_bytes(text).ok_or_else(|| bad(key, text, "a size such as '20 kb' or '1 mb'"))
}

fn boolean(config: &Configuration, key: Key) -> Result<bool> {
    choice(config, key, &[("true", true), ("false", false)])
}

fn choice<T: Copy>(config: &Configuration, key: Key, choices: &[(&str, T)]) -> Result<T> {
    let text = text(config, key);
    let chosen = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, value)| *value);
    chosen.ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        bad(key, text, &format!("one of {}", names.join(", ")))
    })
}

fn bad(key: Key, text: &str, expected: &str) -> Error {
    Error::user("bad-config-value", format!("'{text}' is not a valid value of '{}': expected {expected}", key.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Configuration {
        let mut config = Configuration::new();
        pairs.iter().for_each(|(key, value)| config.set(*key, *value));
        config
    }

    #[test]
    fn defaults_take_no_checkpoints() {
        let settings = Settings::from_config(&config(&[])).unwrap();
        assert_eq!((settings.interval_ms, settings.timeout_ms, settings.retained), (None, 600_000, 1));
        assert_eq!((settings.tolerable_failures, settings.unaligned_after_ms), (None, Some(1_000)));
        assert_eq!(settings.inline_bytes, 20 << 10);
    }

    #[test]
    fn barriers_overtake_after_a_second_unless_something_else_is_said() {
        let (enabled, timeout, concurrent) = (
            "execution.checkpointing.unaligned.enabled",
            "execution.checkpointing.aligned-checkpoint-timeout",
            "execution.checkpointing.max-concurrent-checkpoints",
        );
        for (pairs, after_ms) in [
            (&[][..], Some(UNALIGNED_AFTER_MS)),
            (&[(timeout, "30 s")], Some(30_000)),
            (&[(enabled, "true")], Some(0)),
            (&[("execution.checkpointing.unaligned", "true"), (timeout, "5 s")], Some(5_000)),
            (&[(enabled, "false"), (timeout, "5 s")], None),
            (&[(concurrent, "2")], None),
        ] {
            let settings = Settings::from_config(&config(pairs)).unwrap();
            assert_eq!(settings.unaligned_after_ms, after_ms, "{pairs:?}");
        }
    }

    #[test]
    fn older_names_are_read_and_newer_ones_win() {
        let settings = Settings::from_config(&config(&[
            ("state.checkpoints.dir", "/old"),
            ("state.checkpoints.num-retained", "3"),
            ("execution.checkpointing.num-retained", "2"),
        ]));
        let settings = settings.unwrap();
        assert_eq!((settings.directory.as_deref(), settings.retained), (Some("/old"), 2));
    }

    #[test]
    fn wrong_values_name_their_key() {
        for (pairs, message) in [
            (&[("execution.checkpointing.interval", "1 ms")][..], "expected at least 10 ms"),
            (&[("execution.checkpointing.mode", "TWICE")], "expected one of EXACTLY_ONCE, AT_LEAST_ONCE"),
            (
                &[
                    ("execution.checkpointing.unaligned.enabled", "true"),
                    ("execution.checkpointing.max-concurrent-checkpoints", "2"),
                ],
                "cannot be above 1",
            ),
            (
                &[
                    ("execution.checkpointing.interval", "1 s"),
                    ("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"),
                ],
                "'execution.checkpointing.dir' must be set",
            ),
        ] {
            let error = Settings::from_config(&config(pairs)).unwrap_err();
            assert!(error.message().contains(message), "{error}");
        }
    }
}
