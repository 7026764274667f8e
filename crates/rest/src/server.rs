//! The server: one thread with a runtime of its own; calls, which may wait, on a few more.

use crate::answer::{ApiError, Reply};
use crate::connections::{Bounded, Peer};
use crate::endpoints::endpoints;
use crate::limits::{Limits, TooMany};
use crate::routes::{Request, Route};
use crate::state::State;
use crate::{Cluster, Options, Role, auth};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{ConnectInfo, Query, RawPathParams};
use axum::http::{Response, StatusCode, header};
use axum::routing::{MethodFilter, MethodRouter, on};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::Instant;

/// Placeholders of a path, unless they are not text.
type Params = std::result::Result<RawPathParams, RawPathParamsRejection>;

/// How long answers that are under way may take when the server ends.
const LINGER: Duration = Duration::from_secs(1);
/// Large bodies at once; more wait.
const UPLOADS_MAX: usize = 4;

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
    let state = Arc::new(State::new(cluster, options.clone()));
    let routes = endpoints().iter().flat_map(|endpoint| ["", "/v1"].map(|prefix| endpoint.route(prefix, &state)));
    serve_routes(listener, routes.collect(), options)
}

/// Serves the page of metrics at a port of its own, as Flink's Prometheus reporter does, where one is configured. The
/// page is read with the rights and bounds of the REST port.
///
/// # Errors
/// When no port can be used or no thread can be started.
pub fn serve_metrics(cluster: Arc<dyn Cluster>, options: &Options) -> Result<Option<Server>> {
    let Some((first, others)) = options.metrics_ports.split_first() else { return Ok(None) };
    let bind = SocketAddr::new(options.bind.ip(), *first);
    let options = Options { bind, ports: others.to_vec(), ..options.clone() };
    let state = Arc::new(State::new(cluster, options.clone()));
    let page = endpoints().iter().find(|endpoint| endpoint.path == "/metrics");
    let mut routes: Vec<Route> = page.map(|page| page.route("", &state)).into_iter().collect();
    // Scrapers that know Flink's reporter ask for any path.
    routes.extend(page.map(|page| Route { path: "/".to_owned(), ..page.route("", &state) }));
    serve_routes(options.listen()?, routes, options).map(Some)
}

/// Serves any API at a socket that is bound, behind the same bounds.
///
/// # Errors
/// When the socket cannot be used or no thread can be started.
pub fn serve_routes(listener: TcpListener, routes: Vec<Route>, options: Options) -> Result<Server> {
    let address = listener.local_addr().map_err(|error| failed("the socket is not bound", error))?;
    listener.set_nonblocking(true).map_err(|error| failed("the socket cannot be used", error))?;
    if !options.is_secured() && !address.ip().is_loopback() {
        tracing::warn!(%address, "anybody who reaches this address may cancel jobs: set a token or bind to loopback");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(options.call_threads.max(1))
        .thread_name("rest-call")
        .build()
        .map_err(|error| failed("no runtime could be started", error))?;
    let (stop, stopped) = oneshot::channel();
    let run = move || runtime.block_on(run(listener, routes, options, stopped));
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

async fn run(listener: TcpListener, routes: Vec<Route>, options: Options, stopped: oneshot::Receiver<()>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => Bounded::new(listener, &options),
        Err(error) => return tracing::error!(%error, "the REST server could not be started"),
    };
    let router = router(routes, &Arc::new(Gate::new(options)));
    let stopping = Arc::new(Notify::new());
    let told = stopping.clone();
    let served = axum::serve(listener, router.into_make_service_with_connect_info::<Peer>());
    let served = served.with_graceful_shutdown(async move {
        let _ = stopped.await;
        told.notify_one();
    });
    let late = async {
        stopping.notified().await;
        tokio::time::sleep(LINGER).await;
    };
    // Connections that are open even then end with the runtime.
    tokio::select! {
        result = served => if let Err(error) = result {
            tracing::error!(%error, "the REST server ended");
        },
        () = late => {}
    }
}

/// What every request passes before a handler is asked.
struct Gate {
    options: Options,
    limits: Limits,
    started: Instant,
    /// Large bodies are in memory while they are handled.
    uploads: Semaphore,
}

impl Gate {
    fn new(options: Options) -> Self {
        let limits = Limits::new(options.requests_per_second);
        Self { options, limits, started: Instant::now(), uploads: Semaphore::new(UPLOADS_MAX) }
    }

    /// Refuses who asks too often, or may not.
    fn admit(&self, request: &axum::extract::Request, role: Role) -> std::result::Result<(), ApiError> {
        let client = request.extensions().get::<ConnectInfo<Peer>>().map(|ConnectInfo(Peer(address))| *address);
        let (client, now) = (client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)), self.started.elapsed());
        self.limits.request(client, now).map_err(|TooMany| {
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, "Too many requests from this address: try again in a second.")
        })?;
        auth::check(&self.options, request.headers(), role).inspect_err(|_| self.limits.failed(client, now))
    }
}

