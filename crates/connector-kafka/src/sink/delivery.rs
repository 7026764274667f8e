//! What became of produced records, as librdkafka reports from its threads.

use crate::client::{Trouble, explain, log};
use headwater_types::Error;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{DeliveryResult, ProducerContext};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Wake nobody.
const NOBODY: i64 = -1;

/// Counters shared between a writer and the threads of its client.
pub(crate) struct Delivery {
    /// Records handed to the client and neither delivered nor given up.
    in_flight: AtomicI64,
    /// Wake the writer when no more than these are in flight.
    wake_at: AtomicI64,
    waker: Arc<dyn Fn() + Send + Sync>,
    has_failed: AtomicBool,
    failure: Mutex<Option<KafkaError>>,
    pub(crate) trouble: Trouble,
}

impl Delivery {
    pub(crate) fn new(waker: Arc<dyn Fn() + Send + Sync>) -> Arc<Self> {
        Arc::new(Self {
            in_flight: AtomicI64::new(0),
            wake_at: AtomicI64::new(NOBODY),
            waker,
            has_failed: AtomicBool::new(false),
            failure: Mutex::new(None),
            trouble: Trouble::default(),
        })
    }

    /// Counts records before they are handed to the client.
    pub(crate) fn sent(&self, records: i64) {
        self.in_flight.fetch_add(records, Ordering::SeqCst);
    }

    /// Whether no more than `records` are in flight; otherwise the waker is called when it is so.
    pub(crate) fn await_at_most(&self, records: i64) -> bool {
        self.wake_at.store(records, Ordering::SeqCst);
        // Read after the store: what is delivered from here on sees it.
        if self.in_flight.load(Ordering::SeqCst) > records && !self.has_failed.load(Ordering::SeqCst) {
            return false;
        }
        self.wake_at.store(NOBODY, Ordering::SeqCst);
        true
    }

    pub(crate) fn in_flight(&self) -> i64 {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Whether a record was given up; see [`Delivery::failure`].
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed)
    }

    /// Why a record was given up.
    pub(crate) fn failure(&self, topic: &str) -> Option<Error> {
        if !self.has_failed.load(Ordering::SeqCst) {
            return None;
        }
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let doing = format!("writing to the topic '{topic}'");
        failure.map(|error| explain(&doing, &error, &self.trouble))
    }

    fn done(&self, result: Result<(), KafkaError>) {
        if let Err(error) = result {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            self.has_failed.store(true, Ordering::SeqCst);
        }
        let left = self.in_flight.fetch_sub(1, Ordering::SeqCst) - 1;
        let is_due = left <= self.wake_at.load(Ordering::SeqCst) || self.has_failed.load(Ordering::SeqCst);
        if is_due && self.wake_at.swap(NOBODY, Ordering::SeqCst) != NOBODY {
            (self.waker)();
        }
    }
}

/// The context of producers.
#[derive(Clone)]
pub(crate) struct ProducerState(pub(crate) Arc<Delivery>);

impl ClientContext for ProducerState {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(&self.0.trouble, level as i32, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(RDKafkaErrorCode::AllBrokersDown)) {
            self.0.trouble.note(reason);
        }
        tracing::debug!(%error, reason, "the Kafka producer reports an error");
    }
}

impl ProducerContext for ProducerState {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.0.done(result.as_ref().map(|_| ()).map_err(|(error, _)| error.clone()));
    }
}
