//! `headwater sql --rest`: Flink's REST API over the cluster in this process.

use super::Client;
use crate::rest::Served;
use headwater_rest::Options;
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};

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
) -> Result<Option<Served>> {
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
        options.ports.clear();
    }
    let listener = options.listen().map_err(|error| error.context("--rest [PORT]"))?;
    let served = Served::start(client.cluster_handle()?, config, options, listener, None)?;
    crate::complain(format_args!("[INFO] REST API at {}/v1", served.url()));
    Ok(Some(served))
}
