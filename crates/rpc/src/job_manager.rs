//! The JobManager's side.

use crate::wire::{Downward, Upward, decode, encode};
use headwater_jobmanager::{ClientRequest, Handle, PendingAnswer};
use headwater_taskmanager::{TaskManagerGateway, ToTaskManager};
use headwater_transport::messages::{Caller, MessageListener, MessageReader, MessageWriter};
use headwater_types::{Error, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Requests of a client that may wait for their answers.
const REQUESTS_MAX: usize = 256;
/// Pauses between looks for an answer: first and longest.
const ANSWER_PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));
/// How long a caller may take to register.
const REGISTER_TIMEOUT: Duration = Duration::from_secs(10);

/// Takes TaskManagers until the JobManager has ended.
pub async fn serve(listener: MessageListener, manager: Handle) {
    loop {
        match listener.accept().await {
            Ok(caller) => {
                let manager = manager.clone();
                tokio::spawn(async move {
                    let from = caller.from;
                    if let Err(error) = session(caller, manager).await {
                        tracing::warn!(%from, error = error.message(), "a TaskManager's connection ended");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(error = error.message(), "a TaskManager's connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// The life of a TaskManager.
async fn session(caller: Caller, manager: Handle) -> Result<()> {
    let (mut reader, writer) = caller.greet().await?;
    let info = match first(&mut reader).await? {
        Upward::Register(info) => info,
        Upward::Ask { number, request } => return clients(number, request, reader, writer, manager).await,
        Upward::Report(_) => return Err(Error::internal("a TaskManager reports before it registers")),
    };
    let gateway = Arc::new(RemoteTaskManager { writer: writer.clone() });
    // The JobManager's inbox is bounded; it never waits for anybody, so this takes a moment at most.
    let registered = tokio::task::block_in_place(|| manager.register(info.clone(), gateway));
    let session = match registered {
        Ok(session) => session,
        Err(error) => {
            writer.send(encode(&Downward::Refused(error.message().to_owned()))?)?;
            return Err(error);
        }
    };
    tracing::info!(task_manager = %info.id, slots = info.slots, "a TaskManager has registered");
    let ended = match writer.send(encode(&Downward::Welcome)?) {
        Ok(()) => reports(&mut reader, &manager).await,
        Err(error) => Err(error),
    };
    let reason = ended.as_ref().err().map_or("it ended the connection", Error::message).to_owned();
    tracing::info!(task_manager = %info.id, reason, "a TaskManager is gone");
    tokio::task::block_in_place(|| manager.task_manager_lost(session, &reason))?;
    Ok(())
}

async fn first(reader: &mut MessageReader) -> Result<Upward> {
    let first = tokio::time::timeout(REGISTER_TIMEOUT, reader.next()).await;
    let first = first.map_err(|_| Error::retryable("no-registration", "the caller did not register in time"))??;
    let hung_up = || Error::retryable("no-registration", "the caller hung up before it registered");
    decode(&first.ok_or_else(hung_up)?)
}

async fn reports(reader: &mut MessageReader, manager: &Handle) -> Result<()> {
    while let Some(bytes) = reader.next().await? {
        match decode(&bytes)? {
            Upward::Report(message) => tokio::task::block_in_place(|| manager.report(message))?,
            Upward::Register(_) | Upward::Ask { .. } => return Err(Error::internal("a TaskManager registers twice")),
        }
    }
    Ok(())
}

/// Answers what a client asks for, until it hangs up.
async fn clients(
    mut number: u64,
    mut request: ClientRequest,
    mut reader: MessageReader,
    writer: MessageWriter,
    manager: Handle,
) -> Result<()> {
    let open = Arc::new(Semaphore::new(REQUESTS_MAX));
    loop {
        let permit = open.clone().acquire_owned().await.map_err(|_| Error::internal("a semaphore was closed"))?;
        let pending = tokio::task::block_in_place(|| manager.serve(request))?;
        if let Some(pending) = pending {
            let writer = writer.clone();
            tokio::spawn(async move {
                let _permit = permit;
                answer(number, pending, &writer).await;
            });
        }
        match reader.next().await?.map(|bytes| decode(&bytes)).transpose()? {
            Some(Upward::Ask { number: next, request: what }) => (number, request) = (next, what),
            Some(_) => return Err(Error::internal("a client asks, and does nothing else")),
            None => return Ok(()),
        }
    }
}

/// Answers when the JobManager has, unless the client is gone by then.
async fn answer(number: u64, mut pending: PendingAnswer, writer: &MessageWriter) {
    let mut pause = ANSWER_PAUSE.0;
    let answer = loop {
        if let Some(answer) = pending.take() {
            break answer;
        }
        tokio::time::sleep(pause).await;
        if writer.is_closed() {
            return;
        }
        pause = (pause * 2).min(ANSWER_PAUSE.1);
    };
    let sent = encode(&Downward::Answer { number, answer }).and_then(|bytes| writer.send(bytes));
    if let Err(error) = sent {
        tracing::debug!(error = error.message(), "an answer was not sent");
    }
}

/// A TaskManager at the other end of a connection.
struct RemoteTaskManager {
    writer: MessageWriter,
}

impl TaskManagerGateway for RemoteTaskManager {
    fn send(&self, message: ToTaskManager) -> Result<()> {
        self.writer.send(encode(&Downward::Command(message))?)
    }
}
