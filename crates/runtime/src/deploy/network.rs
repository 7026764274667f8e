//! The seam between subtasks here and subtasks that run elsewhere.

use headwater_exchange::{ChannelSender, LocalSender};
use headwater_types::Result;
use headwater_types::ids::SubtaskId;

/// What joins one producer and one consumer subtask along an edge of the job graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Channel {
    /// Index of the edge.
    pub edge: u32,
    /// Whose rows travel on it.
    pub producer: SubtaskId,
    /// Who takes them.
    pub consumer: SubtaskId,
}

/// Channels to and from subtasks that run elsewhere. A channel that breaks is told to the subtask here by
/// [`crate::TaskHandle::fail`].
pub trait Network: Send + Sync {
    /// What the producer of a channel sends goes into the gate of its consumer, which runs here.
    fn receive(&self, channel: Channel, gate: LocalSender);

    /// The producer's end of a channel to a consumer that runs elsewhere.
    ///
    /// # Errors
    /// When nobody knows where the consumer runs.
    fn sender(&self, channel: Channel) -> Result<Box<dyn ChannelSender>>;
}
