//! Flink's REST API v1 over a cluster: what dashboards, schedulers and scripts already speak.
//!
//! Every endpoint of the API stands in one table ([`endpoints()`]) with its method, path and the role it needs. An
//! endpoint is a plain function from a call to an answer: it asks the [`Cluster`], and says it with the field names and
//! types of [`messages`]. The server around it bounds everything a client controls: connections, time, bytes.
//!
//! Four types, as every service here: [`Options`] says how to serve, [`serve`] starts a [`Server`] that ends when it
//! is dropped, and errors are answers of Flink's shape, `{"errors": [..]}`.
//!
//! What it does not do: it decides nothing about jobs, submits none, and keeps no state but the outcomes of
//! asynchronous operations and the last two samples of counters.

mod answer;
mod auth;
mod call;
pub mod cluster;
mod connections;
mod endpoints;
mod hardware;
mod ids;
pub mod messages;
mod metrics;
mod options;
mod server;
mod state;
mod triggers;
mod views;

pub use auth::Role;
pub use cluster::{Cluster, JobManagerCluster, LogFile, Place, TaskManagerInfo};
pub use endpoints::{Endpoint, endpoints};
pub use ids::vertex_ids;
pub use options::Options;
pub use server::{Server, serve};
