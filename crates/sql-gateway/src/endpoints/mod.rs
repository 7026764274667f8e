//! The endpoints of the API: one table, with the versions that have them, and what they do by subject.

mod materialized;
mod operations;
mod sessions;
mod statements;
mod utilities;

use crate::call::Call;
use crate::gateway::Gateway;
use headwater_rest::{Method, Reply, Request, Role, Route, Server, serve_routes};
use headwater_types::Result;
use std::net::TcpListener;
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The versions of the API. Paths without one are those of the last.
pub const VERSIONS: RangeInclusive<u8> = 1..=4;

/// An endpoint.
pub struct Endpoint {
    /// Its method.
    pub method: Method,
    /// Its path in Flink's notation: `/sessions/:session_handle`.
    pub path: &'static str,
    /// What it needs.
    pub role: Role,
    /// The versions that have it.
    pub versions: RangeInclusive<u8>,
    handler: fn(&Call<'_>) -> Reply,
}

const fn view(path: &'static str, handler: fn(&Call<'_>) -> Reply) -> Endpoint {
    Endpoint { method: Method::GET, path, role: Role::View, versions: VERSIONS, handler }
}

/// Who sees a session sees the results of its statements, so all that is about one needs the right to run jobs.
const fn operate(
    method: Method,
    path: &'static str,
    versions: RangeInclusive<u8>,
    handler: fn(&Call<'_>) -> Reply,
) -> Endpoint {
    Endpoint { method, path, role: Role::Admin, versions, handler }
}

/// All endpoints.
pub fn endpoints() -> &'static [Endpoint] {
    &ENDPOINTS
}

static ENDPOINTS: [Endpoint; 19] = [
    view("/api_versions", utilities::api_versions),
    view("/info", utilities::info),
    operate(Method::POST, "/sessions", VERSIONS, sessions::open),
    operate(Method::GET, "/sessions/:session_handle", VERSIONS, sessions::config),
    operate(Method::DELETE, "/sessions/:session_handle", VERSIONS, sessions::close),
    operate(Method::POST, "/sessions/:session_handle/heartbeat", VERSIONS, sessions::heartbeat),
    operate(Method::POST, "/sessions/:session_handle/configure-session", 2..=4, sessions::configure),
    operate(Method::GET, "/sessions/:session_handle/complete-statement", 2..=4, statements::complete),
    operate(Method::POST, "/sessions/:session_handle/statements", VERSIONS, statements::execute),
    operate(Method::POST, "/sessions/:session_handle/scripts", 4..=4, statements::deploy_script),
    operate(Method::GET, "/sessions/:session_handle/operations/:operation_handle/status", VERSIONS, operations::status),
    operate(
        Method::POST,
        "/sessions/:session_handle/operations/:operation_handle/cancel",
        VERSIONS,
        operations::cancel,
    ),
    operate(
        Method::DELETE,
        "/sessions/:session_handle/operations/:operation_handle/close",
        VERSIONS,
        operations::close,
    ),
    operate(
        Method::GET,
        "/sessions/:session_handle/operations/:operation_handle/result/:token",
        VERSIONS,
        operations::result,
    ),
    operate(
        Method::POST,
        "/sessions/:session_handle/materialized-tables/:identifier/refresh",
        3..=3,
        materialized::refresh,
    ),
    operate(Method::POST, "/workflow/embedded-scheduler/create", 3..=3, materialized::schedule),
    operate(Method::POST, "/workflow/embedded-scheduler/suspend", 3..=3, materialized::schedule),
    operate(Method::POST, "/workflow/embedded-scheduler/resume", 3..=3, materialized::schedule),
    operate(Method::DELETE, "/workflow/embedded-scheduler/delete", 3..=3, materialized::schedule),
];

/// Serves a gateway at a socket that is bound, until the server is dropped.
///
/// # Errors
/// When the options are not safe, the socket cannot be used, or no thread can be started.
pub fn serve(listener: TcpListener, gateway: &Arc<Gateway>) -> Result<Server> {
    gateway.options().check()?;
    let routes = ENDPOINTS.iter().flat_map(|endpoint| endpoint.routes(gateway)).collect();
    serve_routes(listener, routes, gateway.options().server.clone())
}

impl Endpoint {
    /// One route a version, and one without, if the last version has the endpoint.
    fn routes(&'static self, gateway: &Arc<Gateway>) -> Vec<Route> {
        let unversioned = self.versions.contains(VERSIONS.end()).then_some(None);
        let versions = self.versions.clone().map(Some).chain(unversioned);
        versions.map(|version| self.route(version, gateway.clone())).collect()
    }

    fn route(&'static self, version: Option<u8>, gateway: Arc<Gateway>) -> Route {
        let path = match version {
            Some(version) => format!("/v{version}{}", self.path),
            None => self.path.to_owned(),
        };
        let handler = move |request: Request| (self.handler)(&Call { gateway: &gateway, version, request });
        Route { method: self.method.clone(), path, role: self.role, handler: Arc::new(handler) }
    }
}
