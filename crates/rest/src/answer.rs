//! Answers: a status and a JSON document, or an error of Flink's shape.

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use headwater_types::{Error, ErrorKind};
use serde::Serialize;

/// What an endpoint says.
pub(crate) type Reply = Result<Answer, ApiError>;

/// A successful answer.
pub(crate) struct Answer {
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
}

/// A refusal. Its body is `{"errors": [message]}`, as Flink's clients expect it.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
}

#[derive(Serialize)]
struct Errors<'a> {
    errors: [&'a str; 1],
}

impl Answer {
    /// A document.
    pub(crate) fn json(body: &impl Serialize) -> Reply {
        Self::with_status(StatusCode::OK, body)
    }

    /// A document that says that something was begun.
    pub(crate) fn accepted(body: &impl Serialize) -> Reply {
        Self::with_status(StatusCode::ACCEPTED, body)
    }

    /// A file.
    pub(crate) fn text(body: Vec<u8>) -> Reply {
        Ok(Self { status: StatusCode::OK, content_type: "text/plain; charset=UTF-8", body })
    }

    fn with_status(status: StatusCode, body: &impl Serialize) -> Reply {
        let body = serde_json::to_vec(body)
            .map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("cannot encode: {error}")))?;
        Ok(Self { status, content_type: "application/json; charset=UTF-8", body })
    }

    /// The HTTP response.
    pub(crate) fn into_response(self) -> Response<Body> {
        response(self.status, self.content_type, self.body)
    }
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    /// Something named in the request does not exist.
    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        let message = format!("org.apache.flink.runtime.rest.NotFoundException: {what}");
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The request makes no sense.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Flink has it, a native engine cannot.
    pub(crate) fn not_here(what: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, format!("{what} (see docs/rest-api.md)"))
    }

    /// The HTTP response.
    pub(crate) fn into_response(self) -> Response<Body> {
        let body = serde_json::to_vec(&Errors { errors: [&self.message] }).unwrap_or_default();
        response(self.status, "application/json; charset=UTF-8", body)
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::User => StatusCode::BAD_REQUEST,
            ErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
            ErrorKind::Retryable | ErrorKind::Cancelled | ErrorKind::Fenced => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Corruption | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, format!("{} [{}]", error.message(), error.code()))
    }
}

fn response(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Body> {
    let built = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(Body::from(body));
    built.expect("constant header names and values are valid")
}
