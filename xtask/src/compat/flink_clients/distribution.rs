//! A Flink distribution for its clients: assembled once from Flink's Python packages, which hold its jars, scripts and
//! configuration, and kept in the user's cache folder.

use anyhow::{Context, Result};
use headwater_test_servers::python;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version whose clients are tried.
const FLINK: &str = "2.3.0";
/// The package that Flink's scripts and configuration are in; the other one holds the jars.
const PACKAGE: &str = "apache-flink";

/// The home of a distribution.
///
/// # Errors
/// When the packages cannot be fetched.
pub fn home() -> Result<PathBuf> {
    let libraries = format!("apache-flink-libraries=={FLINK}");
    let python = python::environment(&format!("flink-{FLINK}-libraries"), 9, &[&libraries])?;
    let root = python.parent().and_then(Path::parent).context("an environment has a root")?;
    let home = root.join("home");
    if !home.join("bin/flink").is_file() {
        assemble(&python, root, &home).context("the Flink distribution")?;
    }
    Ok(home)
}

/// Puts jars, scripts and configuration into one directory.
fn assemble(python: &Path, root: &Path, home: &Path) -> Result<()> {
    let staged = root.join(format!("home-{}", std::process::id()));
    let wheels = root.join("wheels");
    let mut pip = Command::new(python);
    // Of the other package only files are taken, so that it does not matter which Python it is for.
    pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version=3.11"]);
    run(pip.arg(format!("{PACKAGE}=={FLINK}")).arg("--dest").arg(&wheels))?;
    run(Command::new(python).args(["-c", include_str!("distribution.py")]).args([root, &wheels, &staged]))?;
    let _ = std::fs::remove_dir_all(&wheels);
    // Another process may have been faster; then its copy is as good.
    if std::fs::rename(&staged, home).is_err() {
        std::fs::remove_dir_all(&staged)?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output().context("Python could not be started")?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{command:?}: {said}");
    Ok(())
}
