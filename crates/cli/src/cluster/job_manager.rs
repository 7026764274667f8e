//! `headwater jobmanager`.

use super::{exit_code, logging, runtime, settings, terminated};
use headwater_env::Env;
use headwater_jobmanager::Options;
use headwater_rpc::serve;
use headwater_transport::messages::MessageListener;
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs a JobManager until SIGTERM.
pub fn run(config: Configuration) -> ExitCode {
    logging::start();
    exit_code(work(config))
}

fn work(config: Configuration) -> Result<()> {
    let runtime = runtime()?;
    let (identity, address) = (settings::identity(&config, "jobmanager"), settings::job_manager_bind(&config)?);
    let listener = MessageListener::bind(address, identity, runtime.handle())?;
    let address = listener.address()?;
    let options = Options {
        env: Env::real(),
        registry: headwater_embedded::registry(&config),
        config,
        storage: Arc::new(headwater_storage::Provider),
    };
    let manager = options.start()?;
    tracing::info!(%address, "the JobManager listens");
    let handle = manager.handle();
    runtime.block_on(async {
        tokio::select! {
            () = serve(listener, handle) => {}
            () = terminated() => {}
        }
    });
    tracing::info!("the JobManager ends");
    Ok(())
}
