//! The events: a function of their number, so that the results can be recomputed from how many there are.

use super::topics::{EVENTS, PARTITIONS, client};
use anyhow::{Result, anyhow};
use headwater_env::Env;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Event time of the first event, milliseconds: 2025-01-01 00:00.
pub const BASE_MS: i64 = 1_735_689_600_000;
/// Event time between two events.
pub const STEP_MS: i64 = 10;
/// Different keys.
const KEYS: u64 = 40;
/// Key of the events that only move event time on.
pub const FLUSH_KEY: i64 = -1;

/// An event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Key.
    pub key: i64,
    /// Value.
    pub value: i64,
    /// Event time, milliseconds.
    pub time_ms: i64,
}

impl Event {
    /// The event of this number.
    pub fn of(number: u64) -> Self {
        let bits = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let bits = (bits ^ (bits >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let bits = bits ^ (bits >> 32);
        Self {
            key: (bits % KEYS) as i64,
            value: (bits >> 40) as i64 % 1000,
            time_ms: BASE_MS + number as i64 * STEP_MS,
        }
    }

    fn json(&self) -> String {
        format!("{{\"k\":{},\"v\":{},\"t\":{}}}", self.key, self.value, self.time_ms)
    }
}

/// Writes events at a steady rate until it is told to stop.
pub struct Producer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<u64>>,
}

impl Producer {
    /// Starts to write `rate` events per second.
    pub fn start(bootstrap: &str, rate: u64, env: Env) -> Result<Self> {
        let mut config = client(bootstrap);
        config.set("enable.idempotence", "true").set("message.timeout.ms", "0").set("linger.ms", "5");
        let producer: ThreadedProducer<DefaultProducerContext> = config.create()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new()
            .name("producer".to_owned())
            .spawn(move || produce(&producer, rate, &env, &stopped))?;
        Ok(Self { stop, thread })
    }

    /// Stops, moves event time on past the last event, and returns the number of events.
    pub fn finish(self) -> Result<u64> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().map_err(|_| anyhow!("the producer panicked"))?
    }
}

fn produce(
    producer: &ThreadedProducer<DefaultProducerContext>,
    rate: u64,
    env: &Env,
    stop: &AtomicBool,
) -> Result<u64> {
    let start_ms = env.now_ms();
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        let due = (env.now_ms() - start_ms).max(0) as u64 * rate / 1000;
        while number < due {
            send(producer, &Event::of(number), (number % PARTITIONS as u64) as i32)?;
            number += 1;
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let time_ms = Event::of(number).time_ms + 3_600_000;
    for partition in 0..PARTITIONS {
        send(producer, &Event { key: FLUSH_KEY, value: 0, time_ms }, partition)?;
    }
    producer.flush(Duration::from_secs(60))?;
    Ok(number)
}

fn send(producer: &ThreadedProducer<DefaultProducerContext>, event: &Event, partition: i32) -> Result<()> {
    let json = event.json();
    let mut record = BaseRecord::<(), _>::to(EVENTS).payload(&json).partition(partition);
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), same)) => {
                record = same;
                std::thread::park_timeout(Duration::from_millis(10));
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}
