//! The connectors against a real broker, which is started once for all of these tests.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what went wrong")]

mod exactly_once;
mod failures;
mod formats;
mod security;
mod sinks;
mod sources;
mod support;
mod upsert;
