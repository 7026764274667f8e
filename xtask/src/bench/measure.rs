//! Running a process and reading what the operating system says of it.

use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};
use std::time::Instant;

/// What one run of a process cost.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// Wall clock seconds.
    pub wall_s: f64,
    /// User and system CPU seconds.
    pub cpu_s: f64,
    /// Peak resident memory, MiB.
    pub memory_mb: f64,
}

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Result<Cost> {
    wait(command.stdout(Stdio::null()))
}

/// Runs a command to its end, and shows what it prints.
pub fn run_shown(command: &mut Command) -> Result<Cost> {
    wait(command.stdout(Stdio::inherit()))
}

#[allow(clippy::disallowed_methods, reason = "a measurement reads the real clock")]
fn wait(command: &mut Command) -> Result<Cost> {
    let started = Instant::now();
    let child = command.stderr(Stdio::piped()).spawn().context("the command did not start")?;
    let pid = child.id() as libc::pid_t;
    let mut status = 0;
    // SAFETY: rusage is plain old data, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live local values, and the child was not waited for by anyone else.
    let waited = unsafe { libc::wait4(pid, &mut status, 0, &mut usage) };
    let wall_s = started.elapsed().as_secs_f64();
    if waited != pid || !libc::WIFEXITED(status) || libc::WEXITSTATUS(status) != 0 {
        let mut text = String::new();
        if let Some(mut stderr) = child.stderr {
            std::io::Read::read_to_string(&mut stderr, &mut text)?;
        }
        bail!("{command:?} failed: {text}");
    }
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    Ok(Cost {
        wall_s,
        cpu_s: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        memory_mb: usage.ru_maxrss as f64 / 1024.0,
    })
}

/// The median of some numbers.
pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
