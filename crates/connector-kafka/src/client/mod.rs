//! The client: configuration under Java's names, contexts that remember why a broker is not reached, errors.

mod errors;
mod jaas;
mod properties;

#[cfg(test)]
mod tests;

pub(crate) use errors::{explain, explain_code};
pub(crate) use properties::{OffsetReset, Properties};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use std::sync::{Arc, Mutex, PoisonError};

/// The last thing that went wrong on a connection, for errors that are only told that time is up.
#[derive(Debug, Default, Clone)]
pub(crate) struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    pub(crate) fn note(&self, text: &str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text.trim().to_string());
    }

    /// What was noted last.
    pub(crate) fn last(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The context of consumers and of the clients that only ask.
#[derive(Debug, Default, Clone)]
pub(crate) struct Context {
    pub(crate) trouble: Trouble,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(&self.trouble, level as i32, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::AllBrokersDown)) {
            self.trouble.note(reason);
        }
        tracing::debug!(%error, reason, "the Kafka client reports an error");
    }
}

impl ConsumerContext for Context {}

/// Passes a line of librdkafka's log on, and keeps why connections fail.
/// `level` is syslog's.
pub(crate) fn log(trouble: &Trouble, level: i32, facility: &str, message: &str) {
    if matches!(facility, "FAIL" | "ERROR" | "SASL" | "SSL" | "AUTH") {
        // "[thrd:..]: " in front says nothing to a reader.
        let text = message.split_once("]: ").map_or(message, |(_, rest)| rest);
        // Why the brokers are down was told before.
        if !text.ends_with("brokers are down") {
            trouble.note(text);
        }
    }
    match level {
        ..=3 => tracing::warn!(target: "librdkafka", facility, "{message}"),
        4..=5 => tracing::info!(target: "librdkafka", facility, "{message}"),
        _ => tracing::debug!(target: "librdkafka", facility, "{message}"),
    }
}
