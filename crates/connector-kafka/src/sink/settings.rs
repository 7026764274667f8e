//! A write, resolved against the table, and the refusal of settings that could lose records.

use crate::client::Properties;
use crate::table::{Layout, Metadata};
use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_plan::SinkSpec;
use headwater_types::{Error, Result};
use rdkafka::config::ClientConfig;
use std::time::Duration;

/// Bytes that librdkafka takes as one record where nothing is said (`message.max.bytes`).
const RECORD_BYTES_MAX: u64 = 1_000_000;

/// What is promised of every row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guarantee {
    /// Nothing.
    None,
    /// It is written, perhaps again after a failure.
    AtLeastOnce,
    /// Readers of committed records see it once.
    ExactlyOnce,
}

/// Which partition a record goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Partitioning {
    /// By the hash of its key, as Kafka's Java client does; records without a key in runs anywhere.
    Default,
    /// To one partition for each subtask.
    Fixed,
    /// To one partition after the other.
    RoundRobin,
}

/// When the buffer of an upsert sink is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BufferFlush {
    pub(super) rows_max: usize,
    pub(super) interval_ms: i64,
}

/// A write.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) properties: Properties,
    pub(super) layout: Layout,
    pub(super) topic: String,
    pub(super) guarantee: Guarantee,
    pub(super) partitioning: Partitioning,
    /// Start of the transactional id; there for exactly-once.
    pub(super) id_prefix: String,
    pub(super) buffer_flush: Option<BufferFlush>,
    /// Columns of the input that hold metadata.
    pub(super) metadata: Vec<(Metadata, usize)>,
}

impl Settings {
    pub(super) fn new(spec: &SinkSpec, layout: Layout) -> Result<Self> {
        let options = Options(&spec.table.options);
        let properties = Properties::new(options)?;
        let guarantees = [
            ("none", Guarantee::None),
            ("at-least-once", Guarantee::AtLeastOnce),
            ("exactly-once", Guarantee::ExactlyOnce),
        ];
        let guarantee = options.choice("sink.delivery-guarantee", Guarantee::AtLeastOnce, &guarantees)?;
        let physical = spec.table.columns.len();
        let metadata = spec.metadata.iter().enumerate().map(|(at, m)| Ok((Metadata::from_key(&m.key)?, physical + at)));
        let settings = Self {
            topic: topic(options)?,
            partitioning: partitioning(options)?,
            id_prefix: id_prefix(options, guarantee)?,
            buffer_flush: buffer_flush(options)?,
            metadata: metadata.collect::<Result<_>>()?,
            properties,
            layout,
            guarantee,
        };
        settings.refuse_losses()?;
        Ok(settings)
    }

    /// Refuses properties under which records that were reported as written may be gone.
    fn refuse_losses(&self) -> Result<()> {
        if self.guarantee == Guarantee::None {
            return Ok(());
        }
        let get = |name: &str| self.properties.get(name).map(str::to_ascii_lowercase);
        let acks = get("acks").or_else(|| get("request.required.acks"));
        let refuse = |name: &str, value: &str, why: &str| {
            let message = format!(
                "'properties.{name}' = '{value}' could lose records: {why}; leave it out, or set \
                 'sink.delivery-guarantee' = 'none'"
            );
            Err(Error::user("kafka-could-lose-records", message))
        };
        match acks.as_deref() {
            Some("0") => return refuse("acks", "0", "the broker does not say whether it has a record"),
            Some("1") => return refuse("acks", "1", "a record that only the leader has is lost with the leader"),
            _ => {}
        }
        if get("retries").as_deref() == Some("0") {
            return refuse("retries", "0", "a record is given up at the first hiccup of the network");
        }
        if self.guarantee == Guarantee::ExactlyOnce && get("enable.idempotence").as_deref() == Some("false") {
            return refuse("enable.idempotence", "false", "transactions need it to write a record once");
        }
        Ok(())
    }

