//! The writer of `none` and `at-least-once`: records go to the brokers as they come.
//!
//! At a barrier, `at-least-once` waits until all records are acknowledged, as
//! [`SinkWriter::is_flushed`] tells the driver; the lane goes on with other subtasks meanwhile. A batch that the client
//! has no room for waits as frames, and the writer is not ready until it is gone.

use super::delivery::{Delivery, ProducerState};
use super::encode::Encoder;
use super::frame::{Frames, Record};
use super::preflight::Preflight;
use super::reduce::Reduce;
use super::settings::{Guarantee, Partitioning, Settings};
use crate::client::explain;
use headwater_connector_api::{SinkWriter, WriterContext};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_types::{Error, Result};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, ThreadedProducer};
use std::sync::Arc;

/// A client with the thread that hears what became of records.
pub(crate) type Producer = ThreadedProducer<ProducerState>;

pub(super) struct DirectWriter {
    settings: Arc<Settings>,
    env: Env,
    on_bytes: Arc<dyn Fn(u64) + Send + Sync>,
    subtask: u32,
    preflight: Preflight,
    delivery: Arc<Delivery>,
    producer: Option<Producer>,
    encoder: Encoder,
    reduce: Option<Reduce>,
    partitions: Partitions,
    /// Frames of records that the client had no room for.
    backlog: Vec<u8>,
}

impl DirectWriter {
    pub(super) fn new(settings: Arc<Settings>, context: &WriterContext, preflight: Preflight) -> Result<Self> {
        let delivery = Delivery::new(context.waker.clone());
        let state = ProducerState(delivery.clone());
        let producer = Producer::from_config_and_context(&settings.producer(), state);
        let producer = producer.map_err(|e| explain("connecting to Kafka", &e, &delivery.trouble))?;
        Ok(Self {
            encoder: Encoder::new(&settings)?,
            reduce: settings.buffer_flush.map(Reduce::new),
            partitions: Partitions::new(settings.partitioning),
            env: context.env.clone(),
            on_bytes: context.on_bytes.clone(),
            subtask: context.subtask,
            producer: Some(producer),
            backlog: vec![],
            preflight,
            delivery,
            settings,
        })
    }

    fn check(&mut self) -> Result<()> {
        if let Some(count) = self.preflight.partitions()? {
            self.partitions.count = count;
        }
        self.delivery.failure(&self.settings.topic).map_or(Ok(()), Err)
    }

    /// Hands the backlog to the client as far as it has room.
    fn drain(&mut self) -> Result<()> {
        if self.backlog.is_empty() {
            return Ok(());
        }
        let Some(producer) = &self.producer else { return Ok(()) };
        let backlog = std::mem::take(&mut self.backlog);
        let mut frames = Frames::new(&backlog);
        let mut left = frames.left();
        while let Some(record) = frames.next() {
            let record = record?;
            let partition = self.partitions.next(self.subtask);
            if !send(producer, &self.delivery, &self.settings.topic, partition, &record)? {
                self.backlog = backlog[backlog.len() - left..].to_vec();
                break;
            }
            left = frames.left();
        }
        Ok(())
    }

    /// Writes the rows that were held back to be reduced.
    fn release(&mut self) -> Result<()> {
        if let Some(reduce) = &mut self.reduce {
            reduce.drain_into(&mut self.backlog);
        }
        self.drain()
    }
}

/// Hands a record to the client; `false` when it has no room now.
pub(crate) fn send(
    producer: &Producer,
    delivery: &Delivery,
    topic: &str,
    partition: Option<i32>,
    record: &Record<'_>,
) -> Result<bool> {
    let mut message: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
    message.key = record.key;
    message.payload = record.value;
    message.timestamp = record.timestamp;
    message.partition = partition;
    if !record.headers.is_empty() {
        let insert =
            |all: OwnedHeaders, (key, value): &super::frame::Header<'_>| all.insert(Header { key, value: *value });
        message.headers =
            Some(record.headers.iter().fold(OwnedHeaders::new_with_capacity(record.headers.len()), insert));
    }
    delivery.sent(1);
    match producer.send(message) {
        Ok(()) => Ok(true),
        Err((error, _)) => {
            delivery.sent(-1);
            if error == KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) {
                return Ok(false);
            }
            Err(explain(&format!("writing to the topic '{topic}'"), &error, &delivery.trouble))
        }
    }
}

