//! The way to the TaskManager, which may be another one tomorrow.

use headwater_taskmanager::{TaskManagerGateway, ToTaskManager};
use headwater_types::{Error, Result};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The TaskManager of the moment; shared by all jobs.
#[derive(Default)]
pub(crate) struct TaskManagerLink {
    gateway: Mutex<Option<Arc<dyn TaskManagerGateway>>>,
}

impl TaskManagerLink {
    /// Sets the TaskManager, or that there is none.
    pub(crate) fn set(&self, gateway: Option<Arc<dyn TaskManagerGateway>>) {
        *self.lock() = gateway;
    }

    /// Whether there is one.
    pub(crate) fn is_up(&self) -> bool {
        self.lock().is_some()
    }

    /// Sends a message without waiting.
    ///
    /// # Errors
    /// When there is no TaskManager or it does not keep up.
    pub(crate) fn send(&self, message: ToTaskManager) -> Result<()> {
        match self.lock().as_ref() {
            Some(gateway) => gateway.send(message),
            None => Err(Error::retryable("no-taskmanager", "there is no TaskManager to run the job")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<dyn TaskManagerGateway>>> {
        self.gateway.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
