//! Seeds that failed once, and that runs are identical.

use crate::run;

fn check(seed: u64) {
    let outcome = run(seed, false);
    assert!(outcome.violations.is_empty(), "seed {seed}: {:#?}", outcome);
}

#[test]
fn some_seeds() {
    (0..10).for_each(check);
}

#[test]
fn two_runs_of_a_seed_are_identical() {
    for seed in [1, 2, 3] {
        assert_eq!(run(seed, false), run(seed, false));
    }
}
