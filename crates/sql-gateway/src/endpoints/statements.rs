//! Statements.

use crate::call::Call;
use crate::errors::{not_here, server_side};
use crate::gateway::Order;
use crate::messages::{Candidates, CompleteStatement, ExecuteStatement, Submitted};
use headwater_rest::{Answer, Reply};
use headwater_sql::completion::candidates;
use std::time::Duration;

/// `POST /sessions/:session_handle/statements`
pub(super) fn execute(call: &Call<'_>) -> Reply {
    const BODY: &str = "ExecuteStatementRequestBody";
    let session = call.session("executeStatement")?;
    let body: ExecuteStatement = call.body(BODY)?;
    let statement = Call::required(body.statement, "statement", BODY)?;
    let timeout = body.execution_timeout.and_then(|ms| u64::try_from(ms).ok()).filter(|ms| *ms > 0);
    let order = Order {
        statement,
        config: body.execution_config,
        timeout: timeout.map(Duration::from_millis),
        declares_only: false,
    };
    match call.gateway.submit(&session, order) {
        Ok(operation) => Answer::json(&Submitted { operation_handle: operation.handle.to_string() }),
        Err(error) => Err(server_side(&format!("Failed to executeStatement.\nCaused by: {}", error.message()))),
    }
}

/// `GET /sessions/:session_handle/complete-statement`
pub(super) fn complete(call: &Call<'_>) -> Reply {
    const BODY: &str = "CompleteStatementRequestBody";
    let session = call.session("completeStatement")?;
    let body: CompleteStatement = call.body(BODY)?;
    let statement = Call::required(body.statement, "statement", BODY)?;
    let position = Call::required(body.position, "position", BODY)?;
    // Positions count as Java does: in UTF-16 units.
    let position = usize::try_from(position).unwrap_or_default();
    let mut units = 0;
    let before = statement.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > position
    });
    let before = before.map_or(statement.as_str(), |(at, _)| &statement[..at]);
    let engine = session.engine();
    Answer::json(&Candidates { candidates: candidates(engine.session(), before) })
}

/// `POST /sessions/:session_handle/scripts`
pub(super) fn deploy_script(call: &Call<'_>) -> Reply {
    call.session("deployScript")?;
    Err(not_here(
        "a script cannot be deployed as an application: submit its statements one by one, or run 'headwater sql -f' \
         against the cluster",
    ))
}
