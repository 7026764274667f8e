//! The configuration keys there are: Flink's documented ones, with their defaults.
//!
//! The table is one text, read only when a key is checked or completed, so that it costs nothing at start-up.
//! A key may hold a placeholder, `metrics.reporter.<name>.interval`, which stands for one segment or more.

use crate::config::nearest;

/// One key a line, its default behind a tab, in order.
const TABLE: &str = include_str!("config_keys.txt");

/// First segments of families whose members are free: connectors, file systems and environment.
const FREE_PREFIXES: &[&str] = &[
    "env.",
    "fs.",
    "s3.",
    "flink.",
    "pipeline.global-job-parameters",
    "headwater.",
    "$internal.",
    "openlineage.",
    "execution.job-listener.openlineage.",
    "sql-gateway.",
    "table.catalog-store.",
];

/// Older names that are still read, as in Flink.
const OLDER_NAMES: &[&str] = &[
    "execution.checkpointing.alignment-timeout",
    "execution.checkpointing.unaligned",
    "execution.savepoint-restore-mode",
    "execution.savepoint.ignore-unclaimed-state",
    "execution.savepoint.path",
    "restart-strategy",
    "state.backend.local-recovery",
    "state.checkpoints.dir",
    "state.checkpoints.num-retained",
    "state.savepoints.dir",
    "taskmanager.state.local.root-dirs",
];

/// Keys of Flink whose meaning Headwater does not have, though who sets them expects another job: with the values that
/// make no difference, and what holds instead. Keys that only tune Flink's machinery are not among them.
const WITHOUT_EFFECT: &[(&str, &[&str], &str)] = &[
    ("execution.buffer-timeout.enabled", &["true"], "set 'execution.buffer-timeout.interval'"),
    ("execution.checkpointing.create-subdir", &["true"], "every job has a directory of its own"),
    (
        "execution.checkpointing.interval-during-backlog",
        &[],
        "'execution.checkpointing.interval' holds whether or not a source has a backlog",
    ),
    (
        "execution.checkpointing.storage",
        &["filesystem"],
        "checkpoints go to 'execution.checkpointing.dir', and stay in memory where that is not set",
    ),
    ("execution.state-recovery.without-channel-state.checkpoint-id", &["-1"], "rows on their way are always restored"),
    ("pipeline.classpaths", &[""], "Java classes cannot be loaded"),
    ("pipeline.jars", &[""], "Java classes cannot be loaded"),
    ("pipeline.operator-chaining.enabled", &["true"], "operators are always chained where they can be"),
    ("pipeline.sources.pause-until-first-checkpoint", &["false"], "sources read from the start"),
    (
        "state.backend.rocksdb.memory.fixed-per-tm",
        &[],
        "set 'state.backend.rocksdb.memory.fixed-per-slot' or 'taskmanager.memory.managed.size'",
    ),
    ("state.backend.rocksdb.predefined-options", &["DEFAULT"], "the engine on disk is not RocksDB"),
    ("table.column-expansion-strategy", &[""], "'*' stands for all columns"),
    ("table.dynamic-table-options.enabled", &["true"], "OPTIONS hints are always taken"),
    ("table.exec.disabled-operators", &[""], "operators are chosen by the statement"),
    ("table.exec.legacy-cast-behaviour", &["DISABLED"], "casts fail on what cannot be cast; use TRY_CAST"),
    ("table.exec.sort.default-limit", &["-1"], "a sort without LIMIT sorts all rows"),
    ("table.legacy-nested-row-nullability", &["false"], "fields of a ROW are as nullable as declared"),
    ("table.optimizer.non-deterministic-update.strategy", &["IGNORE"], "updates are taken as they are computed"),
];

/// All known keys with their defaults (empty for none), in order.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter_map(|line| line.split_once('\t'))
}

/// Whether a key is known, or belongs to a family whose members are free.
pub fn is_known(key: &str) -> bool {
    let named = FREE_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) || OLDER_NAMES.contains(&key);
    named || all().any(|(known, _)| matches(known, key))
}

/// The warning for a key that is set: an unknown one, with the nearest known, or one that changes nothing here.
/// `None` for all others.
pub fn warning(key: &str, value: &str) -> Option<String> {
    if is_known(key) {
        return without_effect(key, value);
    }
    let hint = match nearest(key, all().map(|(known, _)| known)) {
        Some(near) => format!("; did you mean '{near}'?"),
        None => String::new(),
    };
    Some(format!("unknown configuration key '{key}'{hint}"))
}

fn without_effect(key: &str, value: &str) -> Option<String> {
    let (_, harmless, instead) = WITHOUT_EFFECT.iter().find(|(name, _, _)| *name == key)?;
    let is_harmless = harmless.iter().any(|text| text.eq_ignore_ascii_case(value.trim()));
    (!is_harmless).then(|| format!("'{key}' = '{value}' has no effect: {instead}"))
}

/// Whether a known key, possibly with placeholders, covers a written one.
fn matches(known: &str, key: &str) -> bool {
    let Some((before, rest)) = known.split_once('<') else { return known == key };
    let after = rest.split_once('>').map_or("", |(_, after)| after);
    match key.strip_prefix(before) {
        None => false,
        Some(tail) if after.is_empty() => !tail.is_empty(),
        Some(tail) => (1..tail.len()).any(|at| tail.is_char_boundary(at) && matches(after, &tail[at..])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_hold_the_ones_the_engine_reads() {
        let keys: Vec<_> = all().map(|(key, _)| key).collect();
        assert!(keys.is_sorted());
        for key in
            [crate::config::PARALLELISM_DEFAULT, crate::config::RUNTIME_MODE, crate::config::AUTO_WATERMARK_INTERVAL]
        {
            assert!(is_known(key.name), "{}", key.name);
        }
    }

    #[test]
    fn placeholders_stand_for_segments() {
        assert!(is_known("metrics.reporter.prom.factory.class"));
        assert!(!is_known("metrics.reporter"));
    }

    #[test]
    fn a_misspelt_key_is_answered_with_the_nearest() {
        let warning = warning("paralelism.default", "2").expect("the key is unknown");
        assert_eq!(warning, "unknown configuration key 'paralelism.default'; did you mean 'parallelism.default'?");
    }

    #[test]
    fn a_key_that_changes_nothing_says_so_unless_its_value_asks_for_nothing() {
        let key = "execution.checkpointing.storage";
        let told = warning(key, "jobmanager").expect("checkpoints would be elsewhere");
        assert!(told.starts_with("'execution.checkpointing.storage' = 'jobmanager' has no effect: "), "{told}");
        assert_eq!(warning(key, "FileSystem"), None);
        assert_eq!(warning("execution.checkpointing.incremental", "true"), None);
        for (key, _, _) in WITHOUT_EFFECT {
            assert!(all().any(|(known, _)| known == *key), "{key} is no key of Flink");
        }
    }
}
