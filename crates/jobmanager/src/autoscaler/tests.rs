//! Decisions as pure functions, the scaler over a model of a job, and a job of a JobManager without a TaskManager's
//! threads.

mod job_manager;
mod model;
mod stability;

use super::decide::{Shape, decide};
use super::limits::Limits;
use super::load::{Lag, Load};
use headwater_types::config::Configuration;
use model::Model;

fn limits(settings: &[(&str, &str)]) -> Limits {
    let mut config = Configuration::new();
    config.set("job.autoscaler.enabled", "true");
    settings.iter().for_each(|(key, value)| config.set(format!("job.autoscaler.{key}"), *value));
    Limits::from_config(&config).unwrap().unwrap()
}

/// source -> middle -> sink.
fn shape(parallelism: [u32; 3]) -> Shape {
    Shape {
        edges: vec![(0, 1), (1, 2)],
        groups: vec![vec![0], vec![1], vec![2]],
        single: vec![false; 3],
        parallelism: parallelism.to_vec(),
        max_parallelism: 128,
    }
}

/// Rows in and out a second, busy and idle share.
fn load(rows: [f64; 2], busy: f64, idle: f64) -> Load {
    Load { is_source: false, rows_in: rows[0], rows_out: rows[1], busy, idle, lag: None }
}

fn source(rows: f64, busy: f64, idle: f64) -> Load {
    Load { is_source: true, ..load([rows, rows], busy, idle) }
}

fn behind(load: Load, behind_ms: f64, speed: f64) -> Load {
    Load { lag: Some(Lag { behind_ms, speed }), ..load }
}

#[test]
fn a_vertex_gets_the_parallelism_at_which_it_is_busy_as_it_should_be() {
    let sink = || load([100.0, 0.0], 0.5, 0.5);
    let half = || source(100.0, 0.5, 0.5);
    let day_ms = 86_400_000.0;
    let cases = [
        ("all is well", [2, 2, 2], [half(), load([100.0, 100.0], 0.7, 0.3), sink()], [2, 2, 2]),
        ("too busy", [2, 2, 2], [half(), load([100.0, 100.0], 0.98, 0.0), sink()], [2, 3, 2]),
        ("too idle", [2, 8, 2], [half(), load([100.0, 100.0], 0.1, 0.9), sink()], [2, 4, 2]),
        ("far too idle, 40 % at once", [2, 10, 2], [half(), load([100.0, 100.0], 0.01, 0.9), sink()], [2, 4, 2]),
        (
            "nothing to do",
            [2, 2, 2],
            [source(0.0, 0.0, 1.0), load([0.0; 2], 0.0, 1.0), load([0.0; 2], 0.0, 1.0)],
            [1; 3],
        ),
        // The source could read five times as much: so much comes to the middle, which is full now.
        ("held up", [2, 1, 2], [source(100.0, 0.2, 0.0), load([100.0, 100.0], 1.0, 0.0), sink()], [3, 8, 8]),
        // It reads all there is, and blocks now and then.
        ("held up a little", [2, 1, 2], [source(100.0, 0.2, 0.5), load([100.0, 100.0], 0.9, 0.0), sink()], [1, 1, 2]),
        // Event time passes half as fast as the clock: twice as many rows come.
        (
            "falling back",
            [2, 2, 2],
            [behind(source(100.0, 0.5, 0.0), 0.0, 0.5), load([100.0, 100.0], 0.9, 0.0), sink()],
            [3, 6, 3],
        ),
        // It catches up at four times the speed: enough, and nothing shrinks meanwhile.
        (
            "catching up",
            [2, 4, 2],
            [behind(source(100.0, 0.3, 0.0), 60_000.0, 4.0), load([100.0, 100.0], 0.3, 0.0), sink()],
            [2, 4, 2],
        ),
        // As fast as the rows come, a day behind: to be caught up within half an hour.
        (
            "a day behind",
            [1, 1, 1],
            [behind(source(100.0, 1.0, 0.0), day_ms, 1.0), load([100.0, 100.0], 0.5, 0.5), sink()],
            [70, 35, 35],
        ),
    ];
    let limits = limits(&[]);
    for (name, parallelism, loads, wanted) in cases {
        assert_eq!(decide(&shape(parallelism), &loads, &limits), wanted, "{name}");
    }
}

