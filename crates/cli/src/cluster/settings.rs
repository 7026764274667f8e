//! Addresses and sizes of a cluster's processes, by Flink's keys.

use headwater_jobmanager::ha::HaOptions;
use headwater_rpc::{Leader, LeaseHolder};
use headwater_runtime::PROCESS_MEMORY;
use headwater_tls::Part;
use headwater_transport::{Identity, Liveness};
use headwater_types::config::{Configuration, Key, parse_memory_bytes};
use headwater_types::{Error, Result};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

const RPC_ADDRESS: Key = Key { name: "jobmanager.rpc.address", default: "localhost" };
const RPC_PORT: Key = Key { name: "jobmanager.rpc.port", default: "6123" };
const JOB_MANAGER_BIND_HOST: Key = Key { name: "jobmanager.bind-host", default: "localhost" };
const TASK_MANAGER_HOST: Key = Key { name: "taskmanager.host", default: "localhost" };
const TASK_MANAGER_BIND_HOST: Key = Key { name: "taskmanager.bind-host", default: "" };
const DATA_PORT: Key = Key { name: "taskmanager.data.port", default: "0" };
const SLOTS: Key = Key { name: "taskmanager.numberOfTaskSlots", default: "1" };
const RESOURCE_ID: Key = Key { name: "taskmanager.resource-id", default: "" };
/// How often a connection that has nothing to say says so.
const HEARTBEAT_INTERVAL: Key = Key { name: "heartbeat.interval", default: "2 s" };
/// After how much silence a process is taken for dead.
const HEARTBEAT_TIMEOUT: Key = Key { name: "heartbeat.timeout", default: "10 s" };
/// Whether rows travel by TLS where everything else between processes does.
const DATA_TLS: Key = Key { name: "taskmanager.data.ssl.enabled", default: "true" };
/// How rows are compressed on their way to other processes.
const COMPRESSION: Key = Key { name: "headwater.exchange.compression", default: "none" };
const REST_ADDRESS: Key = Key { name: "rest.address", default: "" };
const CLUSTER_ID: Key = Key { name: "high-availability.cluster-id", default: "/default" };

/// Where the JobManager is, host and port.
pub fn job_manager(config: &Configuration) -> Result<String> {
    Ok(format!("{}:{}", text(config, RPC_ADDRESS), port(config, RPC_PORT)?))
}

/// Where the JobManager listens.
pub fn job_manager_bind(config: &Configuration) -> Result<SocketAddr> {
    resolve(JOB_MANAGER_BIND_HOST.name, text(config, JOB_MANAGER_BIND_HOST), port(config, RPC_PORT)?)
}

/// The host by which others reach a TaskManager.
pub fn task_manager_host(config: &Configuration) -> String {
    text(config, TASK_MANAGER_HOST).to_owned()
}

/// Where a TaskManager listens for rows.
pub fn task_manager_bind(config: &Configuration) -> Result<SocketAddr> {
    let host = match text(config, TASK_MANAGER_BIND_HOST) {
        "" => text(config, TASK_MANAGER_HOST),
        host => host,
    };
    resolve(TASK_MANAGER_BIND_HOST.name, host, port(config, DATA_PORT)?)
}

/// Subtasks of a vertex that a TaskManager runs at once.
pub fn slots(config: &Configuration) -> Result<u32> {
    let slots = config.integer(SLOTS)?;
    let positive = u32::try_from(slots).ok().filter(|slots| *slots > 0);
    positive.ok_or_else(|| bad(SLOTS.name, &slots.to_string(), "a positive number"))
}

/// The name of a TaskManager, if it is configured.
pub fn resource_id(config: &Configuration) -> Option<String> {
    Some(text(config, RESOURCE_ID).to_owned()).filter(|id| !id.is_empty())
}

/// Memory of a TaskManager, bytes; 0 where it is not configured.
pub fn process_memory(config: &Configuration) -> Result<u64> {
    match text(config, PROCESS_MEMORY) {
        "" => Ok(0),
        size => parse_memory_bytes(size).ok_or_else(|| bad(PROCESS_MEMORY.name, size, "a size such as '4 gb'")),
    }
}

/// Who a process is. What it needs for TLS is tried here, so that it does not start without.
pub fn identity(config: &Configuration, name: &str) -> Result<Identity> {
    let tls = headwater_tls::Options::from_config(config, Part::Internal)?;
    tls.as_ref().map_or(Ok(()), headwater_tls::Options::check)?;
    let compression = text(config, COMPRESSION);
    let compression = compression.parse().map_err(|_| bad(COMPRESSION.name, compression, "none or zstd"))?;
    Ok(Identity { liveness: liveness(config)?, tls, compression, ..Identity::new(name, text(config, CLUSTER_ID)) })
}

