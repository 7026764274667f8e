//! What Flink has and a native engine cannot, or this cluster does not: each says so.

use crate::answer::{ApiError, Reply};
use crate::call::Call;

/// `/jobs/:jobid/coordinators/..`
pub(super) fn coordinator(call: &Call<'_>) -> Reply {
    call.job()?;
    let uid: String = call.text("operatorUid").chars().take(100).collect();
    Err(ApiError::not_found(format_args!("Operator {uid} has no coordinator that takes Java objects")))
}

/// `/jobs/:jobid/rescaling`
pub(super) fn rescaling(call: &Call<'_>) -> Reply {
    call.job()?;
    match call.query_number::<u32>("parallelism")? {
        None => Err(ApiError::bad_request(
            "Bad request, could not parse parameters: Cannot resolve query parameter (parallelism): it is mandatory.",
        )),
        // Flink answers the same since 1.9.
        Some(_) => Err(rescaling_is_off()),
    }
}

/// `/jobs/:jobid/rescaling/:triggerid`: nothing begins one, and Flink says so, too.
pub(super) fn rescaling_outcome(call: &Call<'_>) -> Reply {
    call.job()?;
    call.id("triggerid")?;
    Err(rescaling_is_off())
}

fn rescaling_is_off() -> ApiError {
    let message = "Rescaling is temporarily disabled. Use PUT /jobs/:jobid/resource-requirements.";
    ApiError::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, message)
}

/// Outcomes of operations that nobody can begin.
pub(super) fn operation(call: &Call<'_>) -> Reply {
    let id = call.id("triggerid")?;
    Err(ApiError::not_found(format_args!("Operation not found under key: {id:032x}")))
}

/// `/datasets/:datasetid`
pub(super) fn data_set(call: &Call<'_>) -> Reply {
    let id = call.id("datasetid")?;
    Err(ApiError::not_found(format_args!("Data set {id:032x} does not exist")))
}
