//! Uploading, planning and running SQL scripts, at the paths where Flink has jars.

use crate::answer::{Answer, ApiError, Reply};
use crate::call::{Call, unresolved};
use crate::cluster::{ScriptOptions, Scripts};
use crate::messages::cluster as messages;
use crate::messages::job::{PlanBody, ScriptRequest};
use crate::multipart;
use crate::views;
use axum::http::StatusCode;
use headwater_types::config::PARALLELISM_DEFAULT;

/// `/jars`: the scripts there are.
pub(super) fn list(call: &Call<'_>) -> Reply {
    let script = |script: std::sync::Arc<crate::uploads::Script>| messages::Jar {
        id: script.id.clone(),
        name: script.name.clone(),
        uploaded: script.uploaded_ms,
        entry: vec![messages::JarEntry { name: "SQL script".to_owned(), description: None }],
    };
    let files = call.state.uploads.list().into_iter().map(script).collect();
    Answer::json(&messages::Jars { address: format!("http://{}", call.state.options.bind), files })
}

/// `POST /jars/upload`
pub(super) fn upload(call: &Call<'_>) -> Reply {
    offered(call)?;
    let file = multipart::file(&call.content_type, call.body)?;
    let cluster = &call.state.cluster;
    let script = call.state.uploads.add(&file.name, file.content, cluster.random_id(), cluster.now_ms())?;
    Answer::json(&messages::JarUpload { filename: format!("/{}", script.id), status: "success" })
}

/// `DELETE /jars/:jarid`
pub(super) fn remove(call: &Call<'_>) -> Reply {
    call.state.uploads.remove(call.text("jarid"))?;
    call.done()
}

/// `/jars/:jarid/plan`: that of the first job.
pub(super) fn plan(call: &Call<'_>) -> Reply {
    let script = call.state.uploads.find(call.text("jarid"))?;
    let jobs = offered(call)?.plan(&script.text, &options(call)?)?;
    let first = jobs.first().ok_or_else(no_job)?;
    Answer::json(&PlanBody { plan: views::job::plan_of(first, &format!("{:032x}", 0)) })
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

/// Runs a script; the id of its first job.
fn first_job(call: &Call<'_>) -> Result<String, ApiError> {
    let script = call.state.uploads.find(call.text("jarid"))?;
    let jobs = offered(call)?.run(&script.text, &options(call)?)?;
    tracing::info!(script = script.name, jobs = jobs.len(), "a script was run");
    jobs.first().map(ToString::to_string).ok_or_else(no_job)
}

fn no_job() -> ApiError {
    ApiError::bad_request("The script has no job: expected an INSERT INTO.")
}

/// Scripts reach whatever this process can reach: they are taken from known people only, and only where that is wanted.
fn offered<'a>(call: &'a Call<'_>) -> Result<&'a dyn Scripts, ApiError> {
    let options = &call.state.options;
    let refused = |why: &str| Err(ApiError::new(StatusCode::FORBIDDEN, why));
    if !options.scripts {
        return refused("Running uploaded scripts is off: set 'web.submit.enable' to true, and a token.");
    }
    if !options.is_secured() {
        let key = "headwater.rest.authentication.token";
        return refused(&format!("Running uploaded scripts needs authentication: set '{key}', or mutual TLS."));
    }
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
