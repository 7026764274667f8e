//! What changes a job: cancelling, stopping, checkpoints and savepoints.

use super::args::{CheckpointArgs, JobArgs, SavepointArgs, StopArgs};
use super::{Api, job, show, tell};
use headwater_env::Env;
use headwater_types::{Error, Result};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Between two looks at an operation.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Ends a job without output.
pub fn cancel(api: &Api, args: &JobArgs) -> Result<()> {
    let job = job(&args.job)?;
    tell(args.cluster.json, &format!("Cancelling job {job}."));
    api.send(Method::PATCH, &format!("/jobs/{job}?mode=cancel"), None)?;
    show(args.cluster.json, &[format!("Cancelled job {job}.")], &json!({ "job": job }))
}

/// Ends a job behind a savepoint.
pub fn stop(api: &Api, args: &StopArgs) -> Result<()> {
    let (job, json) = (job(&args.job.job)?, args.job.cluster.json);
    tell(json, &format!("Suspending job \"{job}\" with a CANONICAL savepoint."));
    let body = json!({ "drain": args.drain, "targetDirectory": args.savepoint_path });
    let path = format!("/jobs/{job}/savepoints");
    let result = operate(api, &format!("/jobs/{job}/stop"), &body, &path)?;
    completed(json, &result)
}

/// Takes a checkpoint.
pub fn checkpoint(api: &Api, args: &CheckpointArgs) -> Result<()> {
    let (job, json) = (job(&args.job.job)?, args.job.cluster.json);
    tell(json, &format!("Triggering a checkpoint of job {job}."));
    let kind = if args.full { "FULL" } else { "CONFIGURED" };
    let path = format!("/jobs/{job}/checkpoints");
    let result = operate(api, &path, &json!({ "checkpointType": kind }), &path)?;
    show(json, &[format!("Checkpoint completed. Checkpoint id: {}", result["checkpointId"])], &result)
}

/// Takes a savepoint, or removes one.
pub fn savepoint(api: &Api, args: &SavepointArgs) -> Result<()> {
    let json = args.cluster.json;
    if let Some(path) = &args.dispose {
        tell(json, &format!("Disposing savepoint '{path}'."));
        let result = operate(api, "/savepoint-disposal", &json!({ "savepoint-path": path }), "/savepoint-disposal")?;
        return show(json, &[format!("Savepoint '{path}' disposed.")], &result);
    }
    let Some(id) = &args.job else {
        return Err(Error::user("missing-job", "name the job of the savepoint: headwater savepoint JOB [DIRECTORY]"));
    };
    let job = job(id)?;
    tell(json, &format!("Triggering savepoint for job {job}."));
    let path = format!("/jobs/{job}/savepoints");
    let result = operate(api, &path, &json!({ "target-directory": args.directory, "cancel-job": false }), &path)?;
    completed(json, &result)
}

fn completed(json: bool, result: &Value) -> Result<()> {
    let path = result["location"].as_str().unwrap_or_default();
    show(json, &[format!("Savepoint completed. Path: {path}")], result)
}

/// Begins an operation and waits for its result.
fn operate(api: &Api, begin: &str, body: &Value, look: &str) -> Result<Value> {
    let begun = api.send(Method::POST, begin, Some(body))?;
    let id = begun["request-id"].as_str().unwrap_or_default().to_owned();
    let env = Env::real();
    loop {
        let mut outcome = api.get(&format!("{look}/{id}"))?;
        if outcome["status"]["id"] != "COMPLETED" {
            env.clock().pause(LOOK_EVERY);
            continue;
        }
        let result = outcome["operation"].take();
        return match result["failure-cause"]["stack-trace"].as_str() {
            Some(why) => Err(Error::user("operation-failed", format!("the operation failed: {why}"))),
            None => Ok(result),
        };
    }
}
