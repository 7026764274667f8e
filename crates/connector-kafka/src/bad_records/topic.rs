//! Dead letters in a topic: the record as it was, with headers that say where it stood and what is wrong.

use super::{Defect, Position, Raw};
use crate::client::{Properties, explain};
use crate::sink::{Delivery, Frames, Producer, ProducerState, Record, letter_producer, send};
use headwater_env::Env;
use headwater_types::{Error, Result};
use rdkafka::config::FromClientConfigAndContext;
use std::sync::Arc;

/// The producer of a reader's letters.
pub(super) struct LetterTopic {
    topic: String,
    env: Env,
    delivery: Arc<Delivery>,
    producer: Option<Producer>,
    /// Frames of letters that the client had no room for.
    backlog: Vec<u8>,
}

impl LetterTopic {
    pub(super) fn new(
        topic: String,
        properties: &Properties,
        env: Env,
        waker: Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self> {
        let delivery = Delivery::new(waker);
        let state = ProducerState(delivery.clone());
        let producer = Producer::from_config_and_context(&letter_producer(properties), state);
        let producer = producer.map_err(|e| explain("connecting to Kafka", &e, &delivery.trouble))?;
        Ok(Self { topic, env, delivery, producer: Some(producer), backlog: vec![] })
    }

    /// Sends a letter.
    pub(super) fn send(&mut self, defect: Defect<'_>, raw: Raw<'_>, at: Position<'_>) -> Result<()> {
        let numbers = [at.partition.to_string(), at.offset.to_string()];
        let headers = vec![
            ("headwater.error.topic", Some(at.topic.as_bytes())),
            ("headwater.error.partition", Some(numbers[0].as_bytes())),
            ("headwater.error.offset", Some(numbers[1].as_bytes())),
            ("headwater.error.part", Some(defect.part.as_bytes())),
            ("headwater.error.reason", Some(defect.reason.as_bytes())),
        ];
        let record = Record { key: raw.key, value: raw.value, timestamp: Some(self.env.now_ms()), headers };
        let producer = self.producer.as_ref().ok_or_else(closed)?;
        if !self.backlog.is_empty() || !send(producer, &self.delivery, &self.topic, None, &record)? {
            record.write(&mut self.backlog);
        }
        Ok(())
    }

    /// Whether the brokers have all letters.
    pub(super) fn is_settled(&mut self) -> Result<bool> {
        self.drain()?;
        let has_arrived = self.delivery.await_at_most(0);
        if let Some(error) = self.delivery.failure(&self.topic) {
            return Err(error.context("keeping a bad record as a dead letter"));
        }
        Ok(has_arrived && self.backlog.is_empty())
    }

    /// Hands the backlog to the client as far as it has room.
    fn drain(&mut self) -> Result<()> {
        if self.backlog.is_empty() {
            return Ok(());
        }
        let producer = self.producer.as_ref().ok_or_else(closed)?;
        let backlog = std::mem::take(&mut self.backlog);
        let mut frames = Frames::new(&backlog);
        let mut left = frames.left();
        while let Some(record) = frames.next() {
            if !send(producer, &self.delivery, &self.topic, None, &record?)? {
                self.backlog = backlog[backlog.len() - left..].to_vec();
                break;
            }
            left = frames.left();
        }
        Ok(())
    }
}

fn closed() -> Error {
    Error::internal("the producer of dead letters is closed")
}

impl Drop for LetterTopic {
    /// Closing a client waits for its threads.
    fn drop(&mut self) {
        if let Some(producer) = self.producer.take() {
            self.env.spawn_blocking("kafka-close", move || drop(producer));
        }
    }
}
