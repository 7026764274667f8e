//! Who is asking, and may they.
//!
//! Three things prove who somebody is: an access token from a login, a session cookie from an OpenID Connect login, and
//! a personal token. All are signed by the server; a personal token is also looked up on every request, so that a
//! revoked one stops working at once. Reading needs the scope `all:read`, everything else `all:write`.

mod jwt;
mod oidc;
mod personal;
mod secret;

pub use oidc::{Oidc, STATE_COOKIE};
pub use personal::{ALL_SCOPES, PersonalToken, days, last_day};

use crate::api::error::ApiError;
use crate::app::App;
use crate::error::Result;
use crate::options::{AuthOptions, LOGIN_HOURS, Options};
use crate::store::Database;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use jwt::{Claims, Keys};

/// Cookie of a session.
pub const SESSION_COOKIE: &str = "lineage_session";
/// Prefix of access tokens.
pub const ACCESS_PREFIX: &str = "access_token_";
/// Prefix of personal tokens.
pub const PERSONAL_PREFIX: &str = "personal_token_";
/// Who it is when nobody needs to log in.
pub const ANONYMOUS: &str = "anonymous";

/// Somebody who may use an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
}

/// Somebody who logged in as a person, not with a personal token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login(pub User);

/// See the module.
pub struct Auth {
    keys: Keys,
    oidc: Option<Oidc>,
    is_open: bool,
}

/// A login that worked.
#[derive(Debug)]
pub struct Granted {
    /// The token, with its prefix.
    pub token: String,
    /// When it ends, in seconds since the epoch.
    pub expires_at: i64,
}

/// Who a request is from, and how they showed it.
enum Proof {
    Login(User),
    Personal(User, Vec<String>),
}

impl Auth {
    /// Sets it up; the signing key comes from the options or the database.
    ///
    /// # Errors
    /// When the provider's address makes no sense or the database fails.
    pub async fn open(options: &Options, database: &Database, random: impl Fn() -> u64) -> Result<Self> {
        let secret = secret::find(options, database, random).await?;
        let oidc = match &options.auth {
            AuthOptions::Oidc(provider) => Some(Oidc::new(provider.clone())?),
            _ => None,
        };
        Ok(Self { keys: Keys::new(&secret), oidc, is_open: options.auth == AuthOptions::None })
    }

    /// The OpenID Connect provider, if that is how people log in.
    pub fn oidc(&self) -> Option<&Oidc> {
        self.oidc.as_ref()
    }

    /// Whether nobody needs to log in.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// An access token for somebody who has shown who they are.
    pub fn grant(&self, name: &str, now_s: i64) -> Granted {
        let expires_at = now_s + i64::from(LOGIN_HOURS) * 3600;
        let claims = Claims::login(name, now_s, expires_at);
        Granted { token: format!("{ACCESS_PREFIX}{}", self.keys.sign(&claims)), expires_at }
    }

    /// The text of a personal token.
    pub fn seal(&self, token: &PersonalToken) -> String {
        format!("{PERSONAL_PREFIX}{}", self.keys.sign(&Claims::personal(token)))
    }

    async fn prove(&self, headers: &HeaderMap, app: &App) -> std::result::Result<Option<Proof>, ApiError> {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let bearer = bearer.and_then(|text| {
            let (scheme, token) = text.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
        });
        if let Some(token) = bearer {
            if let Some(token) = token.strip_prefix(PERSONAL_PREFIX) {
                return self.personal(token, app).await.map(Some);
            }
            let token = token.strip_prefix(ACCESS_PREFIX).unwrap_or(token);
            let claims = self.keys.verify(token, app.signals().now_us() / 1_000_000);
            let name = claims.and_then(Claims::into_login).ok_or_else(|| ApiError::unauthorized("Invalid token"))?;
            return Ok(Some(Proof::Login(User { name })));
        }
        let session = cookie(headers, SESSION_COOKIE);
        let claims = session.and_then(|token| self.keys.verify(&token, app.signals().now_us() / 1_000_000));
        Ok(claims.and_then(Claims::into_login).map(|name| Proof::Login(User { name })))
    }

    async fn personal(&self, token: &str, app: &App) -> std::result::Result<Proof, ApiError> {
        let invalid = || ApiError::unauthorized("Invalid token");
        let now_s = app.signals().now_us() / 1_000_000;
        let claims = self.keys.verify(token, now_s).ok_or_else(invalid)?;
        let id = claims.jti.ok_or_else(invalid)?;
        let token = PersonalToken::valid(app.db(), &id, now_s).await?.ok_or_else(invalid)?;
        Ok(Proof::Personal(User { name: token.owner }, token.scopes))
    }

    /// What somebody who is not logged in is told.
    async fn refuse(&self, app: &App) -> ApiError {
        match &self.oidc {
            None => ApiError::unauthorized("Missing auth credentials"),
            Some(oidc) => oidc.redirect(app).await,
        }
    }
}

/// A cookie of a request.
pub fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, _)| *known == name)
        .map(|(_, value)| value.to_owned())
}

fn may(scopes: &[String], method: &Method) -> std::result::Result<(), ApiError> {
    let needed = if matches!(*method, Method::GET | Method::HEAD) { "all:read" } else { "all:write" };
    if scopes.iter().any(|scope| scope == needed) {
        return Ok(());
    }
    Err(ApiError::forbidden(&format!("The personal token has no scope '{needed}'")))
}

impl FromRequestParts<App> for User {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<Self, ApiError> {
        match app.auth().prove(&parts.headers, app).await? {
            Some(Proof::Login(user)) => Ok(user),
            Some(Proof::Personal(user, scopes)) => may(&scopes, &parts.method).map(|()| user),
            None if app.auth().is_open => Ok(User { name: ANONYMOUS.into() }),
            None => Err(app.auth().refuse(app).await),
        }
    }
}

impl FromRequestParts<App> for Login {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> std::result::Result<Self, ApiError> {
        match app.auth().prove(&parts.headers, app).await? {
            Some(Proof::Login(user)) => Ok(Self(user)),
            Some(Proof::Personal(..)) => Err(ApiError::unauthorized("A personal token cannot be used here")),
            None if app.auth().is_open => Ok(Self(User { name: ANONYMOUS.into() })),
            None => Err(app.auth().refuse(app).await),
        }
    }
}
