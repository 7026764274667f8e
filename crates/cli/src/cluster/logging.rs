//! What a process of a cluster tells: on stderr, by level, as lines for people or as JSON for programs.
//!
//! Events about a job have its id in the field `job`.

use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use tracing_subscriber::EnvFilter;

/// Environment variable with the levels to show, such as `info` or `headwater_jobmanager=debug`.
const VARIABLE: &str = "HEADWATER_LOG";
const FORMAT: Key = Key { name: "headwater.log.format", default: "text" };

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
