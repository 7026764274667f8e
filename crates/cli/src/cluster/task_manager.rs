//! `headwater taskmanager`.

use super::{exit_code, logging, runtime, settings, terminated};
use headwater_env::Env;
use headwater_jobmanager::TaskManagerInfo;
use headwater_rpc::{JoinOptions, join};
use headwater_runtime::ProcessMemory;
use headwater_taskmanager::{Exchange, LocalState, Options, remove_leftovers};
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::process::ExitCode;
use std::sync::Arc;

/// Runs a TaskManager until SIGTERM; then its tasks go on elsewhere before it ends.
pub fn run(config: &Configuration) -> ExitCode {
    exit_code(logging::start(config).and_then(|()| work(config)))
}

fn work(config: &Configuration) -> Result<()> {
    let (runtime, env) = (runtime()?, Env::real());
    let host = settings::task_manager_host(config);
    let id = match settings::resource_id(config) {
        Some(id) => id,
        None => format!("{host}-{}-{:06x}", std::process::id(), env.random_u64() & 0xff_ffff),
    };
    remove_leftovers(config);
    let local = Arc::new(LocalState::new(config, &id, settings::resource_id(config).is_some()));
    let identity = settings::identity(config, &id)?;
    let of_rows = settings::exchange_identity(config, &identity)?;
    let exchange = Exchange::start(settings::task_manager_bind(config)?, of_rows, runtime.handle().clone())?;
    let address = format!("{host}:{}", exchange.address().port());
    tracing::info!(id, exchange = address, "the TaskManager starts");
    let info = TaskManagerInfo {
        id,
        host,
        exchange: Some(address),
        slots: settings::slots(config)?,
        cores: std::thread::available_parallelism().map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(1)),
        memory_bytes: settings::process_memory(config)?,
    };
    let task_manager = Options {
        lanes: 0,
        env,
        registry: headwater_embedded::registry(config),
        operator_factory: headwater_embedded::operators(),
        storage: Arc::new(headwater_storage::Provider),
        state_memory: ProcessMemory::from_config(config)?,
        exchange: Some(exchange),
        local: Some(local),
    };
    let leader = settings::leader(config)?;
    let joined = runtime.block_on(join(JoinOptions { identity, info, task_manager, leader }, terminated()));
    tracing::info!("the TaskManager ends");
    joined
}
