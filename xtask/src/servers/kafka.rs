//! `cargo xtask servers kafka`.

use anyhow::{Result, bail};
use clap::Args;
use headwater_test_servers::{Kafka, KafkaOptions};

/// Options of the broker.
#[derive(Args)]
pub struct Options {
    /// Also listen with TLS, with certificates made by the openssl command.
    #[arg(long)]
    tls: bool,
    /// A line for the broker's server.properties; may be repeated.
    #[arg(long = "property", value_name = "NAME=VALUE")]
    properties: Vec<String>,
}

/// Starts the broker, prints where it listens, and stays until it or this process ends.
pub fn run(options: &Options) -> Result<()> {
    let kafka = Kafka::start(&KafkaOptions { tls: options.tls, properties: options.properties.clone() })?;
    println!("bootstrap.servers={}", kafka.bootstrap());
    println!("bootstrap.servers.sasl={}", kafka.bootstrap_sasl());
    if let Some(certificates) = kafka.certificates() {
        println!("bootstrap.servers.tls={}", kafka.bootstrap_tls());
        println!("ssl.truststore.location={}", certificates.authority.display());
    }
    println!("log={}", kafka.log().display());
    while kafka.is_running() {
        std::thread::park_timeout(std::time::Duration::from_millis(500));
    }
    bail!("the broker ended; see {}", kafka.log().display())
}
