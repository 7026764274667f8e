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

/// All known keys with their defaults (empty for none), in order.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLE.lines().filter_map(|line| line.split_once('\t'))
}

/// Whether a key is known, or belongs to a family whose members are free.
pub fn is_known(key: &str) -> bool {
    let named = FREE_PREFIXES.iter().any(|prefix| key.starts_with(prefix)) || OLDER_NAMES.contains(&key);
    named || all().any(|(known, _)| matches(known, key))
}

/// The warning for an unknown key, with the nearest known one; `None` for a known key.
pub fn warning(key: &str) -> Option<String> {
    if is_known(key) {
        return None;
    }
    let hint = match nearest(key, all().map(|(known, _)| known)) {
        Some(near) => format!("; did you mean '{near}'?"),
        None => String::new(),
    };
    Some(format!("unknown configuration key '{key}'{hint}"))
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
        let warning = warning("paralelism.default").expect("the key is unknown");
        assert_eq!(warning, "unknown configuration key 'paralelism.default'; did you mean 'parallelism.default'?");
    }
}
