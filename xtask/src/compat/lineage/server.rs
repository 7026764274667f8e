//! Our lineage server as a process.

use super::{start, wait_for_port};
use anyhow::Result;
use headwater_test_servers::{ports, process::Guarded};
use std::path::Path;

/// A running server with an embedded database.
pub struct LineageServer {
    _process: Guarded,
    /// Its address, with the scheme.
    pub url: String,
}

impl LineageServer {
    /// Starts one that also reads `kafka`: brokers and topic.
    pub fn start(name: &str, headwater: &Path, files: &Path, kafka: Option<(&str, &str)>) -> Result<Self> {
        let [port] = ports::free()?;
        let database = format!("sqlite:{}", files.join(format!("{name}.db")).display());
        let listen = format!("127.0.0.1:{port}");
        let program = headwater.display().to_string();
        let mut command =
            [&program, "lineage", "serve", "--listen", &listen, "--database", &database].map(str::to_owned).to_vec();
        if let Some((brokers, topic)) = kafka {
            command.extend(["--kafka", brokers, "--kafka-topic", topic].map(str::to_owned));
        }
        let process = start(name, &command, files)?;
        wait_for_port(name, &process, port, files)?;
        Ok(Self { _process: process, url: format!("http://{listen}") })
    }
}
