//! The HTTP API.
//!
//! Every endpoint is a [`Spec`] beside its handler: method, path and parameters are declared once, and the router, the
//! check of requests and the OpenAPI document are made from that.

mod admin;
mod assets;
mod auth;
mod datasets;
pub mod error;
mod events;
mod extensions;
mod ingest;
mod jobs;
mod lineage;
mod locations;
mod middleware;
mod monitoring;
pub mod openapi;
mod operations;
pub mod params;
mod runs;
mod schemas;
mod tags;
mod tokens;
mod webhooks;

use crate::app::App;
use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use params::Param;

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Open,
    /// Who has a token or a session; reading needs `all:read`, everything else `all:write`.
    User,
    /// As `User`, but no personal token.
    Login,
    /// As `User` when the server wants tokens for events, else anyone.
    Ingest,
}

/// What an endpoint is.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Method of HTTP.
    pub method: &'static str,
    /// Path, with `{name}` for its parameters.
    pub path: &'static str,
    /// One line for the document.
    pub summary: &'static str,
    /// Group in the document.
    pub group: &'static str,
    /// Parameters of the query.
    pub query: &'static [Param],
    /// Who may call it.
    pub access: Access,
}

/// The router of everything.
pub fn router(app: App) -> Router {
    let routes = Routes::default();
    let routes = ingest::routes(routes);
    let routes = auth::routes(tokens::routes(routes));
    let routes = locations::routes(datasets::routes(jobs::routes(routes)));
    let routes = runs::routes(operations::routes(tags::routes(routes)));
    let routes = lineage::routes(extensions::routes(schemas::routes(routes)));
    let routes = events::routes(admin::routes(webhooks::routes(routes)));
    let routes = openapi::routes(monitoring::routes(routes));
    let limit = axum::extract::DefaultBodyLimit::max(app.options().body_bytes_max);
    routes
        .router
        .fallback(assets::serve)
        .method_not_allowed_fallback(middleware::method_not_allowed)
        .layer(limit)
        .layer(axum::middleware::from_fn_with_state(app.clone(), middleware::around))
        .with_state(app)
}

/// All endpoints, in the order of the document.
pub fn specs() -> Vec<Spec> {
    let all: [&[Spec]; 17] = [
        ingest::SPECS,
        auth::SPECS,
        tokens::SPECS,
        locations::SPECS,
        datasets::SPECS,
        jobs::SPECS,
        runs::SPECS,
        operations::SPECS,
        tags::SPECS,
        lineage::SPECS,
        extensions::SPECS,
        schemas::SPECS,
        events::SPECS,
        admin::SPECS,
        webhooks::SPECS,
        monitoring::SPECS,
        openapi::SPECS,
    ];
    all.concat()
}

/// A router under construction.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<App>,
}

impl Routes {
    /// Adds an endpoint.
    pub(crate) fn add<H, T>(self, spec: &Spec, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let method = match spec.method {
            "POST" => MethodFilter::POST,
            "PATCH" => MethodFilter::PATCH,
            "DELETE" => MethodFilter::DELETE,
            _ => MethodFilter::GET,
        };
        Self { router: self.router.route(spec.path, on(method, handler)) }
    }
}
