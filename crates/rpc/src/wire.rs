//! What the two say to each other.

use headwater_jobmanager::{ClientAnswer, ClientRequest, TaskManagerInfo};
use headwater_taskmanager::{FromTaskManager, Inspected, Inspection, ToTaskManager};
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// From a TaskManager, or a client.
#[derive(Serialize, Deserialize)]
pub(crate) enum Upward {
    /// Its first message.
    Register(TaskManagerInfo),
    /// About its tasks.
    Report(FromTaskManager),
    /// Its service has received this heartbeat.
    Heartbeat(u64),
    /// What was found in its process.
    Inspected {
        /// Number of the question.
        number: u64,
        /// The answer.
        answer: Inspected,
    },
    /// It is about to end: its tasks should go on elsewhere.
    Leave,
    /// From a client: what it asks for.
    Ask {
        /// Returned with the answer.
        number: u64,
        /// What.
        request: ClientRequest,
    },
}

/// From a JobManager.
#[derive(Serialize, Deserialize)]
pub(crate) enum Downward {
    /// The TaskManager is registered.
    Welcome {
        /// Number of the JobManager's term.
        generation: u64,
    },
    /// It is not, and why.
    Refused(String),
    /// This JobManager does not lead; where the one is that does.
    Elsewhere(Option<String>),
    /// What to do.
    Command(ToTaskManager),
    /// What to look for in the process.
    Inspect {
        /// Returned with the answer.
        number: u64,
        /// What.
        what: Inspection,
    },
    /// To be answered by the same number.
    Heartbeat(u64),
    /// The answer to a client.
    Answer {
        /// Number of the request.
        number: u64,
        /// The answer.
        answer: ClientAnswer,
    },
}

pub(crate) fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(message).map_err(|e| Error::internal("a message cannot be encoded").with_source(e))
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|e| {
        let message = "a message of the peer cannot be read: run the same version of Headwater on all hosts";
        Error::new(ErrorKind::Corruption, "bad-message", message).with_source(e)
    })
}
