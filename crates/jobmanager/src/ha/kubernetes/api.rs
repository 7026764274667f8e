//! The API server: one Lease is read, created and replaced.
//!
//! The token and the authorities of a service account are files that Kubernetes replaces from time to time; they are read
//! for every request. Tokens never appear in errors.

use super::document::Document;
use super::options::{KubernetesOptions, in_no_pod};
use headwater_types::{Error, ErrorKind, Result};
use reqwest::blocking::{Client, RequestBuilder};
use reqwest::redirect::Policy;
use reqwest::{Certificate, StatusCode};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

const GROUP: &str = "coordination.k8s.io/v1";
/// Largest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is there.
    Yes,
    /// Somebody else has written before.
    TooLate,
}

/// A Lease at the API server.
pub(super) struct Api {
    leases: String,
    name: String,
    timeout: Duration,
    token: Option<PathBuf>,
    authorities: Option<PathBuf>,
    /// A client, and the authorities that it trusts.
    client: Mutex<Option<(Vec<u8>, Client)>>,
}

impl Api {
    /// The lease of these options.
    ///
    /// # Errors
    /// When the process is not in a cluster, and no API server is named.
    pub(super) fn new(options: &KubernetesOptions) -> Result<Self> {
        let server = options.server.as_deref().ok_or_else(in_no_pod)?.trim_end_matches('/');
        let leases = format!("{server}/apis/{GROUP}/namespaces/{}/leases", options.namespace);
        let files = options.credentials.as_ref();
        Ok(Self {
            leases,
            name: options.lease.clone(),
            timeout: options.timeout,
            token: files.map(|directory| directory.join("token")),
            authorities: files.map(|directory| directory.join("ca.crt")).filter(|_| server.starts_with("https:")),
            client: Mutex::default(),
        })
    }

    /// The lease; `None` when there is none.
    pub(super) fn get(&self) -> Result<Option<Document>> {
        let request = self.client()?.get(format!("{}/{}", self.leases, self.name));
        match self.ask(request)? {
            (StatusCode::NOT_FOUND, _) => Ok(None),
            (status, document) if status.is_success() && document["spec"].is_object() => Ok(Some(Document(document))),
            (status, document) => Err(self.refused(status, &document)),
        }
    }

    /// Creates it, unless somebody else has.
    pub(super) fn create(&self, mut lease: Document) -> Result<Written> {
        lease.0["apiVersion"] = json!(GROUP);
        lease.0["kind"] = json!("Lease");
        lease.set("metadata", "name", json!(self.name));
        self.written(self.client()?.post(&self.leases).json(&lease.0))
    }

    /// Replaces the version that was read.
    pub(super) fn replace(&self, lease: Document) -> Result<Written> {
        self.written(self.client()?.put(format!("{}/{}", self.leases, self.name)).json(&lease.0))
    }

    fn written(&self, request: RequestBuilder) -> Result<Written> {
        match self.ask(request)? {
            (status, _) if status.is_success() => Ok(Written::Yes),
            // Gone means that somebody has deleted what was read.
            (StatusCode::CONFLICT | StatusCode::NOT_FOUND | StatusCode::GONE, _) => Ok(Written::TooLate),
            (status, document) => Err(self.refused(status, &document)),
        }
    }

    fn ask(&self, request: RequestBuilder) -> Result<(StatusCode, Value)> {
        let request = match &self.token {
            Some(path) => request.bearer_auth(String::from_utf8_lossy(&read(path)?).trim()),
            None => request,
        };
        let response = request.send().map_err(|e| self.unreachable(&e))?;
        let (status, mut body) = (response.status(), vec![]);
        response.take(ANSWER_BYTES_MAX).read_to_end(&mut body).map_err(|e| {
            Error::retryable("kubernetes-unreachable", "the API server of Kubernetes hung up").with_source(e)
        })?;
        Ok((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }

    /// A client that trusts the authorities of this moment.
    fn client(&self) -> Result<Client> {
        let trusted = self.authorities.as_deref().map_or(Ok(vec![]), read)?;
        let mut kept = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, client)) = &*kept
            && *known == trusted
        {
            return Ok(client.clone());
        }
        let unusable = |e: reqwest::Error| {
            let message = "what the service account trusts is no certificate: no client for Kubernetes could be made";
            Error::user("bad-kubernetes", message).with_source(e)
        };
        let mut builder = Client::builder().timeout(self.timeout).redirect(Policy::none());
        if !trusted.is_empty() {
            builder = builder.tls_built_in_root_certs(false);
            for certificate in Certificate::from_pem_bundle(&trusted).map_err(unusable)? {
                builder = builder.add_root_certificate(certificate);
            }
        }
        let client = builder.no_proxy().build().map_err(unusable)?;
        *kept = Some((trusted, client.clone()));
        Ok(client)
    }

    fn unreachable(&self, error: &reqwest::Error) -> Error {
        // The innermost cause says what happened.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let message = format!("the API server of Kubernetes cannot be reached at {}: {cause}", self.leases);
        Error::retryable("kubernetes-unreachable", message)
    }

    fn refused(&self, status: StatusCode, document: &Value) -> Error {
        let said = document["message"].as_str().unwrap_or("it does not say why");
        let message = format!("the API server of Kubernetes refuses '{}' ({status}): {said}", self.name);
        match status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
                let needed =
                    "the service account needs 'get', 'create' and 'update' of 'leases' in 'coordination.k8s.io'";
                Error::new(ErrorKind::User, "kubernetes-refused", format!("{message}; {needed}"))
            }
            _ => Error::retryable("kubernetes-refused", message),
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| {
        let message =
            format!("{} cannot be read, which Kubernetes puts into pods with a service account", path.display());
        Error::retryable("kubernetes-credentials", message).with_source(e)
    })
}