/// The same process, as it exchanges rows.
pub fn exchange_identity(config: &Configuration, identity: &Identity) -> Result<Identity> {
    let is_secure = config.boolean(DATA_TLS)?;
    Ok(Identity { tls: identity.tls.clone().filter(|_| is_secure), ..identity.clone() })
}

/// How soon others are taken for dead. A connection that breaks is noticed at once; this is for hosts that vanish.
fn liveness(config: &Configuration) -> Result<Liveness> {
    let (interval, timeout) = (config.duration(HEARTBEAT_INTERVAL)?, config.duration(HEARTBEAT_TIMEOUT)?);
    if interval.is_zero() || interval * 2 > timeout {
        let interval = format!("{} ms", interval.as_millis());
        let expected = format!("more than nothing and at most half of '{}'", HEARTBEAT_TIMEOUT.name);
        return Err(bad(HEARTBEAT_INTERVAL.name, &interval, &expected));
    }
    Ok(Liveness { interval, timeout })
}

/// What several JobManagers share; `None` when there is one.
pub fn high_availability(config: &Configuration) -> Result<Option<HaOptions>> {
    HaOptions::from_config(config, &headwater_storage::Provider)
}

/// Where the JobManager is that leads.
pub fn leader(config: &Configuration) -> Result<Arc<dyn Leader>> {
    Ok(match high_availability(config)? {
        Some(options) => Arc::new(LeaseHolder { lease: options.lease(), interval: options.retry_period }),
        None => Arc::new(job_manager(config)?),
    })
}

/// How others reach a JobManager that listens on this port.
pub fn job_manager_address(config: &Configuration, port: u16) -> String {
    format!("{}:{port}", text(config, RPC_ADDRESS))
}

/// How others reach the REST API of a JobManager that serves it at this port.
pub fn rest_address(config: &Configuration, port: u16) -> String {
    match text(config, REST_ADDRESS) {
        "" => job_manager_address(config, port),
        host => format!("{host}:{port}"),
    }
}

fn text(config: &Configuration, key: Key) -> &str {
    config.text(key).trim()
}

fn port(config: &Configuration, key: Key) -> Result<u16> {
    let port = config.integer(key)?;
    u16::try_from(port).map_err(|_| bad(key.name, &port.to_string(), "a port"))
}

fn resolve(key: &str, host: &str, port: u16) -> Result<SocketAddr> {
    let unknown = || bad(key, host, "a host of this machine");
    let addresses = (host, port).to_socket_addrs().map_err(|e| unknown().with_source(e))?;
    // The first of one family, so that a name means the same to all processes.
    let addresses: Vec<SocketAddr> = addresses.collect();
    let v4 = addresses.iter().find(|address| address.is_ipv4());
    v4.or(addresses.first()).copied().ok_or_else(unknown)
}

fn bad(key: &str, value: &str, expected: &str) -> Error {
    Error::user("bad-option", format!("'{key}' is '{value}': expected {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_on_loopback_unless_told_otherwise() {
        let mut config = Configuration::new();
        assert_eq!(job_manager(&config).unwrap(), "localhost:6123");
        assert!(job_manager_bind(&config).unwrap().ip().is_loopback());
        assert!(task_manager_bind(&config).unwrap().ip().is_loopback());
        config.set("taskmanager.bind-host", "0.0.0.0");
        config.set("taskmanager.data.port", "7000");
        assert_eq!(task_manager_bind(&config).unwrap().to_string(), "0.0.0.0:7000");
        config.set("jobmanager.rpc.port", "70000");
        assert!(job_manager(&config).unwrap_err().message().contains("expected a port"));
        config.set("heartbeat.interval", "6 s");
        assert!(identity(&config, "x").unwrap_err().message().contains("at most half of 'heartbeat.timeout'"));
        config.set("headwater.exchange.compression", "rar");
        assert!(identity(&config, "x").unwrap_err().message().contains("'rar': expected none or zstd"));
        config.set("security.ssl.internal.enabled", "true");
        assert!(identity(&config, "x").unwrap_err().message().contains("'security.ssl.internal.keystore' is not set"));
        config.set("taskmanager.numberOfTaskSlots", "0");
        assert!(slots(&config).unwrap_err().message().contains("a positive number"));
    }
}
