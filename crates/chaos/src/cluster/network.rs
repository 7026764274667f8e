//! A host that can be cut off: a network namespace, joined to this one by a pair of virtual interfaces.
//!
//! Needs the right to make one, which root has on most machines; without, the experiment leaves this part out.

use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::{Command, Stdio};

/// Address of this side, and of the host.
pub const OUTER: &str = "10.231.77.1";
/// Address of the host.
pub const INNER: &str = "10.231.77.2";

/// A network namespace; removed when dropped.
pub struct Host {
    name: String,
    outer: String,
}

impl Host {
    /// Makes a host.
    ///
    /// # Errors
    /// When that is not allowed here.
    pub fn new() -> Result<Self> {
        let id = std::process::id();
        let host = Self { name: format!("headwater-{id}"), outer: format!("hw{id}") };
        let inner = format!("hx{id}");
        ip(&["netns", "add", &host.name])?;
        ip(&["link", "add", &host.outer, "type", "veth", "peer", "name", &inner])?;
        ip(&["link", "set", &inner, "netns", &host.name])?;
        ip(&["addr", "add", &format!("{OUTER}/30"), "dev", &host.outer])?;
        ip(&["link", "set", &host.outer, "up"])?;
        ip(&["-n", &host.name, "addr", "add", &format!("{INNER}/30"), "dev", &inner])?;
        ip(&["-n", &host.name, "link", "set", &inner, "up"])?;
        ip(&["-n", &host.name, "link", "set", "lo", "up"])?;
        Ok(host)
    }

    /// A program that runs there.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name]).arg(program);
        command
    }

    /// Nothing gets through any more, and nobody is told: an interface that is taken down would tell those who send. The
    /// way out is enough, because no connection survives without answers.
    pub fn cut(&self) -> Result<()> {
        ip(&["-n", &self.name, "route", "add", "blackhole", &format!("{OUTER}/32")])
    }

    /// Everything gets through again.
    pub fn heal(&self) -> Result<()> {
        ip(&["-n", &self.name, "route", "del", "blackhole", &format!("{OUTER}/32")])
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The interfaces go with the namespace.
        let _ = ip(&["netns", "del", &self.name]);
        let _ = ip(&["link", "del", &self.outer]);
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    let output = Command::new("ip").args(arguments).stdin(Stdio::null()).output().context("there is no `ip`")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`ip {}` failed: {}", arguments.join(" "), said.trim());
    Ok(())
}
