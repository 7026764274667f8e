//! `headwater lineage explain`.

use super::args::ExplainArgs;
use super::before::{self, Known};
use headwater_embedded::Engine;
use headwater_lineage::diff::{Change, Shape, diff};
use headwater_lineage::{JobLineage, render};
use headwater_sql::session::StatementResult;
use headwater_sql::{SqlError, SqlResult};
use headwater_sql_parser::parse_script;
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// What `--json` prints.
#[derive(Serialize)]
pub struct Report {
    /// The jobs of the scripts.
    pub jobs: Vec<JobLineage>,
    /// With `--diff`: what changes, by job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Vec<JobChanges>>,
}

/// What changes when a job replaces another.
#[derive(Serialize)]
pub struct JobChanges {
    /// The job.
    pub job: String,
    /// Whether somebody loses something.
    pub loses: bool,
    /// The changes.
    pub changes: Vec<Change>,
}

/// Shows the lineage of the scripts' jobs. Fails when a consumer would lose a column.
pub fn run(args: &ExplainArgs, config: Configuration) -> ExitCode {
    let explained = explain(args, config);
    let (text, good) = match explained {
        Ok(explained) => explained,
        Err(error) => {
            crate::complain(format_args!("[ERROR] {error}"));
            return ExitCode::FAILURE;
        }
    };
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) => crate::failed(&error),
        Ok(()) if good => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
    }
}

/// The output, and whether nobody loses anything.
fn explain(args: &ExplainArgs, config: Configuration) -> Result<(String, bool)> {
    let known = match &args.diff {
        Some(target) => Some(before::read(target, args.jobmanager.as_deref(), &config)?),
        None => None,
    };
    let mut engine = Engine::new(config);
    let mut jobs = vec![];
    for path in &args.files {
        let text = crate::sql::read_script(path)?;
        plan(&mut engine, &text, &mut jobs).map_err(|error| located(&error, &text, path))?;
    }
    if jobs.is_empty() {
        return Err(Error::user("no-job", "the script runs no job: expected an INSERT, a statement set or a query"));
    }
    let changes = known.map(|known| compare(&jobs, &known)).transpose()?;
    let good = changes.iter().flatten().all(|job| !job.loses);
    Ok((shown(args, Report { jobs, changes })?, good))
}

/// The lineages of a script's jobs. What it declares is declared; nothing is run.
pub fn plan(engine: &mut Engine, text: &str, jobs: &mut Vec<JobLineage>) -> SqlResult<()> {
    let (statements, syntax_error) = parse_script(text);
    for parsed in &statements {
        match engine.execute(&parsed.statement, text)? {
            StatementResult::Job(job) => jobs.push(job.lineage),
            StatementResult::Query(query) => jobs.push(query.lineage),
            _ => {}
        }
    }
    syntax_error.map_or(Ok(()), |error| Err(error.into()))
}

fn located(error: &SqlError, text: &str, path: &Path) -> Error {
    Error::user("bad-script", format!("{}: {}", path.display(), error.render(text)))
}

/// Each job with the one of its name; where there is only one of each, with that.
pub fn compare(jobs: &[JobLineage], known: &Known) -> Result<Vec<JobChanges>> {
    let only = (jobs.len() == 1 && known.len() == 1).then(|| known.values().next()).flatten();
    let mut all = vec![];
    for job in jobs {
        let Some(before) = known.get(&job.name).or(only) else { continue };
        let changes = diff(before, &Shape::from(job));
        let loses = changes.iter().any(Change::is_loss);
        all.push(JobChanges { job: job.name.clone(), loses, changes });
    }
    if all.is_empty() {
        let names: Vec<_> = known.keys().map(|name| format!("'{name}'")).collect();
        let message = format!("no job of the script is one of those to compare with: {}", names.join(", "));
        return Err(Error::user("unknown-job", message));
    }
    Ok(all)
}

fn shown(args: &ExplainArgs, report: Report) -> Result<String> {
    if args.json {
        let text = serde_json::to_string_pretty(&report);
        return Ok(text.map_err(|e| Error::internal(format!("the report is no JSON: {e}")))? + "\n");
    }
    if args.dot {
        return Ok(report.jobs.iter().map(render::dot).collect());
    }
    if args.mermaid {
        return Ok(report.jobs.iter().map(render::mermaid).collect());
    }
    Ok(match &report.changes {
        Some(changes) => changes.iter().map(changes_text).collect(),
        None => report.jobs.iter().map(render::text).collect::<Vec<_>>().join("\n"),
    })
}

fn changes_text(job: &JobChanges) -> String {
    let mut text = format!("{}\n", job.job);
    if job.changes.is_empty() {
        text.push_str("  nothing changes\n");
    }
    for change in &job.changes {
        let _ = writeln!(text, "  {change}");
    }
    text
}
