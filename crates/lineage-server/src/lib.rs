//! Takes lineage events in, keeps the catalog of datasets, jobs and runs, and answers questions about it.
//!
//! The way of an event: bytes ([`ingest`]) → a checked event ([`event`]) → facts, by producer ([`extract`], [`facts`])
//! → the catalog ([`store`]), where facts merge so that order, repetition and grouping of events do not matter. The way
//! of a question: [`api`] → entities ([`read`]) and graphs ([`graph`]) from the database.
//!
//! Nothing here knows the engine: what the server learns of Headwater's jobs, it learns from events as of any other
//! producer.

pub mod api;
pub mod app;
pub mod auth;
pub mod error;
pub mod event;
pub mod extract;
pub mod facts;
pub mod graph;
pub mod ingest;
pub mod maintenance;
pub mod metrics;
pub mod names;
pub mod options;
pub mod read;
mod server;
pub mod store;
pub mod webhooks;

pub use error::{Error, Result};
pub use options::{AuthOptions, KafkaOptions, OidcOptions, Options};
pub use server::{Server, serve, start};
