//! What all producers say in the same way: times, states, tags, parents.

use super::naming;
use crate::event::{Event, Id, Kind, array, child, id, run_id, string};
use crate::facts::{Dependency, Facts, Job, Name, Operation, Run, RunDetails, status};
use serde_json::Value;
use uuid::Uuid;

/// The state an event tells.
pub fn state(kind: Kind) -> i64 {
    match kind {
        Kind::Start | Kind::Running => status::STARTED,
        Kind::Complete => status::SUCCEEDED,
        Kind::Fail => status::FAILED,
        Kind::Abort => status::KILLED,
        Kind::Other => status::UNKNOWN,
    }
}

/// The time of the start, if the event is one.
pub fn started(event: &Event<'_>) -> Option<i64> {
    (event.kind == Kind::Start).then_some(event.at)
}

/// The time of the end, if the event is one.
pub fn ended(event: &Event<'_>) -> Option<i64> {
    matches!(event.kind, Kind::Complete | Kind::Fail | Kind::Abort).then_some(event.at)
}

/// `INTEGRATION_JOBTYPE`, as far as the event has them.
pub fn job_kind(event: &Event<'_>) -> Option<String> {
    let integration = event.integration()?;
    Some(match event.job_type() {
        Some(kind) => format!("{integration}_{kind}"),
        None => integration,
    })
}

/// The run that started this one, and its job.
pub fn parent(event: &Event<'_>) -> Option<(Uuid, Id)> {
    let facet = event.run_facet("parent")?;
    let run = run_id(child(facet, "run")?.get("runId")?, "parent").ok()?;
    Some((run, id(child(facet, "job")?, "parent").ok()?))
}

/// Tags of the run and its job, with the versions of what ran it.
pub fn tags(event: &Event<'_>) -> Vec<(String, String)> {
    let mut tags = vec![];
    if let Some(engine) = event.run_facet("processing_engine") {
        let name = string(engine, "name").unwrap_or_else(|| "engine".into()).to_lowercase();
        let version = |key: &str| string(engine, key).map(|version| version.replace("-SNAPSHOT", ""));
        tags.extend(version("version").map(|v| (format!("{name}.version"), v)));
        tags.extend(version("openlineageAdapterVersion").map(|v| ("openlineage_adapter.version".into(), v)));
    }
    for facet in [event.run_facet("tags"), event.job_facet("tags")].into_iter().flatten() {
        for tag in array(facet, "tags") {
            let Some(key) = string(tag, "key") else { continue };
            let key = if key == "openlineage_client_version" { "openlineage_client.version".into() } else { key };
            tags.push((key, string(tag, "value").unwrap_or_else(|| "true".into())));
        }
    }
    tags.sort();
    tags.dedup();
    tags
}

/// The run of the event itself, without details.
pub fn run(event: &Event<'_>, run: Uuid, job: &Name) -> Run {
    let mut details = RunDetails::default();
    if let Some(nominal) = event.run_facet("nominalTime") {
        details.expected_start_at = string(nominal, "nominalStartTime").as_deref().and_then(crate::event::micros);
        let end = string(nominal, "nominalEndTime").as_deref().and_then(crate::event::micros);
        // A schedule without an interval is told as one that ends when it begins.
        details.expected_end_at = end.filter(|end| details.expected_start_at != Some(*end));
    }
    details.end_reason = event.run_facet("errorMessage").and_then(|e| string(e, "message"));
    details.restored_from = restored_from(event);
    Run {
        id: run,
        job: job.clone(),
        parent: parent(event).map(|(parent, _)| parent).filter(|parent| *parent != run),
        status: state(event.kind),
        started_at: started(event),
        ended_at: ended(event),
        details,
        heard: true,
        declared: false,
    }
}

fn restored_from(event: &Event<'_>) -> Option<Uuid> {
    let facet = ["headwater_restore", "restore"].iter().find_map(|name| event.run_facet(name))?;
    let run = child(facet, "run").and_then(|run| child(run, "runId"));
    let run = run.or_else(|| child(facet, "runId")).or_else(|| child(facet, "fromRunId"))?;
    run_id(run, "restore").ok()
}

/// The job of the event itself.
pub fn job(event: &Event<'_>, name: &Name) -> Job {
    Job {
        name: name.clone(),
        kind: job_kind(event),
        parent: parent(event).map(|(_, job)| naming::job(&job)).filter(|parent| parent != name),
        tags: tags(event),
        description: event.job_facet("documentation").and_then(|d| string(d, "description")),
    }
}

/// The operation whose id is the event's run.
pub fn operation(event: &Event<'_>, id: Uuid, run: Uuid, name: String) -> Operation {
    Operation {
        id,
        run,
        name,
        kind: event.processing_type().filter(|t| t != "NONE").unwrap_or_else(|| "BATCH".into()),
        status: state(event.kind),
        position: None,
        group: None,
        description: None,
        sql: event.job_facet("sql").and_then(|s| string(s, "query")).map(|sql| dedented(&sql)),
        started_at: started(event),
        ended_at: ended(event),
    }
}

/// A statement without the margin that all its lines have, and without blank lines around it.
fn dedented(text: &str) -> String {
    let lines = text.split('\n').filter(|line| !line.trim().is_empty());
    let margins = lines.map(|line| line.len() - line.trim_start_matches([' ', '\t']).len());
    // Of one byte a character.
    let margin = margins.min().unwrap_or(0);
    let cut = text.split('\n').map(|line| if line.trim().is_empty() { "" } else { &line[margin..] });
    cut.collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Adds a parent run that is only mentioned, with its job.
pub fn mention_parent(event: &Event<'_>, facts: &mut Facts) {
    let Some((run, id)) = parent(event) else { return };
    let name = naming::job(&id);
    facts.jobs.push(mentioned_job(&name));
    facts.runs.push(mentioned_run(run, &name));
}

/// A job of which nothing but the name is known.
pub fn mentioned_job(name: &Name) -> Job {
    Job { name: name.clone(), kind: None, parent: None, tags: vec![], description: None }
}

/// A run of which nothing but id and job is known.
pub fn mentioned_run(id: Uuid, job: &Name) -> Run {
    Run {
        id,
        job: job.clone(),
        parent: None,
        status: status::UNKNOWN,
        started_at: None,
        ended_at: None,
        details: RunDetails::default(),
        heard: false,
        declared: false,
    }
}

/// The facet `jobDependencies`.
pub fn dependencies(event: &Event<'_>, own: &Name, facts: &mut Facts) {
    let Some(facet) = event.run_facet("jobDependencies") else { return };
    for (key, upstream) in [("upstream", true), ("downstream", false)] {
        for entry in array(facet, key) {
            let Some(other) = child(entry, "job").and_then(|job| id(job, "dependency").ok()) else { continue };
            depend(own, &naming::job(&other), upstream, dependency_kind(entry), facts);
        }
    }
}

fn dependency_kind(entry: &Value) -> String {
    string(entry, "dependency_type").unwrap_or_else(|| "DIRECT_DEPENDENCY".into())
}

/// Adds a dependency on a job that may not be known yet.
pub fn depend(own: &Name, other: &Name, upstream: bool, kind: String, facts: &mut Facts) {
    if own == other {
        return;
    }
    facts.jobs.push(mentioned_job(other));
    let (from, to) = if upstream { (other, own) } else { (own, other) };
    facts.dependencies.push(Dependency { from: from.clone(), to: to.clone(), kind });
}
