//! The JobManager's side.

use crate::heartbeat::Pulse;
use crate::inspections::Inspections;
use crate::leader::{Leader, look};
use crate::wire::{Downward, Upward, decode, encode};
use headwater_jobmanager::{ClientAnswer, ClientRequest, Handle, PendingAnswer, SessionId};
use headwater_taskmanager::{Inspected, Inspection, TaskError, TaskManagerGateway, ToTaskManager};
use headwater_transport::messages::{Caller, MessageListener, MessageReader, MessageWriter};
use headwater_transport::{Liveness, is_probe};
use headwater_types::config::{Configuration, Key};
use headwater_types::{Error, Result};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// Requests of a client that may wait for their answers.
const REQUESTS_MAX: usize = 256;
/// Pauses between looks for an answer: first and longest.
const ANSWER_PAUSE: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(20));
/// How long a caller may take to register.
const REGISTER_TIMEOUT: Duration = Duration::from_secs(10);

/// Who may submit jobs, and by that run what they want and read every file that the cluster can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitters {
    /// Processes of this host, and those that show a certificate of the cluster.
    Known,
    /// Whoever reaches the port.
    Anybody,
}

/// `headwater.rpc.anonymous`: whether clients on other hosts may submit jobs that show no certificate.
const ANONYMOUS: Key = Key { name: "headwater.rpc.anonymous", default: "false" };

impl Submitters {
    /// What a configuration says.
    ///
    /// # Errors
    /// When a value is not one, naming its key.
    pub fn from_config(config: &Configuration) -> Result<Self> {
        Ok(if config.boolean(ANONYMOUS)? { Self::Anybody } else { Self::Known })
    }
}

/// Takes TaskManagers and clients as the JobManager of a term, until dropped; then their connections end.
pub async fn serve(listener: &MessageListener, manager: Handle, generation: u64, submitters: Submitters) {
    let mut sessions = JoinSet::new();
    let liveness = listener.liveness();
    loop {
        let caller = next(listener, &mut sessions).await;
        let (manager, from) = (manager.clone(), caller.from);
        sessions.spawn(async move {
            match session(caller, manager, generation, submitters, liveness).await {
                Err(error) if is_probe(&error) => tracing::debug!(%from, "somebody looked who listens"),
                Err(error) => tracing::warn!(%from, error = error.message(), "a connection ended"),
                Ok(()) => {}
            }
        });
    }
}

/// Tells callers where the JobManager is that leads, until dropped.
pub async fn redirect(listener: &MessageListener, leader: Arc<dyn Leader>) {
    let mut callers = JoinSet::new();
    loop {
        let caller = next(listener, &mut callers).await;
        let (leader, from) = (leader.clone(), caller.from);
        callers.spawn(async move {
            if let Err(error) = turn_away(caller, &leader).await {
                tracing::debug!(%from, error = error.message(), "a caller could not be told who leads");
            }
        });
    }
}

