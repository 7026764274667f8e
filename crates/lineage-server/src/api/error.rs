//! What clients are told when something is wrong.

use crate::error::Error;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// An answer that is an error: `{"error": {"code", "message", "details"}}`.
#[derive(Debug)]
pub struct ApiError {
    /// Of HTTP.
    pub status: StatusCode,
    /// Stable, for programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// Further facts; their shape depends on the code.
    pub details: Box<Value>,
    /// A cookie to set.
    pub cookie: Option<String>,
}

/// A result of an endpoint.
pub type Answer<T = axum::Json<Value>> = std::result::Result<T, ApiError>;

impl ApiError {
    /// An error without details.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Box::default(), cookie: None }
    }

    /// Nobody is logged in.
    pub fn unauthorized(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// Somebody is, but may not do this.
    pub fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// The way of logging in that is set up has no such step.
    pub fn not_implemented(message: &str) -> Self {
        Self::new(StatusCode::NOT_IMPLEMENTED, "not_implemented", message)
    }

    /// Nothing has this id.
    pub fn not_found(entity: &str, field: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let message = format!("{entity} with {field}={value} not found");
        let details = json!({"entity_type": entity, "field": field, "value": value});
        Self { details: details.into(), ..Self::new(StatusCode::NOT_FOUND, "not_found", message) }
    }

    /// Something has this already.
    pub fn conflict(entity: &str, field: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let message = format!("{entity} with {field}={value} already exists");
        let details = json!({"entity_type": entity, "field": field, "value": value});
        Self { details: details.into(), ..Self::new(StatusCode::CONFLICT, "conflict", message) }
    }

    /// The request itself is wrong.
    pub fn invalid(problems: Vec<Problem>) -> Self {
        let details = problems.into_iter().map(Problem::json).collect();
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self { details: Box::new(Value::Array(details)), ..Self::new(status, "invalid_request", "Invalid request") }
    }
}

/// What is wrong with one part of a request.
#[derive(Debug)]
pub struct Problem {
    /// Where: `query` or `body`, then the name.
    pub location: [String; 2],
    /// Stable, for programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// What was given.
    pub input: Value,
}

impl Problem {
    /// A problem with a query parameter.
    pub fn query(name: &str, code: &'static str, message: impl Into<String>, input: impl Into<Value>) -> Self {
        Self { location: ["query".into(), name.into()], code, message: message.into(), input: input.into() }
    }

    /// A problem with a member of the body.
    pub fn body(name: &str, code: &'static str, message: impl Into<String>, input: impl Into<Value>) -> Self {
        Self { location: ["body".into(), name.into()], code, message: message.into(), input: input.into() }
    }

    fn json(self) -> Value {
        json!({"location": self.location, "message": self.message, "code": self.code, "context": {}, "input": self.input})
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        // The text may have names of tables and hosts; it is for the log only.
        tracing::error!(%error, "a request failed");
        match error {
            Error::Stopping => Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", error.to_string()),
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "unknown",
                "Got unhandled exception. Please contact support",
            ),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({"error": {"code": self.code, "message": self.message, "details": self.details}});
        let mut response = (self.status, axum::Json(body)).into_response();
        if let Some(cookie) = self.cookie.and_then(|cookie| cookie.parse().ok()) {
            response.headers_mut().append(axum::http::header::SET_COOKIE, cookie);
        }
        response
    }
}
