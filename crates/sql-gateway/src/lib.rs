//! Flink's SQL gateway REST API, versions 1 to 4, over sessions: what SQL clients, notebooks and JDBC drivers speak.
//!
//! ```text
//! client ──HTTP──▶ endpoints ──▶ Gateway ──▶ Session ──queue──▶ worker ──▶ Engine ──▶ cluster
//!                      ▲                        │                              │
//!                      └── pages ◀── Operation ◀┴────── rows of a query ◀──────┘
//! ```
//!
//! A session runs its statements one after another, in the order in which they came. Each is an operation whose result
//! is fetched in pages: a page is asked for by its token, and asked for again by the same token. The rows of a query
//! wait in a bounded channel until somebody fetches them, so a client that never does holds up its own query only.
//!
//! Everything is bounded: sessions, statements that wait, results that are kept, pages in rows and bytes.
//!
//! What it does not do: materialized tables, and scripts as applications, are refused with an error that says so. It
//! executes nothing itself: that is [`headwater_embedded::Engine`].

mod call;
pub mod catalog_store;
pub mod decode;
mod encode;
mod endpoints;
mod errors;
mod execute;
mod gateway;
mod jobs;
mod messages;
mod operation;
mod options;
mod session;

pub use endpoints::{Endpoint, VERSIONS, endpoints, serve};
pub use execute::declares;
pub use gateway::{Cluster, Gateway};
pub use options::Options;
