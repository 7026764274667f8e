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

/// How long an answer may take, and that of a call that only looks.
const TIMEOUT: Duration = Duration::from_secs(60);
const LOOK_TIMEOUT: Duration = Duration::from_secs(15);
/// How long one of several addresses may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The type of an encoded plan.
const PLAN_TYPE: &str = "application/x-headwater-plan";

/// The API of a cluster, or of a SQL gateway.
pub struct Api {
    client: Client,
    base: String,
    token: Option<String>,
    server: Server,
}

/// Who is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    Cluster,
    Gateway,
}

impl Server {
    fn name(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Gateway => "SQL gateway",
        }
    }

    /// What may help when it is not there.
    fn hint(self) -> &'static str {
        match self {
            Self::Cluster => "name another by -m HOST:PORT",
            Self::Gateway => "start one by 'headwater sql-gateway', or name another by --gateway URL",
        }
    }

    /// The port it is usually at.
    fn port(self) -> &'static str {
        match self {
            Self::Cluster => "expected 'rest.port' of a JobManager (8081), which is not that of its RPC",
            Self::Gateway => "expected the port of 'headwater sql-gateway' (8083)",
        }
    }
}

impl Api {
    /// At `host:port`, a URL, or where the configuration says. Of several, separated by commas, the first that takes
    /// connections: any JobManager hands calls on to the one that leads.
    ///
    /// # Errors
    /// When no client can be made, or a file that the configuration names cannot be read.
    pub fn new(address: Option<&str>, config: &Configuration) -> Result<Self> {
        let tls = headwater_tls::Options::from_config(&with_tls_if_named(address, config), Part::Rest)?;
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
        for url in &urls {
            if let Err(error) = reqwest::Url::parse(url) {
                let message = format!("'{url}' is no address ({error}): expected HOST, HOST:PORT or a URL");
                return Err(Error::user("bad-address", message));
            }
        }
        let base = format!("{}/v1", reachable(&urls));
        Ok(Self { client, base, token: token(config)?, server: Server::Cluster })
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
        api.server = Server::Gateway;
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
        self.answer(self.client.get(format!("{}{path}", self.base)).timeout(LOOK_TIMEOUT))
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
        let (name, port) = (self.server.name(), self.server.port());
        // The answer of a server that has none of the paths asked for.
        if status == StatusCode::NOT_FOUND && said.starts_with("Not found: /") {
            return Err(Error::user("wrong-server", format!("there is no {name} at {}: {port}", self.base)));
        }
        // Flink's clients know the class by its name; to a reader it says nothing.
        let said = said.strip_prefix("org.apache.flink.runtime.rest.NotFoundException: ").unwrap_or(said);
        Err(Error::user("cluster-refused", format!("the {name} refused ({status}): {said}")))
    }

    fn unreachable(&self, error: reqwest::Error) -> Error {
        // The innermost cause says what happened; those around it repeat each other.
        let mut cause: &dyn std::error::Error = &error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let (name, base) = (self.server.name(), &self.base);
        if let Some(why) = headwater_tls::explain_server(&error) {
            let message = format!("the {name} at {base} cannot be reached: {why}");
            return Error::user("tls-refused", message).with_source(error);
        }
        let cause = cause.to_string();
        // What hyper says of a server that answers something else.
        if cause.starts_with("invalid HTTP") {
            let message =
                format!("what is at {base} does not speak HTTP: {}; with TLS, name it by https://", self.server.port());
            return Error::user("wrong-server", message).with_source(error);
        }
        let message = format!("the {name} at {base} cannot be reached: {cause}; {}", self.server.hint());
        Error::retryable("cluster-unreachable", message).with_source(error)
    }
}

/// Who names an address by `https://` means TLS, with the keys there are for it.
fn with_tls_if_named(address: Option<&str>, config: &Configuration) -> Configuration {
    let mut config = config.clone();
    if address.is_some_and(|list| list.split(',').any(|one| one.trim().starts_with("https://"))) {
        config.set("security.ssl.rest.enabled", "true");
    }
    config
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
    fn what_is_no_address_is_refused_and_https_reads_the_keys_of_tls() {
        let refused = Api::new(Some("foo:bar"), &Configuration::new()).err().expect("it is no address");
        assert_eq!(refused.code(), "bad-address");
        let mut config = Configuration::new();
        config.set("security.ssl.rest.truststore", "/nowhere/ca.pem");
        assert!(Api::new(Some("http://localhost:1"), &config).is_ok());
        let unreadable = Api::new(Some("https://localhost:1"), &config).err().expect("the file is read");
        assert!(unreadable.message().contains("/nowhere/ca.pem"), "{unreadable}");
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
