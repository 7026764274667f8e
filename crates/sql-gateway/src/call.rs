//! A request as endpoints see it: handles that name something, bodies that can be read, or a refusal.

use crate::errors::refused;
use crate::gateway::Gateway;
use crate::operation::Operation;
use crate::session::Session;
use headwater_rest::{ApiError, Request, StatusCode, unresolved};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use uuid::Uuid;

/// A request.
pub(crate) struct Call<'a> {
    /// Serves it.
    pub(crate) gateway: &'a Arc<Gateway>,
    /// The version of the API that it was made by; `None` without one in its path.
    pub(crate) version: Option<u8>,
    pub(crate) request: Request,
}

impl Call<'_> {
    /// A placeholder of the path.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.request.path.get(key).map_or("", String::as_str)
    }

    /// A placeholder of the path that is a handle.
    fn handle(&self, key: &str) -> Result<Uuid, ApiError> {
        let text = self.text(key);
        let is_plain = text.len() == uuid::fmt::Hyphenated::LENGTH;
        is_plain.then(|| Uuid::try_parse(text).ok()).flatten().ok_or_else(|| unresolved("path", key, text))
    }

    /// The handle of the session.
    pub(crate) fn session_handle(&self) -> Result<Uuid, ApiError> {
        self.handle("session_handle")
    }

    /// The session. `what` is what it is wanted for, in the words of Flink.
    pub(crate) fn session(&self, what: &str) -> Result<Arc<Session>, ApiError> {
        let handle = self.session_handle()?;
        self.gateway.session(handle).ok_or_else(|| unknown_session(handle, what))
    }

    /// The handle of the operation.
    pub(crate) fn operation_handle(&self) -> Result<Uuid, ApiError> {
        self.handle("operation_handle")
    }

    /// The operation of the session.
    pub(crate) fn operation(&self, what: &str) -> Result<Arc<Operation>, ApiError> {
        let handle = self.operation_handle()?;
        self.session(what)?.operation(handle).ok_or_else(|| unknown_operation(handle, what))
    }

    /// A query parameter; the last one when there are several.
    pub(crate) fn query(&self, key: &str) -> Option<&str> {
        self.request.query.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// The body; no body is an empty one.
    pub(crate) fn body<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, ApiError> {
        let body = &self.request.body;
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(T::default());
        }
        // A list would be taken for the fields in order.
        let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let parsed = if is_object { serde_json::from_slice(body) } else { Err(serde::de::Error::custom("no object")) };
        parsed.map_err(|error| bad_body(name, &error.to_string()))
    }

    /// A field of the body that has to be there.
    pub(crate) fn required<T>(field: Option<T>, name: &str, body: &str) -> Result<T, ApiError> {
        field.ok_or_else(|| bad_body(body, &format!("'{name}' is missing")))
    }
}

fn bad_body(name: &str, why: &str) -> ApiError {
    ApiError::bad_request(format!(
        "org.apache.flink.runtime.rest.handler.RestHandlerException: Request did not match expected format {name}. \
         ({why})"
    ))
}

/// There is no such session.
pub(crate) fn unknown_session(handle: Uuid, what: &str) -> ApiError {
    refused(StatusCode::NOT_FOUND, what, &format!("Session '{handle}' does not exist."))
}

/// There is no such operation.
pub(crate) fn unknown_operation(handle: Uuid, what: &str) -> ApiError {
    let why = format!("Can not find the submitted operation in the OperationManager with the {handle}.");
    refused(StatusCode::NOT_FOUND, what, &why)
}
