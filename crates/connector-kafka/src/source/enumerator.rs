//! The enumerator: looks for partitions now and then, and gives each to one reader.
//!
//! A partition belongs to the subtask that its topic's hash and its number say, as in Flink, so that the
//! partitions of a topic are spread evenly. What waits for a broker runs as blocking work; an enumerator that is asked
//! meanwhile tells the reader to come back.

use super::discovery::{Plan, discover};
use super::split::{KafkaSplit, TopicPartition, decode, encode};
use super::{Consumer, consumer, trouble};
use crate::client::{Context, explain};
use headwater_connector_api::{Split, SplitAssignment, SplitEnumerator};
use headwater_env::Env;
use headwater_types::{Error, ErrorKind, Result};
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// Pause before a reader asks again while a look is under way.
const LOOKING_MS: u64 = 10;
/// Pause before a reader asks again that has nothing to expect: the job may still be rescaled.
const NOTHING_MS: u64 = 60_000;

/// The part of the state that is in checkpoints.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// Whether the first look is done, whose partitions start where the options say.
    is_initialised: bool,
    /// Partitions that were found.
    known: BTreeSet<TopicPartition>,
    /// Partitions that no reader has yet.
    waiting: VecDeque<KafkaSplit>,
}

/// The outcome of a look.
type Found = Result<Vec<KafkaSplit>>;

/// What blocking work shares with the enumerator.
#[derive(Default)]
struct Shared {
    client: Mutex<Option<Consumer>>,
    found: Mutex<Option<Found>>,
    is_committing: Mutex<bool>,
}

pub(super) struct KafkaEnumerator {
    plan: Arc<Plan>,
    env: Env,
    state: State,
    shared: Arc<Shared>,
    is_looking: bool,
    /// When the next look is due; `None` when there will be none.
    next_look_ms: Option<i64>,
}

impl KafkaEnumerator {
    pub(super) fn new(plan: Arc<Plan>, env: Env) -> Self {
        let shared = Arc::default();
        Self { plan, env, state: State::default(), shared, is_looking: false, next_look_ms: Some(i64::MIN) }
    }

    pub(super) fn restore(plan: Arc<Plan>, env: Env, state: &[u8]) -> Result<Self> {
        let state: State = decode(state, "snapshot of a topic's partitions")?;
        let mut this = Self::new(plan, env);
        let is_complete = state.is_initialised && this.plan.interval.is_none();
        this.next_look_ms = (!is_complete).then_some(i64::MIN);
        this.state = state;
        Ok(this)
    }

    /// Starts a look when it is due, takes in what one has found.
    fn look(&mut self) -> Result<()> {
        if self.is_looking {
            let Some(found) = lock(&self.shared.found).take() else { return Ok(()) };
            self.is_looking = false;
            return self.take_in(found);
        }
        if self.next_look_ms.is_some_and(|at| at <= self.env.now_ms()) {
            self.is_looking = true;
            let (plan, shared) = (self.plan.clone(), self.shared.clone());
            let (known, is_first) = (self.state.known.clone(), !self.state.is_initialised);
            self.env.spawn_blocking("kafka-discovery", move || {
                let found = with_client(&shared, &plan, |client| discover(client, &plan, &known, is_first));
                if plan.interval.is_none() && plan.properties.group().is_none() {
                    // Nothing else will be asked.
                    drop(lock(&shared.client).take());
                }
                *lock(&shared.found) = Some(found);
            });
        }
        Ok(())
    }

    fn take_in(&mut self, found: Found) -> Result<()> {
        let interval_ms = self.plan.interval.map(|interval| interval.as_millis() as i64);
        self.next_look_ms = interval_ms.map(|ms| self.env.now_ms().saturating_add(ms));
        let splits = match found {
            // Readers go on with what they have; the next look may succeed.
            Err(error) if error.kind() == ErrorKind::Retryable && self.state.is_initialised => {
                tracing::warn!(%error, "looking for new partitions failed");
                return Ok(());
            }
            found => found?,
        };
        self.state.is_initialised = true;
        for split in splits {
            self.state.known.insert(split.topic_partition());
            if !split.is_finished() {
                self.state.waiting.push_back(split);
            }
        }
        Ok(())
    }

