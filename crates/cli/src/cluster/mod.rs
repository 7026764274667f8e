//! `headwater jobmanager`, `headwater taskmanager`, `headwater sql-gateway` and `headwater cluster`: the processes of a
//! cluster.
//!
//! Addresses come from Flink's configuration keys. Without them everything listens on the loopback interface only.

mod job_manager;
mod local;
pub(crate) mod logging;
mod plan;
mod remote;
mod settings;
mod sql_gateway;
mod task_manager;

pub use job_manager::run as run_job_manager;
pub use local::run as run_local;
pub use remote::{Remote, target};
pub use sql_gateway::run as run_sql_gateway;
pub use task_manager::run as run_task_manager;

use headwater_types::{Error, Result};
use std::process::ExitCode;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};

/// Threads for connections.
const IO_THREADS: usize = 2;

fn runtime() -> Result<Runtime> {
    let built = Builder::new_multi_thread().worker_threads(IO_THREADS).thread_name("io").enable_all().build();
    built.map_err(|e| Error::retryable("no-thread", "the I/O threads could not be started").with_source(e))
}

/// Waits until the process is told to end.
async fn terminated() {
    let (Ok(mut term), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        // Without handlers the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn exit_code(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::complain(format_args!("[ERROR] {error}"));
            ExitCode::FAILURE
        }
    }
}
