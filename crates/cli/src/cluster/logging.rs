//! What a process of a cluster tells: on stderr, by level; `HEADWATER_LOG` chooses.

use tracing_subscriber::EnvFilter;

/// Environment variable with the levels to show, such as `info` or `headwater_jobmanager=debug`.
const VARIABLE: &str = "HEADWATER_LOG";

/// Starts to tell.
pub fn start() {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new("info"));
    // A second start, in tests of one process, changes nothing.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).try_init();
}
