//! What Flink has and a native engine cannot, or this cluster does not: each says so.

use crate::answer::{Answer, ApiError, Reply};
use crate::call::Call;
use crate::messages::cluster::Jars;

/// `/jars`: there are none.
pub(super) fn jars(call: &Call<'_>) -> Reply {
    Answer::json(&Jars { address: format!("http://{}", call.state.options.bind), files: vec![] })
}

/// `/jars/:jarid/..`
pub(super) fn jar(call: &Call<'_>) -> Reply {
    let name: String = call.text("jarid").chars().take(100).collect();
    Err(ApiError::not_found(format_args!("Jar file {name} does not exist")))
}

/// `/jars/upload`
pub(super) fn jar_upload(_call: &Call<'_>) -> Reply {
    Err(ApiError::not_here("Jars hold programs for a JVM, which there is none of here; submit SQL instead"))
}

/// `POST /jobs`
pub(super) fn submission(_call: &Call<'_>) -> Reply {
    Err(ApiError::not_here("Serialized Java job graphs cannot be read; submit SQL instead"))
}

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
        Some(_) => Err(ApiError::new(
            axum::http::StatusCode::SERVICE_UNAVAILABLE,
            "Rescaling is temporarily disabled. Use PUT /jobs/:jobid/resource-requirements.",
        )),
    }
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
