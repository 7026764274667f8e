//! Chaos: real processes, real servers, `kill -9` at random moments.
//!
//! Each experiment runs a job in the `headwater` binary, kills it (and its servers) again and again, lets it finish
//! in the end, and holds what it wrote against a recomputation from the input. The order of kills comes from a
//! seed, but what they hit does not: this is the counterpart of the simulation, which repeats exactly and tests
//! nothing outside the process.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

mod cluster;
mod kafka_exactly_once;
mod memory;
mod rescale;
mod soak;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask chaos", bin_name = "cargo xtask chaos")]
struct Arguments {
    #[command(subcommand)]
    experiment: Experiment,
}

#[derive(Subcommand)]
enum Experiment {
    /// Jobs on a cluster, whose processes are killed and whose network is cut; the results are those of no failure.
    Cluster(cluster::Options),
    /// Kafka -> windowed and unbounded aggregation -> Kafka; each result is there exactly once.
    KafkaExactlyOnce(kafka_exactly_once::Options),
    /// A TaskManager with less memory than its state: it stays within what it is given.
    Memory(memory::Options),
    /// A job whose parallelism changes under load; each result is there exactly once.
    Rescale(rescale::Options),
    /// Three jobs for hours, with random kills and rescales: nothing leaks, and each row is there exactly once.
    Soak(soak::Options),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().experiment {
        Experiment::Cluster(options) => cluster::run(&options),
        Experiment::KafkaExactlyOnce(options) => kafka_exactly_once::run(&options),
        Experiment::Soak(options) => soak::run(&options),
        Experiment::Memory(options) => memory::run(&options),
        Experiment::Rescale(options) => rescale::run(&options),
    }
}
