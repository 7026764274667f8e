//! `cargo xtask tidy`: few, high-signal checks.

mod functions;
mod layers;
mod words;

use crate::cargo;
use anyhow::{Result, bail};

/// Options of `tidy`.
#[derive(clap::Args, Default)]
pub struct Options {
    /// Rewrite the list of long functions after some became shorter.
    #[arg(long)]
    bless: bool,
    /// Leave out clippy (the slow part).
    #[arg(long)]
    no_clippy: bool,
}

/// Runs every check and reports all failures.
pub fn run(options: &Options) -> Result<()> {
    let mut failures = vec![];
    let mut check = |name: &str, result: Result<Vec<String>>| match result {
        Ok(found) if found.is_empty() => eprintln!("tidy: {name}: ok"),
        Ok(found) => failures.extend(found.into_iter().map(|f| format!("{name}: {f}"))),
        Err(error) => failures.push(format!("{name}: {error:#}")),
    };
    check("formatting", cargo::cargo(&["fmt", "--all", "--", "--check"]).map(|()| vec![]));
    check("layering", layers::violations());
    check("function length", functions::violations(options.bless));
    check("wording", words::violations());
    if !options.no_clippy {
        let clippy = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        check("clippy and undocumented public items", cargo::cargo(&clippy).map(|()| vec![]));
    }
    if failures.is_empty() {
        return Ok(());
    }
    failures.iter().for_each(|f| eprintln!("tidy: {f}"));
    bail!("{} finding(s)", failures.len())
}
