//! `headwater jobmanager`.

use super::{exit_code, logging, runtime, settings, terminated};
use crate::rest::Port;
use headwater_embedded::lineage::{Reporter, ReporterOptions};
use headwater_env::Env;
use headwater_jobmanager::ha::HaOptions;
use headwater_jobmanager::{Handle, Options};
use headwater_rpc::JobManagerProcess;
use headwater_transport::messages::MessageListener;
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

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
    let mut lineage = ReporterOptions::of_process(&registry, &Env::real(), &config);
    let told_to_end = Arc::new(Notify::new());
    let end = told_to_end.clone();
    let port = Port::bind(&config, Arc::new(move || end.notify_one()))?.map(Arc::new);
    let rest = match &port {
        Some(port) => Some(settings::rest_address(&config, port.number()?)),
        None => None,
    };
    let shared = settings::high_availability(&config)?;
    // With others, the next leader goes on with the jobs.
    lineage.jobs_end_with_it = shared.is_none();
    let waiting = match (&port, &rest, &shared) {
        (Some(port), Some(rest), Some(shared)) => Some((port.clone(), rest.clone(), shared.clone())),
        _ => None,
    };
    let process = JobManagerProcess {
        address: settings::job_manager_address(&config, bound.port()),
        rest,
        high_availability: shared,
        listener,
        term: Box::new(move |handle| lead(handle, &lineage, port.as_deref())),
        standby: Box::new(move || match &waiting {
            Some((port, rest, shared)) => Ok(Box::new(port.wait(leading_rest(shared, rest.clone()))?)),
            None => Ok(Box::new(())),
        }),
        options: Options {
            env: Env::real(),
            registry,
            config,
            storage: Arc::new(headwater_storage::Provider),
            records: None,
        },
    };
    tracing::info!(address = %bound, "the JobManager listens");
    let over = async move {
        tokio::select! {
            () = terminated() => {}
            () = told_to_end.notified() => {}
        }
    };
    runtime.block_on(process.run(over))?;
    tracing::info!("the JobManager ends");
    Ok(())
}

/// What is done beside the JobManager while it leads; dropped when it does not any more.
fn lead(manager: &Handle, lineage: &ReporterOptions, port: Option<&Port>) -> Result<Box<dyn Send>> {
    let lineage = Reporter::start(manager.clone(), lineage.clone())?;
    let rest = port.map(|port| port.lead(manager.clone())).transpose()?;
    if let Some(rest) = &rest {
        tracing::info!(url = rest.url(), "the REST API is served");
    }
    Ok(Box::new((rest, lineage)))
}

/// Where the REST API of the leader is, looked up as often as it may change; nowhere when that is this process, which
/// leads no more or not yet.
fn leading_rest(shared: &HaOptions, own: String) -> Box<dyn Fn() -> Result<Option<String>> + Send + Sync> {
    let (lease, env) = (shared.lease(), Env::real());
    let fresh_ns = u64::try_from(shared.retry_period.as_nanos()).unwrap_or(u64::MAX);
    let known: Mutex<Option<(u64, Option<String>)>> = Mutex::default();
    Box::new(move || {
        let now_ns = env.clock().monotonic_ns();
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since_ns, rest)) = &*known
            && now_ns.saturating_sub(*since_ns) < fresh_ns
        {
            return Ok(rest.clone());
        }
        let rest = lease.look()?.and_then(|holder| holder.rest).filter(|rest| *rest != own);
        *known = Some((now_ns, rest.clone()));
        Ok(rest)
    })
}
