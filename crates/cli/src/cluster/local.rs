//! `headwater cluster start|stop`: a JobManager and TaskManagers on this machine, in the background.
//!
//! Each process has a file with its id and one with its log in a directory. `stop` ends only processes that such a file
//! names and that are still this program. Several JobManagers elect a leader, by a directory beside the logs unless
//! another one is configured.

use super::plan::{JobManagers, plan};
use super::{Remote, exit_code, settings};
use crate::args::{ClusterCommand, ClusterStartArgs};
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

const PID_DIRECTORY: Key = Key { name: "env.pid.dir", default: "" };
/// Looks at processes, and the pause between two.
const LOOKS: (usize, Duration) = (200, Duration::from_millis(50));

/// Starts or stops a cluster.
pub fn run(command: &ClusterCommand, config: &Configuration) -> ExitCode {
    exit_code(match command {
        ClusterCommand::Start(args) => start(args, config),
        ClusterCommand::Stop(args) => stop(&directory(args.directory.as_deref(), config)),
    })
}

fn directory(named: Option<&Path>, config: &Configuration) -> PathBuf {
    match (named, config.text(PID_DIRECTORY).trim()) {
        (Some(named), _) => named.to_owned(),
        (None, "") => std::env::temp_dir().join("headwater-cluster"),
        (None, configured) => PathBuf::from(configured),
    }
}

fn start(args: &ClusterStartArgs, config: &Configuration) -> Result<()> {
    let directory = directory(args.directory.as_deref(), config);
    fs::create_dir_all(&directory).map_err(|e| unusable(&directory, e))?;
    let running: Vec<Member> = members(&directory)?.into_iter().filter(Member::is_running).collect();
    if let Some(member) = running.first() {
        let message = format!("'{}' runs already (process {}): stop the cluster first", member.name, member.pid);
        return Err(Error::user("cluster-running", message));
    }
    let started = start_members(args, config, &directory);
    if started.is_err() {
        // What did start must not stay behind.
        let _ = stop(&directory);
    }
    started
}

fn start_members(args: &ClusterStartArgs, config: &Configuration, directory: &Path) -> Result<()> {
    if args.jobmanagers == 1 {
        is_free(settings::job_manager_bind(config)?)?;
    }
    let managers = plan(args.jobmanagers, config, directory)?;
    for (name, own) in &managers.own {
        let define = [&args.config.define[..], &managers.shared[..], &own[..]].concat();
        spawn(directory, name, "jobmanager", &define)?;
    }
    let define = [&args.config.define[..], &managers.shared[..]].concat();
    for number in 1..=args.taskmanagers {
        spawn(directory, &format!("taskmanager-{number}"), "taskmanager", &define)?;
    }
    await_members(args, config, directory, &managers)?;
    let (line, count) = (&managers.line, args.taskmanagers);
    crate::complain(format_args!(
        "[INFO] The cluster runs: {line}, {count} TaskManagers. Logs are in {}.",
        directory.display()
    ));
    if let Some(url) = rest_url(config)? {
        crate::complain(format_args!("[INFO] REST API at {url}/v1"));
    }
    Ok(())
}

/// Where another JobManager listens already, ours would end at once, and its TaskManagers would join the other one.
fn is_free(address: SocketAddr) -> Result<()> {
    match TcpListener::bind(address) {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let message = format!("something listens at {address} already: name another port by 'jobmanager.rpc.port'");
            Err(Error::user("cluster-not-up", message))
        }
        _ => Ok(()),
    }
}

/// Waits until somebody leads, and all TaskManagers have registered there.
fn await_members(
    args: &ClusterStartArgs,
    config: &Configuration,
    directory: &Path,
    managers: &JobManagers,
) -> Result<()> {
    let registered = |remote: &Remote| Ok(remote.handle.task_managers()?.len() >= args.taskmanagers as usize);
    let mut last = Error::retryable("cluster-not-up", "not all TaskManagers have registered");
    for attempt in 0..LOOKS.0 {
        if let Some(member) = members(directory)?.into_iter().find(|member| !member.is_running()) {
            let log = directory.join(format!("{}.log", member.name));
            let message = format!("'{}' ended at once: see {}", member.name, log.display());
            return Err(Error::user("cluster-not-up", message));
        }
        match Remote::connect(managers.one(attempt), config).and_then(|remote| registered(&remote)) {
            // Those that ended meanwhile are found once more.
            Ok(true) if members(directory)?.iter().all(Member::is_running) => return Ok(()),
            Ok(_) => {}
            Err(error) => last = error,
        }
        pause();
    }
    Err(last.context("the cluster did not come up"))
}

