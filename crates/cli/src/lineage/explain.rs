//! `headwater lineage explain`.

use super::args::ExplainArgs;
use super::before::{self, Known, KnownJob};
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
    /// Whether there was something to compare it with.
    pub compared: bool,
}

impl JobChanges {
    fn new(job: &str, changes: Vec<Change>) -> Self {
        let loses = changes.iter().any(Change::is_loss);
        Self { job: job.to_owned(), loses, changes, compared: true }
    }
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

/// Each job with the one that it replaces. Jobs of a script that none replaces are lost, with all that they wrote.
pub fn compare(jobs: &[JobLineage], known: &Known) -> Result<Vec<JobChanges>> {
    let shapes: Vec<Shape> = jobs.iter().map(Shape::from).collect();
    let pairs = pairs(jobs, &shapes, known);
    let left: Vec<&KnownJob> = unpaired(&known.jobs, |at| pairs.contains(&Some(at)));
    if pairs.iter().all(Option::is_none) && left.iter().all(|job| !job.is_whole) {
        let names: Vec<_> = known.jobs.iter().map(|job| format!("'{}'", job.name)).collect();
        let message = format!("no job of the script is one of those to compare with: {}", names.join(", "));
        return Err(Error::user("unknown-job", message));
    }
    let mut all = vec![];
    for ((job, shape), pair) in jobs.iter().zip(&shapes).zip(&pairs) {
        let changes = match pair.and_then(|at| known.jobs.get(at)) {
            Some(before) => diff(&before.shape, shape),
            // Of a whole script it is a new one; of some events nothing is known of it.
            None if known.jobs.iter().any(|job| job.is_whole) => diff(&Shape::default(), shape),
            None => continue,
        };
        all.push(JobChanges::new(&job.name, changes));
    }
    for job in left {
        match job.is_whole {
            true => all.push(JobChanges::new(&job.name, diff(&job.shape, &Shape::default()))),
            false => all.push(JobChanges { compared: false, ..JobChanges::new(&job.name, vec![]) }),
        }
    }
    Ok(all)
}

/// For each job the one it replaces: that of its name, else one that writes to the same, else the only one there is for the
/// only one. Each is replaced once.
fn pairs(jobs: &[JobLineage], shapes: &[Shape], known: &Known) -> Vec<Option<usize>> {
    let mut pairs: Vec<Option<usize>> = vec![None; jobs.len()];
    let writes_same = |at: usize, before: &KnownJob| shapes[at].outputs().any(|output| before.shape.writes(output));
    type Rule<'a> = &'a dyn Fn(usize, &KnownJob) -> bool;
    let rules: [Rule<'_>; 3] = [
        // Jobs of one name are told apart by what they write.
        &|at, before| jobs[at].name == before.name && writes_same(at, before),
        &|at, before| jobs[at].name == before.name,
        &writes_same,
    ];
    for rule in rules {
        for at in 0..jobs.len() {
            if pairs[at].is_none() {
                let mut free = (0..known.jobs.len()).filter(|candidate| !pairs.contains(&Some(*candidate)));
                pairs[at] = free.find(|candidate| rule(at, &known.jobs[*candidate]));
            }
        }
    }
    if let ([None], 1) = (pairs.as_slice(), known.jobs.len()) {
        pairs[0] = Some(0);
    }
    pairs
}

fn unpaired(jobs: &[KnownJob], is_paired: impl Fn(usize) -> bool) -> Vec<&KnownJob> {
    jobs.iter().enumerate().filter(|(at, _)| !is_paired(*at)).map(|(_, job)| job).collect()
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
    if !job.compared {
        text.push_str("  not compared: the script has no such job\n");
    } else if job.changes.is_empty() {
        text.push_str("  nothing changes\n");
    }
    for change in &job.changes {
        let _ = writeln!(text, "  {change}");
    }
    text
}
