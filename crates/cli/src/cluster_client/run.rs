//! `headwater run`, `run-application` and `info`: the jobs of a script on a cluster.
//!
//! `run` plans here and submits plans, as Flink's `run` does with the graph of a program; `run-application` hands the
//! script to the cluster, which plans it. Whoever waits sees how a job goes on; an interrupt ends the waiting, not the
//! job.

use super::args::{InfoArgs, RunArgs};
use super::watch::Watch;
use super::{Api, plan_file, show, tell};
use crate::rest::graphs;
use headwater_plan::JobGraph;
use headwater_types::config::{Configuration, PARALLELISM_DEFAULT};
use headwater_types::{Error, Result};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Submits the jobs of a script and waits for their ends.
pub fn run(api: &Api, args: &RunArgs, config: &Configuration) -> Result<()> {
    let json = args.cluster.json;
    let mut jobs = vec![];
    let submit = |graph: JobGraph| -> Result<()> {
        let answer = api.submit(headwater_plan::encode(&graph)?)?;
        let id = answer["jobUrl"].as_str().unwrap_or_default().trim_start_matches("/jobs/").to_owned();
        tell(json, &format!("Job has been submitted with JobID {id}"));
        jobs.push(id);
        Ok(())
    };
    each_job(args, config, submit)?;
    follow(api, args, &jobs)
}

/// Hands a script to the cluster and waits for the end of its first job.
pub fn run_application(api: &Api, args: &RunArgs) -> Result<()> {
    // Plans are text as well.
    let script = crate::sql::read_script(&args.script.file)?;
    let name =
        args.script.file.file_name().map_or_else(|| "script".to_owned(), |name| name.to_string_lossy().into_owned());
    let is_known = name.ends_with(".sql") || plan_file::is_one(&args.script.file);
    let uploaded = api.upload(&if is_known { name } else { format!("{name}.sql") }, &script)?;
    let path = uploaded["filename"].as_str().unwrap_or_default();
    let id = path.rsplit('/').next().unwrap_or_default();
    // The values of the command line; those of this machine's file are not the cluster's.
    let own: Map<String, Value> =
        args.cluster.config.define.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect();
    let body = json!({
        "parallelism": args.parallelism,
        "savepointPath": args.from_savepoint,
        "allowNonRestoredState": args.allow_non_restored_state.then_some(true),
        "flinkConfiguration": own,
    });
    let begun = api.send(Method::POST, &format!("/jars/{id}/run-application"), Some(&body));
    // The cluster keeps no script that has been run.
    let removed = api.send(Method::DELETE, &format!("/jars/{id}"), None);
    let job = begun?["applicationid"].as_str().unwrap_or_default().to_owned();
    removed?;
    tell(args.cluster.json, &format!("Job has been submitted with JobID {job}"));
    follow(api, args, &[job])
}

/// Shows the plans of a script's jobs.
pub fn info(args: &InfoArgs, config: &Configuration) -> Result<()> {
    let script = crate::sql::read_script(&args.script.file)?;
    let mut config = config.clone();
    if let Some(parallelism) = args.parallelism {
        config.set(PARALLELISM_DEFAULT.name, parallelism.to_string());
    }
    let (mut lines, mut plans, mut planned) = (vec![], vec![], vec![]);
    graphs(&script, config, &mut warn, |graph| {
        let plan = headwater_rest::plan(&graph)?;
        lines.push("----------------------- Execution Plan -----------------------".to_owned());
        lines.push(format!("{plan:#}"));
        lines.push("--------------------------------------------------------------".to_owned());
        plans.push(plan);
        planned.push(graph);
        Ok(())
    })?;
    if let Some(path) = &args.output {
        plan_file::write(path, &planned)?;
    }
    match plans.is_empty() {
        true => Err(no_job(&args.script.file)),
        false => show(args.json, &lines, &json!({ "plans": plans })),
    }
}

/// Hands every job of a script, or that of a plan, to `take`.
fn each_job(args: &RunArgs, config: &Configuration, mut take: impl FnMut(JobGraph) -> Result<()>) -> Result<()> {
    if !plan_file::is_one(&args.script.file) {
        let script = crate::sql::read_script(&args.script.file)?;
        return graphs(&script, configured(args, config), &mut warn, take);
    }
    if args.parallelism.is_some() {
        let message = "a plan has its parallelism: leave '-p' out, or run the script that it was made of";
        return Err(Error::user("bad-option", message));
    }
    let mut graph = plan_file::read(&args.script.file)?;
    // The values of the command line; those of this machine's file went into the plan where it was made.
    let mut own = Configuration::new();
    args.cluster.config.define.iter().for_each(|(key, value)| own.set(key, value));
    graph.config.merge(&configured(args, &own));
    take(graph)
}

/// What the command line says over the configuration.
fn configured(args: &RunArgs, config: &Configuration) -> Configuration {
    let mut config = config.clone();
    if let Some(parallelism) = args.parallelism {
        config.set(PARALLELISM_DEFAULT.name, parallelism.to_string());
    }
    if let Some(path) = &args.from_savepoint {
        config.set("execution.state-recovery.path", path);
    }
    if args.allow_non_restored_state {
        config.set("execution.state-recovery.ignore-unclaimed-state", "true");
    }
    config
}

fn follow(api: &Api, args: &RunArgs, jobs: &[String]) -> Result<()> {
    if jobs.is_empty() {
        return Err(no_job(&args.script.file));
    }
    if args.detached {
        return show(args.cluster.json, &[], &json!({ "jobs": jobs }));
    }
    let mut ended = vec![];
    for job in jobs {
        ended.push(Watch::new(api, job, !args.cluster.json).wait()?);
    }
    let lines: Vec<String> = ended.iter().map(|job| job.line.clone()).collect();
    let documents: Vec<&Value> = ended.iter().map(|job| &job.document).collect();
    show(args.cluster.json, &lines, &json!({ "jobs": documents }))?;
    match ended.iter().find(|job| !job.is_success) {
        Some(job) => Err(Error::user("job-failed", job.line.clone())),
        None => Ok(()),
    }
}

fn no_job(path: &Path) -> Error {
    Error::user("no-job", format!("{} has no job: expected an INSERT INTO", path.display()))
}

fn warn(warning: &str) {
    crate::complain(format_args!("[WARNING] {warning}"));
}
