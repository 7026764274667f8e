//! Where the JobManager is that leads.

use headwater_jobmanager::ha::Lease;
use headwater_types::Result;
use std::sync::Arc;
use std::time::Duration;

/// A JobManager that leads, or did when somebody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaderAddress {
    /// Host and port for TaskManagers and clients.
    pub address: String,
    /// Number of its term. A JobManager of a lower one than was seen before is deposed.
    pub generation: u64,
}

/// Where the JobManager is that leads at the moment.
pub trait Leader: Send + Sync {
    /// The one that leads; `None` while nobody does. May block.
    ///
    /// # Errors
    /// When nobody can say.
    fn look(&self) -> Result<Option<LeaderAddress>>;

    /// How often to look whether another one leads; `None` when that never changes.
    fn interval(&self) -> Option<Duration> {
        None
    }
}

/// The only JobManager, at a fixed address.
impl Leader for String {
    fn look(&self) -> Result<Option<LeaderAddress>> {
        Ok(Some(LeaderAddress { address: self.clone(), generation: 0 }))
    }
}

/// The JobManager that holds a lease.
pub struct LeaseHolder {
    /// The lease.
    pub lease: Arc<dyn Lease>,
    /// How often to look at it.
    pub interval: Duration,
}

impl Leader for LeaseHolder {
    fn look(&self) -> Result<Option<LeaderAddress>> {
        let holder = self.lease.look()?;
        Ok(holder.map(|holder| LeaderAddress { address: holder.address, generation: holder.generation }))
    }

    fn interval(&self) -> Option<Duration> {
        Some(self.interval)
    }
}

/// Looks without holding up others.
pub(crate) async fn look(leader: &Arc<dyn Leader>) -> Result<Option<LeaderAddress>> {
    let leader = leader.clone();
    match tokio::task::spawn_blocking(move || leader.look()).await {
        Ok(found) => found,
        Err(_) => Ok(None),
    }
}

/// Returns when a JobManager of a later term leads.
pub(crate) async fn deposed(leader: &Arc<dyn Leader>, generation: u64) {
    let Some(interval) = leader.interval() else { return std::future::pending().await };
    loop {
        tokio::time::sleep(interval).await;
        // Whoever cannot look stays where it is: the connection tells whether that one lives.
        if let Ok(Some(found)) = look(leader).await
            && found.generation > generation
        {
            return;
        }
    }
}