/// The next caller.
async fn next(listener: &MessageListener, sessions: &mut JoinSet<()>) -> Caller {
    loop {
        while sessions.try_join_next().is_some() {}
        match listener.accept().await {
            Ok(caller) => return caller,
            Err(error) => {
                tracing::warn!(error = error.message(), "a connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn turn_away(caller: Caller, leader: &Arc<dyn Leader>) -> Result<()> {
    let (mut reader, writer) = caller.greet().await?;
    first(&mut reader).await?;
    let address = look(leader).await?.map(|leader| leader.address);
    writer.send(encode(&Downward::Elsewhere(address))?)
}

/// The life of a TaskManager, or of a client's connection.
async fn session(
    caller: Caller,
    manager: Handle,
    generation: u64,
    submitters: Submitters,
    liveness: Liveness,
) -> Result<()> {
    let may_submit = submitters == Submitters::Anybody || caller.is_known();
    let (mut reader, writer) = caller.greet().await?;
    let info = match first(&mut reader).await? {
        Upward::Register(info) => info,
        Upward::Ask { number, request } => {
            let client = Client { reader, writer, manager, may_submit };
            return client.answer_all(number, request).await;
        }
        _ => return Err(Error::internal("a TaskManager reports before it registers")),
    };
    let (inspections, released) = (Arc::new(Inspections::default()), Arc::new(Notify::new()));
    let (asked, over) = (inspections.clone(), released.clone());
    let held = Mutex::new(Some(vec![]));
    let gateway = Arc::new(RemoteTaskManager { writer: writer.clone(), held, inspections: asked, released: over });
    let known = gateway.clone();
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
    let pulse = Pulse::default();
    let welcomed = writer.send(encode(&Downward::Welcome { generation })?).and_then(|()| known.welcomed());
    drop(known);
    let ended = match welcomed {
        Ok(()) => tokio::select! {
            ended = reports(&mut reader, &manager, session, &pulse, &inspections) => ended,
            error = pulse.watch(&writer, liveness) => Err(error),
            () = released.notified() => Ok(()),
        },
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

async fn reports(
    reader: &mut MessageReader,
    manager: &Handle,
    session: SessionId,
    pulse: &Pulse,
    inspections: &Inspections,
) -> Result<()> {
    while let Some(bytes) = reader.next().await? {
        match decode(&bytes)? {
            Upward::Report(message) => tokio::task::block_in_place(|| manager.report(message))?,
            Upward::Heartbeat(number) => pulse.answered(number),
            Upward::Leave => tokio::task::block_in_place(|| manager.task_manager_leaves(session))?,
            Upward::Inspected { number, answer } => inspections.answer(number, answer),
            Upward::Register(_) | Upward::Ask { .. } => return Err(Error::internal("a TaskManager registers twice")),
        }
    }
    Ok(())
}

/// A client's connection.
pub(crate) struct Client {
    pub(crate) reader: MessageReader,
    pub(crate) writer: MessageWriter,
    pub(crate) manager: Handle,
    pub(crate) may_submit: bool,
}

impl Client {
    /// Answers what the client asks for, until it hangs up.
    pub(crate) async fn answer_all(mut self, mut number: u64, mut request: ClientRequest) -> Result<()> {
        let open = Arc::new(Semaphore::new(REQUESTS_MAX));
        // They end with the connection: a client must not be told that its job is gone only because this JobManager is.
        let mut answers = JoinSet::new();
        loop {
            while answers.try_join_next().is_some() {}
            let permit = open.clone().acquire_owned().await.map_err(|_| Error::internal("a semaphore was closed"))?;
            if let Some(pending) = self.ask(number, request)? {
                let writer = self.writer.clone();
                answers.spawn(async move {
                    let _permit = permit;
                    answer(number, pending, &writer).await;
                });
            }
            match self.reader.next().await?.map(|bytes| decode(&bytes)).transpose()? {
                Some(Upward::Ask { number: next, request: what }) => (number, request) = (next, what),
                Some(_) => return Err(Error::internal("a client asks, and does nothing else")),
                None => return Ok(()),
            }
        }
    }

    /// Asks the JobManager, unless the client may not.
    fn ask(&self, number: u64, request: ClientRequest) -> Result<Option<PendingAnswer>> {
        if matches!(request, ClientRequest::Submit(_)) && !self.may_submit {
            tracing::warn!(client = self.reader.peer, "a job of a client on another host was refused");
            let answer = ClientAnswer::Submitted(Err(TaskError::from(&refused())));
            self.writer.send(encode(&Downward::Answer { number, answer })?)?;
            return Ok(None);
        }
        tokio::task::block_in_place(|| self.manager.serve(request))
    }
}

fn refused() -> Error {
    let message = format!(
        "jobs are taken from other hosts only where 'security.ssl.internal.enabled' is true: set it in all processes, submit \
         on the host of the JobManager, or set '{}' to true in the JobManager if anybody who reaches its port may run jobs",
        ANONYMOUS.name
    );
    Error::user("submission-refused", message)
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
    /// What it is told before it is welcome; `None` after that.
    held: Mutex<Option<Vec<Vec<u8>>>>,
    inspections: Arc<Inspections>,
    /// Told when the JobManager has no more use for it.
    released: Arc<Notify>,
}

impl Drop for RemoteTaskManager {
    fn drop(&mut self) {
        self.released.notify_one();
    }
}

impl RemoteTaskManager {
    /// It knows that it is registered: from now on it is told at once.
    fn welcomed(&self) -> Result<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.take().into_iter().flatten().try_for_each(|message| self.writer.send(message))
    }

    /// The JobManager may have something to say as soon as it has registered, and its welcome comes first.
    fn tell(&self, message: &Downward) -> Result<()> {
        let message = encode(message)?;
        match &mut *self.held.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(held) => held.push(message),
            None => return self.writer.send(message),
        }
        Ok(())
    }
}

impl TaskManagerGateway for RemoteTaskManager {
    fn send(&self, message: ToTaskManager) -> Result<()> {
        self.tell(&Downward::Command(message))
    }

    fn inspect(&self, what: Inspection, reply: SyncSender<Inspected>) -> Result<()> {
        let number = self.inspections.expect(reply);
        self.tell(&Downward::Inspect { number, what })
    }
}
