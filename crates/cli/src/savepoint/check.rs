//! `headwater savepoint check`: whether the jobs of a script could go on from a checkpoint or savepoint.

use super::{Comparison, Opened, complain, ending, open, render, write};
use crate::args::CheckArgs;
use headwater_checkpoint::{Manifest, WantedOperator};
use headwater_embedded::{Engine, wanted_operators};
use headwater_env::Env;
use headwater_plan::JobGraph;
use headwater_sql::session::StatementResult;
use headwater_sql::{SqlError, SqlResult};
use headwater_sql_parser::parse_script;
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use std::path::Path;
use std::process::ExitCode;

/// Compares the job of the scripts that the savepoint is of. Fails when it would lose state.
pub fn run(args: &CheckArgs, config: Configuration) -> ExitCode {
    let compared = open(&args.path, &config).and_then(|opened| compare_all(args, config, &opened));
    match compared {
        Err(error) => complain(&error),
        Ok(comparisons) => {
            let text = || comparisons.iter().map(render::comparison).collect::<Vec<_>>().join("\n");
            let compatible = comparisons.iter().all(|comparison| comparison.compatible);
            ending(write(args.format, &comparisons, text), compatible)
        }
    }
}

fn compare_all(args: &CheckArgs, config: Configuration, opened: &Opened) -> Result<Vec<Comparison>> {
    let mut engine = Engine::new(config);
    let mut graphs = vec![];
    for path in &args.files {
        let text = crate::sql::read_script(path)?;
        plan(&mut engine, &text, &mut graphs).map_err(|error| located(&error, &text, path))?;
    }
    if graphs.is_empty() {
        return Err(Error::user("no-job", "the script runs no job: expected an INSERT or a statement set"));
    }
    let env = Env::real();
    let mut jobs = vec![];
    for graph in &graphs {
        jobs.push((graph.name.as_str(), wanted_operators(graph, &env)?));
    }
    let compared = jobs_of(&jobs, &opened.manifest).into_iter().map(|at| &jobs[at]);
    Ok(compared.map(|(name, wanted)| Comparison::new(name, wanted, opened)).collect())
}

/// The jobs of a script that a checkpoint may be of, by position: the one of its name, or those that take most of its
/// operators. A savepoint is of one job, and the others of a script need not fit it.
pub(super) fn jobs_of(jobs: &[(&str, Vec<WantedOperator>)], manifest: &Manifest) -> Vec<usize> {
    let stored: Vec<&str> = manifest.operators.iter().filter(|o| !o.is_stateless()).map(|o| o.key.as_str()).collect();
    let taken = |(_, wanted): &(&str, Vec<WantedOperator>)| {
        stored.iter().filter(|key| wanted.iter().any(|operator| operator.key == **key)).count()
    };
    let most = jobs.iter().map(taken).max().unwrap_or(0);
    let of_name = |at: &usize| jobs[*at].0 == manifest.job_name;
    match (0..jobs.len()).filter(of_name).collect::<Vec<_>>() {
        named if named.len() == 1 => named,
        _ => (0..jobs.len()).filter(|at| taken(&jobs[*at]) == most).collect(),
    }
}

/// Executes what declares and plans what inserts; queries have no state that anybody keeps.
fn plan(engine: &mut Engine, text: &str, graphs: &mut Vec<JobGraph>) -> SqlResult<()> {
    let (statements, syntax_error) = parse_script(text);
    for parsed in &statements {
        if let StatementResult::Job(job) = engine.execute(&parsed.statement, text)? {
            graphs.push(job.graph);
        }
    }
    syntax_error.map_or(Ok(()), |error| Err(error.into()))
}

fn located(error: &SqlError, text: &str, path: &Path) -> Error {
    Error::user("bad-script", format!("{}: {}", path.display(), error.render(text)))
}
