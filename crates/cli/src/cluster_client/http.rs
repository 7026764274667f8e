//! Requests to the API.

use headwater_tls::Part;
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use reqwest::blocking::{Client, ClientBuilder, RequestBuilder};
use reqwest::{Certificate, Identity, Method, StatusCode};
use serde_json::Value;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const ADDRESS: Key = Key { name: "rest.address", default: "localhost" };
const PORT: Key = Key { name: "rest.port", default: "8081" };
const TOKEN: Key = Key { name: "headwater.rest.authentication.token", default: "" };
const TOKEN_FILE: Key = Key { name: "headwater.rest.authentication.token-file", default: "" };

/// The port of a SQL gateway, where none is named.
const GATEWAY_PORT: u16 = 8083;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How long one of several addresses may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The type of an encoded plan.
const PLAN_TYPE: &str = "application/x-headwater-plan";

/// The API of a cluster.
pub struct Api {
    client: Client,
    base: String,
    token: Option<String>,
}

impl Api {
    /// At `host:port`, a URL, or where the configuration says. Of several, separated by commas, the first that takes
    /// connections: any JobManager hands calls on to the one that leads.
    ///
    /// # Errors
    /// When no client can be made, or a file that the configuration names cannot be read.
    pub fn new(address: Option<&str>, config: &Configuration) -> Result<Self> {
        let tls = headwater_tls::Options::from_config(config, Part::Rest)?;
        let client = secured(Client::builder().timeout(TIMEOUT), tls.as_ref())?
            .build()
            .map_err(|error| Error::internal("no HTTP client could be made").with_source(error))?;
        let all: Vec<Option<&str>> = match address {
            Some(list) => list.split(',').map(str::trim).filter(|one| !one.is_empty()).map(Some).collect(),
            None => vec![],
        };
        let urls: Vec<String> = match all.is_empty() {
            true => vec![url(None, config, tls.is_some())],
            false => all.into_iter().map(|one| url(one, config, tls.is_some())).collect(),
        };
        let base = format!("{}/v1", reachable(&urls));
        Ok(Self { client, base, token: token(config)? })
    }

    /// The API of the SQL gateway at `host[:port]`, or a URL.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn gateway(address: &str, config: &Configuration) -> Result<Self> {
        let has_port = address.contains("://") || address.contains(':');
        let address = if has_port { address.to_owned() } else { format!("{address}:{GATEWAY_PORT}") };
        let mut api = Self::new(Some(&address), config)?;
        api.base = format!("{}/v4", api.base.trim_end_matches("/v1"));
        Ok(api)
    }

    /// As [`Self::send`], with the reasons of a refusal as they were told.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub fn try_send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<std::result::Result<Value, Vec<String>>> {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let (status, document) = self.document(match body {
            Some(body) => request.json(body),
            None => request,
        })?;
        if status.is_success() {
            return Ok(Ok(document));
        }
        let errors = document["errors"].as_array().map_or(&[][..], Vec::as_slice);
        Ok(Err(errors.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
    }

    /// Looks at something.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or refuses.
    pub fn get(&self, path: &str) -> Result<Value> {
        self.send(Method::GET, path, None)
    }

    /// Changes something.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or refuses.
    pub fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let request = self.client.request(method, format!("{}{path}", self.base));
        self.answer(match body {
            Some(body) => request.json(body),
            None => request,
        })
    }

    /// Submits an encoded plan.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or refuses.
    pub fn submit(&self, plan: Vec<u8>) -> Result<Value> {
        let request = self.client.post(format!("{}/jobs", self.base));
        self.answer(request.header(reqwest::header::CONTENT_TYPE, PLAN_TYPE).body(plan))
    }

    /// Uploads a script.
    ///
    /// # Errors
    /// When the cluster cannot be reached, or refuses.
    pub fn upload(&self, name: &str, script: &str) -> Result<Value> {
        const BOUNDARY: &str = "headwater-9f1c6f0f2b7e4b0c";
        if script.contains(BOUNDARY) {
            return Err(Error::user("bad-script", format!("the script holds '{BOUNDARY}', which marks its end")));
        }
        let name: String = name.chars().filter(|c| !matches!(c, '"' | ';' | '\r' | '\n')).collect();
        let body = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"jarfile\"; filename=\"{name}\"\r\n\
             Content-Type: application/sql\r\n\r\n{script}\r\n--{BOUNDARY}--\r\n"
        );
        let kind = format!("multipart/form-data; boundary={BOUNDARY}");
        let request = self.client.post(format!("{}/jars/upload", self.base));
        self.answer(request.header(reqwest::header::CONTENT_TYPE, kind).body(body))
    }

    fn document(&self, request: RequestBuilder) -> Result<(StatusCode, Value)> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().map_err(|error| self.unreachable(error))?;
        let status = response.status();
        let text = response.text().unwrap_or_default();
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    fn answer(&self, request: RequestBuilder) -> Result<Value> {
        let (status, document) = self.document(request)?;
        if status.is_success() {
            return Ok(document);
        }
        let said = document["errors"][0].as_str().unwrap_or("it does not say why");
        Err(Error::user("cluster-refused", format!("the cluster refused ({status}): {said}")))
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        // The innermost cause says what happened; those around it repeat each other.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let message = format!("the cluster at {} cannot be reached: {cause}; name another by -m HOST:PORT", self.base);
        Error::retryable("cluster-unreachable", message).with_source(error)
    }
}

