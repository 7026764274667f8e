//! Refusals in the shape of Flink's gateway, with our sentences in them.
//!
//! Clients show either the last entry of `errors` or all of them, and look for the classes of exceptions that Flink's
//! gateway names; so those are named here as well, without their stack traces.

use headwater_rest::{ApiError, StatusCode};
use headwater_sql::SqlError;
use headwater_types::ErrorKind;
use uuid::Uuid;

/// Why a statement failed, as its client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Flink's exception for it.
    pub(crate) exception: &'static str,
    /// What is wrong, with its place in the statement.
    pub(crate) message: String,
}

impl Failure {
    /// The failure of a statement with this text.
    pub(crate) fn of(error: &SqlError, statement: &str) -> Self {
        let exception = match error.kind {
            ErrorKind::User => "org.apache.flink.table.api.ValidationException",
            ErrorKind::Unsupported => "org.apache.flink.table.api.TableException",
            ErrorKind::Cancelled => "java.util.concurrent.CancellationException",
            _ => "org.apache.flink.util.FlinkException",
        };
        Self { exception, message: error.render(statement) }
    }

    /// The refusal that tells it.
    pub(crate) fn refusal(&self, operation: Uuid) -> ApiError {
        let Self { exception, message } = self;
        server_side(&format!(
            "org.apache.flink.table.gateway.service.utils.SqlExecutionException: Failed to execute the operation \
             {operation}.\nCaused by: {exception}: {message}"
        ))
    }
}

/// A failure while a call was answered.
pub(crate) fn server_side(text: &str) -> ApiError {
    let text = format!("<Exception on server side:\n{text}\n\nEnd of exception on server side>");
    ApiError::with_errors(StatusCode::INTERNAL_SERVER_ERROR, vec!["Internal server error.".to_owned(), text])
}

/// A call that makes no sense now; `what` is what Flink's gateway failed to do.
pub(crate) fn refused(status: StatusCode, what: &str, why: &str) -> ApiError {
    ApiError::new(
        status,
        format!(
            "org.apache.flink.runtime.rest.handler.RestHandlerException: Failed to {what}.\nCaused by: \
             org.apache.flink.table.gateway.api.utils.SqlGatewayException: {why}"
        ),
    )
}

/// Flink has it, Headwater does not.
pub(crate) fn not_here(what: &str) -> ApiError {
    let error = format!(
        "org.apache.flink.runtime.rest.handler.RestHandlerException: {what} (see docs/sql-gateway.md)\nCaused by: \
         java.lang.UnsupportedOperationException: {what}"
    );
    ApiError::new(StatusCode::NOT_IMPLEMENTED, error)
}
