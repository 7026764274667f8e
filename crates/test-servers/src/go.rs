//! Programs that are built by Go from modules, once, as Go's module proxy is configured on the machine.

use crate::cache;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The program `name` of a module's package in this version, which is built when it is not there.
///
/// # Errors
/// When there is no Go, or it cannot build the program.
pub fn program(package: &str, version: &str, name: &str) -> io::Result<PathBuf> {
    let directory = cache::fetched(&format!("{name}-{version}"), &format!("{package}@{version} with Go"), |staged| {
        let bin = staged.join("bin");
        let mut go = Command::new("go");
        go.args(["install", &format!("{package}@{version}")]).env("GOBIN", &bin).stdin(Stdio::null());
        let output = go.output()?;
        match output.status.success() {
            true => Ok(bin),
            false => Err(io::Error::other(format!("{go:?}: {}", String::from_utf8_lossy(&output.stderr)))),
        }
    })?;
    Ok(directory.join(name))
}
