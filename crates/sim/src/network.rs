//! The simulated transport between JobManager and TaskManager.
//!
//! Messages of one sender arrive in order; those of different senders overtake each other. A message that the
//! protocol can do without may get lost, one that it must recognise may come twice.

use crate::process::{Life, lock};
use headwater_env::{Clock, SimulatedClock};
use headwater_taskmanager::{FromTaskManager, JobManagerGateway, TaskManagerGateway, ToTaskManager};
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, Result};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

/// Who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sender {
    JobManager,
    TaskManager,
    Subtask(SubtaskId),
}

/// A message on its way.
#[derive(Clone)]
pub(crate) enum Message {
    Down(ToTaskManager),
    Up(FromTaskManager),
}

/// The transport.
pub(crate) struct Network {
    clock: Arc<SimulatedClock>,
    state: Mutex<State>,
}

struct State {
    random: StdRng,
    faults: NetworkFaults,
    /// Each with the time at which it arrives.
    lines: BTreeMap<Sender, VecDeque<(i64, Message)>>,
}

/// Of 1000 messages that may, how many get lost or come twice, and the longest delay.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NetworkFaults {
    pub(crate) lost: u32,
    pub(crate) doubled: u32,
    pub(crate) delay_ms: i64,
}

/// What may happen to a kind of message.
#[derive(Default)]
struct Tolerance {
    loss: bool,
    double: bool,
}

impl Network {
    pub(crate) fn new(seed: u64, faults: NetworkFaults, clock: &Arc<SimulatedClock>) -> Arc<Self> {
        let state = State { random: StdRng::seed_from_u64(seed), faults, lines: BTreeMap::new() };
        Arc::new(Self { clock: clock.clone(), state: Mutex::new(state) })
    }

    /// Every message arrives once and soon from now on.
    pub(crate) fn heal(&self) {
        lock(&self.state).faults = NetworkFaults { lost: 0, doubled: 0, delay_ms: 2 };
    }

    /// Forgets everything under way.
    pub(crate) fn clear(&self) {
        lock(&self.state).lines.clear();
    }

    /// When the first message arrives.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        lock(&self.state).lines.values().filter_map(|line| Some(line.front()?.0)).min()
    }

    /// Takes a message that has arrived.
    pub(crate) fn take(&self, choice: usize) -> Option<Message> {
        let now_ms = self.clock.now_ms();
        let mut state = lock(&self.state);
        let arrived = |line: &&mut VecDeque<(i64, Message)>| line.front().is_some_and(|(due, _)| *due <= now_ms);
        let mut lines: Vec<_> = state.lines.values_mut().filter(arrived).collect();
        let count = lines.len().max(1);
        lines.get_mut(choice % count)?.pop_front().map(|(_, message)| message)
    }

    /// Takes what the TaskManager has sent, whether it would have arrived or not.
    pub(crate) fn take_up(&self) -> Vec<FromTaskManager> {
        let lines = std::mem::take(&mut lock(&self.state).lines);
        let messages = lines.into_values().flatten().map(|(_, message)| message);
        let up = |message| match message {
            Message::Up(message) => Some(message),
            Message::Down(_) => None,
        };
        messages.filter_map(up).collect()
    }

    fn send(&self, sender: Sender, message: Message) {
        let now_ms = self.clock.now_ms();
        let mut state = lock(&self.state);
        let NetworkFaults { lost, doubled, delay_ms } = state.faults;
        let tolerance = tolerance(&message);
        let copies = match state.random.random_range(0..1000) {
            drawn if drawn < lost && tolerance.loss => 0,
            drawn if (lost..lost + doubled).contains(&drawn) && tolerance.double => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let delay_ms = state.random.random_range(0..=delay_ms);
            let line = state.lines.entry(sender).or_default();
            let after = line.back().map_or(i64::MIN, |(due, _)| *due);
            line.push_back((after.max(now_ms + delay_ms), message.clone()));
        }
    }
}

