//! Channels between subtasks of different processes.
//!
//! A producer's process dials the process of its consumers and opens a *channel* per pair of subtasks; all channels
//! between two processes share a connection in each direction of the rows.
//!
//! ```text
//! lane ─ RemoteSender ─ encode ─> writer task ══ frames ══> reader task ─ decode ─> Gate ─ lane
//!            ^── credit <── reader task <══ frames ══ writer task <── consumed <────────┘
//! ```
//!
//! Invariants:
//! * Bytes on the way are bounded per channel: a producer has room while what it sent and the consumer has not taken
//!   is below the consumer's window. A slow consumer fills its own window only, the connection stays free for others.
//! * Elements of one channel stay in order. Control elements of a channel that has no rows waiting overtake the rows
//!   of other channels.
//! * Every frame carries a checksum, and belongs to a channel that names job and attempt: what an earlier attempt
//!   sends is refused. A frame that does not fit the protocol ends the connection, never the process.
//! * Who a peer is gets settled before anything else: by TLS, where it is on, then by a greeting. Strangers are bounded
//!   in number, time and bytes ([`Identity`]).
//! * A connection that breaks breaks its channels: it is told to [`ChannelEvents`], and the subtasks fail. Nothing is
//!   sent again, since what the other side received is unknown; a restart from the checkpoint repairs it.
//!
//! What this is not: it knows no TaskManagers, no deployment and no messages of a JobManager.

mod compression;
mod credit;
mod dialer;
mod element;
mod frame;
mod handshake;
mod inlet;
pub mod inputs;
mod listener;
pub mod messages;
mod sender;
mod strangers;
mod stream;
mod writer;

pub use compression::Codec;
pub use element::{ElementDecoder, ElementEncoder};
pub use frame::{Frame, Header, Kind, MAX_PAYLOAD_BYTES};
pub use handshake::{Identity, Liveness, PROTOCOL};
pub use sender::RemoteSender;
pub use stream::is_probe;

use dialer::Dialers;
use headwater_exchange::LocalSender;
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};
use listener::Endpoints;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::runtime::Handle;

/// A channel of an attempt of a job: what joins one producer and one consumer subtask along an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ChannelId {
    /// The job.
    pub job: JobId,
    /// The attempt that the consumer belongs to.
    pub attempt: u32,
    /// Index of the edge in the job graph.
    pub edge: u32,
    /// Index of the producer within its vertex.
    pub producer: u32,
    /// Index of the consumer within its vertex.
    pub consumer: u32,
}

impl std::fmt::Display for ChannelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { job, attempt, edge, producer, consumer } = self;
        write!(f, "job {job} attempt {attempt} edge {edge} from {producer} to {consumer}")
    }
}

/// An end of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelEnd {
    /// Whose rows travel on it.
    Producer,
    /// Who takes them.
    Consumer,
}

/// Who is told of channels that break. Called from I/O threads; must not block.
pub trait ChannelEvents: Send + Sync {
    /// The channel will carry nothing more, and its end here cannot go on. Told once an end.
    fn broken(&self, channel: ChannelId, end: ChannelEnd, error: &Error);
}

/// The channels of a process to and from others.
pub struct Transport {
    address: SocketAddr,
    endpoints: Arc<Endpoints>,
    dialers: Arc<Dialers>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Transport {
    /// Listens on `address` (port 0 takes any) with the I/O threads of `runtime`.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(
        address: SocketAddr,
        identity: Identity,
        events: Arc<dyn ChannelEvents>,
        runtime: Handle,
    ) -> Result<Self> {
        let listener = listener::bind(address, &runtime)?;
        let address = listener.local_addr().map_err(|e| listener::cannot_listen(address, e))?;
        let endpoints = Arc::new(Endpoints::new(events.clone()));
        let accepting = runtime.spawn(listener::accept(listener, identity.clone(), endpoints.clone()));
        let dialers = Arc::new(Dialers::new(identity, events, runtime));
        Ok(Self { address, endpoints, dialers, accepting })
    }

    /// Where others dial.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes rows of a channel, whose producer may have dialled already or will.
    pub fn receive(&self, channel: ChannelId, gate: LocalSender) {
        self.endpoints.expect(channel, gate);
    }

    /// The producer's end of a channel to the process at `address` (host and port), which is dialled in the
    /// background unless it is connected.
    pub fn sender(&self, address: &str, channel: ChannelId) -> RemoteSender {
        self.dialers.sender(address, channel)
    }

    /// Lets the channels go that consumers of an attempt have here; what still arrives is refused. Ends of producers
    /// go with their senders.
    pub fn release(&self, job: JobId, attempt: u32) {
        self.endpoints.release(job, attempt);
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.accepting.abort();
        self.endpoints.close();
        self.dialers.close();
    }
}

/// Locks a mutex whose holders keep its data consistent even when they panic.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
