//! `type: kafka`: a record per event, keyed by the job, so that the events of one job stay in order.

use super::{Failure, Transport, bad, flat, required, text};
use crate::client::Message;
use headwater_types::Result;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use serde_json::Value;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// Properties of Java clients that mean nothing here.
const JAVA_ONLY: &[&str] = &["key.serializer", "value.serializer"];
/// How long one look for a delivery lasts.
const TURN: Duration = Duration::from_millis(20);
/// The client's own patience with brokers; beyond it the worker decides.
const DELIVERY_TIMEOUT_MS: &str = "5000";

/// Produces events.
pub(super) struct Kafka {
    producer: BaseProducer<Deliveries>,
    topic: String,
    key: Option<String>,
}

/// Tells who waits for a record what became of it.
struct Deliveries;

type Outcome = SyncSender<Result<(), String>>;

impl rdkafka::ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Outcome>;

    fn delivery(&self, result: &DeliveryResult<'_>, waiting: Self::DeliveryOpaque) {
        let outcome = result.as_ref().map(|_| ()).map_err(|(error, _)| error.to_string());
        // Whoever waited may have given up.
        let _ = waiting.try_send(outcome);
    }
}

impl Kafka {
    pub(super) fn new(config: &Value) -> Result<Self> {
        let mut client = ClientConfig::new();
        client.set("message.timeout.ms", DELIVERY_TIMEOUT_MS);
        for (name, value) in flat(config.get("properties")) {
            if !JAVA_ONLY.contains(&name.as_str()) {
                client.set(name, value);
            }
        }
        if client.get("bootstrap.servers").is_none() {
            return Err(bad("transport.properties.bootstrap.servers", "the addresses of brokers: it is missing"));
        }
        let producer = client.create_with_context(Deliveries);
        // The message names the property, not its value.
        let producer = producer.map_err(|e| bad("transport.properties", &format!("properties of a producer: {e}")))?;
        Ok(Self { producer, topic: required(config, "topicName")?, key: text(config, "messageKey") })
    }
}

impl Transport for Kafka {
    fn send(&mut self, message: &Message, timeout: Duration) -> Result<(), Failure> {
        let (sender, outcome) = sync_channel(1);
        let key = self.key.as_deref().unwrap_or(&message.key);
        let record: BaseRecord<'_, _, _, Box<Outcome>> =
            BaseRecord::with_opaque_to(&self.topic, Box::new(sender)).key(key).payload(message.json.as_slice());
        let sent = self.producer.send(record).map_err(|(error, _)| error);
        sent.map_err(|e| Failure::retryable(format!("the record was not taken: {e}")))?;
        let turns = timeout.as_millis() / TURN.as_millis() + 1;
        for _ in 0..turns {
            self.producer.poll(TURN);
            match outcome.recv_timeout(Duration::ZERO) {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => return Err(Failure::retryable(error)),
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::retryable("the record was given up")),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        // It would arrive after the copy that is sent again.
        self.producer.purge(rdkafka::producer::PurgeConfig::default().queue().inflight());
        Err(Failure::retryable("the brokers did not answer in time"))
    }
}