/// All routes; those of one path are one entry of the router.
fn router(routes: Vec<Route>, gate: &Arc<Gate>) -> Router {
    let mut paths: BTreeMap<String, MethodRouter> = BTreeMap::new();
    for route in routes {
        let (path, gate) = (path(&route.path), gate.clone());
        let method = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::GET);
        let route = Arc::new(route);
        let handler = move |params: Params, request: axum::extract::Request| answer(gate, route, params, request);
        let routes = paths.remove(&path).unwrap_or_default();
        paths.insert(path, routes.merge(on(method, handler)));
    }
    let routed =
        paths.into_iter().fold(Router::new(), |router, (path, routes)| router.route(&path, routes.fallback(unknown)));
    routed.fallback(unknown)
}

/// `/jobs/:jobid` is `/jobs/{jobid}`.
fn path(of: &str) -> String {
    let segment = |segment: &str| match segment.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => segment.to_owned(),
    };
    let segments: Vec<String> = of.split('/').map(segment).collect();
    segments.join("/")
}

async fn unknown(request: axum::extract::Request) -> Response<Body> {
    let path: String = request.uri().path().chars().take(200).collect();
    ApiError::new(StatusCode::NOT_FOUND, format!("Not found: {path}")).into_response()
}

async fn answer(gate: Arc<Gate>, route: Arc<Route>, params: Params, request: axum::extract::Request) -> Response<Body> {
    let reply = match params {
        Ok(params) => call(&gate, route, &params, request).await,
        Err(_) => Err(ApiError::bad_request("Bad request, could not parse the path.")),
    };
    match reply {
        Ok(answer) => answer.into_response(),
        Err(error) => error.into_response(),
    }
}

/// Everything a client controls is checked, or bounded, before the handler is asked.
async fn call(gate: &Gate, route: Arc<Route>, params: &RawPathParams, request: axum::extract::Request) -> Reply {
    gate.admit(&request, route.role)?;
    let is_upload = route.role == Role::Admin;
    let (options, limit) = match is_upload {
        true => (&gate.options, gate.options.upload_bytes_max),
        false => (&gate.options, gate.options.body_bytes_max),
    };
    let _upload = match is_upload {
        true => gate.uploads.acquire().await.ok(),
        false => None,
    };
    let path = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let query = Query::<Vec<(String, String)>>::try_from_uri(request.uri())
        .map_err(|_| ApiError::bad_request("Bad request, could not parse the query."))?;
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let body = body(options, limit, request).await?;
    let work =
        tokio::task::spawn_blocking(move || (route.handler)(Request { path, query: query.0, content_type, body }));
    match tokio::time::timeout(options.answer_timeout, work).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(_)) => Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error.")),
        Err(_) => Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "The cluster did not answer in time.")),
    }
}

async fn body(
    options: &Options,
    limit: usize,
    request: axum::extract::Request,
) -> std::result::Result<axum::body::Bytes, ApiError> {
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
