//! What the configuration says about high availability, by Flink's keys.

use super::kubernetes::{KubernetesLease, KubernetesOptions};
use super::lease::{Lease, StorageLease};
use headwater_env::{Env, Storage, StorageProvider};
use headwater_storage::join;
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use std::sync::Arc;
use std::time::Duration;

const TYPE: Key = Key { name: "high-availability.type", default: "NONE" };
const STORAGE_DIRECTORY: Key = Key { name: "high-availability.storageDir", default: "" };
/// The same where Kubernetes elects, and how long a leader may try to show that it lives before it stops to lead.
const KUBERNETES_LEASE_DURATION: Key =
    Key { name: "high-availability.kubernetes.leader-election.lease-duration", default: "15 s" };
const KUBERNETES_RENEW_DEADLINE: Key =
    Key { name: "high-availability.kubernetes.leader-election.renew-deadline", default: "15 s" };
const KUBERNETES_RETRY_PERIOD: Key =
    Key { name: "high-availability.kubernetes.leader-election.retry-period", default: "5 s" };
const CLUSTER_ID: Key = Key { name: "high-availability.cluster-id", default: "/default" };
/// How long a leader may be silent before another takes over.
const LEASE_DURATION: Key = Key { name: "high-availability.lease-duration", default: "3 s" };
/// How often a leader shows that it lives, and others look.
const RETRY_PERIOD: Key = Key { name: "high-availability.retry-period", default: "500 ms" };

/// What Flink's configurations name, in lower case.
const KUBERNETES_FACTORY: &str = "org.apache.flink.kubernetes.highavailability.kuberneteshaservicesfactory";
/// The shortest time that a request to Kubernetes gets.
const MOMENT: Duration = Duration::from_millis(200);

/// Who settles which JobManager may lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ElectedBy {
    /// Conditional writes to the storage.
    Storage,
    /// A Lease of Kubernetes; the storage fences.
    Kubernetes(KubernetesOptions),
}

/// How several JobManagers share a cluster.
#[derive(Clone)]
pub struct HaOptions {
    /// URI of the cluster's directory.
    pub uri: String,
    /// What is there.
    pub storage: Arc<dyn Storage>,
    /// Who settles which one leads.
    pub elected_by: ElectedBy,
    /// How long a leader may be silent.
    pub lease_duration: Duration,
    /// How long a leader that cannot show that it lives goes on.
    pub renew_deadline: Duration,
    /// How often it shows that it lives.
    pub retry_period: Duration,
}

impl HaOptions {
    /// What a configuration says; `None` when there is to be one JobManager, whose jobs end with it.
    ///
    /// # Errors
    /// When a value makes no sense, naming its key.
    pub fn from_config(config: &Configuration, provider: &dyn StorageProvider) -> Result<Option<Self>> {
        let is_kubernetes = match kind(config).as_str() {
            "none" | "" => return Ok(None),
            "storage" | "filesystem" => false,
            "kubernetes" | KUBERNETES_FACTORY => true,
            other => {
                let message = format!(
                    "'{}' is '{other}': expected NONE; storage, which keeps the lease and the jobs in '{}' and needs no \
                     further service; or kubernetes, where a Lease of Kubernetes settles who leads",
                    TYPE.name, STORAGE_DIRECTORY.name
                );
                return Err(Error::user("bad-option", message));
            }
        };
        let directory = config.text(STORAGE_DIRECTORY).trim();
        if directory.is_empty() {
            let message =
                format!("high availability needs '{}': a directory that all hosts reach", STORAGE_DIRECTORY.name);
            return Err(Error::user("bad-option", message));
        }
        let cluster = config.text(CLUSTER_ID).trim().trim_matches('/');
        let uri = join(directory, cluster);
        let keys = match is_kubernetes {
            true => [KUBERNETES_LEASE_DURATION, KUBERNETES_RENEW_DEADLINE, KUBERNETES_RETRY_PERIOD],
            false => [LEASE_DURATION, LEASE_DURATION, RETRY_PERIOD],
        };
        let [lease_duration, renew_deadline, retry_period] = durations(config, keys)?;
        let elected_by = match is_kubernetes {
            // A request that hangs must leave time for another one.
            true => ElectedBy::Kubernetes(KubernetesOptions::from_config(
                config,
                cluster,
                (renew_deadline / 3).max(MOMENT),
            )?),
            false => ElectedBy::Storage,
        };
        let storage = provider.open(&uri, config)?;
        Ok(Some(Self { storage, uri, elected_by, lease_duration, renew_deadline, retry_period }))
    }

    /// The lease in storage: it says who leads, and fences whoever did before.
    pub fn lease(&self) -> Arc<dyn Lease> {
        Arc::new(StorageLease::new(self.storage.clone()))
    }

    /// The lease that candidates contend for. Where storage elects it is the same.
    ///
    /// # Errors
    /// When there is no way to it.
    pub(super) fn contended(&self, env: &Env) -> Result<Arc<dyn Lease>> {
        let ElectedBy::Kubernetes(options) = &self.elected_by else { return Ok(self.lease()) };
        let fence = StorageLease::new(self.storage.clone());
        Ok(Arc::new(KubernetesLease::new(options, fence, env.clone(), self.lease_duration.as_secs())?))
    }
}

/// What is chosen, in lower case; the key has an older name.
fn kind(config: &Configuration) -> String {
    config.get("high-availability").unwrap_or(config.text(TYPE)).trim().to_ascii_lowercase()
}

/// Duration of the lease, deadline of the leader, and period; those that make no sense together are refused.
fn durations(config: &Configuration, keys: [Key; 3]) -> Result<[Duration; 3]> {
    let [lease, deadline, period] = keys;
    let [lease_duration, renew_deadline, retry_period] =
        [config.duration(lease)?, config.duration(deadline)?, config.duration(period)?];
    let refuse = |message: String| Err(Error::user("bad-option", message));
    if retry_period.is_zero() || retry_period * 2 > renew_deadline {
        return refuse(format!("'{}' must be at most half of '{}'", period.name, deadline.name));
    }
    if renew_deadline > lease_duration {
        return refuse(format!("'{}' must not be longer than '{}'", deadline.name, lease.name));
    }
    Ok([lease_duration, renew_deadline, retry_period])
}
