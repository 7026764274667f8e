//! What a server serves: routes with their handlers, whatever the API.

use crate::answer::Reply;
use crate::auth::Role;
use crate::call::Call;
use crate::endpoints::Endpoint;
use crate::state::State;
use axum::body::Bytes;
use axum::http::Method;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A request whose parts a client controls are bounded already.
pub struct Request {
    /// What the placeholders of the path stand for.
    pub path: BTreeMap<String, String>,
    /// The query, decoded.
    pub query: Vec<(String, String)>,
    /// What the body is said to be; empty when nothing is said.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

/// Answers the requests of a route. It may block for a while, but not longer than answers may take.
pub type Handler = Arc<dyn Fn(Request) -> Reply + Send + Sync>;

/// A method of a path and what answers it.
pub struct Route {
    /// The method.
    pub method: Method,
    /// The whole path in Flink's notation: `/v1/jobs/:jobid`.
    pub path: String,
    /// What it needs.
    pub role: Role,
    /// Answers it.
    pub handler: Handler,
}

impl Endpoint {
    /// The route to this endpoint below a prefix.
    pub(crate) fn route(&'static self, prefix: &str, state: &Arc<State>) -> Route {
        let state = state.clone();
        let handler = move |Request { path, query, content_type, body }: Request| {
            (self.handler)(&Call { state: &state, path, query, content_type, body: &body })
        };
        let path = format!("{prefix}{}", self.path);
        Route { method: self.method.clone(), path, role: self.role, handler: Arc::new(handler) }
    }
}