fn url(address: Option<&str>, config: &Configuration, is_secure: bool) -> String {
    let scheme = if is_secure { "https" } else { "http" };
    let port = config.text(PORT).trim();
    match address.map(|address| address.trim_end_matches('/')) {
        Some(url) if url.contains("://") => url.to_owned(),
        Some(address) if address.contains(':') => format!("{scheme}://{address}"),
        Some(host) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{}:{port}", config.text(ADDRESS).trim()),
    }
}

/// The first of several that takes connections; the first one when none does, which says why not.
fn reachable(urls: &[String]) -> &str {
    let takes = |url: &&String| {
        let address = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let address = address.split('/').next().unwrap_or_default();
        let mut found = address.to_socket_addrs().into_iter().flatten();
        found.any(|address| TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).is_ok())
    };
    match urls {
        [only] => only,
        several => several.iter().find(takes).or(several.first()).map_or("", String::as_str),
    }
}

/// Trusts and shows what the configuration says; without a trust store, what the system trusts.
pub(crate) fn secured(builder: ClientBuilder, tls: Option<&headwater_tls::Options>) -> Result<ClientBuilder> {
    let Some(tls) = tls else { return Ok(builder) };
    let unusable = |error: reqwest::Error| {
        Error::user("tls-not-configured", format!("what 'security.ssl.rest' names cannot be used: {error}"))
    };
    let mut builder = builder;
    if let Some(pem) = tls.trusted_pem()? {
        builder = builder.tls_built_in_root_certs(false);
        for certificate in Certificate::from_pem_bundle(&pem).map_err(unusable)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    match tls.own_pem()? {
        Some(pem) => Ok(builder.identity(Identity::from_pem(&pem).map_err(unusable)?)),
        None => Ok(builder),
    }
}

fn token(config: &Configuration) -> Result<Option<String>> {
    let path = config.text(TOKEN_FILE).trim();
    let text = match path {
        "" => config.text(TOKEN).to_owned(),
        path => std::fs::read_to_string(path).map_err(|error| {
            Error::user("bad-token-file", format!("{path} (of '{}') cannot be read: {error}", TOKEN_FILE.name))
        })?,
    };
    Ok(Some(text.trim().to_owned()).filter(|token| !token.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_with_a_port_or_a_url() {
        let config = Configuration::new();
        for (address, is_secure, expected) in [
            (None, false, "http://localhost:8081"),
            (Some("node"), false, "http://node:8081"),
            (Some("node:9"), true, "https://node:9"),
            (Some("http://node:9/"), true, "http://node:9"),
        ] {
            assert_eq!(url(address, &config, is_secure), expected);
        }
    }

    #[test]
    fn of_several_addresses_the_first_that_answers_is_taken() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let there = listener.local_addr().expect("it is bound");
        let api = Api::new(Some(&format!("127.0.0.1:1, {there}")), &Configuration::new()).expect("an API");
        assert_eq!(api.base, format!("http://{there}/v1"));
        let api = Api::new(Some("127.0.0.1:1,127.0.0.1:2"), &Configuration::new()).expect("an API");
        assert_eq!(api.base, "http://127.0.0.1:1/v1");
    }
}
