//! Events from Kafka topics.
//!
//! A consumer of a group reads what OpenLineage's Kafka transport and Data.Rentgen's gateway write. Positions are
//! committed only after the events of them are in the database, so nothing is lost; what comes twice changes nothing.

use super::{Reading, read};
use crate::app::App;
use crate::error::{Error, Result};
use crate::options::KafkaOptions;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{CommitMode, Consumer as _, StreamConsumer};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;
use tokio::sync::watch;

/// Messages of one transaction.
const BATCH: usize = 2000;
/// Bytes of one transaction.
const BATCH_BYTES: usize = 16 << 20;
/// How long a batch waits for more messages.
const LINGER: Duration = Duration::from_millis(20);
/// Pause after the database or a broker was in trouble.
const PAUSE: Duration = Duration::from_secs(1);

/// See the module.
pub struct Consumer(StreamConsumer);

impl Consumer {
    /// Joins the group.
    ///
    /// # Errors
    /// When a setting makes no sense.
    pub fn open(options: &KafkaOptions) -> Result<Self> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &options.brokers)
            .set("group.id", &options.group)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "true");
        for (name, value) in &options.properties {
            config.set(name, value);
        }
        let consumer: StreamConsumer = config.create().map_err(|e| Error::Kafka(e.to_string()))?;
        let topics: Vec<&str> = options.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|e| Error::Kafka(e.to_string()))?;
        Ok(Self(consumer))
    }

    /// Reads until told to stop.
    pub async fn run(self, app: App, mut stopped: watch::Receiver<bool>) {
        loop {
            let batch = tokio::select! {
                _ = stopped.wait_for(|stop| *stop) => return,
                batch = self.batch(&app) => batch,
            };
            let (reading, positions) = match batch {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::warn!(%error, "Kafka cannot be read; it is tried again");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            while let Err(error) = app.ingest().store(reading.clone(), "kafka").await {
                tracing::warn!(%error, "events of Kafka cannot be stored; it is tried again");
                if *stopped.borrow() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
            if let Err(error) = self.0.commit(&positions, CommitMode::Async) {
                tracing::warn!(%error, "positions cannot be committed; the events will come again");
            }
        }
    }

    /// Messages that are there, at least one.
    async fn batch(&self, app: &App) -> Result<(Reading, TopicPartitionList)> {
        let mut positions = TopicPartitionList::new();
        let mut next = Some(self.0.recv().await.map_err(|e| Error::Kafka(e.to_string()))?);
        // Only now: it may have waited for days, and events from the future are refused.
        let now = app.signals().now_us();
        let mut reading = Reading { received_at: now, ..Reading::default() };
        let mut count = 0;
        while let Some(message) = next.take() {
            count += 1;
            add(&message, now, &mut reading);
            position(&message, &mut positions)?;
            if count < BATCH && reading.bytes < BATCH_BYTES {
                next = tokio::time::timeout(LINGER, self.0.recv()).await.ok().and_then(std::result::Result::ok);
            }
        }
        Ok((reading, positions))
    }
}

fn add(message: &BorrowedMessage<'_>, now: i64, reading: &mut Reading) {
    // A tombstone says nothing.
    let Some(payload) = message.payload() else { return };
    let mut one = read(payload, now);
    reading.bytes += one.bytes;
    reading.good.append(&mut one.good);
    reading.bad.append(&mut one.bad);
}

fn position(message: &BorrowedMessage<'_>, positions: &mut TopicPartitionList) -> Result<()> {
    let offset = Offset::Offset(message.offset() + 1);
    let (topic, partition) = (message.topic(), message.partition());
    let done = match positions.find_partition(topic, partition) {
        Some(_) => positions.set_partition_offset(topic, partition, offset),
        None => positions.add_partition_offset(topic, partition, offset),
    };
    done.map_err(|e| Error::Kafka(e.to_string()))
}
