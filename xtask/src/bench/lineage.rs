//! `cargo xtask bench lineage`: the lineage server under load, on SQLite and PostgreSQL.

use crate::cargo;
use anyhow::Result;
use headwater_test_servers::Postgres;

/// Options of `bench lineage`.
#[derive(clap::Args)]
pub struct Options {
    /// Operations of the catalog.
    #[arg(long, default_value_t = 1_000_000)]
    operations: usize,
    /// Events that tell of an operation: 1 (COMPLETE) or 2 (START, COMPLETE).
    #[arg(long, default_value_t = 1)]
    events_per_operation: usize,
    /// Datasets of the catalog.
    #[arg(long, default_value_t = 100_000)]
    datasets: usize,
    /// Questions for lineage.
    #[arg(long, default_value_t = 200)]
    queries: usize,
    /// Which database: sqlite, postgres or both.
    #[arg(long, default_value = "both", value_parser = ["sqlite", "postgres", "both"])]
    database: String,
}

/// Runs the load.
pub fn run(options: &Options) -> Result<()> {
    if options.database != "postgres" {
        load(options, "SQLite", None)?;
    }
    if options.database != "sqlite" {
        let server = Postgres::start()?;
        load(options, "PostgreSQL", Some(server.url()))?;
    }
    Ok(())
}

#[allow(clippy::print_stdout, reason = "a program that prints its results")]
fn load(options: &Options, name: &str, url: Option<String>) -> Result<()> {
    println!("{name}:");
    let numbers = [options.operations, options.events_per_operation, options.datasets, options.queries];
    let numbers = numbers.map(|number| number.to_string());
    let mut args = vec!["run", "--quiet", "--release", "-p", "headwater", "--example", "lineage_load", "--"];
    args.extend(numbers.iter().map(String::as_str));
    args.extend(url.as_deref());
    cargo::cargo(&args)
}
