//! The client of a Confluent schema registry: schemas by id, ids by schema.
//!
//! A call waits for the registry. It is made once for each schema of a table's life, so it is allowed to hold up the
//! subtask that needs it, within [`TIMEOUT`].

use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_types::{Error, ErrorKind, Result};
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::{Certificate, Identity, StatusCode};
use std::time::Duration;

/// Limit of a call.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often a call is made before the registry counts as out of reach.
const ATTEMPTS: u32 = 3;
/// Pause between two calls.
const PAUSE: Duration = Duration::from_millis(200);
const CONTENT: &str = "application/vnd.schemaregistry.v1+json";

/// Who asks.
enum Login {
    Nobody,
    Basic(String, String),
    Bearer(String),
}

/// A registry, or several addresses of one.
pub(super) struct Registry {
    urls: Vec<String>,
    login: Login,
    client: Client,
}

impl Registry {
    /// The registry that the options name.
    pub(super) fn new(options: Options<'_>) -> Result<Self> {
        let name = "avro-confluent.url";
        let missing = || {
            Error::user(
                "missing-option",
                format!("the format avro-confluent needs the option '{name}': the address of the schema registry"),
            )
        };
        let text = options.get(name).ok_or_else(missing)?;
        let urls: Vec<String> = text.split(',').map(|url| url.trim().trim_end_matches('/').to_string()).collect();
        if urls.iter().any(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
            return Err(bad_option(name, "..", "addresses that start with http:// or https://"));
        }
        let (urls, from_url) = split_users(urls);
        Ok(Self { login: login(options, from_url)?, urls, client: client(options)? })
    }

    /// The schema of an id, as JSON.
    pub(super) fn schema(&self, id: u32) -> Result<String> {
        let doing = format!("reading the Avro schema {id}");
        let body = self.call(&doing, |client, url| client.get(format!("{url}/schemas/ids/{id}")))?;
        let schema = body.get("schema").and_then(serde_json::Value::as_str);
        schema.map(str::to_string).ok_or_else(|| unexpected(&doing))
    }

    /// The id of a schema under a subject; registers it when it is not there.
    pub(super) fn register(&self, subject: &str, schema: &str) -> Result<u32> {
        let doing = format!("registering the Avro schema of the subject '{subject}'");
        let body = serde_json::json!({ "schema": schema }).to_string();
        let answer = self.call(&doing, |client, url| {
            client
                .post(format!("{url}/subjects/{}/versions", escape(subject)))
                .header("Content-Type", CONTENT)
                .body(body.clone())
        })?;
        let id = answer.get("id").and_then(serde_json::Value::as_u64).and_then(|id| u32::try_from(id).ok());
        id.ok_or_else(|| unexpected(&doing))
    }

    fn call(&self, doing: &str, request: impl Fn(&Client, &str) -> RequestBuilder) -> Result<serde_json::Value> {
        let mut last = Error::internal("a registry without address");
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                std::thread::park_timeout(PAUSE);
            }
            for url in &self.urls {
                match self.send(doing, request(&self.client, url)) {
                    Err(error) if error.kind() == ErrorKind::Retryable => last = error,
                    answer => return answer,
                }
            }
        }
        Err(last)
    }

    fn send(&self, doing: &str, request: RequestBuilder) -> Result<serde_json::Value> {
        let request = match &self.login {
            Login::Nobody => request,
            Login::Basic(user, password) => request.basic_auth(user, Some(password)),
            Login::Bearer(token) => request.bearer_auth(token),
        };
        let response = request.header("Accept", CONTENT).send().map_err(|error| {
            let message = format!("{doing}: the schema registry does not answer: {}", root_cause(&error));
            Error::retryable("registry-unreachable", message + "; check the option 'avro-confluent.url'")
        })?;
        if response.status().is_success() {
            let text =
                response.text().map_err(|e| Error::retryable("registry-unreachable", format!("{doing}: {e}")))?;
            return serde_json::from_str(&text).map_err(|_| unexpected(doing));
        }
        Err(refusal(doing, response))
    }
}

