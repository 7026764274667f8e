//! Which Lease, and how the API server is reached: by Flink's keys, and by what every pod finds.

use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use std::path::PathBuf;
use std::time::Duration;

const NAMESPACE: &str = "kubernetes.namespace";
const CLUSTER_ID: &str = "kubernetes.cluster-id";
/// URL of the API server; that of the pod's cluster by default. One without TLS is for `kubectl proxy`.
const SERVER: Key = Key { name: "headwater.kubernetes.api-server", default: "" };
/// Where the service account's token, authorities and namespace are.
const CREDENTIALS: Key =
    Key { name: "headwater.kubernetes.service-account-dir", default: "/var/run/secrets/kubernetes.io/serviceaccount" };
/// Bytes of a name in Kubernetes.
const NAME_BYTES_MAX: usize = 63;

/// A Lease, and the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubernetesOptions {
    /// URL of the API server; `None` outside of pods, where only those work that contend for nothing.
    pub server: Option<String>,
    /// The directory with token and authorities; `None` where the server asks for none.
    pub credentials: Option<PathBuf>,
    /// The namespace of the Lease.
    pub namespace: String,
    /// Its name.
    pub lease: String,
    /// How long the server may take to answer.
    pub timeout: Duration,
}

impl KubernetesOptions {
    /// What a configuration and the pod say, for a cluster of this id.
    ///
    /// # Errors
    /// When a name is none.
    pub fn from_config(config: &Configuration, cluster: &str, timeout: Duration) -> Result<Self> {
        let directory = PathBuf::from(config.text(CREDENTIALS).trim());
        let server = match config.text(SERVER).trim() {
            "" => in_cluster(),
            server => Some(server.to_owned()),
        };
        let namespace = match config.get(NAMESPACE).map(str::trim).filter(|namespace| !namespace.is_empty()) {
            Some(namespace) => namespace.to_owned(),
            None => std::fs::read_to_string(directory.join("namespace"))
                .map_or("default".to_owned(), |it| it.trim().to_owned()),
        };
        let id = config.get(CLUSTER_ID).map_or(cluster, str::trim);
        let is_secure = server.as_ref().is_some_and(|server| server.starts_with("https:"));
        let credentials = Some(directory).filter(|it| is_secure || it.join("token").is_file());
        let lease = format!("{}-leader", id.trim_matches('/'));
        for (key, name) in [(NAMESPACE, &namespace), (CLUSTER_ID, &lease)] {
            if !is_name(name) {
                let expected = "lower-case letters, digits and '-', at most 63 with '-leader'";
                return Err(Error::user("bad-option", format!("'{key}' makes '{name}': expected {expected}")));
            }
        }
        Ok(Self { server, credentials, namespace, lease, timeout })
    }
}

/// The API server that pods are told of.
fn in_cluster() -> Option<String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (host, port) = (variable("KUBERNETES_SERVICE_HOST")?, variable("KUBERNETES_SERVICE_PORT")?);
    Some(match host.contains(':') {
        true => format!("https://[{host}]:{port}"),
        false => format!("https://{host}:{port}"),
    })
}

/// The error of a JobManager that would lead and knows no API server.
pub(super) fn in_no_pod() -> Error {
    let message = format!(
        "'high-availability.type' is kubernetes, and this process is in no pod: set '{}', say to the address of \
         'kubectl proxy'",
        SERVER.name
    );
    Error::user("bad-option", message)
}

fn is_name(name: &str) -> bool {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.chars().all(|c| is_inner(c) || c == '-')
        && name.starts_with(is_inner)
        && name.ends_with(is_inner)
}
