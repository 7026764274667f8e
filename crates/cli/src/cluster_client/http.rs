//! Requests to the API.

use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use reqwest::Method;
use reqwest::blocking::Client;
use serde_json::Value;
use std::time::Duration;

const ADDRESS: Key = Key { name: "rest.address", default: "localhost" };
const PORT: Key = Key { name: "rest.port", default: "8081" };
const TOKEN: Key = Key { name: "headwater.rest.authentication.token", default: "" };

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The API of a cluster.
pub struct Api {
    client: Client,
    base: String,
    token: Option<String>,
}

impl Api {
    /// At `host:port`, or where the configuration says.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn new(address: Option<&str>, config: &Configuration) -> Result<Self> {
        let address = match address {
            Some(address) if address.contains(':') => address.to_owned(),
            Some(host) => format!("{host}:{}", config.text(PORT)),
            None => format!("{}:{}", config.text(ADDRESS), config.text(PORT)),
        };
        let client = Client::builder()
            .timeout(TIMEOUT)
            .build()
            .map_err(|error| Error::internal("no HTTP client could be made").with_source(error))?;
        let token = Some(config.text(TOKEN).to_owned()).filter(|token| !token.is_empty());
        Ok(Self { client, base: format!("http://{address}/v1"), token })
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
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().map_err(|error| {
            let message = format!("the cluster at {} cannot be reached; name another by -m HOST:PORT", self.base);
            Error::retryable("cluster-unreachable", message).with_source(error)
        })?;
        let status = response.status();
        let text = response.text().unwrap_or_default();
        let document: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(document);
        }
        let said = document["errors"][0].as_str().unwrap_or("it does not say why");
        Err(Error::user("cluster-refused", format!("the cluster refused ({status}): {said}")))
    }
}
