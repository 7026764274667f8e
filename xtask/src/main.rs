//! The project's tasks. Everything CI does is a verb here, so that no rule is known to CI alone.

mod bench;
mod cargo;
mod chaos;
mod compat;
mod conformance;
mod fuzz;
mod golden;
mod lint_deploy;
mod servers;
mod sim;
mod test;
mod tidy;
mod web;

use clap::{Parser, Subcommand};

/// Tasks of the Headwater workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check formatting, lints, layering, documentation and function length.
    Tidy(tidy::Options),
    /// Run the whole test suite: tidy, unit and property tests, the main job, conformance where its cases are.
    Test(test::Options),
    /// Run the conformance cases and compare the counts with the recorded ones.
    Conformance(conformance::Options),
    /// Measure.
    Bench(bench::Options),
    /// Kill real processes and check that no result is lost or repeated.
    Chaos(chaos::Options),
    /// Let other projects' clients, unchanged, work with Headwater.
    Compat(compat::Options),
    /// Check the files of `deploy/` by the linters of their kinds.
    LintDeploy(lint_deploy::Options),
    /// Simulate whole jobs with seeded faults.
    Sim(sim::Options),
    /// Fuzz the parser and the decoders.
    Fuzz(fuzz::Options),
    /// Start a real server for tests by hand.
    Servers(servers::Options),
    /// Build the pages of the lineage server; needs Node.
    Web(web::Options),
    /// Test the pages in real Chromium; needs Node and Chromium.
    TestWeb(web::TestOptions),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Tidy(options) => tidy::run(&options),
        Task::Test(options) => test::run(&options),
        Task::Conformance(options) => conformance::run(&options),
        Task::Bench(options) => bench::run(&options),
        Task::Chaos(options) => chaos::run(&options),
        Task::Compat(options) => compat::run(&options),
        Task::LintDeploy(options) => lint_deploy::run(&options),
        Task::Sim(options) => sim::run(&options),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Servers(options) => servers::run(&options),
        Task::Web(options) => web::run(&options),
        Task::TestWeb(options) => web::test(&options),
    }
}
