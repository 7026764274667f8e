//! `transport.auth` of the http transport: a key, or a token that is fetched for a key and lasts for a while.
//!
//! A token is used until shortly before it ends; one that tells no end is used until the server refuses it.

use super::{Failure, bad, text};
use headwater_env::Env;
use headwater_types::Result;
use reqwest::Url;
use reqwest::blocking::Client;
use serde_json::Value;
use std::io::Read;
use std::time::Duration;

/// `tokenFields`: where the answer of the token endpoint may have the token.
const TOKEN_FIELDS: [&str; 2] = ["token", "access_token"];
/// `expiresInField`: where it has the seconds for which the token is good.
const EXPIRES_IN: &str = "expires_in";
/// `grantType`.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// `responseType`.
const RESPONSE_TYPE: &str = "token";
/// `tokenRefreshBuffer`: seconds before its end at which a token is replaced.
const REFRESH_BUFFER_S: i64 = 120;
/// Longest answer of a token endpoint.
const ANSWER_BYTES_MAX: u64 = 256 << 10;
const DAY_S: i64 = 86_400;

/// How requests are authenticated.
pub(super) enum Auth {
    /// Not at all.
    None,
    /// With a key that never changes.
    Key(String),
    /// With tokens of an endpoint.
    Token(Box<Tokens>),
}

impl Auth {
    /// What the options of a transport say.
    pub(super) fn new(transport: &Value, env: &Env) -> Result<Self> {
        let Some(auth) = transport.get("auth") else { return Ok(Self::None) };
        match text(auth, "type").unwrap_or_default().as_str() {
            "" => Ok(Self::None),
            "api_key" => api_key(auth).map(Self::Key),
            "jwt" => Tokens::new(auth, env).map(|tokens| Self::Token(Box::new(tokens))),
            _ => Err(bad("transport.auth.type", "api_key or jwt")),
        }
    }

    /// What to send as a bearer token.
    pub(super) fn bearer(&mut self, client: &Client, timeout: Duration) -> Result<Option<String>, Failure> {
        match self {
            Self::None => Ok(None),
            Self::Key(key) => Ok(Some(key.clone())),
            Self::Token(tokens) => tokens.current(client, timeout).map(Some),
        }
    }

    /// The server did not take what was sent.
    pub(super) fn refused(&mut self) {
        if let Self::Token(tokens) = self {
            tokens.cached = None;
        }
    }
}

fn api_key(auth: &Value) -> Result<String> {
    either(auth, "apiKey", "api_key").ok_or_else(|| bad("transport.auth.apiKey", "the key: it is missing"))
}

/// An option as the Java client spells it, or the Python client.
fn either(auth: &Value, java: &str, python: &str) -> Option<String> {
    text(auth, java).or_else(|| text(auth, python)).filter(|value| !value.trim().is_empty())
}

/// Tokens of an endpoint.
pub(super) struct Tokens {
    endpoint: Url,
    form: [(&'static str, String); 3],
    token_fields: Vec<String>,
    expires_in_field: String,
    buffer_ms: i64,
    env: Env,
    /// The token, and when it is to be replaced if it said so.
    cached: Option<(String, Option<i64>)>,
}

impl Tokens {
    fn new(auth: &Value, env: &Env) -> Result<Self> {
        let option = "transport.auth.tokenEndpoint";
        let endpoint = either(auth, "tokenEndpoint", "token_endpoint");
        let endpoint = endpoint.ok_or_else(|| bad(option, "the address that gives tokens: it is missing"))?;
        let endpoint = Url::parse(endpoint.trim()).map_err(|e| bad(option, &format!("an http address: {e}")))?;
        let given =
            |java: &str, python: &str, default: &str| either(auth, java, python).unwrap_or_else(|| default.to_owned());
        let buffer = given("tokenRefreshBuffer", "token_refresh_buffer", &REFRESH_BUFFER_S.to_string());
        let buffer_s = buffer.trim().parse::<i64>().ok().filter(|seconds| (0..=DAY_S).contains(seconds));
        let wrong = || bad("transport.auth.tokenRefreshBuffer", "a whole number of seconds, at most a day");
        Ok(Self {
            endpoint,
            form: [
                ("apikey", api_key(auth)?),
                ("grant_type", given("grantType", "grant_type", GRANT_TYPE)),
                ("response_type", given("responseType", "response_type", RESPONSE_TYPE)),
            ],
            token_fields: token_fields(auth),
            expires_in_field: given("expiresInField", "expires_in_field", EXPIRES_IN),
            buffer_ms: buffer_s.ok_or_else(wrong)? * 1000,
            env: env.clone(),
            cached: None,
        })
    }

    fn current(&mut self, client: &Client, timeout: Duration) -> Result<String, Failure> {
        let now_ms = self.env.now_ms();
        if let Some((token, until_ms)) = &self.cached
            && until_ms.is_none_or(|until| now_ms < until)
        {
            return Ok(token.clone());
        }
        self.cached = None;
        let answer = self.fetch(client, timeout)?;
        let token = self.token_fields.iter().find_map(|field| text(&answer, field)).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| {
            Failure::retryable(format!(
                "the answer of the token endpoint has no field {}",
                self.token_fields.join(", ")
            ))
        })?;
        let seconds = text(&answer, &self.expires_in_field).and_then(|text| text.trim().parse::<f64>().ok());
        // A token that is good for less than the buffer is used for one event.
        let good = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let until_ms = good.map(|good| {
            let good_ms = i64::try_from(good.as_millis()).unwrap_or(i64::MAX);
            now_ms.saturating_add(good_ms).saturating_sub(self.buffer_ms)
        });
        self.cached = Some((token.clone(), until_ms));
        Ok(token)
    }

    /// Asks the endpoint. What it says is told to nobody: it may hold the key.
    fn fetch(&self, client: &Client, timeout: Duration) -> Result<Value, Failure> {
        let request = client.post(self.endpoint.clone()).timeout(timeout).header("Accept", "application/json");
        let response = request.form(&self.form[..]).send();
        let response = response.map_err(|e| Failure::retryable(format!("the token endpoint: {}", e.without_url())))?;
        let status = response.status();
        if !status.is_success() {
            return Err(Failure::retryable(format!("the token endpoint answered {status}")));
        }
        let mut body = vec![];
        let read = response.take(ANSWER_BYTES_MAX).read_to_end(&mut body);
        read.map_err(|e| Failure::retryable(format!("the token endpoint: {e}")))?;
        serde_json::from_slice(&body).map_err(|_| Failure::retryable("the token endpoint did not answer with JSON"))
    }
}

/// A list, or text such as `[token;access_token]`.
fn token_fields(auth: &Value) -> Vec<String> {
    let given = auth.get("tokenFields").or_else(|| auth.get("token_fields"));
    let fields: Vec<String> = match given {
        Some(Value::Array(fields)) => fields.iter().filter_map(|field| Some(field.as_str()?.to_owned())).collect(),
        Some(Value::String(fields)) => fields
            .trim_matches(['[', ']'])
            .split([';', ','])
            .map(|field| field.trim().to_owned())
            .filter(|field| !field.is_empty())
            .collect(),
        _ => vec![],
    };
    match fields.is_empty() {
        true => TOKEN_FIELDS.map(str::to_owned).to_vec(),
        false => fields,
    }
}
