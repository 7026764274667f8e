//! Each strategy against a list of failures.

use super::*;

fn strategy(pairs: &[(&str, &str)], checkpointing: bool) -> RestartStrategy {
    let mut config = Configuration::new();
    pairs.iter().for_each(|(key, value)| config.set(format!("restart-strategy.{key}"), *value));
    RestartStrategy::from_config(&config, checkpointing).unwrap()
}

/// The pauses after failures at these times, without jitter.
fn pauses(mut strategy: RestartStrategy, failures: &[i64]) -> Vec<Option<i64>> {
    failures.iter().map(|at| strategy.failed(*at, u64::MAX / 2)).collect()
}

#[test]
fn the_default_depends_on_checkpoints() {
    assert_eq!(pauses(strategy(&[], false), &[0]), [None]);
    assert_eq!(pauses(strategy(&[], true), &[0]), [Some(1000)]);
    assert_eq!(pauses(strategy(&[("type", "disable")], true), &[0]), [None]);
}

#[test]
fn fixed_delay_counts_down() {
    let strategy =
        strategy(&[("type", "fixed-delay"), ("fixed-delay.attempts", "2"), ("fixed-delay.delay", "5 s")], false);
    assert_eq!(pauses(strategy, &[0, 1, 2]), [Some(5000), Some(5000), None]);
}

#[test]
fn failure_rate_forgets_what_is_long_ago() {
    let pairs = [("type", "failure-rate"), ("failure-rate.max-failures-per-interval", "2")];
    let strategy = strategy(&pairs, false);
    assert_eq!(
        pauses(strategy, &[0, 1, 70_000, 70_001, 70_002]),
        [Some(1000), Some(1000), Some(1000), Some(1000), None]
    );
}

#[test]
fn exponential_delay_grows_to_its_limit_and_resets() {
    let pairs = [
        ("type", "exponential-delay"),
        ("exponential-delay.initial-backoff", "100 ms"),
        ("exponential-delay.backoff-multiplier", "2"),
        ("exponential-delay.max-backoff", "300 ms"),
        ("exponential-delay.reset-backoff-threshold", "1 s"),
    ];
    let failures = [0, 500, 1000, 1500, 5000];
    assert_eq!(pauses(strategy(&pairs, false), &failures), [Some(100), Some(200), Some(300), Some(300), Some(100)]);
    let limited = strategy(&[&pairs[..], &[("exponential-delay.attempts-before-reset-backoff", "1")]].concat(), false);
    assert_eq!(pauses(limited, &[0, 200]), [Some(100), None]);
}

#[test]
fn jitter_stays_within_its_factor() {
    for random in [0, u64::MAX] {
        let pause = strategy(&[], true).failed(0, random).unwrap();
        assert!((900..=1100).contains(&pause), "{pause}");
    }
}

#[test]
fn wrong_values_name_their_key() {
    for (key, value) in [
        ("restart-strategy.type", "sometimes"),
        ("restart-strategy.exponential-delay.jitter-factor", "2"),
        ("restart-strategy.exponential-delay.backoff-multiplier", "0.5"),
        ("restart-strategy.exponential-delay.initial-backoff", "soon"),
    ] {
        let mut config = Configuration::new();
        config.set(key, value);
        let error = RestartStrategy::from_config(&config, true).unwrap_err();
        assert!(error.message().contains(key), "{error}");
    }
}
