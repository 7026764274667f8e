//! `bin/flink` of the distribution: `list`, `savepoint`, `checkpoint`, `stop`, `cancel`, `info` of jars is the JVM's own.

use super::cluster::Cluster;
use super::report::Report;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CLIENT: &str = "flink CLI";

/// Calls every verb, and looks at what it prints.
pub fn check(home: &Path, logs: &Path, cluster: &Cluster, report: &mut Report) -> Result<()> {
    let flink = Flink { home: home.to_owned(), logs: logs.to_owned(), rest: cluster.rest.clone() };
    let job = cluster.submit()?;
    let savepoints = cluster.savepoints();
    report.expect(CLIENT, "list", flink.call(&["list"]), &[&job, "compat totals", "(RUNNING)"]);
    report.expect(CLIENT, "list -r", flink.call(&["list", "-r"]), &[&job]);
    report.expect(CLIENT, "list -s", flink.call(&["list", "-s"]), &["No scheduled jobs."]);
    let savepoint = flink.call(&["savepoint", &job, &savepoints]);
    let path = savepoint.as_ref().ok().and_then(|text| line_behind(text, "Savepoint completed. Path: "));
    report.expect(CLIENT, "savepoint JOB DIR", savepoint, &["Savepoint completed. Path: ", &savepoints]);
    report.expect(CLIENT, "savepoint -detached", flink.call(&["savepoint", &job, "-detached"]), &["trigger"]);
    report.expect(CLIENT, "checkpoint JOB", flink.call(&["checkpoint", &job]), &["Checkpoint", "completed."]);
    report.expect(CLIENT, "checkpoint --full", flink.call(&["checkpoint", &job, "--full"]), &["completed."]);
    let dispose = path.context("no savepoint").and_then(|path| flink.call(&["savepoint", "-d", &path]));
    report.expect(CLIENT, "savepoint -d PATH", dispose, &["Savepoint '", "' disposed."]);
    let stop = flink.call(&["stop", "--savepointPath", &savepoints, &job]);
    report.expect(CLIENT, "stop --savepointPath", stop, &["Savepoint completed. Path: "]);
    report.expect(CLIENT, "list -a", flink.call(&["list", "-a"]), &["Terminated Jobs", &job, "(FINISHED)"]);
    let drained = cluster.submit()?;
    let stop = flink.call(&["stop", "--drain", &drained]);
    report.expect(CLIENT, "stop --drain", stop, &["Savepoint completed. Path: "]);
    let cancelled = cluster.submit()?;
    report.expect(CLIENT, "cancel", flink.call(&["cancel", &cancelled]), &["Cancelled job"]);
    let unknown = "0".repeat(32);
    report.refused(CLIENT, "cancel of an unknown job", flink.call(&["cancel", &unknown]), &["not found"]);
    report.limit(
        CLIENT,
        "run, run-application, info of a jar",
        "they carry Java bytecode and Java objects; use `headwater run`",
    );
    Ok(())
}

fn line_behind(text: &str, start: &str) -> Option<String> {
    text.lines().find_map(|line| line.trim().strip_prefix(start)).map(|path| path.trim().to_owned())
}

struct Flink {
    home: PathBuf,
    logs: PathBuf,
    rest: String,
}

impl Flink {
    /// What it prints; an error when its exit code says so.
    fn call(&self, args: &[&str]) -> Result<String> {
        let (verb, rest) = args.split_first().context("a verb")?;
        let output = Command::new(self.home.join("bin/flink"))
            .arg(verb)
            .args(["-m", &self.rest])
            .args(rest)
            .env("FLINK_HOME", &self.home)
            .env("FLINK_CONF_DIR", self.home.join("conf"))
            .env("FLINK_LOG_DIR", &self.logs)
            .stdin(Stdio::null())
            .output()
            .context("bin/flink could not be started")?;
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        match output.status.success() {
            true => Ok(text),
            false => anyhow::bail!("{text}"),
        }
    }
}
