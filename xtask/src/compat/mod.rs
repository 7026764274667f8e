//! `cargo xtask compat`: other projects' programs, unchanged, against Headwater.

mod flink_clients;

use anyhow::Result;

/// Options of `compat`.
#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    of: Of,
}

#[derive(clap::Subcommand)]
enum Of {
    /// Flink's clients: command line, dashboard, SQL client, JDBC driver, Python packages.
    FlinkClients(flink_clients::Options),
}

/// Lets the programs work with Headwater, and says what works.
pub fn run(options: &Options) -> Result<()> {
    match &options.of {
        Of::FlinkClients(options) => flink_clients::run(options),
    }
}
