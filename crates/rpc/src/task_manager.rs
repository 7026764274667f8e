//! The TaskManager's side.

use crate::leader::{Leader, LeaderAddress, deposed, look};
use crate::wire::{Downward, Upward, decode, encode};
use headwater_jobmanager::TaskManagerInfo;
use headwater_taskmanager::{FromTaskManager, Handle, Inspection, JobManagerGateway, Options, TaskManagerGateway};
use headwater_transport::Identity;
use headwater_transport::messages::{MessageReader, MessageWriter, dial};
use headwater_types::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// Pauses between attempts to reach a JobManager: first and longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How long a JobManager may take to answer a registration.
const WELCOME_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a JobManager may take to let a TaskManager go.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(15);

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

/// A TaskManager that takes part in a cluster.
struct Member {
    options: JoinOptions,
    /// The latest term that it has seen.
    generation: u64,
    /// Where a JobManager that does not lead said the leader is.
    redirected: Option<String>,
    pause: Duration,
    /// Attempts in a row that did not reach a JobManager.
    failures: u64,
}

/// Takes part in a cluster: registers, works, and registers again when the connection breaks, until `leave` is ready.
/// Then its tasks are handed over to others before it returns.
///
/// # Errors
/// When the JobManager refuses it, for a reason that another attempt does not change.
pub async fn join(options: JoinOptions, leave: impl Future<Output = ()>) -> Result<()> {
    let mut member = Member { options, generation: 0, redirected: None, pause: PAUSE.0, failures: 0 };
    let mut leave = std::pin::pin!(leave);
    loop {
        let outcome = match member.leader().await {
            Ok(Some(leader)) => member.session(leader, leave.as_mut()).await,
            Ok(None) => Err(Error::retryable("no-jobmanager", "no JobManager leads at the moment")),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::User => return Err(error),
            Err(error) => member.away(&error),
        }
        tokio::select! {
            () = tokio::time::sleep(member.pause) => {}
            () = leave.as_mut() => return Ok(()),
        }
        member.pause = (member.pause * 2).min(member.pause_max());
    }
}

impl Member {
    /// Where another JobManager may take over it is found about when it does.
    fn pause_max(&self) -> Duration {
        self.options.leader.interval().map_or(PAUSE.1, |interval| interval.clamp(PAUSE.0, PAUSE.1))
    }

    /// There is no JobManager at the moment. That may last for days: it is told ever less often.
    fn away(&mut self, error: &Error) {
        self.failures += 1;
        let (attempts, error) = (self.failures, error.message());
        match attempts.is_power_of_two() {
            true => tracing::warn!(error, attempts, "not connected to a JobManager"),
            false => tracing::debug!(error, attempts, "not connected to a JobManager"),
        }
    }

    async fn leader(&mut self) -> Result<Option<LeaderAddress>> {
        match self.redirected.take() {
            Some(address) => Ok(Some(LeaderAddress { address, generation: self.generation })),
            None => look(&self.options.leader).await,
        }
    }

    /// One life of the TaskManager: from its registration to the end of the connection; `Ok` when it has left.
    async fn session(&mut self, leader: LeaderAddress, leave: Pin<&mut impl Future<Output = ()>>) -> Result<()> {
        let (mut reader, writer) = dial(&leader.address, &self.options.identity).await?;
        writer.send(encode(&Upward::Register(self.options.info.clone()))?)?;
        self.welcome(&mut reader).await?;
        tracing::info!(job_manager = leader.address, generation = self.generation, "registered");
        (self.pause, self.failures) = (PAUSE.0, 0);
        let gateway = Arc::new(RemoteJobManager { writer: writer.clone() });
        let task_manager = self.options.task_manager.clone().start(gateway)?;
        let handle = task_manager.handle();
        let timeout = self.options.identity.liveness.timeout;
        let ended = tokio::select! {
            ended = commands(&mut reader, &handle, &writer, timeout) => ended,
            () = deposed(&self.options.leader, self.generation) => {
                Err(Error::retryable("jobmanager-deposed", "another JobManager leads now"))
            }
            () = leave => {
                hand_over(&mut reader, &handle, &writer, timeout).await;
                Ok(())
            }
        };
        drop(writer);
        // Its tasks end with it; that takes as long as they need to notice.
        let _ = tokio::task::spawn_blocking(move || drop(task_manager)).await;
        ended
    }

