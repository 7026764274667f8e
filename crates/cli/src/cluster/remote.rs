//! A cluster elsewhere, for those who submit jobs.

use super::{runtime, settings};
use headwater_jobmanager::Handle;
use headwater_rpc::{AnyOf, Leader, connect_to};
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Where jobs run: `remote` means a cluster.
const EXECUTION_TARGET: Key = Key { name: "execution.target", default: "" };

const RPC_PORT: Key = Key { name: "jobmanager.rpc.port", default: "6123" };

/// A connection to a JobManager.
pub struct Remote {
    /// Submits and follows jobs there.
    pub handle: Handle,
    /// Carries the connection.
    _runtime: Runtime,
}

/// The JobManager that jobs are meant for: the one that was named, else the configured one if they are to run in a
/// cluster at all.
///
/// # Errors
/// When its address makes no sense.
pub fn target(named: Option<&str>, config: &Configuration) -> Result<Option<Arc<dyn Leader>>> {
    let remote = config.text(EXECUTION_TARGET).trim().eq_ignore_ascii_case("remote");
    match named {
        Some(addresses) => {
            let nothing = || Error::user("bad-option", "'--jobmanager' names nobody: expected HOST:PORT");
            Ok(Some(Arc::new(AnyOf::parse(&with_ports(addresses, config)).ok_or_else(nothing)?)))
        }
        None if remote => settings::leader(config).map(Some),
        None => Ok(None),
    }
}

/// Hosts that are named without a port are meant with that of the configuration.
fn with_ports(addresses: &str, config: &Configuration) -> String {
    let named = addresses.split(',').map(str::trim).filter(|one| !one.is_empty());
    let port = config.text(RPC_PORT).trim();
    let full = named.map(|one| if one.contains(':') { one.to_owned() } else { format!("{one}:{port}") });
    full.collect::<Vec<_>>().join(",")
}

impl Remote {
    /// Connects to the JobManager that leads.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub fn connect(leader: Arc<dyn Leader>, config: &Configuration) -> Result<Self> {
        let runtime = runtime()?;
        let handle = runtime.block_on(connect_to(leader, &settings::identity(config, "client")?))?;
        Ok(Self { handle, _runtime: runtime })
    }
}
