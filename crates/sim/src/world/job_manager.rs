//! The JobManager's process.

use crate::connector::{self, Troubles};
use crate::process::Process;
use crate::storage::{ObjectStore, Provider};
use headwater_jobmanager::{Core, Handle, Options};
use headwater_taskmanager::{FromTaskManager, JobManagerGateway};
use headwater_types::config::Configuration;
use std::sync::Arc;

/// The process.
pub(super) struct JobManagerProcess {
    pub(super) process: Process,
    pub(super) core: Core,
    pub(super) handle: Handle,
    gateway: Arc<dyn JobManagerGateway>,
    /// Something may be in the inbox.
    expects: bool,
}

impl JobManagerProcess {
    pub(super) fn new(process: Process, store: &Arc<ObjectStore>, troubles: &Arc<Troubles>) -> Self {
        let core = Core::new(Options {
            env: process.env.clone(),
            registry: connector::registry(store, &process.life, troubles),
            config: Configuration::new(),
            storage: Arc::new(Provider { store: store.clone(), life: process.life.clone() }),
            records: None,
        });
        let handle = core.handle();
        Self { process, core, gateway: handle.gateway(), handle, expects: true }
    }

    /// A report of the TaskManager arrives.
    pub(super) fn report(&mut self, message: FromTaskManager) {
        self.gateway.send(message);
        self.expects = true;
    }

    /// Something was put into the inbox, or may have been.
    pub(super) fn expect_message(&mut self) {
        self.expects = true;
    }

    /// Whether something may be in the inbox.
    pub(super) fn expects_messages(&self) -> bool {
        self.expects
    }

    /// Handles what is first in the inbox.
    pub(super) fn handle_next(&mut self) {
        self.expects = self.core.handle_next();
    }
}
