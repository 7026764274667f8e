//! What a process tells: on stderr, by level, as lines for people or as JSON for programs.
//!
//! Events about a job have its id in the field `job`.

use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use tracing_subscriber::EnvFilter;

/// Environment variable with the levels to show, such as `info` or `headwater_jobmanager=debug`.
const VARIABLE: &str = "HEADWATER_LOG";
const FORMAT: Key = Key { name: "headwater.log.format", default: "text" };
/// What a client tells of the jobs in its process where nobody asks for more: what connectors warn of. The rest it shows
/// in its own words.
const CLIENT_LEVELS: &str = "off,headwater_connectors=warn,headwater_connector_kafka=warn,headwater_lineage_client=warn,headwater_embedded=warn";

/// Starts to tell people at a terminal what connectors warn of, or what [`VARIABLE`] says.
///
/// # Errors
/// When the configured format is none.
pub fn start_client(config: &Configuration) -> Result<()> {
    if std::env::var_os(VARIABLE).is_some() {
        return start(config);
    }
    let lines = tracing_subscriber::fmt().with_env_filter(EnvFilter::new(CLIENT_LEVELS)).with_writer(std::io::stderr);
    // A second start, in tests of one process, changes nothing.
    let _ = lines.with_ansi(false).without_time().with_target(false).try_init();
    Ok(())
}

/// Starts to tell.
///
/// # Errors
/// When the configured format is none.
pub fn start(config: &Configuration) -> Result<()> {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
    // A second start, in tests of one process, changes nothing.
    let _ = match config.text(FORMAT).trim() {
        "text" => lines.try_init(),
        "json" => lines.json().flatten_event(true).try_init(),
        other => {
            let message = format!("'{}' is '{other}': expected text or json", FORMAT.name);
            return Err(Error::user("bad-option", message));
        }
    };
    Ok(())
}
