//! The API over a gateway with a cluster in this process.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

mod fixture;
mod garbage;
mod limits;
mod results;
mod sessions;
mod snapshot;

#[path = "../../../rest/tests/api/http.rs"]
mod http;
#[path = "../../../rest/tests/api/schema.rs"]
mod schema;
