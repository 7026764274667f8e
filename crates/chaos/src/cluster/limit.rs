//! A limit of the memory of a process, kept by the kernel: a control group of its own.
//!
//! Both versions of control groups are tried. Where nobody may make one there is no limit; what a process used at most
//! the kernel notes in any case.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where control groups are mounted, and the name of the limit's file there: version 2, then version 1.
const PLACES: [(&str, &str); 2] =
    [("/sys/fs/cgroup", "memory.max"), ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")];

/// A control group; removed when dropped.
pub struct Limit {
    directory: PathBuf,
}

impl Limit {
    /// A control group with so much memory.
    ///
    /// # Errors
    /// When that is not allowed here.
    pub fn new(bytes: u64) -> Result<Self> {
        let name = format!("headwater-{}", std::process::id());
        for (mounted, file) in PLACES {
            // Elsewhere a directory of this name would be nothing but a directory.
            if !Path::new(mounted).join("cgroup.procs").exists() {
                continue;
            }
            let limit = Self { directory: Path::new(mounted).join(&name) };
            let made = fs::create_dir(&limit.directory);
            if made.and_then(|()| fs::write(limit.directory.join(file), bytes.to_string())).is_ok() {
                return Ok(limit);
            }
        }
        bail!("no control group with a limit can be made below {}", PLACES[0].0)
    }

    /// A program that runs in the group.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("/bin/sh");
        let processes = self.directory.join("cgroup.procs");
        command.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(processes).arg(program);
        command
    }

    /// Where it is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.directory);
    }
}

/// What a process has in memory, bytes.
#[derive(Debug, Clone, Copy)]
pub struct Resident {
    /// Now.
    pub now: u64,
    /// At most.
    pub peak: u64,
}

/// What a process has in memory.
///
/// # Errors
/// When there is no such process.
pub fn resident(process: u32) -> Result<Resident> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).context("the process has ended")?;
    let read = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes << 10)
    };
    let (now, peak) = (read("VmRSS:").context("no VmRSS")?, read("VmHWM:").context("no VmHWM")?);
    Ok(Resident { now, peak })
}
