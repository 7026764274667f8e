//! Clients that Python scripts drive: Python packages in an environment of their own, and the dashboard in a browser.

use super::cluster::Cluster;
use super::report::Report;
use anyhow::{Context, Result, bail};
use headwater_test_servers::python;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The packages, with the versions that were looked at.
const PACKAGES: [&str; 5] = [
    // An older package imports what Python has moved there.
    "setuptools<81",
    "flink-rest-client==1.0.8",
    "flink-job-manager-api==1.0.2",
    "flink-sql-gateway-api==2.1.0",
    "py-flink-sql-gateway==0.1.6",
];
/// Names of the browser.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Both packages of the REST API, by all their calls.
pub fn python(python: &Result<PathBuf>, cluster: &Cluster, report: &mut Report) -> Result<()> {
    let python = match python {
        Ok(python) => python,
        Err(error) => {
            report.skip("Python packages", "all", &format!("they cannot be installed: {error:#}"));
            return Ok(());
        }
    };
    for (client, script) in [
        ("flink-rest-client", include_str!("rest_client.py")),
        ("flink-job-manager-api", include_str!("job_manager_api.py")),
    ] {
        let job = cluster.submit()?;
        let savepoints = cluster.savepoints();
        report.script(client, run(python, script, &[&cluster.rest, &job, &savepoints]));
    }
    Ok(())
}

/// Flink's static files in front of our API, page by page.
pub fn dashboard(home: &Path, directory: &Path, cluster: &Cluster, report: &mut Report) -> Result<()> {
    let found = BROWSERS.into_iter().find(|name| Command::new(name).arg("--version").output().is_ok());
    let Some(browser) = found else {
        report.skip("dashboard", "all", "there is no Chromium: apt-get install chromium");
        return Ok(());
    };
    let lib = std::fs::read_dir(home.join("lib")).context("the distribution has no lib")?;
    let jar = lib
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("flink-dist")));
    let jar = jar.context("the distribution has no flink-dist jar")?.display().to_string();
    let (job, pictures) = (cluster.submit()?, directory.join("dashboard"));
    std::fs::create_dir_all(&pictures)?;
    let script = include_str!("dashboard.py");
    let pictures = pictures.display().to_string();
    let printed = run(Path::new("python3"), script, &[&jar, &cluster.rest, &job, browser, &pictures]);
    report.script("dashboard", printed);
    Ok(())
}

/// An environment with the packages; its Python.
pub fn environment() -> Result<PathBuf> {
    // The name holds what is in it, so that other versions are another environment.
    Ok(python::environment("flink-clients-python-1", 9, &PACKAGES)?)
}

/// Runs a script; what it prints.
pub fn run(python: &Path, script: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(python)
        .args(["-c", script])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} could not be started", python.display()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(text),
        false => bail!("{text}{}", String::from_utf8_lossy(&output.stderr)),
    }
}
