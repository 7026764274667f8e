//! `cargo xtask servers s3`.

use anyhow::{Result, bail};
use clap::Args;
use headwater_test_servers::S3;

/// Options of the server.
#[derive(Args)]
pub struct Options {
    /// A bucket to make; may be repeated.
    #[arg(long = "bucket", value_name = "NAME", default_value = "test")]
    buckets: Vec<String>,
}

/// Starts the server, prints how to reach it, and stays until it or this process ends.
pub fn run(options: &Options) -> Result<()> {
    let server = S3::start()?;
    for bucket in &options.buckets {
        server.create_bucket(bucket)?;
        println!("bucket=s3://{bucket}");
    }
    for (key, value) in server.settings() {
        println!("{key}={value}");
    }
    println!("log={}", server.log().display());
    while server.is_running() {
        std::thread::park_timeout(std::time::Duration::from_millis(500));
    }
    bail!("the server ended; see {}", server.log().display())
}
