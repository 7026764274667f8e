//! Airflow: a DAG run is a run; a task instance is a run within it and its own operation.

use super::{Profile, common, datasets, naming};
use crate::event::{Event, Id, child, integer, string};
use crate::facts::{Facts, Job, Run};
use serde_json::Value;
use uuid::Uuid;

const PROFILE: Profile =
    Profile { prefer_tables: false, cut_partitions: false, drop_kafka_tables: false, default_type: None };

pub(super) fn dag(event: &Event<'_>, id: Uuid, facts: &mut Facts) {
    let name = naming::job(&event.job);
    let mut run = common::run(event, id, &name);
    let facet = event.run_facet("airflowDagRun");
    if let Some(facet) = facet {
        dag_run_details(facet, &mut run);
        run.details.persistent_log_url = dag_url(event, facet);
    }
    common::mention_parent(event, facts);
    let mut job = common::job(event, &name);
    job.tags.extend(facet.map(dag_tags).unwrap_or_default());
    facts.jobs.push(job);
    facts.runs.push(run);
    common::dependencies(event, &name, facts);
}

pub(super) fn task(event: &Event<'_>, id: Uuid, facts: &mut Facts) {
    let name = naming::job(&event.job);
    let mut run = common::run(event, id, &name);
    let mut operation = common::operation(event, id, id, event.job.name.clone());
    common::mention_parent(event, facts);
    let mut job = common::job(event, &name);
    if let Some(facet) = event.run_facet("airflow") {
        dag_run_details(facet, &mut run);
        run.details.attempt = child(facet, "taskInstance").and_then(|t| string(t, "try_number"));
        run.details.persistent_log_url = task_url(event, facet);
        job.tags.extend(dag_tags(facet));
        if let Some(task) = child(facet, "task") {
            if let Some(task_id) = string(task, "task_id") {
                neighbours(event, task, &job, &task_id, facts);
                operation.name = task_id;
            }
            operation.description = string(task, "operator_class");
            operation.group = child(task, "task_group").and_then(|g| string(g, "group_id"));
        }
        operation.position = child(facet, "taskInstance").and_then(|t| integer(t, "map_index"));
    } else if let Some((_, parent)) = common::parent(event) {
        // Events at the end of a task lack the facet, but its name is known all the same.
        if let Some(task_id) = event.job.name.strip_prefix(&format!("{}.", parent.name)) {
            operation.name = task_id.to_owned();
        }
    }
    facts.jobs.push(job);
    facts.runs.push(run);
    facts.operation = Some(operation);
    datasets::extract(event, &PROFILE, facts);
    common::dependencies(event, &name, facts);
}

fn dag_run_details(facet: &Value, run: &mut Run) {
    let details = &mut run.details;
    if let Some(dag_run) = child(facet, "dagRun") {
        details.external_id = string(dag_run, "run_id");
        let manual = string(dag_run, "run_type").as_deref() == Some("manual");
        details.start_reason = Some(if manual { "MANUAL" } else { "AUTOMATIC" }.to_owned());
    }
    let owner = child(facet, "task").and_then(|t| string(t, "owner"));
    let owner = owner.or_else(|| child(facet, "dag").and_then(|d| string(d, "owner")));
    // The default owner is nobody.
    details.user = owner.filter(|owner| owner != "airflow" && owner != "***");
}

