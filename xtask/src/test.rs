//! `cargo xtask test`: the whole suite, in the order that fails fastest.

use crate::{cargo, chaos, conformance, sim, tidy, web};
use anyhow::Result;

/// Options of `test`.
#[derive(clap::Args)]
pub struct Options {
    /// Leave out the tidy checks.
    #[arg(long)]
    no_tidy: bool,
}

/// Runs tidy, all tests of all crates, the pages in a browser, the main job, and the conformance cases where they are.
pub fn run(options: &Options) -> Result<()> {
    if !options.no_tidy {
        tidy::run(&tidy::Options::default())?;
    }
    let pages = web::Suite::prepare()?;
    cargo::cargo(&["test", "--workspace", "--no-fail-fast"])?;
    sim::run(&sim::Options::default())?;
    // The tests of the command line had it built.
    let headwater = cargo::target_directory()?.join("debug/headwater");
    if let Some(pages) = pages {
        pages.test(&headwater)?;
    }
    chaos::short(&headwater)?;
    conformance::main_job(&headwater)?;
    conformance::run_with(&headwater, &conformance::Options::default())
}