    /// The configuration of a producer that writes directly.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = self.properties.native_with(&[
            ("message.timeout.ms", "120000"),
            ("queue.buffering.max.kbytes", "32768"),
            ("queue.buffering.max.messages", "250000"),
            ("enable.idempotence", if self.may_be_idempotent() { "true" } else { "false" }),
        ]);
        without_consumer_settings(&mut config);
        config
    }

    /// Idempotence needs acknowledgements by all replicas.
    fn may_be_idempotent(&self) -> bool {
        self.properties.get("acks").is_none_or(|acks| matches!(acks, "all" | "-1"))
            && self.properties.get("retries") != Some("0")
    }

    /// The configuration of the producer of transactions.
    pub(super) fn transactional_producer(&self) -> ClientConfig {
        let mut config = self.properties.native_with(&[
            ("queue.buffering.max.kbytes", "65536"),
            ("queue.buffering.max.messages", "500000"),
            ("transaction.timeout.ms", "60000"),
        ]);
        config.set("transactional.id", self.transactional_id()).set("enable.idempotence", "true");
        without_consumer_settings(&mut config);
        config
    }

    /// One producer at a time writes with this id: a newer one fences the older.
    pub(super) fn transactional_id(&self) -> String {
        format!("{}-{}", self.id_prefix, self.topic)
    }

    /// Bytes that the client takes as one record.
    pub(super) fn record_bytes_max(&self) -> u64 {
        let given = self.properties.native().get("message.max.bytes").and_then(|text| text.parse().ok());
        given.unwrap_or(RECORD_BYTES_MAX)
    }

    /// Limit of calls that wait for a broker.
    pub(super) fn timeout(&self) -> Duration {
        self.properties.timeout
    }
}

fn topic(options: Options<'_>) -> Result<String> {
    let topic = options.get("topic").map(str::trim).unwrap_or_default();
    if topic.is_empty() {
        return Err(Error::user("missing-option", "a Kafka sink needs the option 'topic': the topic to write"));
    }
    if topic.contains(';') || options.get("topic-pattern").is_some() {
        return Err(bad_option("topic", topic, "exactly one topic and no 'topic-pattern', as the table is written"));
    }
    Ok(topic.to_string())
}

fn partitioning(options: Options<'_>) -> Result<Partitioning> {
    let name = "sink.partitioner";
    let known =
        [("default", Partitioning::Default), ("fixed", Partitioning::Fixed), ("round-robin", Partitioning::RoundRobin)];
    if let Some(class) = options.get(name).filter(|text| text.contains('.')) {
        return Err(bad_option(name, class, "default, fixed or round-robin: Java classes cannot be loaded"));
    }
    let chosen = options.choice(name, Partitioning::Default, &known)?;
    if chosen == Partitioning::RoundRobin && options.get("key.fields").is_some() {
        return Err(bad_option(name, "round-robin", "default or fixed, as the records have keys"));
    }
    Ok(chosen)
}

fn id_prefix(options: Options<'_>, guarantee: Guarantee) -> Result<String> {
    let name = "sink.transactional-id-prefix";
    let prefix = options.get(name).unwrap_or_default();
    if prefix.is_empty() && guarantee == Guarantee::ExactlyOnce {
        let why = "it names the sink to the brokers and has to be unique among the jobs that write to the cluster";
        let message = format!("'sink.delivery-guarantee' = 'exactly-once' needs the option '{name}': {why}");
        return Err(Error::user("missing-option", message));
    }
    Ok(prefix.to_string())
}

fn buffer_flush(options: Options<'_>) -> Result<Option<BufferFlush>> {
    let (rows_name, interval_name) = ("sink.buffer-flush.max-rows", "sink.buffer-flush.interval");
    let rows = options.integer(rows_name)?.unwrap_or(0);
    let rows_max = usize::try_from(rows).map_err(|_| bad_option(rows_name, &rows.to_string(), "a number of rows"))?;
    let interval_ms = options.duration(interval_name)?.unwrap_or_default().as_millis() as i64;
    match (rows_max > 0, interval_ms > 0) {
        (true, true) => Ok(Some(BufferFlush { rows_max, interval_ms })),
        (false, false) => Ok(None),
        _ => Err(Error::user(
            "bad-option-value",
            format!("the options '{rows_name}' and '{interval_name}' belong together: set both above 0, or neither"),
        )),
    }
}

/// The configuration of a producer of dead letters, of which none may be lost.
pub(crate) fn letter_producer(properties: &Properties) -> ClientConfig {
    let mut config =
        properties.native_with(&[("message.timeout.ms", "120000"), ("queue.buffering.max.kbytes", "8192")]);
    config.set("acks", "all");
    without_consumer_settings(&mut config);
    config
}

fn without_consumer_settings(config: &mut ClientConfig) {
    config.set("partitioner", "murmur2_random");
    for name in ["group.id", "isolation.level"] {
        config.remove(name);
    }
}