    async fn welcome(&mut self, reader: &mut MessageReader) -> Result<()> {
        let first = tokio::time::timeout(WELCOME_TIMEOUT, reader.next()).await;
        let first =
            first.map_err(|_| Error::retryable("jobmanager-silent", "the JobManager did not answer in time"))??;
        match first.map(|bytes| decode(&bytes)).transpose()? {
            Some(Downward::Welcome { generation }) if generation < self.generation => {
                let message =
                    format!("the JobManager of term {generation} is deposed: term {} was seen", self.generation);
                Err(Error::retryable("jobmanager-deposed", message))
            }
            Some(Downward::Welcome { generation }) => {
                self.generation = generation;
                Ok(())
            }
            Some(Downward::Elsewhere(address)) => {
                self.redirected = address;
                Err(Error::retryable("not-leading", "the JobManager does not lead"))
            }
            Some(Downward::Refused(reason)) => Err(Error::user("registration-refused", reason)),
            Some(_) | None => {
                Err(Error::retryable("jobmanager-gone", "the JobManager hung up during the registration"))
            }
        }
    }
}

/// Does what the JobManager says until the connection ends, or no heartbeat comes for too long.
async fn commands(reader: &mut MessageReader, tasks: &Handle, writer: &MessageWriter, timeout: Duration) -> Result<()> {
    loop {
        let next = tokio::time::timeout(timeout, reader.next()).await;
        let silent = |_| Error::retryable("heartbeat-timeout", "the JobManager sends no heartbeats");
        let Some(bytes) = next.map_err(silent)?? else {
            return Err(Error::retryable("jobmanager-gone", "the JobManager ended the connection"));
        };
        match decode(&bytes)? {
            Downward::Command(message) => tasks.send(message)?,
            Downward::Heartbeat(number) => {
                let (answer, writer) = (encode(&Upward::Heartbeat(number))?, writer.clone());
                // Answered by the service's thread: a TaskManager that hangs must be noticed.
                tasks.ping(move || drop(writer.send(answer)))?;
            }
            Downward::Inspect { number, what } => inspect(tasks, writer, number, what)?,
            Downward::Welcome { .. } | Downward::Refused(_) | Downward::Elsewhere(_) | Downward::Answer { .. } => {
                return Err(Error::internal("the JobManager answers a registration twice"));
            }
        }
    }
}

/// Looks into this process for somebody who asks the JobManager.
fn inspect(tasks: &Handle, writer: &MessageWriter, number: u64, what: Inspection) -> Result<()> {
    let (reply, answer) = sync_channel(1);
    tasks.inspect(what, reply)?;
    let writer = writer.clone();
    tokio::task::spawn_blocking(move || {
        let answer = answer.recv().ok().and_then(|answer| encode(&Upward::Inspected { number, answer }).ok());
        // Whoever asked sees that there is no answer.
        answer.map(|bytes| writer.send(bytes))
    });
    Ok(())
}

/// Lets the JobManager start the tasks elsewhere; it ends the connection when it needs nothing more from here.
async fn hand_over(reader: &mut MessageReader, tasks: &Handle, writer: &MessageWriter, timeout: Duration) {
    tracing::info!("leaving: the tasks go on elsewhere");
    let Ok(leave) = encode(&Upward::Leave) else { return };
    if writer.send(leave).is_ok() {
        let _ = tokio::time::timeout(LEAVE_TIMEOUT, commands(reader, tasks, writer, timeout)).await;
    }
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
