//! Where the JobManager is that leads.

use headwater_jobmanager::ha::Lease;
use headwater_types::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// How often to ask one of several whether another one leads.
const ASK_INTERVAL: Duration = Duration::from_millis(500);

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

/// JobManagers of which any may lead: they are asked in turn, and one that does not lead says who does.
pub struct AnyOf {
    addresses: Vec<String>,
    next: AtomicUsize,
}

impl AnyOf {
    /// Those of a list, separated by commas; `None` when nothing is in it.
    pub fn parse(list: &str) -> Option<Self> {
        let addresses = list.split(',').map(str::trim).filter(|one| !one.is_empty());
        let addresses: Vec<String> = addresses.map(str::to_owned).collect();
        (!addresses.is_empty()).then_some(Self { addresses, next: AtomicUsize::new(0) })
    }
}

impl Leader for AnyOf {
    fn look(&self) -> Result<Option<LeaderAddress>> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.addresses.len().max(1);
        Ok(self.addresses.get(at).map(|address| LeaderAddress { address: address.clone(), generation: 0 }))
    }

    fn interval(&self) -> Option<Duration> {
        // One of several may take over from another; of one alone nothing changes.
        (self.addresses.len() > 1).then_some(ASK_INTERVAL)
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
