//! Running a process and reading what the operating system says of it.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
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
    wait(command.stdout(Stdio::null()), None)
}

/// Runs a command to its end. The wall clock stops when it prints a line with `mark`.
pub fn run_until(command: &mut Command, mark: &str) -> Result<Cost> {
    wait(command.stdout(Stdio::piped()), Some(mark))
}

/// Runs a command to its end, and shows what it prints.
pub fn run_shown(command: &mut Command) -> Result<Cost> {
    wait(command.stdout(Stdio::inherit()), None)
}

#[allow(clippy::disallowed_methods, reason = "a measurement reads the real clock")]
fn wait(command: &mut Command, mark: Option<&str>) -> Result<Cost> {
    let started = Instant::now();
    let mut child = command.stderr(Stdio::piped()).spawn().context("the command did not start")?;
    let mut marked_s = None;
    for line in child.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines()) {
        if mark.is_some_and(|mark| line.as_ref().is_ok_and(|line| line.contains(mark))) {
            marked_s = Some(started.elapsed().as_secs_f64());
        }
    }
    let pid = child.id() as libc::pid_t;
    let mut status = 0;
    // SAFETY: rusage is plain old data, for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live local values, and the child was not waited for by anyone else.
    let waited = unsafe { libc::wait4(pid, &mut status, 0, &mut usage) };
    let ended_s = started.elapsed().as_secs_f64();
    if waited != pid || !libc::WIFEXITED(status) || libc::WEXITSTATUS(status) != 0 {
        let mut text = String::new();
        if let Some(mut stderr) = child.stderr {
            std::io::Read::read_to_string(&mut stderr, &mut text)?;
        }
        bail!("{command:?} failed: {text}");
    }
    let wall_s = match mark {
        Some(mark) => marked_s.with_context(|| format!("{command:?} did not print '{mark}'"))?,
        None => ended_s,
    };
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
