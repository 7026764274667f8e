//! A SQL gateway as a process.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A gateway process. Dropping it ends it.
pub struct Gateway {
    process: Child,
    /// Where it is.
    pub url: String,
}

impl Gateway {
    /// With these arguments besides.
    pub fn start(arguments: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args(["sql-gateway", "--port", "0", "-D", "parallelism.default=1"])
            .args(arguments)
            .env_remove("HEADWATER_CONF_DIR")
            .env("HEADWATER_LOG", "error")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        // Warnings about the configuration may come first.
        let said = BufReader::new(process.stderr.take().expect("it is a pipe")).lines().map_while(Result::ok);
        let url = said.filter_map(|line| Some(line.strip_prefix("[INFO] SQL gateway at ")?.to_owned())).next();
        let url = url.expect("it says where it listens");
        Self { process, url }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
