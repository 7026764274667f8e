//! The TaskManager's side.

use crate::wire::{Downward, Upward, decode, encode};
use headwater_jobmanager::TaskManagerInfo;
use headwater_taskmanager::{FromTaskManager, JobManagerGateway, Options, TaskManagerGateway};
use headwater_transport::Identity;
use headwater_transport::messages::{MessageReader, MessageWriter, dial};
use headwater_types::{Error, ErrorKind, Result};
use std::sync::Arc;
use std::time::Duration;

/// Pauses between attempts to reach a JobManager: first and longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How long a JobManager may take to answer a registration.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the JobManager is that leads at the moment.
pub trait Leader: Send + Sync {
    /// Host and port for TaskManagers; `None` while nobody leads. May block.
    fn address(&self) -> Option<String>;
}

impl Leader for String {
    fn address(&self) -> Option<String> {
        Some(self.clone())
    }
}

/// What a TaskManager needs to take part in a cluster.
pub struct JoinOptions {
    /// Who it is.
    pub identity: Identity,
    /// What it offers.
    pub info: TaskManagerInfo,
    /// How its tasks run.
    pub task_manager: Options,
    /// Whom to register with.
    pub leader: Arc<dyn Leader>,
}

/// Takes part in a cluster for ever: registers, works, and registers again when the connection breaks.
///
/// # Errors
/// When the JobManager refuses it, for a reason that another attempt does not change.
pub async fn join(options: JoinOptions) -> Result<()> {
    let mut pause = PAUSE.0;
    loop {
        let outcome = match leader(&options).await {
            Some(address) => session(&options, &address, &mut pause).await,
            None => Err(Error::retryable("no-jobmanager", "no JobManager leads at the moment")),
        };
        if let Err(error) = outcome {
            if error.kind() == ErrorKind::User {
                return Err(error);
            }
            tracing::warn!(error = error.message(), "not connected to a JobManager");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(PAUSE.1);
    }
}

async fn leader(options: &JoinOptions) -> Option<String> {
    let leader = options.leader.clone();
    tokio::task::spawn_blocking(move || leader.address()).await.ok().flatten()
}

/// One life of the TaskManager: from its registration to the end of the connection.
async fn session(options: &JoinOptions, address: &str, pause: &mut Duration) -> Result<()> {
    let (mut reader, writer) = dial(address, &options.identity).await?;
    writer.send(encode(&Upward::Register(options.info.clone()))?)?;
    welcome(&mut reader).await?;
    tracing::info!(job_manager = address, "registered");
    *pause = PAUSE.0;
    let gateway = Arc::new(RemoteJobManager { writer });
    let task_manager = options.task_manager.clone().start(gateway)?;
    let handle = task_manager.handle();
    let ended = commands(&mut reader, &handle).await;
    // Its tasks end with it; that takes as long as they need to notice.
    let _ = tokio::task::spawn_blocking(move || drop(task_manager)).await;
    ended
}

async fn welcome(reader: &mut MessageReader) -> Result<()> {
    let first = tokio::time::timeout(WELCOME_TIMEOUT, reader.next()).await;
    let first = first.map_err(|_| Error::retryable("jobmanager-silent", "the JobManager did not answer in time"))??;
    match first.map(|bytes| decode(&bytes)).transpose()? {
        Some(Downward::Welcome) => Ok(()),
        Some(Downward::Refused(reason)) => Err(Error::retryable("registration-refused", reason)),
        Some(Downward::Command(_) | Downward::Answer { .. }) | None => {
            Err(Error::retryable("jobmanager-gone", "the JobManager hung up during the registration"))
        }
    }
}

async fn commands(reader: &mut MessageReader, tasks: &impl TaskManagerGateway) -> Result<()> {
    while let Some(bytes) = reader.next().await? {
        match decode(&bytes)? {
            Downward::Command(message) => tasks.send(message)?,
            Downward::Welcome | Downward::Refused(_) | Downward::Answer { .. } => {
                return Err(Error::internal("the JobManager answers a registration twice"));
            }
        }
    }
    Err(Error::retryable("jobmanager-gone", "the JobManager ended the connection"))
}

/// A JobManager at the other end of a connection.
struct RemoteJobManager {
    writer: MessageWriter,
}

impl JobManagerGateway for RemoteJobManager {
    fn send(&self, message: FromTaskManager) {
        let sent = encode(&Upward::Report(message)).and_then(|bytes| self.writer.send(bytes));
        if let Err(error) = sent {
            // The connection has ended, and the tasks with it.
            tracing::debug!(error = error.message(), "a report was not sent");
        }
    }
}
