//! The TaskManager's process.

use crate::connector::{self, Troubles};
use crate::network::{Network, UpPort};
use crate::operators::Operators;
use crate::process::Process;
use crate::storage::{ObjectStore, Provider};
use headwater_env::SimulatedClock;
use headwater_runtime::{Lanes, ManualExecutor};
use headwater_taskmanager::{Core, Options};
use std::sync::Arc;

/// The process.
pub(super) struct TaskManagerProcess {
    pub(super) process: Process,
    pub(super) core: Core,
    pub(super) executor: ManualExecutor,
}

impl TaskManagerProcess {
    pub(super) fn new(
        process: Process,
        seed: u64,
        clock: &Arc<SimulatedClock>,
        store: &Arc<ObjectStore>,
        network: &Arc<Network>,
        troubles: &Arc<Troubles>,
    ) -> Self {
        let executor = ManualExecutor::with(process.env.clone(), clock.clone(), seed);
        let options = Options {
            lanes: 0,
            env: process.env.clone(),
            registry: connector::registry(store, &process.life, troubles),
            operator_factory: Arc::new(Operators { troubles: troubles.clone() }),
            storage: Arc::new(Provider { store: store.clone(), life: process.life.clone() }),
            state_memory: headwater_runtime::ProcessMemory::default(),
            exchange: None,
            local: None,
        };
        let gateway = Arc::new(UpPort { network: network.clone(), own: process.life.clone() });
        let core = Core::new(options, gateway, Lanes::by_hand(executor.scheduler().clone()));
        Self { process, core, executor }
    }

    /// Whether a task is ready to run.
    pub(super) fn is_ready(&self) -> bool {
        self.executor.is_ready()
    }
}