/// Where the JobManager serves its REST API, unless it takes any free port.
fn rest_url(config: &Configuration) -> Result<Option<String>> {
    let options = headwater_rest::Options::from_config(config)?;
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    Ok(Some(format!("{scheme}://{}", options.bind)).filter(|_| options.bind.port() != 0))
}

/// Starts a process of this program in the background.
fn spawn(directory: &Path, name: &str, verb: &str, define: &[(String, String)]) -> Result<()> {
    let program = std::env::current_exe().map_err(|e| unusable(directory, e))?;
    let create = |name: String| File::create(directory.join(name)).map_err(|e| unusable(directory, e));
    // The REST API serves them: what is logged, and what tasks print.
    let (log, out) = (create(format!("{name}.log"))?, create(format!("{name}.out"))?);
    let mut command = Command::new(program);
    command.arg(verb).stdin(Stdio::null()).stdout(out).stderr(log);
    for (key, value) in define {
        command.arg("-D").arg(format!("{key}={value}"));
    }
    // A group of its own: Ctrl-C at the terminal is not meant for it.
    let child = command.process_group(0).spawn().map_err(|e| unusable(directory, e))?;
    let file = directory.join(format!("{name}.pid"));
    fs::write(file, child.id().to_string()).map_err(|e| unusable(directory, e))
}

/// Ends the TaskManagers, then the JobManagers.
fn stop(directory: &Path) -> Result<()> {
    let mut members = members(directory)?;
    members.sort_by_key(|member| member.name.starts_with("jobmanager"));
    let mut stopped = 0;
    for member in &members {
        if member.is_running() {
            member.stop()?;
            stopped += 1;
        }
        let _ = fs::remove_file(directory.join(format!("{}.pid", member.name)));
    }
    crate::complain(format_args!("[INFO] {stopped} processes were stopped."));
    Ok(())
}

/// A process that was started.
struct Member {
    name: String,
    pid: u32,
}

/// The processes that the files of a directory name.
fn members(directory: &Path) -> Result<Vec<Member>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(e) => return Err(unusable(directory, e)),
    };
    let mut members = vec![];
    for entry in entries.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".pid") else { continue };
        let text = fs::read_to_string(entry.path()).unwrap_or_default();
        if let Ok(pid) = text.trim().parse() {
            members.push(Member { name: name.to_owned(), pid });
        }
    }
    Ok(members)
}

impl Member {
    /// Whether the process is there, and is this program.
    fn is_running(&self) -> bool {
        let verb = self.name.split('-').next().unwrap_or_default();
        match fs::read(format!("/proc/{}/cmdline", self.pid)) {
            // A process that is about to begin has no command line yet, one that has ended none any more.
            Ok(line) if line.is_empty() => !self.has_ended(),
            Ok(line) => String::from_utf8_lossy(&line).split('\0').nth(1) == Some(verb),
            // Without that file system, what the signal says has to do.
            Err(_) => !Path::new("/proc/self").exists() && self.signal("-0"),
        }
    }

    /// Whether nothing but its exit code is left of the process.
    fn has_ended(&self) -> bool {
        let status = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        // The state stands behind the name, which may hold anything but ends with the last bracket.
        status.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with(['Z', 'X']))
    }

    fn stop(&self) -> Result<()> {
        self.signal("-TERM");
        for _ in 0..LOOKS.0 {
            if !self.is_running() {
                return Ok(());
            }
            pause();
        }
        self.signal("-KILL");
        match self.is_running() {
            false => Ok(()),
            true => Err(Error::retryable("not-stopped", format!("'{}' (process {}) stays", self.name, self.pid))),
        }
    }

    fn signal(&self, signal: &str) -> bool {
        let sent = Command::new("kill").args([signal, &self.pid.to_string()]).stderr(Stdio::null()).status();
        sent.is_ok_and(|status| status.success())
    }
}

fn unusable(directory: &Path, e: std::io::Error) -> Error {
    let message = format!("the directory {} cannot be used: {e}", directory.display());
    Error::user("unusable-directory", message).with_source(e)
}

/// A short rest.
fn pause() {
    let (_sender, nothing) = sync_channel::<()>(1);
    let _ = nothing.recv_timeout(LOOKS.1);
}
