//! Servers that tests and experiments need, started in the foreground.

mod kafka;
mod s3;

use anyhow::Result;
use clap::{Args, Subcommand};

/// Options of `cargo xtask servers`.
#[derive(Args)]
pub struct Options {
    #[command(subcommand)]
    server: Server,
}

#[derive(Subcommand)]
enum Server {
    /// A Kafka broker on free loopback ports, until Ctrl-C.
    Kafka(kafka::Options),
    /// An S3 server on free loopback ports, until Ctrl-C.
    S3(s3::Options),
}

/// Runs the verb.
pub fn run(options: &Options) -> Result<()> {
    match &options.server {
        Server::Kafka(options) => kafka::run(options),
        Server::S3(options) => s3::run(options),
    }
}
