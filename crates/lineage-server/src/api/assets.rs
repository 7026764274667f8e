//! The pages, embedded in the program.
//!
//! A path that is no file is the app's own: it gets the app's first page. A program built without the pages says so,
//! and how to get them.

use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use serde_json::json;

#[derive(RustEmbed)]
#[folder = "assets"]
#[allow_missing = true]
struct Assets;

/// The folder's own description of itself is no page.
const NOT_PAGES: [&str; 2] = ["README.md", ".gitignore"];

pub(super) async fn serve(uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    if ["v1/", "api/", "monitoring/"].iter().any(|api| path.starts_with(api)) {
        return (StatusCode::NOT_FOUND, axum::Json(json!({"detail": "Not Found"}))).into_response();
    }
    if let Some(response) = file(path) {
        return response;
    }
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    match file("index.html") {
        Some(page) if !is_file => page,
        Some(_) => StatusCode::NOT_FOUND.into_response(),
        None if path.is_empty() => missing(),
        None => (StatusCode::NOT_FOUND, axum::Json(json!({"detail": "Not Found"}))).into_response(),
    }
}

fn file(path: &str) -> Option<Response> {
    let file = Assets::get(path).filter(|_| !NOT_PAGES.contains(&path))?;
    // Names of built files hold a hash of their content; the first page's does not.
    let cached = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let kind = kind(path);
    Some(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cached)], file.data).into_response())
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn missing() -> Response {
    let text = "This program was built without its web pages. The API works: see /v1/openapi.json.\n\
                To have the pages, run `npm ci && npm run build` in web/ and build the program again.\n";
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
