//! Login with an OpenID Connect provider such as Keycloak: the authorization code flow with PKCE.
//!
//! A request without a session is answered 401 with the provider's address rather than redirected, because pages ask
//! with `fetch`. A cookie keeps what the way back must show.

use crate::api::error::ApiError;
use crate::app::App;
use crate::error::{Error, Result};
use crate::options::OidcOptions;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Cookie between leaving for the provider and coming back.
pub const STATE_COOKIE: &str = "lineage_login";
/// How long the provider may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// See the module.
pub struct Oidc {
    options: OidcOptions,
    client: reqwest::Client,
    endpoints: OnceCell<Endpoints>,
}

struct Endpoints {
    authorization: Url,
    token: String,
    userinfo: String,
    end_session: Option<String>,
}

impl Oidc {
    /// A client of a provider.
    ///
    /// # Errors
    /// When there is no way to make calls.
    pub fn new(options: OidcOptions) -> Result<Self> {
        let client = reqwest::Client::builder().timeout(TIMEOUT).build();
        let client = client.map_err(|e| Error::Options(format!("no HTTP client: {e}")))?;
        Ok(Self { options, client, endpoints: OnceCell::new() })
    }

    async fn endpoints(&self) -> std::result::Result<&Endpoints, ApiError> {
        self.endpoints.get_or_try_init(|| self.discover()).await
    }

    async fn discover(&self) -> std::result::Result<Endpoints, ApiError> {
        let url = format!("{}/.well-known/openid-configuration", self.options.issuer.trim_end_matches('/'));
        let document = self.json(self.client.get(url)).await?;
        let text = |key: &str| document.get(key).and_then(Value::as_str).map(str::to_owned);
        let missing = |key: &str| unavailable(&format!("the provider's configuration has no '{key}'"));
        let authorization = text("authorization_endpoint").ok_or_else(|| missing("authorization_endpoint"))?;
        Ok(Endpoints {
            authorization: Url::parse(&authorization).map_err(|e| unavailable(&e.to_string()))?,
            token: text("token_endpoint").ok_or_else(|| missing("token_endpoint"))?,
            userinfo: text("userinfo_endpoint").ok_or_else(|| missing("userinfo_endpoint"))?,
            end_session: text("end_session_endpoint"),
        })
    }

    async fn json(&self, request: reqwest::RequestBuilder) -> std::result::Result<Value, ApiError> {
        let response = request.send().await.map_err(|e| unavailable(&e.without_url().to_string()))?;
        let status = response.status();
        let body = response.json().await.unwrap_or(Value::Null);
        if !status.is_success() {
            let why = body.get("error_description").and_then(Value::as_str).unwrap_or("no reason given").to_owned();
            return Err(ApiError::unauthorized(&format!("the provider answered {status}: {why}")));
        }
        Ok(body)
    }

    /// What somebody without a session is told: where to log in.
    pub async fn redirect(&self, app: &App) -> ApiError {
        let endpoints = match self.endpoints().await {
            Ok(endpoints) => endpoints,
            Err(error) => return error,
        };
        let random = || format!("{:016x}{:016x}", app.signals().random(), app.signals().random());
        let (state, verifier) = (random(), format!("{}{}", random(), random()));
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let mut url = endpoints.authorization.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.options.client_id)
            .append_pair("redirect_uri", &self.options.redirect_url)
            .append_pair("scope", &self.options.scope)
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let message = format!("Please authorize using provided URL: {url}");
        let mut error = ApiError::new(StatusCode::UNAUTHORIZED, "auth_redirect", message);
        error.details = Box::new(Value::from(String::from(url)));
        error.cookie = Some(format!("{STATE_COOKIE}={state}.{verifier}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"));
        error
    }

    /// Who came back with a code. `kept` is the content of [`STATE_COOKIE`], `state` what came back with the code.
    ///
    /// # Errors
    /// When the way back does not match the way there, or the provider refuses.
    pub async fn login(&self, code: &str, state: Option<&str>, kept: &str) -> std::result::Result<String, ApiError> {
        let (expected, verifier) = kept.split_once('.').unwrap_or_default();
        if expected.is_empty() || state != Some(expected) {
            return Err(ApiError::unauthorized("the login was not begun here: begin again"));
        }
        let endpoints = self.endpoints().await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.options.redirect_url.as_str()),
            ("client_id", self.options.client_id.as_str()),
            ("client_secret", self.options.client_secret.as_str()),
            ("code_verifier", verifier),
        ];
        let tokens = self.json(self.client.post(&endpoints.token).form(&form)).await?;
        let token = tokens.get("access_token").and_then(Value::as_str).unwrap_or_default();
        let claims = self.json(self.client.get(&endpoints.userinfo).bearer_auth(token)).await?;
        let name = ["preferred_username", "email", "sub"].iter().find_map(|key| claims.get(*key)?.as_str());
        name.map(str::to_owned).ok_or_else(|| ApiError::unauthorized("the provider does not say who you are"))
    }

    /// Where to log out of the provider as well.
    pub async fn logout_url(&self) -> Option<String> {
        self.endpoints().await.ok()?.end_session.clone()
    }
}

fn unavailable(why: &str) -> ApiError {
    tracing::error!(why, "the OpenID Connect provider cannot be used");
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", format!("the login provider cannot be used: {why}"))
}
