//! What a process has, as the operating system tells.

use anyhow::{Context, Result, ensure};
use std::fmt;
use std::path::Path;

/// What a process has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// Resident memory, MiB.
    pub memory_mb: f64,
    /// Open files, sockets included.
    pub files: f64,
    /// Open sockets.
    pub sockets: f64,
    /// Threads.
    pub threads: f64,
}

/// What a process may keep for good of the files, sockets and threads that jobs made it take: pools that start with the
/// first job, and connections to TaskManagers that still run.
const KEPT: [(&str, f64); 3] = [("files", 16.0), ("sockets", 12.0), ("threads", 24.0)];

impl Usage {
    /// Of a process by its id.
    pub fn of(process: u32) -> Result<Self> {
        let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
        let number = |key: &str| -> Result<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key)).with_context(|| format!("no {key}"))?;
            Ok(line.trim().trim_end_matches(" kB").parse()?)
        };
        let (mut files, mut sockets) = (0.0, 0.0);
        for entry in std::fs::read_dir(format!("/proc/{process}/fd"))?.flatten() {
            files += 1.0;
            // One that is closed meanwhile is no socket.
            let target = std::fs::read_link(entry.path()).unwrap_or_default();
            sockets += f64::from(u8::from(target.to_string_lossy().starts_with("socket:")));
        }
        Ok(Self { memory_mb: number("VmRSS:")? / 1024.0, files, sockets, threads: number("Threads:")? })
    }

    /// Fails when the process has kept more than it may since `before`.
    pub fn check_given_back(&self, before: &Self) -> Result<()> {
        let pairs = [(self.files, before.files), (self.sockets, before.sockets), (self.threads, before.threads)];
        for ((after, before), (what, kept)) in pairs.into_iter().zip(KEPT) {
            ensure!(after <= before + kept, "{what} were not given back: {before} before the jobs, {after} after them");
        }
        Ok(())
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory_mb, files, sockets, threads } = self;
        write!(f, "{memory_mb:.0} MiB, {files} files, {sockets} of them sockets, {threads} threads")
    }
}

/// Files below a directory.
pub fn files(directory: &Path) -> usize {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let count = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => files(&entry.path()),
        _ => 1,
    };
    entries.map(count).sum()
}
