//! `cargo xtask compat`: other projects' programs, unchanged, against Headwater.

mod flink_clients;
mod lineage;
mod report;

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
    /// Real Flink with OpenLineage's listener: its events, over HTTP and through Kafka, in our lineage server.
    FlinkOpenlineage(lineage::Options),
    /// Headwater's events, through Kafka and over HTTP, in real Data.Rentgen.
    DataRentgen(lineage::Options),
}

/// Lets the programs work with Headwater, and says what works.
pub fn run(options: &Options) -> Result<()> {
    match &options.of {
        Of::FlinkClients(options) => flink_clients::run(options),
        Of::FlinkOpenlineage(options) => lineage::flink_openlineage(options),
        Of::DataRentgen(options) => lineage::data_rentgen(options),
    }
}
