//! `type: http`: a POST per event.

use super::auth::Auth;
use super::{Failure, Transport, bad, flat, required, text};
use crate::client::Message;
use flate2::Compression;
use flate2::write::GzEncoder;
use headwater_env::Env;
use headwater_types::Result;
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{StatusCode, Url};
use serde_json::Value;
use std::io::Write;
use std::time::Duration;

/// `endpoint`: path below the url.
const ENDPOINT: &str = "api/v1/lineage";
/// `timeoutInMillis`: longest time of a request.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Posts events.
pub(super) struct Http {
    url: Url,
    /// Built with the first event: it starts a thread.
    client: Option<Client>,
    headers: HeaderMap,
    auth: Auth,
    gzip: bool,
    timeout: Duration,
}

impl Http {
    pub(super) fn new(config: &Value, env: &Env) -> Result<Self> {
        let gzip = match text(config, "compression").as_deref() {
            None | Some("") => false,
            Some(kind) if kind.eq_ignore_ascii_case("gzip") => true,
            Some(_) => return Err(bad("transport.compression", "gzip")),
        };
        Ok(Self {
            url: url(config)?,
            client: None,
            headers: headers(config)?,
            auth: Auth::new(config, env)?,
            gzip,
            timeout: timeout(config)?,
        })
    }

    fn client(&mut self) -> Result<Client, Failure> {
        if let Some(client) = &self.client {
            return Ok(client.clone());
        }
        let client = Client::builder().timeout(self.timeout).build();
        let client = client.map_err(|e| Failure::permanent(format!("the http client could not be made: {e}")))?;
        Ok(self.client.insert(client).clone())
    }

    fn request(&mut self, message: &Message, timeout: Duration) -> Result<RequestBuilder, Failure> {
        let (client, timeout) = (self.client()?, timeout.min(self.timeout));
        let mut request = client.post(self.url.clone()).timeout(timeout).headers(self.headers.clone());
        request = request.header("Content-Type", "application/json");
        if let Some(token) = self.auth.bearer(&client, timeout)? {
            request = request.bearer_auth(token);
        }
        Ok(match self.gzip {
            true => request.header("Content-Encoding", "gzip").body(gzipped(&message.json)?),
            false => request.body(message.json.clone()),
        })
    }
}

impl Transport for Http {
    fn send(&mut self, message: &Message, timeout: Duration) -> Result<(), Failure> {
        let response = self.request(message, timeout)?.send();
        let response = response.map_err(|e| Failure::retryable(format!("{}", e.without_url())))?;
        let status = response.status();
        let said = || format!("the endpoint answered {status}");
        match status {
            _ if status.is_success() => Ok(()),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(Failure::retryable(said())),
            // A key may be given back, a token replaced; events wait for it.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.auth.refused();
                Err(Failure::retryable(said()))
            }
            StatusCode::NOT_FOUND => Err(Failure::retryable(said())),
            _ if status.is_server_error() => Err(Failure::retryable(said())),
            _ => Err(Failure::permanent(said())),
        }
    }
}

fn gzipped(json: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    let written = encoder.write_all(json).and_then(|()| encoder.finish());
    written.map_err(|e| Failure::permanent(format!("the event could not be compressed: {e}")))
}

fn url(config: &Value) -> Result<Url> {
    let base = required(config, "url")?;
    let mut url = Url::parse(base.trim()).map_err(|e| bad("transport.url", &format!("an http address: {e}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("transport.url", "an address that begins with http:// or https://"));
    }
    let endpoint = text(config, "endpoint").unwrap_or_else(|| ENDPOINT.to_owned());
    let path = format!("{}/{}", url.path().trim_end_matches('/'), endpoint.trim_start_matches('/'));
    url.set_path(&path);
    for (name, value) in flat(config.get("urlParams")) {
        url.query_pairs_mut().append_pair(&name, &value);
    }
    Ok(url)
}

fn headers(config: &Value) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in flat(config.get("headers")) {
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(&value).ok());
        // The value may be a secret.
        let Some((name, mut value)) = parsed else {
            return Err(bad(&format!("transport.headers.{name}"), "a valid header"));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// `timeoutInMillis`, or the older `timeout` in seconds.
fn timeout(config: &Value) -> Result<Duration> {
    let number = |name: &str| match text(config, name) {
        None => Ok(None),
        Some(value) => value
            .trim()
            .parse::<f64>()
            .ok()
            .filter(|n| n.is_finite() && *n > 0.0 && *n < 1e9)
            .map(Some)
            .ok_or_else(|| bad(&format!("transport.{name}"), "a number above 0")),
    };
    match (number("timeoutInMillis")?, number("timeout")?) {
        (Some(ms), _) => Ok(Duration::from_secs_f64(ms / 1000.0)),
        (None, Some(seconds)) => Ok(Duration::from_secs_f64(seconds)),
        (None, None) => Ok(TIMEOUT),
    }
}