/// What the protocol must bear: a checkpoint whose messages get lost expires; notices are repeated by later ones.
fn tolerance(message: &Message) -> Tolerance {
    let (loss, double) = match message {
        Message::Down(ToTaskManager::TriggerCheckpoint { .. }) => (true, false),
        Message::Down(ToTaskManager::CompleteCheckpoint { .. }) => (true, true),
        Message::Down(ToTaskManager::AbortCheckpoint { .. }) => (true, true),
        Message::Down(ToTaskManager::Cancel { .. }) => (false, true),
        Message::Up(
            FromTaskManager::CheckpointAck { .. }
            | FromTaskManager::CheckpointDeclined { .. }
            | FromTaskManager::CheckpointAborted { .. }
            | FromTaskManager::AwaitsCheckpoint { .. }
            | FromTaskManager::Merged { .. },
        ) => (true, true),
        Message::Up(FromTaskManager::Running { .. } | FromTaskManager::Finished { .. }) => (false, true),
        _ => (false, false),
    };
    Tolerance { loss, double }
}

/// The JobManager's end.
pub(crate) struct DownPort {
    pub(crate) network: Arc<Network>,
    pub(crate) own: Arc<Life>,
    pub(crate) other: Arc<Life>,
}

impl TaskManagerGateway for DownPort {
    fn send(&self, message: ToTaskManager) -> Result<()> {
        if !self.other.is_alive() {
            return Err(Error::retryable("taskmanager-gone", "the TaskManager has ended"));
        }
        if self.own.is_alive() {
            self.network.send(Sender::JobManager, Message::Down(message));
        }
        Ok(())
    }
}

/// The TaskManager's end.
pub(crate) struct UpPort {
    pub(crate) network: Arc<Network>,
    pub(crate) own: Arc<Life>,
}

impl JobManagerGateway for UpPort {
    fn send(&self, message: FromTaskManager) {
        if self.own.is_alive() {
            self.network.send(sender(&message), Message::Up(message));
        }
    }
}

fn sender(message: &FromTaskManager) -> Sender {
    match message {
        FromTaskManager::Running { subtask, .. }
        | FromTaskManager::SplitRequest { subtask, .. }
        | FromTaskManager::Committables { subtask, .. }
        | FromTaskManager::CheckpointAck { subtask, .. }
        | FromTaskManager::CheckpointDeclined { subtask, .. }
        | FromTaskManager::AwaitsCheckpoint { subtask, .. }
        | FromTaskManager::Finished { subtask, .. } => Sender::Subtask(*subtask),
        FromTaskManager::DeployFailed { .. }
        | FromTaskManager::CheckpointAborted { .. }
        | FromTaskManager::Merged { .. }
        | FromTaskManager::Metrics { .. } => Sender::TaskManager,
    }
}

impl std::fmt::Debug for Message {
    /// The kind of message and whom it is about: enough to follow a run.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Down(ToTaskManager::Deploy { attempt, restore, .. }) => {
                write!(f, "Deploy attempt {attempt} from {:?}", restore.as_ref().map(|restore| restore.checkpoint))
            }
            Self::Up(FromTaskManager::CheckpointAck { subtask, checkpoint, attempt, .. }) => {
                write!(f, "CheckpointAck {checkpoint} of {subtask} attempt {attempt}")
            }
            Self::Up(FromTaskManager::Finished { subtask, outcome, attempt, .. }) => {
                write!(f, "Finished {subtask} attempt {attempt}: {outcome:?}")
            }
            Self::Down(ToTaskManager::MergeRuns { request, file, .. }) => write!(f, "MergeRuns {request} into {file}"),
            Self::Up(FromTaskManager::Merged { request, .. }) => write!(f, "Merged {request}"),
            Self::Down(message) => write!(f, "{message:?}"),
            Self::Up(message) => write!(f, "{message:?}"),
        }
    }
}
