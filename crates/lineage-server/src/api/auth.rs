//! `/v1/auth` and `/v1/users/me`.

use super::error::{Answer, ApiError, Problem};
use super::params::{self, Kind, Params, required};
use super::{Access, Routes, Spec};
use crate::app::{App, Login, User};
use crate::auth::{SESSION_COOKIE, STATE_COOKIE, cookie};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use serde_json::{Value, json};

const TOKEN: Spec = Spec {
    method: "POST",
    path: "/v1/auth/token",
    summary: "Log in with name and password, as a form; answers an access token",
    group: "Auth",
    query: &[],
    access: Access::Open,
};
const CALLBACK: Spec = Spec {
    method: "GET",
    path: "/v1/auth/callback",
    summary: "The way back from the OpenID Connect provider; sets the session cookie",
    query: &[required("code", Kind::Text)],
    ..TOKEN
};
const LOGOUT: Spec =
    Spec { method: "GET", path: "/v1/auth/logout", summary: "End the session", access: Access::Login, ..TOKEN };
const ME: Spec =
    Spec { method: "GET", path: "/v1/users/me", summary: "Who is logged in", access: Access::User, ..TOKEN };

pub(super) const SPECS: &[Spec] = &[TOKEN, CALLBACK, LOGOUT, ME];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&TOKEN, token).add(&CALLBACK, callback).add(&LOGOUT, logout).add(&ME, me)
}

async fn token(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Answer {
    if app.auth().oidc().is_some() {
        return Err(ApiError::not_implemented("Auth method is not supported: log in with the provider"));
    }
    let form = form(&headers, &body);
    let field = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let missing = |name: &str| Problem::body(name, "missing", "Field required", Value::Null);
    match (field("username").filter(|name| !name.is_empty()), field("password")) {
        (Some(name), Some(_)) => {
            let granted = app.auth().grant(&name, app.signals().now_us() / 1_000_000);
            let expires_at = granted.expires_at as f64;
            Ok(Json(json!({"access_token": granted.token, "token_type": "bearer", "expires_at": expires_at})))
        }
        (name, password) => {
            let mut problems = vec![];
            problems.extend(name.is_none().then(|| missing("username")));
            problems.extend(password.is_none().then(|| missing("password")));
            Err(ApiError::invalid(problems))
        }
    }
}

/// The fields of a form, however it is encoded.
fn form(headers: &HeaderMap, body: &[u8]) -> Vec<(String, String)> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(body);
    match kind.split_once("boundary=") {
        Some((_, boundary)) if kind.starts_with("multipart/form-data") => {
            multipart(&text, boundary.split(';').next().unwrap_or_default().trim_matches('"'))
        }
        _ => params::pairs(&text),
    }
}

/// The text fields of a multipart form.
fn multipart(text: &str, boundary: &str) -> Vec<(String, String)> {
    let boundary = format!("--{boundary}");
    let parts = text.split(&boundary).skip(1);
    let field = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let (_, name) = head.split_once("name=\"")?;
        Some((name.split('"').next()?.to_owned(), value.strip_suffix("\r\n").unwrap_or(value).to_owned()))
    };
    parts.filter_map(field).collect()
}

type WithCookies = (StatusCode, [(HeaderName, String); 2]);

async fn callback(State(app): State<App>, headers: HeaderMap, RawQuery(query): RawQuery) -> Answer<WithCookies> {
    let Some(oidc) = app.auth().oidc() else {
        return Err(ApiError::not_implemented("Auth provider does not support this"));
    };
    // Providers add parameters of their own.
    let known: Vec<String> = query.as_deref().unwrap_or_default().split('&').map(str::to_owned).collect();
    let pairs = params::pairs(&known.join("&"));
    let get = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let Some(code) = get("code") else {
        return Err(ApiError::invalid(vec![Problem::query("code", "missing", "Field required", Value::Null)]));
    };
    let kept = cookie(&headers, STATE_COOKIE).unwrap_or_default();
    let name = oidc.login(code, get("state"), &kept).await?;
    let granted = app.auth().grant(&name, app.signals().now_us() / 1_000_000);
    let token = granted.token.trim_start_matches(crate::auth::ACCESS_PREFIX).to_owned();
    let hours = crate::options::LOGIN_HOURS * 3600;
    Ok((
        StatusCode::NO_CONTENT,
        [
            (header::SET_COOKIE, format!("{SESSION_COOKIE}={token}; Path=/; Max-Age={hours}; HttpOnly; SameSite=Lax")),
            (HeaderName::from_static("x-login"), "done".into()),
        ],
    ))
}

async fn logout(State(app): State<App>, _: Login, RawQuery(query): RawQuery) -> Answer<WithCookies> {
    Params::read(LOGOUT.query, query.as_deref())?;
    let Some(oidc) = app.auth().oidc() else {
        return Err(ApiError::not_implemented("Auth provider does not support this"));
    };
    let provider = oidc.logout_url().await.unwrap_or_default();
    Ok((
        StatusCode::NO_CONTENT,
        [
            (header::SET_COOKIE, format!("{SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax")),
            (HeaderName::from_static("x-logout-url"), provider),
        ],
    ))
}

async fn me(user: User) -> Json<Value> {
    Json(json!({"name": user.name}))
}
