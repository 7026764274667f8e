//! The committer of `exactly-once`: the records of a checkpoint in one short transaction, or in several where they are
//! many, so that none takes longer than the brokers allow.
//!
//! A commit
//! 1. takes over the transactional id (`init_transactions`), which fences whoever used it before and ends what that one
//!    left open;
//! 2. reads the [marker](super::marker), and passes over what it holds;
//! 3. produces the rest, and writes the marker in the same transaction.
//!
//! So a commit may be repeated after any failure, also by another process: either the marker holds a committable and its
//! records are in the topic, or neither is so. After an error the client is thrown away, and the next attempt starts at 1;
//! otherwise 1 and 2 are done once. Several checkpoints may be committed in one call.

use super::committable::Staged;
use super::delivery::{Delivery, ProducerState};
use super::direct::{Partitions, Producer, send};
use super::marker::{BUCKET_SUBTASKS, Marker};
use super::preflight;
use super::settings::Settings;
use crate::client::{Context, explain};
use crate::source::{consumer, trouble};
use headwater_connector_api::{Committable, Committer};
use headwater_types::{Error, ErrorKind, Result};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{Consumer as _, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;
use rdkafka::producer::Producer as _;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

/// Compressed bytes of committables from which on another transaction is begun.
const TRANSACTION_BYTES: usize = 16 << 20;
/// How often a commit is tried in one call.
const ATTEMPTS: u32 = 3;
/// Pause while the client has no room.
const ROOM_PAUSE: Duration = Duration::from_millis(20);
/// Pauses in which a client must find room at least once.
const ROOM_PAUSES_MAX: u32 = 3_000;

pub(super) struct TransactionCommitter {
    settings: Arc<Settings>,
    session: Option<Session>,
}

impl TransactionCommitter {
    pub(super) fn new(settings: Arc<Settings>) -> Self {
        Self { settings, session: None }
    }

    fn attempt(&mut self, checkpoint: u64, staged: &[Staged<'_>]) -> Result<()> {
        // Gone unless the attempt succeeds: what a failed one left in the client is unknown.
        let mut session = match self.session.take() {
            Some(session) => session,
            None => Session::start(&self.settings)?,
        };
        session.commit(&self.settings, checkpoint, staged)?;
        self.session = Some(session);
        Ok(())
    }
}

impl Committer for TransactionCommitter {
    fn commit(&mut self, checkpoint: u64, committables: &[Committable]) -> Result<()> {
        let mut staged = committables.iter().map(Staged::open).collect::<Result<Vec<_>>>()?;
        if staged.is_empty() {
            return Ok(());
        }
        staged.sort_by_key(|staged| (staged.header.writer, staged.header.sequence));
        staged.dedup_by_key(|staged| (staged.header.writer, staged.header.sequence));
        for attempt in 1.. {
            match self.attempt(checkpoint, &staged) {
                Err(error) if error.kind() == ErrorKind::Retryable && attempt < ATTEMPTS => {
                    tracing::warn!(checkpoint, attempt, %error, "a Kafka transaction is tried again");
                }
                outcome => return outcome,
            }
        }
        Ok(())
    }
}

/// A producer that holds the transactional id, and what it knows of the markers.
struct Session {
    producer: Producer,
    delivery: Arc<Delivery>,
    partitions: Partitions,
    buckets: BTreeMap<u32, Bucket>,
}

/// The marker of a bucket, and its group.
struct Bucket {
    group: ConsumerGroupMetadata,
    marker: Marker,
}

impl Session {
    fn start(settings: &Settings) -> Result<Self> {
        let delivery = Delivery::new(Arc::new(|| ()));
        let producer =
            Producer::from_config_and_context(&settings.transactional_producer(), ProducerState(delivery.clone()));
        let producer = producer.map_err(|e| explain("connecting to Kafka", &e, &delivery.trouble))?;
        let doing = format!("taking over the transactional id '{}'", settings.transactional_id());
        producer.init_transactions(settings.timeout()).map_err(|e| explain(&doing, &e, &delivery.trouble))?;
        let client = consumer(&settings.properties, Context::default())?;
        let mut partitions = Partitions::new(settings.partitioning);
        partitions.count = preflight::partitions(settings, &client)?;
        Ok(Self { producer, delivery, partitions, buckets: BTreeMap::new() })
    }

    fn commit(&mut self, settings: &Settings, checkpoint: u64, staged: &[Staged<'_>]) -> Result<()> {
        let mut open = vec![];
        for staged in staged {
            let bucket = self.bucket(settings, staged.header.subtask / BUCKET_SUBTASKS)?;
            if !bucket.marker.holds(&staged.header) {
                open.push(staged);
            }
        }
        transactions(open).iter().try_for_each(|staged| self.transact(settings, checkpoint, staged))
    }

    /// Produces committables, and writes that they are in the topic, in one transaction.
    fn transact(&mut self, settings: &Settings, checkpoint: u64, open: &[&Staged<'_>]) -> Result<()> {
        self.call(settings, "beginning a transaction", |producer| producer.begin_transaction())?;
        let mut markers: BTreeMap<u32, Marker> = BTreeMap::new();
        for staged in open {
            self.produce(settings, staged)?;
            let number = staged.header.subtask / BUCKET_SUBTASKS;
            let before = self.buckets.get(&number).map(|bucket| bucket.marker.clone()).unwrap_or_default();
            let marker = markers.entry(number).or_insert(before);
            marker.check_follows(&staged.header)?;
            marker.add(&staged.header);
        }
        for (number, marker) in &markers {
            self.mark(settings, checkpoint, *number, marker)?;
        }
        // Flushes first; a record that was given up fails the transaction, and says more than that does.
        let committed = self.call(settings, "committing a transaction", |p| p.commit_transaction(settings.timeout()));
        self.delivery.failure(&settings.topic).map_or(committed, Err)?;
        for (number, marker) in markers {
            if let Some(bucket) = self.buckets.get_mut(&number) {
                bucket.marker = marker;
            }
        }
        Ok(())
    }

    /// The bucket with its marker, which is read when it is needed first.
    fn bucket(&mut self, settings: &Settings, number: u32) -> Result<&mut Bucket> {
        match self.buckets.entry(number) {
            Entry::Occupied(bucket) => Ok(bucket.into_mut()),
            Entry::Vacant(place) => Ok(place.insert(Bucket::read(settings, number)?)),
        }
    }

    fn call(
        &self,
        settings: &Settings,
        what: &str,
        call: impl FnOnce(&Producer) -> std::result::Result<(), KafkaError>,
    ) -> Result<()> {
        let doing = format!("{what} on the topic '{}'", settings.topic);
        call(&self.producer).map_err(|e| explain(&doing, &e, &self.delivery.trouble))
    }

    fn produce(&mut self, settings: &Settings, staged: &Staged<'_>) -> Result<()> {
        let Self { producer, delivery, partitions, .. } = self;
        staged.each(|record| {
            let partition = partitions.next(staged.header.subtask);
            for _ in 0..ROOM_PAUSES_MAX {
                if let Some(failure) = delivery.failure(&settings.topic) {
                    return Err(failure);
                }
                if send(producer, delivery, &settings.topic, partition, record)? {
                    return Ok(());
                }
                std::thread::park_timeout(ROOM_PAUSE);
            }
            let message = format!("the brokers take no more records of the topic '{}'", settings.topic);
            Err(Error::retryable("kafka-unreachable", message))
        })
    }

    fn mark(&self, settings: &Settings, checkpoint: u64, number: u32, marker: &Marker) -> Result<()> {
        let Some(bucket) = self.buckets.get(&number) else { return Err(Error::internal("a marker without bucket")) };
        let offsets = marker_place(settings);
        if let Some(mut element) = offsets.find_partition(&settings.topic, 0) {
            let offset = i64::try_from(checkpoint).unwrap_or(i64::MAX);
            let set = element.set_offset(Offset::Offset(offset));
            set.map_err(|e| Error::internal(format!("the checkpoint {checkpoint} is no offset: {e}")))?;
            element.set_metadata(marker.text());
        }
        self.call(settings, "writing the marker of a transaction", |producer| {
            producer.send_offsets_to_transaction(&offsets, &bucket.group, settings.timeout())
        })
    }
}

/// Divides committables among transactions, in order.
fn transactions<'a, 'b>(open: Vec<&'a Staged<'b>>) -> Vec<Vec<&'a Staged<'b>>> {
    let (mut all, mut bytes): (Vec<Vec<_>>, usize) = (vec![], 0);
    for staged in open {
        match all.last_mut().filter(|_| bytes + staged.bytes() <= TRANSACTION_BYTES) {
            Some(last) => last.push(staged),
            None => {
                bytes = 0;
                all.push(vec![staged]);
            }
        }
        bytes += staged.bytes();
    }
    all
}

impl Bucket {
    fn read(settings: &Settings, number: u32) -> Result<Self> {
        let name = format!("{}-{number}", settings.transactional_id());
        let properties = settings.properties.of_group(&name);
        let client = consumer(&properties, Context::default())?;
        let doing = format!("reading the marker in the consumer group '{name}'");
        let found = client.committed_offsets(marker_place(settings), settings.timeout());
        let found = found.map_err(|e| explain(&doing, &e, &trouble(&client)))?;
        let marker = match found.find_partition(&settings.topic, 0) {
            Some(element) => {
                element.error().map_err(|e| explain(&doing, &e, &trouble(&client)))?;
                Marker::parse(element.metadata())?
            }
            None => Marker::default(),
        };
        let group = client.group_metadata().ok_or_else(|| Error::internal("a consumer without group"))?;
        Ok(Self { group, marker })
    }
}

/// The partition whose offset is the marker's.
fn marker_place(settings: &Settings) -> TopicPartitionList {
    let mut place = TopicPartitionList::new();
    place.add_partition(&settings.topic, 0);
    place
}
