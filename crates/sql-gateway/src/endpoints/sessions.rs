//! Sessions.

use crate::call::{Call, unknown_session};
use crate::errors::{refused, server_side};
use crate::gateway::Order;
use crate::messages::{ConfigureSession, Empty, OpenSession, SessionConfig, SessionOpened, StatusOf};
use crate::operation::Status;
use headwater_rest::{Answer, Reply, StatusCode, shown};
use std::time::Duration;

/// How long `configure-session` waits for its statement, which only declares something.
const CONFIGURE_MAX: Duration = Duration::from_secs(25);

/// `POST /sessions`
pub(super) fn open(call: &Call<'_>) -> Reply {
    let body: OpenSession = call.body("OpenSessionRequestBody")?;
    match call.gateway.open(&body.properties) {
        Ok(handle) => {
            let name = body.session_name.unwrap_or_default();
            tracing::info!(session = %handle, name = name.chars().take(100).collect::<String>(), "a session is opened");
            Answer::json(&SessionOpened { session_handle: handle.to_string() })
        }
        Err(error) => Err(refused(StatusCode::SERVICE_UNAVAILABLE, "openSession", error.message())),
    }
}

/// `GET /sessions/:session_handle`
pub(super) fn config(call: &Call<'_>) -> Reply {
    let session = call.session("getSessionConfig")?;
    let engine = session.engine();
    let pairs = engine.session().config().iter();
    let properties = pairs.map(|(key, value)| (key.to_owned(), shown(key, value))).collect();
    Answer::json(&SessionConfig { properties })
}

/// `DELETE /sessions/:session_handle`
pub(super) fn close(call: &Call<'_>) -> Reply {
    let handle = call.session_handle()?;
    match call.gateway.close(handle) {
        true => Answer::json(&StatusOf { status: Status::Closed.name().to_owned() }),
        false => Err(unknown_session(handle, "closeSession")),
    }
}

/// `POST /sessions/:session_handle/heartbeat`
pub(super) fn heartbeat(call: &Call<'_>) -> Reply {
    call.session("triggerHeartbeat")?;
    Answer::json(&Empty {})
}

/// `POST /sessions/:session_handle/configure-session`
pub(super) fn configure(call: &Call<'_>) -> Reply {
    const BODY: &str = "ConfigureSessionRequestBody";
    let session = call.session("configureSession")?;
    let body: ConfigureSession = call.body(BODY)?;
    let statement = Call::required(body.statement, "statement", BODY)?;
    let timeout = body.execution_timeout.and_then(|ms| u64::try_from(ms).ok()).filter(|ms| *ms > 0);
    let timeout = timeout.map_or(CONFIGURE_MAX, |ms| Duration::from_millis(ms).min(CONFIGURE_MAX));
    let order = Order { statement, config: Default::default(), timeout: Some(timeout), declares_only: true };
    let operation = call.gateway.submit(&session, order).map_err(|error| server_side(error.message()))?;
    let mut status = operation.wait(timeout);
    if matches!(status, Status::Pending | Status::Running) {
        status = operation.end(Status::Timeout).err().unwrap_or(Status::Timeout);
    }
    let failure = operation.failure();
    session.close_operation(operation.handle);
    match (status, failure) {
        (Status::Finished, _) => Answer::json(&Empty {}),
        (_, Some(failure)) => Err(failure.refusal(operation.handle)),
        (status, None) => Err(server_side(&format!("Failed to configure session: the statement is {}", status.name()))),
    }
}
