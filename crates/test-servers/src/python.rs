//! Python packages in environments of their own, installed once by pip as it is configured on the machine.

use crate::cache;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Newest minor version of Python 3 that is looked for by its name.
const NEWEST: u32 = 14;

/// The Python of the environment `name` of the cache with these packages, which is made when it is not there. It is of
/// version 3.`minor` or newer.
///
/// # Errors
/// When there is no such Python, or pip cannot install the packages.
pub fn environment(name: &str, minor: u32, packages: &[&str]) -> io::Result<PathBuf> {
    let directory = cache::fetched(name, "Python packages with pip", |staged| {
        let python = interpreter(minor)?;
        // An environment finds itself by where its Python is, so it may be moved when it is whole.
        let environment = staged.join("environment");
        finish(Command::new(python).args(["-m", "venv"]).arg(&environment))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        finish(Command::new(environment.join("bin/python")).args(pip).args(packages))?;
        Ok(environment)
    })?;
    Ok(directory.join("bin/python"))
}

/// A Python that is new enough: one of the path, or one that pyenv has.
fn interpreter(minor: u32) -> io::Result<PathBuf> {
    let named = (minor..=NEWEST).rev().map(|minor| PathBuf::from(format!("python3.{minor}")));
    let mut found = [PathBuf::from("python3")].into_iter().chain(named).chain(of_pyenv());
    found.find(|python| is_new_enough(python, minor)).ok_or_else(|| {
        io::Error::other(format!("there is no Python 3.{minor} or newer: install one, or name its folder in PATH"))
    })
}

/// The interpreters of pyenv, which runs none by its name where another version is chosen.
fn of_pyenv() -> impl Iterator<Item = PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let versions = root.and_then(|root| std::fs::read_dir(root.join("versions")).ok());
    versions.into_iter().flatten().flatten().map(|version| version.path().join("bin/python3"))
}

fn is_new_enough(python: &Path, minor: u32) -> bool {
    let script = format!("import sys, venv; sys.exit(sys.version_info < (3, {minor}))");
    let run = Command::new(python).args(["-c", &script]).stdin(Stdio::null()).output();
    run.is_ok_and(|output| output.status.success())
}

fn finish(command: &mut Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))))
}
