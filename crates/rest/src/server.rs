//! The server: one thread with a runtime of its own; calls, which may wait, on a few more.

use crate::answer::{ApiError, Reply};
use crate::call::Call;
use crate::connections::Bounded;
use crate::endpoints::{Endpoint, endpoints};
use crate::state::State;
use crate::{Cluster, Options, auth};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Query, RawPathParams, Request};
use axum::http::{Response, StatusCode};
use axum::routing::{MethodFilter, MethodRouter, on};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Placeholders of a path, unless they are not text.
type Params = std::result::Result<RawPathParams, RawPathParamsRejection>;

/// Threads for calls.
const CALL_THREADS: usize = 8;

/// A running server. Dropping it ends it.
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Serves the API of a cluster at a socket that is bound.
///
/// # Errors
/// When the socket cannot be used or no thread can be started.
pub fn serve(listener: TcpListener, cluster: Arc<dyn Cluster>, options: Options) -> Result<Server> {
    let address = listener.local_addr().map_err(|error| failed("the socket is not bound", error))?;
    listener.set_nonblocking(true).map_err(|error| failed("the socket cannot be used", error))?;
    let is_open = options.operate_token.is_none() && options.view_token.is_none();
    if is_open && !address.ip().is_loopback() {
        tracing::warn!(%address, "anybody who reaches this address may cancel jobs: set a token or bind to loopback");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(CALL_THREADS)
        .thread_name("rest-call")
        .build()
        .map_err(|error| failed("no runtime could be started", error))?;
    let (stop, stopped) = oneshot::channel();
    let run = move || runtime.block_on(run(listener, State::new(cluster, options), stopped));
    let thread = std::thread::Builder::new()
        .name("rest".to_owned())
        .spawn(run)
        .map_err(|error| failed("no thread could be started", error))?;
    Ok(Server { address, stop: Some(stop), thread: Some(thread) })
}

fn failed(what: &str, error: std::io::Error) -> Error {
    Error::retryable("rest-not-started", format!("the REST server could not be started: {what}: {error}"))
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn run(listener: TcpListener, state: State, stopped: oneshot::Receiver<()>) {
    let (connections, timeout) = (state.options.connections_max, state.options.connection_timeout);
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => Bounded::new(listener, connections, timeout),
        Err(error) => return tracing::error!(%error, "the REST server could not be started"),
    };
    let served = axum::serve(listener, router(Arc::new(state)));
    // Connections that are open when it stops end with the runtime.
    tokio::select! {
        result = served => if let Err(error) = result {
            tracing::error!(%error, "the REST server ended");
        },
        _ = stopped => {}
    }
}

/// All endpoints, with and without the version in front.
fn router(state: Arc<State>) -> Router {
    let mut paths: BTreeMap<String, MethodRouter> = BTreeMap::new();
    for endpoint in endpoints() {
        let state = state.clone();
        let handler = move |params: Params, request: Request| answer(state, endpoint, params, request);
        let method = MethodFilter::try_from(endpoint.method.clone()).unwrap_or(MethodFilter::GET);
        for prefix in ["", "/v1"] {
            let routes = paths.remove(&path(prefix, endpoint)).unwrap_or_default();
            paths.insert(path(prefix, endpoint), routes.merge(on(method, handler.clone())));
        }
    }
    let routed =
        paths.into_iter().fold(Router::new(), |router, (path, routes)| router.route(&path, routes.fallback(unknown)));
    routed.fallback(unknown)
}

/// `/jobs/:jobid` is `/jobs/{jobid}`.
fn path(prefix: &str, endpoint: &Endpoint) -> String {
    let segment = |segment: &str| match segment.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    };
    let segments: Vec<String> = endpoint.path.split('/').map(segment).collect();
    format!("{prefix}{}", segments.join("/"))
}

async fn unknown(request: Request) -> Response<Body> {
    let path: String = request.uri().path().chars().take(200).collect();
    ApiError::new(StatusCode::NOT_FOUND, format!("Not found: {path}")).into_response()
}

async fn answer(state: Arc<State>, endpoint: &'static Endpoint, params: Params, request: Request) -> Response<Body> {
    let reply = match params {
        Ok(params) => call(state, endpoint, &params, request).await,
        Err(_) => Err(ApiError::bad_request("Bad request, could not parse the path.")),
    };
    match reply {
        Ok(answer) => answer.into_response(),
        Err(error) => error.into_response(),
    }
}

/// Everything a client controls is checked, or bounded, before the cluster is asked.
async fn call(state: Arc<State>, endpoint: &'static Endpoint, params: &RawPathParams, request: Request) -> Reply {
    auth::check(&state.options, request.headers(), endpoint.role)?;
    let path = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri())
        .map_err(|_| ApiError::bad_request("Bad request, could not parse the query."))?;
    let body = body(&state.options, request).await?;
    let timeout = state.options.answer_timeout;
    let work = tokio::task::spawn_blocking(move || {
        let call = Call { state: &state, path, query: query.0, body: &body };
        (endpoint.handler)(&call)
    });
    match tokio::time::timeout(timeout, work).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(_)) => Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")),
        Err(_) => Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "The cluster did not answer in time.")),
    }
}

async fn body(options: &Options, request: Request) -> std::result::Result<axum::body::Bytes, ApiError> {
    let limit = options.body_bytes_max;
    let read = axum::body::to_bytes(request.into_body(), limit);
    match tokio::time::timeout(options.connection_timeout, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let message = format!("The body is cut short, or larger than {limit} bytes.");
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message))
        }
        Err(_) => Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time.")),
    }
}