/// Chooses partitions where the client does not.
#[derive(Debug)]
pub(super) struct Partitions {
    partitioning: Partitioning,
    /// Partitions of the topic.
    pub(super) count: i32,
    turn: i32,
}

impl Partitions {
    pub(super) fn new(partitioning: Partitioning) -> Self {
        Self { partitioning, count: 1, turn: 0 }
    }

    /// The partition of the next record of a subtask; `None` leaves it to the client.
    pub(super) fn next(&mut self, subtask: u32) -> Option<i32> {
        let count = self.count.max(1);
        match self.partitioning {
            Partitioning::Default => None,
            Partitioning::Fixed => Some((subtask % count as u32) as i32),
            Partitioning::RoundRobin => {
                self.turn = (self.turn + 1) % count;
                Some(self.turn)
            }
        }
    }
}

impl SinkWriter for DirectWriter {
    fn is_ready(&mut self) -> bool {
        if !self.preflight.is_done() {
            return false;
        }
        if self.delivery.has_failed() || self.drain().is_err() || self.backlog.is_empty() {
            // An error is told by the call that follows.
            return true;
        }
        let half = self.delivery.in_flight() / 2;
        // What made room before the look is found by a second one.
        self.delivery.await_at_most(half) && self.drain().is_ok_and(|()| self.backlog.is_empty())
    }

    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        self.check()?;
        self.drain()?;
        let producer = self.producer.as_ref().ok_or_else(|| Error::internal("the writer is closed"))?;
        let (mut bytes, now_ms) = (0, self.env.now_ms());
        let (backlog, reduce, delivery) = (&mut self.backlog, &mut self.reduce, &self.delivery);
        let (topic, partitions, subtask) = (&self.settings.topic, &mut self.partitions, self.subtask);
        self.encoder.each(&batch, |record| {
            bytes += record.bytes();
            match reduce {
                Some(reduce) => reduce.add(&record, now_ms),
                None if backlog.is_empty() => {
                    if !send(producer, delivery, topic, partitions.next(subtask), &record)? {
                        record.write(backlog);
                    }
                }
                None => record.write(backlog),
            }
            Ok(())
        })?;
        (self.on_bytes)(bytes);
        if self.reduce.as_ref().is_some_and(|reduce| reduce.is_due(now_ms)) {
            self.release()?;
        }
        Ok(())
    }

    /// Rows that are held back to be reduced wait for their time, or for a barrier.
    fn flush(&mut self) -> Result<()> {
        self.check()?;
        self.drain()
    }

    fn next_tick_ms(&self) -> Option<i64> {
        self.reduce.as_ref().and_then(Reduce::due_ms)
    }

    fn tick(&mut self, now_ms: i64) -> Result<()> {
        match &self.reduce {
            Some(reduce) if reduce.is_due(now_ms) => self.check().and_then(|()| self.release()),
            _ => Ok(()),
        }
    }

    fn is_flushed(&mut self) -> Result<bool> {
        if !self.preflight.is_done() {
            return Ok(false);
        }
        self.check()?;
        self.release()?;
        if self.settings.guarantee == Guarantee::None && self.backlog.is_empty() {
            return Ok(true);
        }
        let has_arrived = self.delivery.await_at_most(0);
        self.check()?;
        if has_arrived && !self.backlog.is_empty() {
            return self.is_flushed();
        }
        Ok(has_arrived)
    }
}

impl Drop for DirectWriter {
    /// Closing a client waits for its threads; with `none`, also for what it has not sent yet.
    fn drop(&mut self) {
        if let Some(producer) = self.producer.take() {
            self.env.spawn_blocking("kafka-close", move || drop(producer));
        }
    }
}
