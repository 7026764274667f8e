//! Around every request: CORS, a request id, the version, measurements.

use super::error::ApiError;
use crate::app::App;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::LazyLock;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const VERSION: HeaderName = HeaderName::from_static("x-application-version");
/// Longest request id of a client that is taken over.
const REQUEST_ID_BYTES_MAX: usize = 128;

pub(super) async fn around(State(app): State<App>, request: Request, next: Next) -> Response {
    let begun = app.signals().env().clock().monotonic_ns();
    let method = request.method().clone();
    let headers = request.headers().clone();
    let path = template(request.uri().path());
    app.signals().metrics.begin();
    let preflight = method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight { StatusCode::OK.into_response() } else { next.run(request).await };
    if response.status() == StatusCode::PAYLOAD_TOO_LARGE {
        response = too_large(&app);
    }
    cors(&app, &headers, preflight, response.headers_mut());
    identify(&app, &headers, response.headers_mut());
    let took_us = (app.signals().env().clock().monotonic_ns() - begun) / 1000;
    app.signals().metrics.end(method.as_str(), path, response.status().as_u16(), took_us);
    response
}

/// The path as it is declared; what nobody declared is one series, whatever its path.
fn template(path: &str) -> &'static str {
    static PATHS: LazyLock<Vec<&'static str>> = LazyLock::new(|| super::specs().iter().map(|spec| spec.path).collect());
    let fits = |declared: &&str| {
        let mut parts = path.split('/');
        let same =
            declared.split('/').all(|part| parts.next().is_some_and(|given| part.starts_with('{') || part == given));
        same && parts.next().is_none()
    };
    // A path without parameters goes before one that has them.
    PATHS
        .iter()
        .copied()
        .find(|declared| *declared == path)
        .or_else(|| PATHS.iter().copied().find(fits))
        .unwrap_or("other")
}

/// Lets pages of the allowed origins call.
fn cors(app: &App, request: &HeaderMap, preflight: bool, response: &mut HeaderMap) {
    let Some(origin) = request.get(header::ORIGIN) else { return };
    let allowed = &app.options().cors_origins;
    let listed = origin.to_str().is_ok_and(|origin| allowed.iter().any(|known| known == origin));
    if listed {
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        response.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        response.append(header::VARY, HeaderValue::from_static("Origin"));
    } else if allowed.iter().any(|known| known == "*") {
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    } else {
        return;
    }
    response.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("X-Request-ID, X-Application-Version, X-Lineage-Truncated, Location"),
    );
    if preflight {
        let methods = HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
        response.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        response.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        let asked = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        response.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            asked.unwrap_or(HeaderValue::from_static("Authorization, Content-Type, X-Request-ID")),
        );
    }
}

fn identify(app: &App, request: &HeaderMap, response: &mut HeaderMap) {
    let given = request.get(&REQUEST_ID).filter(|id| id.len() <= REQUEST_ID_BYTES_MAX).cloned();
    let id = given.or_else(|| {
        let (a, b) = (app.signals().random(), app.signals().random());
        let id = uuid::Builder::from_random_bytes((u128::from(a) << 64 | u128::from(b)).to_be_bytes()).into_uuid();
        HeaderValue::from_str(&id.to_string()).ok()
    });
    response.extend(id.map(|id| (REQUEST_ID, id)));
    response.insert(VERSION, HeaderValue::from_static(env!("CARGO_PKG_VERSION")));
    // Names in the catalog are other people's texts: no answer is ever to be taken for a page.
    response.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// What the limit of bodies says by itself is no answer of this API.
fn too_large(app: &App) -> Response {
    let max = app.options().body_bytes_max;
    let message = format!("the body is larger than {max} bytes: send fewer events at once, or gzip");
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message).into_response()
}

pub(super) async fn method_not_allowed() -> ApiError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "Method Not Allowed")
}
