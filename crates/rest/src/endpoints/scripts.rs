//! Uploading, planning and running SQL scripts and job plans, at the paths where Flink has jars.

use crate::answer::{Answer, ApiError, Reply};
use crate::call::{Call, unresolved};
use crate::cluster::{ScriptOptions, Scripts};
use crate::messages::cluster as messages;
use crate::messages::job::{PlanBody, ScriptRequest};
use crate::multipart;
use crate::uploads::{Content, Upload};
use crate::views;
use axum::http::StatusCode;
use headwater_plan::JobGraph;
use headwater_types::config::{PARALLELISM_DEFAULT, PIPELINE_NAME};
use headwater_types::ids::JobId;
use std::sync::Arc;

/// `/jars`: the uploads there are.
pub(super) fn list(call: &Call<'_>) -> Reply {
    let jar = |upload: Arc<Upload>| {
        let entry = match upload.content {
            Content::Script(_) => "SQL script",
            Content::Plan(_) => "Job plan",
        };
        messages::Jar {
            id: upload.id.clone(),
            name: upload.name.clone(),
            uploaded: upload.uploaded_ms,
            entry: vec![messages::JarEntry { name: entry.to_owned(), description: None }],
        }
    };
    let files = call.state.uploads.list().into_iter().map(jar).collect();
    Answer::json(&messages::Jars { address: format!("http://{}", call.state.options.bind), files })
}

/// `POST /jars/upload`
pub(super) fn upload(call: &Call<'_>) -> Reply {
    permitted(call)?;
    let file = multipart::file(&call.content_type, call.body)?;
    let cluster = &call.state.cluster;
    let upload = call.state.uploads.add(&file.name, file.content, cluster.random_id(), cluster.now_ms())?;
    Answer::json(&messages::JarUpload { filename: format!("/{}", upload.id), status: "success" })
}

/// `DELETE /jars/:jarid`
pub(super) fn remove(call: &Call<'_>) -> Reply {
    call.state.uploads.remove(call.text("jarid"))?;
    call.done()
}

/// `/jars/:jarid/plan`: that of the first job.
pub(super) fn plan(call: &Call<'_>) -> Reply {
    let upload = call.state.uploads.find(call.text("jarid"))?;
    permitted(call)?;
    let options = options(call)?;
    let planned;
    let graph: &JobGraph = match &upload.content {
        Content::Plan(graph) => graph,
        Content::Script(text) => {
            planned = planner(call)?.plan(text, &options)?;
            planned.first().ok_or_else(no_job)?
        }
    };
    Answer::json(&PlanBody { plan: views::job::plan_of(graph, &format!("{:032x}", 0)) })
}

/// `POST /jars/:jarid/run`
pub(super) fn run(call: &Call<'_>) -> Reply {
    let id = first_job(call)?;
    Answer::json(&messages::JarRun { jobid: id.clone(), application_id: id })
}

/// `POST /jars/:jarid/run-application`: a job is an application.
pub(super) fn run_application(call: &Call<'_>) -> Reply {
    Answer::accepted(&messages::JarRunApplication { applicationid: first_job(call)? })
}

/// Runs a script or a plan; the id of its first job.
fn first_job(call: &Call<'_>) -> Result<String, ApiError> {
    let upload = call.state.uploads.find(call.text("jarid"))?;
    permitted(call)?;
    let options = options(call)?;
    let jobs = match &upload.content {
        Content::Script(text) => planner(call)?.run(text, &options)?,
        Content::Plan(graph) => vec![submit(call, graph, &options)?],
    };
    tracing::info!(upload = upload.name, jobs = jobs.len(), "an upload was run");
    jobs.first().map(ToString::to_string).ok_or_else(no_job)
}

/// Submits a plan with other configuration. Its parallelism is part of it.
fn submit(call: &Call<'_>, graph: &JobGraph, options: &ScriptOptions) -> Result<JobId, ApiError> {
    if options.config.get(PARALLELISM_DEFAULT.name).is_some() {
        let message = "A plan has its parallelism: plan the job anew, or set other bounds of the running job by PUT \
                       /jobs/:jobid/resource-requirements.";
        return Err(ApiError::bad_request(message));
    }
    let mut graph = graph.clone();
    options.config.iter().for_each(|(key, value)| graph.config.set(key, value));
    if let Some(name) = options.config.get(PIPELINE_NAME.name) {
        graph.name = name.to_owned();
    }
    let pending = call.state.cluster.submit(headwater_plan::encode(&graph)?)?;
    Ok(pending.wait(call.state.options.answer_timeout)??)
}

fn no_job() -> ApiError {
    ApiError::bad_request("The script has no job: expected an INSERT INTO.")
}

/// Jobs reach whatever this process can reach: they are taken from known people only, and only where that is wanted.
fn permitted(call: &Call<'_>) -> Result<(), ApiError> {
    let options = &call.state.options;
    let refused = |why: &str| Err(ApiError::new(StatusCode::FORBIDDEN, why));
    if !options.scripts {
        return refused("Running what is uploaded is off: set 'web.submit.enable' to true, and a token.");
    }
    if !options.is_secured() {
        let key = "headwater.rest.authentication.token";
        return refused(&format!("Running what is uploaded needs authentication: set '{key}', or mutual TLS."));
    }
    Ok(())
}

/// Who plans scripts.
fn planner<'a>(call: &'a Call<'_>) -> Result<&'a dyn Scripts, ApiError> {
    let scripts = call.state.cluster.scripts();
    scripts.ok_or_else(|| ApiError::not_here("This process does not plan SQL; submit jobs to a JobManager"))
}

/// What the request asks for, in the body or, as older clients do, in the query.
fn options(call: &Call<'_>) -> Result<ScriptOptions, ApiError> {
    let request: ScriptRequest = call.body("JarRunRequestBody")?;
    if request.program_args_list.iter().flatten().chain(&request.entry_class).any(|text| !text.is_empty()) {
        return Err(ApiError::bad_request("A script has no entry class and no arguments: use SET statements in it."));
    }
    let mut options = ScriptOptions::default();
    let config = &mut options.config;
    request.flink_configuration.iter().flatten().for_each(|(key, value)| config.set(key, value));
    if let Some(parallelism) = request.parallelism.or(call.query_number("parallelism")?) {
        config.set(PARALLELISM_DEFAULT.name, parallelism.to_string());
    }
    if let Some(path) = request.savepoint_path.as_deref().or(call.query("savepointPath")) {
        config.set("execution.state-recovery.path", path);
    }
    let leaves_state = match call.query("allowNonRestoredState") {
        None => request.allow_non_restored_state,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(other) => return Err(unresolved("query", "allowNonRestoredState", other)),
    };
    if let Some(leaves_state) = leaves_state {
        config.set("execution.state-recovery.ignore-unclaimed-state", leaves_state.to_string());
    }
    if let Some(mode) = request.claim_mode.or(request.restore_mode) {
        config.set("execution.state-recovery.claim-mode", mode);
    }
    Ok(options)
}
