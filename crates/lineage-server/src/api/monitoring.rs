//! `/monitoring` and `/v1/server`.

use super::{Access, Routes, Spec};
use crate::app::App;
use crate::options::AuthOptions;
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderName, header};
use serde_json::{Value, json};

const PING: Spec = Spec {
    method: "GET",
    path: "/monitoring/ping",
    summary: "Whether the server is there",
    group: "Monitoring",
    query: &[],
    access: Access::Open,
};
const METRICS: Spec =
    Spec { path: "/monitoring/metrics", summary: "Measurements, in the format of Prometheus", ..PING };
const SERVER: Spec = Spec { path: "/v1/server", summary: "What a client must know before it logs in", ..PING };

pub(super) const SPECS: &[Spec] = &[PING, METRICS, SERVER];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&PING, ping).add(&METRICS, metrics).add(&SERVER, server)
}

async fn ping() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

async fn metrics(State(app): State<App>) -> ([(HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], app.signals().metrics.text())
}

async fn server(State(app): State<App>) -> Json<Value> {
    let provider = match app.options().auth {
        AuthOptions::None => "none",
        AuthOptions::Dummy => "dummy",
        AuthOptions::Oidc(_) => "oidc",
    };
    Json(json!({"version": env!("CARGO_PKG_VERSION"), "auth_provider": provider}))
}
