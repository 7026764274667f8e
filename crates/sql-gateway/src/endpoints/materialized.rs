//! Materialized tables, which Headwater has none of: a refusal that says what to do instead.

use crate::call::Call;
use crate::errors::not_here;
use headwater_rest::Reply;

/// `POST /sessions/:session_handle/materialized-tables/:identifier/refresh`
pub(super) fn refresh(call: &Call<'_>) -> Reply {
    call.session("refreshMaterializedTable")?;
    Err(not_here("materialized tables are not supported: write INSERT INTO a table with the query, as a job"))
}

/// `/workflow/embedded-scheduler/..`
pub(super) fn schedule(_call: &Call<'_>) -> Reply {
    Err(not_here("there is no workflow scheduler, which serves materialized tables only"))
}
