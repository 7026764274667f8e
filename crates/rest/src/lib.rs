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
mod diagnosis;
mod endpoints;
mod ids;
pub mod inputs;
mod limits;
pub mod messages;
mod metrics;
mod multipart;
mod options;
mod routes;
mod server;
mod state;
mod stream;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod traces;
mod triggers;
mod uploads;
mod views;

pub use answer::{Answer, ApiError, Reply};
pub use auth::{Role, Tokens};
pub use axum::http::{Method, StatusCode};
pub use call::unresolved;
pub use cluster::{Cluster, JobManagerCluster, LogFile, Place, TaskManagerInfo};
pub use endpoints::{Endpoint, endpoints};
pub use ids::vertex_ids;
pub use options::{Options, ports};
pub use routes::{Handler, Request, Route};
pub use server::{Server, serve, serve_metrics, serve_routes};
pub use traces::Tracer;
pub use views::config::shown;
pub use views::plan;
