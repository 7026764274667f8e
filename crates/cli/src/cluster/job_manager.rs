//! `headwater jobmanager`.

use super::{exit_code, logging, runtime, settings, terminated};
use crate::rest::Served;
use headwater_embedded::lineage::{Reporter, ReporterOptions};
use headwater_env::Env;
use headwater_jobmanager::{Handle, Options};
use headwater_rpc::JobManagerProcess;
use headwater_transport::messages::MessageListener;
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs a JobManager until SIGTERM. Of several with a shared storage one leads, the others wait.
pub fn run(config: Configuration) -> ExitCode {
    exit_code(logging::start(&config).and_then(|()| work(config)))
}

fn work(config: Configuration) -> Result<()> {
    let runtime = runtime()?;
    let (identity, bind) = (settings::identity(&config, "jobmanager")?, settings::job_manager_bind(&config)?);
    let listener = MessageListener::bind(bind, identity, runtime.handle())?;
    let bound = listener.address()?;
    let registry = headwater_embedded::registry(&config);
    let lineage = ReporterOptions::of_process(&registry, &Env::real(), &config);
    let served = config.clone();
    let process = JobManagerProcess {
        address: settings::job_manager_address(&config, bound.port()),
        rest: None,
        high_availability: settings::high_availability(&config)?,
        listener,
        term: Box::new(move |handle| lead(handle, &lineage, &served)),
        options: Options {
            env: Env::real(),
            registry,
            config,
            storage: Arc::new(headwater_storage::Provider),
            records: None,
        },
    };
    tracing::info!(address = %bound, "the JobManager listens");
    runtime.block_on(process.run(terminated()))?;
    tracing::info!("the JobManager ends");
    Ok(())
}

/// What is done beside the JobManager while it leads; dropped when it does not any more.
fn lead(manager: &Handle, lineage: &ReporterOptions, config: &Configuration) -> Result<Box<dyn Send>> {
    let lineage = Reporter::start(manager.clone(), lineage.clone())?;
    let rest = Served::of_job_manager(manager.clone(), config)?;
    if let Some(rest) = &rest {
        tracing::info!(url = rest.url(), "the REST API is served");
    }
    Ok(Box::new((rest, lineage)))
}
