//! Operations and the pages of their results.

use super::VERSIONS;
use crate::call::{Call, unknown_operation};
use crate::encode::{RowFormat, push_results};
use crate::errors::{refused, server_side};
use crate::messages::StatusOf;
use crate::operation::{Description, Fetched, NoPage, Operation, Page, Status};
use headwater_rest::{Answer, ApiError, Reply, StatusCode, unresolved};
use std::time::Duration;

/// How long an answer waits for a statement to be executed, or for the first row of a page.
const PATIENCE: Duration = Duration::from_millis(50);

/// `GET /sessions/:session_handle/operations/:operation_handle/status`
pub(super) fn status(call: &Call<'_>) -> Reply {
    answer(call.operation("getOperationInfo")?.status())
}

/// `POST /sessions/:session_handle/operations/:operation_handle/cancel`
pub(super) fn cancel(call: &Call<'_>) -> Reply {
    let operation = call.operation("cancelOperation")?;
    match operation.end(Status::Canceled) {
        Ok(()) => answer(Status::Canceled),
        Err(status) => {
            let (status, handle) = (status.name(), operation.handle);
            let why = format!("Failed to convert the Operation Status from {status} to CANCELED for {handle}.");
            Err(refused(StatusCode::CONFLICT, "cancelOperation", &why))
        }
    }
}

/// `DELETE /sessions/:session_handle/operations/:operation_handle/close`
pub(super) fn close(call: &Call<'_>) -> Reply {
    let handle = call.operation_handle()?;
    match call.session("closeOperation")?.close_operation(handle) {
        true => answer(Status::Closed),
        false => Err(unknown_operation(handle, "closeOperation")),
    }
}

fn answer(status: Status) -> Reply {
    Answer::json(&StatusOf { status: status.name().to_owned() })
}

/// `GET /sessions/:session_handle/operations/:operation_handle/result/:token`
pub(super) fn result(call: &Call<'_>) -> Reply {
    let text = call.text("token");
    let token: i64 = text.parse().map_err(|_| unresolved("path", "token", text))?;
    let name = call.query("rowFormat").unwrap_or(RowFormat::Json.name());
    let format = RowFormat::parse(name).ok_or_else(|| unresolved("query", "rowFormat", name))?;
    let operation = call.operation("fetchResults")?;
    let token = u64::try_from(token).map_err(|_| wrong_token(&operation, token, "0"))?;
    match operation.fetch(token, PATIENCE) {
        Ok(Page::NotReady) => {
            let next = next_uri(call, token, format)?;
            Answer::json_text(format!("{{\"resultType\":\"NOT_READY\",\"nextResultUri\":\"{next}\"}}"))
        }
        Ok(Page::Ready(description, fetched)) => page(call, token, format, &description, &fetched),
        Err(error) => Err(no_page(&operation, token, error)),
    }
}

fn page(call: &Call<'_>, token: u64, format: RowFormat, description: &Description, fetched: &Fetched) -> Reply {
    let mut out = String::with_capacity(256);
    let result = if fetched.is_end { "EOS" } else { "PAYLOAD" };
    out.push_str(&format!("{{\"resultType\":\"{result}\",\"isQueryResult\":{}", description.is_query));
    if let Some(job) = description.job {
        out.push_str(&format!(",\"jobID\":\"{job}\""));
    }
    let kind = if description.is_plain_success { "SUCCESS" } else { "SUCCESS_WITH_CONTENT" };
    out.push_str(&format!(",\"resultKind\":\"{kind}\",\"results\":"));
    push_results(&mut out, &description.columns, &fetched.batches, format, description.zone)?;
    if !fetched.is_end {
        out.push_str(&format!(",\"nextResultUri\":\"{}\"", next_uri(call, token.saturating_add(1), format)?));
    }
    out.push('}');
    Answer::json_text(out)
}

/// Where the page of a token is, by the version that the client uses.
fn next_uri(call: &Call<'_>, token: u64, format: RowFormat) -> Result<String, ApiError> {
    let (session, operation) = (call.session_handle()?, call.operation_handle()?);
    let version = call.version.unwrap_or(*VERSIONS.end());
    let format = match version {
        1 => String::new(),
        _ => format!("?rowFormat={}", format.name()),
    };
    Ok(format!("/v{version}/sessions/{session}/operations/{operation}/result/{token}{format}"))
}

fn no_page(operation: &Operation, token: u64, error: NoPage) -> ApiError {
    match error {
        NoPage::Failed(failure) => failure.refusal(operation.handle),
        NoPage::WrongToken(wrong) => {
            let expected = match wrong.expected {
                0 => "0".to_owned(),
                next => format!("{next} or {}", next - 1),
            };
            wrong_token(operation, i64::try_from(token).unwrap_or(i64::MAX), &expected)
        }
        NoPage::Over(status) => {
            let why = format!("The operation {} has no results any more: it is {}.", operation.handle, status.name());
            server_side(&format!("org.apache.flink.table.gateway.api.utils.SqlGatewayException: {why}"))
        }
    }
}

fn wrong_token(operation: &Operation, token: i64, expected: &str) -> ApiError {
    let handle = operation.handle;
    let why = format!("Expecting token to be {expected}, but found {token} for the operation {handle}.");
    let text = "org.apache.flink.table.gateway.api.utils.SqlGatewayException: Failed to fetchResults.\nCaused by: \
                org.apache.flink.table.gateway.api.utils.SqlGatewayException: ";
    server_side(&format!("{text}{why}"))
}