/// The innermost reason: the outer ones repeat the address, which may hold a password.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn unexpected(doing: &str) -> Error {
    Error::user(
        "registry-answer",
        format!("{doing}: what answers is no schema registry; check the option 'avro-confluent.url'"),
    )
}

fn refusal(doing: &str, response: Response) -> Error {
    let status = response.status();
    let text = response.text().unwrap_or_default();
    let told = serde_json::from_str::<serde_json::Value>(&text).ok();
    let told = told.as_ref().and_then(|body| body.get("message")?.as_str()).unwrap_or("no reason was told").to_string();
    let (kind, code, advice) = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            (ErrorKind::User, "registry-authorization", "; check 'avro-confluent.basic-auth.user-info'")
        }
        StatusCode::NOT_FOUND => (ErrorKind::User, "registry-schema-missing", ""),
        StatusCode::CONFLICT => {
            (ErrorKind::User, "registry-incompatible", "; change the columns, or the compatibility of the subject")
        }
        status if status.is_server_error() => (ErrorKind::Retryable, "registry-unreachable", ""),
        _ => (ErrorKind::User, "registry-refused", ""),
    };
    Error::new(kind, code, format!("{doing}: the schema registry answers {}: {told}{advice}", status.as_u16()))
}

/// Takes `user:password@` out of the addresses.
fn split_users(urls: Vec<String>) -> (Vec<String>, Option<String>) {
    let mut found = None;
    let strip = |url: String| match url.split_once("://").and_then(|(s, rest)| Some((s, rest.split_once('@')?))) {
        Some((scheme, (user, host))) => {
            found = Some(user.to_string());
            format!("{scheme}://{host}")
        }
        None => url,
    };
    (urls.into_iter().map(strip).collect(), found)
}

fn login(options: Options<'_>, from_url: Option<String>) -> Result<Login> {
    let user_info = options.get("avro-confluent.basic-auth.user-info").map(str::to_string);
    let source = options.get("avro-confluent.basic-auth.credentials-source");
    let given = match source {
        None => user_info.or(from_url),
        Some("USER_INFO") => user_info,
        Some("URL") => from_url,
        Some(other) => {
            return Err(bad_option("avro-confluent.basic-auth.credentials-source", other, "USER_INFO or URL"));
        }
    };
    if let Some(info) = given {
        let (user, password) = info
            .split_once(':')
            .ok_or_else(|| bad_option("avro-confluent.basic-auth.user-info", "..", "user:password"))?;
        return Ok(Login::Basic(user.into(), password.into()));
    }
    match (
        options.get("avro-confluent.bearer-auth.token"),
        options.get("avro-confluent.bearer-auth.credentials-source"),
    ) {
        (Some(token), None | Some("STATIC_TOKEN")) => Ok(Login::Bearer(token.into())),
        (_, Some(other)) if other != "STATIC_TOKEN" => {
            Err(bad_option("avro-confluent.bearer-auth.credentials-source", other, "STATIC_TOKEN"))
        }
        _ => Ok(Login::Nobody),
    }
}

fn client(options: Options<'_>) -> Result<Client> {
    let mut builder = Client::builder().timeout(TIMEOUT);
    let read = |name: &str, path: &str| {
        std::fs::read(path).map_err(|e| {
            Error::user("cannot-read", format!("the file of the option '{name}' cannot be read: {path}: {e}"))
        })
    };
    let name = "avro-confluent.ssl.truststore.location";
    if let Some(path) = options.get(name) {
        let certificates = Certificate::from_pem_bundle(&read(name, path)?).ok().filter(|found| !found.is_empty());
        for certificate in certificates.ok_or_else(|| bad_option(name, path, "a PEM file with certificates"))? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    let name = "avro-confluent.ssl.keystore.location";
    if let Some(path) = options.get(name) {
        let identity = Identity::from_pem(&read(name, path)?);
        builder = builder
            .identity(identity.map_err(|_| bad_option(name, path, "a PEM file with certificate and private key"))?);
    }
    builder
        .build()
        .map_err(|e| Error::user("registry-client", format!("no client of the schema registry can be made: {e}")))
}

/// A subject as a segment of an address.
fn escape(subject: &str) -> String {
    let mut out = String::new();
    for byte in subject.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
