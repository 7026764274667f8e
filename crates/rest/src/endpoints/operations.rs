//! What is begun by one request and looked at by others: checkpoints, savepoints, their removal.

use crate::answer::{Answer, ApiError, Reply};
use crate::call::{Call, hex, unresolved};
use crate::cluster::RequestKind;
use crate::messages::job as requests;
use crate::messages::{OperationResult, OperationStatus, QueueStatus, Triggered};
use crate::triggers::{About, Operation, Outcome};
use crate::views::job::failure_cause;
use axum::http::StatusCode;

/// `POST /jobs/:jobid/checkpoints`
pub(super) fn checkpoint(call: &Call<'_>) -> Reply {
    let request: requests::CheckpointRequest = call.body("CheckpointTriggerRequestBody")?;
    let job = call.job()?.summary.job;
    store(call, About::Checkpoint(job), request.trigger_id, RequestKind::Checkpoint)
}

/// `POST /jobs/:jobid/savepoints`
pub(super) fn savepoint(call: &Call<'_>) -> Reply {
    let request: requests::SavepointRequest = call.body("SavepointTriggerRequestBody")?;
    let job = call.job()?;
    let directory = directory(&job, request.target_directory)?;
    let kind = match request.cancel_job.unwrap_or(false) {
        true => RequestKind::Stop { directory, drain: false },
        false => RequestKind::Savepoint { directory },
    };
    store(call, About::Savepoint(job.summary.job), request.trigger_id, kind)
}

/// `POST /jobs/:jobid/stop`
pub(super) fn stop(call: &Call<'_>) -> Reply {
    let request: requests::StopRequest = call.body("StopWithSavepointRequestBody")?;
    let job = call.job()?;
    let directory = directory(&job, request.target_directory)?;
    let kind = RequestKind::Stop { directory, drain: request.drain.unwrap_or(false) };
    store(call, About::Savepoint(job.summary.job), request.trigger_id, kind)
}

/// `POST /savepoint-disposal`
pub(super) fn dispose(call: &Call<'_>) -> Reply {
    let request: requests::DisposalRequest = call.body("SavepointDisposalRequest")?;
    let path = request.savepoint_path.filter(|path| !path.trim().is_empty());
    let path = path.ok_or_else(|| ApiError::bad_request("Field savepoint-path must not be omitted or be null."))?;
    let id = call.state.cluster.random_id();
    let begin = || Ok(Operation::Do(call.state.cluster.dispose(&path)?));
    call.state.triggers.begin(About::Disposal, id, begin)?;
    Answer::json(&Triggered { request_id: format!("{id:032x}") })
}

/// The directory that was asked for; none is needed when one is configured.
fn directory(job: &crate::cluster::JobDetails, asked: Option<String>) -> Result<Option<String>, ApiError> {
    let asked = asked.filter(|directory| !directory.trim().is_empty());
    let settings = headwater_checkpoint::Settings::from_config(&job.summary.graph.config)?;
    if asked.is_none() && settings.savepoint_directory.is_none() {
        let message = "Config key [execution.checkpointing.savepoint-dir] is not set. Property [target-directory] \
                       must be provided.";
        return Err(ApiError::bad_request(message));
    }
    Ok(asked)
}

fn store(call: &Call<'_>, about: About, asked: Option<String>, kind: RequestKind) -> Reply {
    let (About::Checkpoint(job) | About::Savepoint(job)) = about else {
        return Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "only jobs have checkpoints"));
    };
    let id = match &asked {
        Some(text) => hex(text).ok_or_else(|| unresolved("body", "triggerId", text))?,
        None => call.state.cluster.random_id(),
    };
    let begin = || Ok(Operation::Store(call.state.cluster.request_checkpoint(job, kind)?));
    call.state.triggers.begin(about, id, begin)?;
    Answer::accepted(&Triggered { request_id: format!("{id:032x}") })
}

/// `/jobs/:jobid/checkpoints/:triggerid`
pub(super) fn checkpoint_outcome(call: &Call<'_>) -> Reply {
    outcome(call, About::Checkpoint(call.job_id()?))
}

/// `/jobs/:jobid/savepoints/:triggerid`
pub(super) fn savepoint_outcome(call: &Call<'_>) -> Reply {
    outcome(call, About::Savepoint(call.job_id()?))
}

/// `/savepoint-disposal/:triggerid`
pub(super) fn disposal_outcome(call: &Call<'_>) -> Reply {
    outcome(call, About::Disposal)
}

fn outcome(call: &Call<'_>, about: About) -> Reply {
    let id = call.id("triggerid")?;
    let Some(outcome) = call.state.triggers.outcome(about, id) else {
        let message = format_args!("There is no savepoint operation with triggerId={id:032x}.").to_string();
        return Err(ApiError::not_found(message));
    };
    let operation = outcome.as_ref().map(|outcome| match (outcome, about) {
        (Outcome::Stored(stored), About::Checkpoint(_)) => {
            OperationResult { checkpoint_id: Some(stored.checkpoint), ..OperationResult::default() }
        }
        (Outcome::Stored(stored), _) => {
            OperationResult { location: Some(stored.path.clone()), ..OperationResult::default() }
        }
        (Outcome::Done, _) => OperationResult::default(),
        (Outcome::Failed(error), _) => {
            OperationResult { failure_cause: Some(failure_cause(error)), ..OperationResult::default() }
        }
    });
    Answer::json(&OperationStatus { status: QueueStatus::of(operation.is_some()), operation })
}
