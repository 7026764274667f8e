//! Answers: a status and a JSON document, or an error of Flink's shape.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use headwater_types::{Error, ErrorKind};
use serde::Serialize;
use std::borrow::Cow;

const JSON: Cow<'static, str> = Cow::Borrowed("application/json; charset=UTF-8");
const TEXT: Cow<'static, str> = Cow::Borrowed("text/plain; charset=UTF-8");

/// What an endpoint says.
pub type Reply = Result<Answer, ApiError>;

/// A successful answer.
pub struct Answer {
    status: StatusCode,
    content_type: Cow<'static, str>,
    body: Vec<u8>,
}

/// A refusal. Its body is `{"errors": [..]}`, as Flink's clients expect it.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    errors: Vec<String>,
}

#[derive(Serialize)]
struct Errors<'a> {
    errors: &'a [String],
}

impl Answer {
    /// A document.
    pub fn json(body: &impl Serialize) -> Reply {
        Self::with_status(StatusCode::OK, body)
    }

    /// A document that says that something was begun.
    pub fn accepted(body: &impl Serialize) -> Reply {
        Self::with_status(StatusCode::ACCEPTED, body)
    }

    /// A document that is text already.
    pub fn json_text(body: String) -> Reply {
        Ok(Self { status: StatusCode::OK, content_type: JSON, body: body.into_bytes() })
    }

    /// A file.
    pub fn text(body: Vec<u8>) -> Reply {
        Ok(Self { status: StatusCode::OK, content_type: TEXT, body })
    }

    /// What another server has answered, errors included.
    pub fn forwarded(status: StatusCode, content_type: String, body: Vec<u8>) -> Reply {
        Ok(Self { status, content_type: content_type.into(), body })
    }

    fn with_status(status: StatusCode, body: &impl Serialize) -> Reply {
        let body = serde_json::to_vec(body)
            .map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, format!("cannot encode: {error}")))?;
        Ok(Self { status, content_type: JSON, body })
    }

    /// The HTTP response.
    pub fn into_response(self) -> Response<Body> {
        response(self.status, &self.content_type, self.body)
    }
}

impl ApiError {
    /// A refusal with its reason.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self::with_errors(status, vec![message.into()])
    }

    /// A refusal with all that Flink would list.
    pub fn with_errors(status: StatusCode, errors: Vec<String>) -> Self {
        Self { status, errors }
    }

    /// Something named in the request does not exist.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        let message = format!("org.apache.flink.runtime.rest.NotFoundException: {what}");
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The request makes no sense.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Flink has it, a native engine cannot.
    pub fn not_here(what: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, format!("{what} (see docs/rest-api.md)"))
    }

    /// The HTTP response.
    pub fn into_response(self) -> Response<Body> {
        let body = serde_json::to_vec(&Errors { errors: &self.errors }).unwrap_or_default();
        response(self.status, &JSON, body)
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

fn response(status: StatusCode, content_type: &str, body: Vec<u8>) -> Response<Body> {
    // One that was forwarded may be anything.
    let content_type = HeaderValue::from_str(content_type).unwrap_or(HeaderValue::from_static("text/plain"));
    let mut built = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    match status {
        StatusCode::UNAUTHORIZED => built = built.header(header::WWW_AUTHENTICATE, "Bearer"),
        StatusCode::TOO_MANY_REQUESTS => built = built.header(header::RETRY_AFTER, "1"),
        _ => {}
    }
    built.body(Body::from(body)).expect("constant header names and values are valid")
}