#[test]
fn limits_and_the_shape_of_the_job_hold() {
    let loads = [source(100.0, 0.5, 0.5), load([100.0, 100.0], 1.0, 0.0), load([100.0, 0.0], 1.0, 0.0)];
    let wanted = |shape: &Shape, settings: &[(&str, &str)]| decide(shape, &loads, &limits(settings));
    let plain = shape([2, 10, 10]);
    assert_eq!(wanted(&plain, &[]), [2, 15, 15]);
    assert_eq!(wanted(&plain, &[("vertex.max-parallelism", "12")]), [2, 12, 12]);
    assert_eq!(wanted(&plain, &[("vertex.min-parallelism", "3")]), [3, 15, 15]);
    assert_eq!(wanted(&plain, &[("scale-up.max-factor", "0.2")]), [2, 12, 12]);
    assert_eq!(wanted(&plain, &[("utilization.target", "0.5")]), [2, 20, 20]);
    assert_eq!(wanted(&plain, &[("utilization.max", "1")]), [2, 10, 10]);
    assert_eq!(wanted(&Shape { max_parallelism: 13, ..plain.clone() }, &[]), [2, 13, 13]);
    assert_eq!(wanted(&Shape { single: vec![false, false, true], ..shape([2, 10, 1]) }, &[]), [2, 15, 1]);
    // Joined vertices have what the one needs that needs most.
    let joined = Shape { groups: vec![vec![0, 1], vec![2]], ..shape([10, 10, 10]) };
    assert_eq!(wanted(&joined, &[]), [15, 15, 15]);
}

#[test]
fn rows_that_multiply_on_their_way_are_followed() {
    // Each row of the source becomes ten in the middle; the source could read four times as much.
    let loads = [source(10.0, 0.25, 0.0), load([10.0, 100.0], 1.0, 0.0), load([100.0, 0.0], 0.5, 0.5)];
    assert_eq!(decide(&shape([1, 1, 1]), &loads, &limits(&[])), [2, 6, 3]);
}

#[test]
fn the_configuration_is_flinks() {
    let with = |key: &str, value: &str| {
        let mut config = Configuration::new();
        config.set("job.autoscaler.enabled", "true");
        config.set(key, value);
        Limits::from_config(&config).map(Option::unwrap)
    };
    assert_eq!(Limits::from_config(&Configuration::new()).unwrap(), None, "it is off by default");
    let defaults = limits(&[]);
    assert_eq!((defaults.window_ms, defaults.stabilization_ms), (900_000, 300_000));
    assert!((defaults.min - 0.4).abs() < 1e-9 && defaults.max == 0.95, "{defaults:?}");
    assert_eq!(with("job.autoscaler.metrics.window", "1 min").unwrap().window_ms, 60_000);
    for (key, value) in [
        ("enabled", "perhaps"),
        ("utilization.target", "7"),
        ("utilization.target", "0"),
        ("utilization.min", "0.9"),
        ("utilization.max", "0.1"),
        ("scale-up.max-factor", "-1"),
        ("scale-up.max-factor", "NaN"),
        ("metrics.busy-time.aggregator", "median"),
        ("vertex.min-parallelism", "0"),
        ("vertex.max-parallelism", "-3"),
        ("vertex.min-parallelism", "201"),
        ("metrics.window", "soon"),
    ] {
        let error = with(&format!("job.autoscaler.{key}"), value).unwrap_err();
        assert!(error.message().contains("autoscaler"), "{key} {value}: {error}");
    }
}