    /// The answer to a reader for which no partition waits.
    fn nothing(&self) -> SplitAssignment {
        if self.is_looking {
            return SplitAssignment::Wait(LOOKING_MS);
        }
        match self.next_look_ms {
            Some(at) => SplitAssignment::Wait(at.saturating_sub(self.env.now_ms()).max(1) as u64),
            None if self.plan.range.stop.is_some() => SplitAssignment::NoMoreSplits,
            // A source without end does not end because a subtask has no partition.
            None => SplitAssignment::Wait(NOTHING_MS),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Calls with the enumerator's client, which is made when it is needed first.
fn with_client<T>(shared: &Shared, plan: &Plan, call: impl FnOnce(&Consumer) -> Result<T>) -> Result<T> {
    let mut client = lock(&shared.client);
    if client.is_none() {
        *client = Some(consumer(&plan.properties, Context::default())?);
    }
    let client = client.as_ref().ok_or_else(|| Error::internal("the client was just made"))?;
    // News that nobody asked for must not pile up.
    drop(trouble(client));
    call(client)
}

/// The subtask that reads a partition: partitions of a topic go round, from a start that its name decides.
fn owner((topic, partition): (&str, i32), parallelism: u32) -> u32 {
    let start = xxhash_rust::xxh3::xxh3_64(topic.as_bytes()) % u64::from(parallelism.max(1));
    ((start + partition as u64) % u64::from(parallelism.max(1))) as u32
}

impl SplitEnumerator for KafkaEnumerator {
    fn next_split(&mut self, subtask: u32, parallelism: u32) -> Result<SplitAssignment> {
        self.look()?;
        let is_own = |split: &KafkaSplit| owner((&split.topic, split.partition), parallelism) == subtask;
        match self.state.waiting.iter().position(is_own).and_then(|at| self.state.waiting.remove(at)) {
            Some(split) => split.encode().map(SplitAssignment::Split),
            None => Ok(self.nothing()),
        }
    }

    fn snapshot(&mut self) -> Result<Vec<u8>> {
        encode(&self.state)
    }

    fn checkpoint_complete(&mut self, checkpoint: u64, splits: &[Split]) -> Result<()> {
        if splits.is_empty() || !self.plan.properties.commits_offsets()? {
            return Ok(());
        }
        let mut offsets = TopicPartitionList::with_capacity(splits.len());
        for split in splits {
            let split = KafkaSplit::decode(split)?;
            let added = offsets.add_partition_offset(&split.topic, split.partition, Offset::Offset(split.next));
            added.map_err(|e| Error::internal(format!("an offset cannot be committed: {e}")))?;
        }
        // The next checkpoint commits what this one would; one commit at a time is enough.
        if std::mem::replace(&mut *lock(&self.shared.is_committing), true) {
            return Ok(());
        }
        let (plan, shared) = (self.plan.clone(), self.shared.clone());
        self.env.spawn_blocking("kafka-offset-commit", move || {
            let committed = with_client(&shared, &plan, |client| {
                let committed = client.commit(&offsets, CommitMode::Sync);
                committed.map_err(|e| explain("committing offsets to the consumer group", &e, &trouble(client)))
            });
            // The offsets that count are those in the checkpoint.
            if let Err(error) = committed {
                tracing::warn!(checkpoint, %error, "offsets were not committed back to Kafka");
            }
            *lock(&shared.is_committing) = false;
        });
        Ok(())
    }
}

impl Drop for KafkaEnumerator {
    /// Closing a client waits for its threads.
    fn drop(&mut self) {
        let shared = self.shared.clone();
        self.env.spawn_blocking("kafka-close", move || drop(lock(&shared.client).take()));
    }
}
