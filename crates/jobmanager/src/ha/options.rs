//! What the configuration says about high availability, by Flink's keys.

use super::lease::{Lease, StorageLease};
use headwater_env::{Storage, StorageProvider};
use headwater_storage::join;
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use std::sync::Arc;
use std::time::Duration;

const TYPE: Key = Key { name: "high-availability.type", default: "NONE" };
const STORAGE_DIRECTORY: Key = Key { name: "high-availability.storageDir", default: "" };
const CLUSTER_ID: Key = Key { name: "high-availability.cluster-id", default: "/default" };
/// How long a leader may be silent before another takes over.
const LEASE_DURATION: Key = Key { name: "high-availability.lease-duration", default: "3 s" };
/// How often a leader shows that it lives, and others look.
const RETRY_PERIOD: Key = Key { name: "high-availability.retry-period", default: "500 ms" };

/// How several JobManagers share a cluster.
#[derive(Clone)]
pub struct HaOptions {
    /// URI of the cluster's directory.
    pub uri: String,
    /// What is there.
    pub storage: Arc<dyn Storage>,
    /// How long a leader may be silent.
    pub lease_duration: Duration,
    /// How often it shows that it lives.
    pub retry_period: Duration,
}

impl HaOptions {
    /// What a configuration says; `None` when there is to be one JobManager, whose jobs end with it.
    ///
    /// # Errors
    /// When a value makes no sense, naming its key.
    pub fn from_config(config: &Configuration, provider: &dyn StorageProvider) -> Result<Option<Self>> {
        match config.get("high-availability").unwrap_or(config.text(TYPE)).trim().to_ascii_lowercase().as_str() {
            "none" | "" => return Ok(None),
            "storage" | "filesystem" => {}
            other => {
                let message = format!(
                    "'{}' is '{other}': expected NONE or storage, which keeps the lease and the jobs in '{}' and needs \
                     no further service",
                    TYPE.name, STORAGE_DIRECTORY.name
                );
                return Err(Error::user("bad-option", message));
            }
        }
        let directory = config.text(STORAGE_DIRECTORY).trim();
        if directory.is_empty() {
            let message =
                format!("high availability needs '{}': a directory that all hosts reach", STORAGE_DIRECTORY.name);
            return Err(Error::user("bad-option", message));
        }
        let uri = join(directory, config.text(CLUSTER_ID).trim().trim_matches('/'));
        let (lease_duration, retry_period) = (config.duration(LEASE_DURATION)?, config.duration(RETRY_PERIOD)?);
        if retry_period.is_zero() || retry_period * 2 > lease_duration {
            let message = format!("'{}' must be at most half of '{}'", RETRY_PERIOD.name, LEASE_DURATION.name);
            return Err(Error::user("bad-option", message));
        }
        Ok(Some(Self { storage: provider.open(&uri, config)?, uri, lease_duration, retry_period }))
    }

    /// The lease.
    pub fn lease(&self) -> Arc<dyn Lease> {
        Arc::new(StorageLease::new(self.storage.clone()))
    }
}
