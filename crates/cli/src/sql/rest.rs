//! `headwater sql --rest`: Flink's REST API over the cluster in this process.

use super::Client;
use headwater_env::Env;
use headwater_rest::{JobManagerCluster, Options, Server, serve};
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use std::net::TcpListener;
use std::sync::Arc;

/// Serves the API without being told on the command line.
const ENABLED: Key = Key { name: "headwater.rest.enabled", default: "false" };

/// Starts the API when it was asked for, by `--rest`, with a port or at the configured one, or by the configuration.
/// It ends when the server is dropped.
///
/// # Errors
/// When the address is taken, or the jobs run on a cluster elsewhere.
pub fn start(
    asked: Option<Option<u16>>,
    runs_elsewhere: bool,
    client: &mut Client,
    config: &Configuration,
) -> Result<Option<Server>> {
    if asked.is_none() && (runs_elsewhere || !config.boolean(ENABLED)?) {
        return Ok(None);
    }
    if runs_elsewhere {
        let message = "--rest is for jobs in this process; those on a cluster are shown by its JobManager's REST API";
        return Err(Error::user("rest-elsewhere", message));
    }
    let mut options = Options::from_config(config)?;
    if let Some(port) = asked.flatten() {
        options.bind.set_port(port);
    }
    let listener = TcpListener::bind(options.bind).map_err(|error| {
        let message = format!("cannot listen at {}: {error}; name another port by --rest PORT", options.bind);
        Error::user("rest-address", message)
    })?;
    let storage = Arc::new(headwater_storage::Provider);
    let cluster = JobManagerCluster::new(client.cluster_handle()?, Env::real(), config.clone(), storage);
    let server = serve(listener, Arc::new(cluster), options)?;
    crate::complain(format_args!("[INFO] REST API at http://{}/v1", server.address()));
    Ok(Some(server))
}