/// Tags of a DAG are texts; `key:value` is read as such.
fn dag_tags(facet: &Value) -> Vec<(String, String)> {
    let tags = child(facet, "dag").and_then(|dag| child(dag, "tags"));
    let texts: Vec<String> = match tags {
        Some(Value::Array(all)) => all.iter().filter_map(|t| t.as_str().map(crate::event::clean)).collect(),
        Some(Value::String(text)) => list_of_text(text),
        _ => vec![],
    };
    let pairs = texts.iter().filter_map(|t| t.split_once(':'));
    pairs.filter(|(k, v)| !k.is_empty() && !v.is_empty()).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// `['a', 'b']`, as Python writes a list.
fn list_of_text(text: &str) -> Vec<String> {
    let inner = text.trim().trim_start_matches(['[', '{']).trim_end_matches([']', '}']);
    let parts = inner.split(',').map(|part| part.trim().trim_matches(['\'', '"']));
    parts.filter(|part| !part.is_empty()).map(crate::event::clean).collect()
}

/// Tasks before and after this one, in the same DAG.
fn neighbours(event: &Event<'_>, task: &Value, own: &Job, task_id: &str, facts: &mut Facts) {
    let dag = event.job.name.strip_suffix(task_id).map_or("", |dag| dag.trim_end_matches('.'));
    for (key, upstream) in [("upstream_task_ids", true), ("downstream_task_ids", false)] {
        for other in string(task, key).map(|text| list_of_text(&text)).unwrap_or_default() {
            let name = if dag.is_empty() { other } else { format!("{dag}.{other}") };
            let other = naming::job(&Id { namespace: event.job.namespace.clone(), name });
            common::depend(&own.name, &other, upstream, "DIRECT_DEPENDENCY".into(), facts);
            let (kind, parent) = (own.kind.clone(), own.parent.clone());
            facts.jobs.push(Job { kind, parent, ..common::mentioned_job(&other) });
        }
    }
}

/// Major and minor version of Airflow; an unknown one counts as 2.9.
fn version(event: &Event<'_>) -> (u32, u32) {
    let text = event.run_facet("processing_engine").and_then(|e| string(e, "version")).unwrap_or_default();
    let mut parts = text.split('.').map_while(|part| part.parse().ok());
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => (major, minor),
        _ => (2, 9),
    }
}

fn ids(facet: &Value) -> Option<(String, String)> {
    let dag_id = child(facet, "dag").and_then(|d| string(d, "dag_id"))?;
    let run_id = child(facet, "dagRun").and_then(|r| string(r, "run_id"))?;
    Some((escape(&dag_id), escape(&run_id)))
}

fn site<'a>(event: &'a Event<'_>) -> Option<&'a str> {
    let namespace = event.job.namespace.trim_end_matches('/');
    namespace.starts_with("http").then_some(namespace)
}

fn dag_url(event: &Event<'_>, facet: &Value) -> Option<String> {
    let (site, (dag, run)) = (site(event)?, ids(facet)?);
    Some(match version(event) {
        (3.., _) => format!("{site}/dags/{dag}/runs/{run}"),
        (2, 3..) => format!("{site}/dags/{dag}/grid?dag_run_id={run}"),
        _ => format!("{site}/graph?dag_id={dag}&run_id={run}"),
    })
}

fn task_url(event: &Event<'_>, facet: &Value) -> Option<String> {
    // Newer versions say it themselves.
    if let Some(url) = child(facet, "taskInstance").and_then(|t| string(t, "log_url")) {
        return Some(url);
    }
    let (site, (dag, run)) = (site(event)?, ids(facet)?);
    let task = escape(&child(facet, "task").and_then(|t| string(t, "task_id"))?);
    let instance = child(facet, "taskInstance");
    let attempt = instance.and_then(|t| string(t, "try_number")).unwrap_or_else(|| "1".into());
    let mapped = instance.and_then(|t| integer(t, "map_index")).filter(|index| *index >= 0);
    Some(match version(event) {
        (3.., _) => {
            let mapped = mapped.map(|index| format!("/mapped/{index}")).unwrap_or_default();
            format!("{site}/dags/{dag}/runs/{run}/tasks/{task}{mapped}?try_number={attempt}")
        }
        (2, 9..) => {
            let mapped = mapped.unwrap_or(-1);
            format!("{site}/dags/{dag}/grid?tab=logs&dag_run_id={run}&task_id={task}&map_index={mapped}")
        }
        _ => format!("{site}/log?dag_id={dag}&task_id={task}&execution_date={}", execution_date(facet)),
    })
}

fn execution_date(facet: &Value) -> String {
    let start = child(facet, "dagRun").and_then(|r| string(r, "data_interval_start"));
    start.map(|text| escape(&text)).unwrap_or_default()
}

/// Percent-encodes what has a meaning in URLs.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
