//! What is looked at before the first row is written: the topic and the settings of the brokers.
//!
//! Runs as blocking work; a writer is not ready before it is done, and fails with what it finds. Settings that could
//! lose records are refused; those that may be meant are logged as warnings.

use super::settings::{Guarantee, Settings};
use crate::client::{Context, explain, explain_code};
use crate::source::{Consumer, consumer, trouble};
use headwater_connector_api::WriterContext;
use headwater_types::{Error, Result};
use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, ResourceSpecifier};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::RDKafkaErrorCode;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Wake, Waker};

/// The outcome: the number of partitions.
type Outcome = Mutex<Option<Result<i32>>>;

/// A look that is under way or done.
pub(super) struct Preflight {
    outcome: Arc<Outcome>,
    partitions: Option<i32>,
}

impl Preflight {
    pub(super) fn start(settings: Arc<Settings>, context: &WriterContext) -> Self {
        let outcome = Arc::new(Mutex::new(None));
        let (shared, waker, subtask) = (outcome.clone(), context.waker.clone(), context.subtask);
        context.env.spawn_blocking("kafka-preflight", move || {
            let found = look(&settings, subtask == 0);
            *shared.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
            waker();
        });
        Self { outcome, partitions: None }
    }

    /// Whether it is done; otherwise the writer's waker will be called.
    pub(super) fn is_done(&mut self) -> bool {
        self.partitions.is_some() || self.outcome.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The number of partitions of the topic, the first time it is asked for when it is known.
    pub(super) fn partitions(&mut self) -> Result<Option<i32>> {
        if self.partitions.is_some() {
            return Ok(None);
        }
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.partitions = outcome.transpose()?;
        Ok(self.partitions)
    }
}

fn look(settings: &Settings, is_first: bool) -> Result<i32> {
    let client = consumer(&settings.properties, Context::default())?;
    let count = partitions(settings, &client)?;
    // One subtask's look at the settings serves all.
    if is_first && settings.guarantee != Guarantee::None {
        check_settings(settings)?;
    }
    Ok(count)
}

/// Partitions of the topic.
pub(super) fn partitions(settings: &Settings, client: &Consumer) -> Result<i32> {
    let topic = &settings.topic;
    let doing = format!("looking for the topic '{topic}' at {}", settings.properties.bootstrap);
    let metadata =
        client.fetch_metadata(Some(topic), settings.timeout()).map_err(|e| explain(&doing, &e, &trouble(client)))?;
    let found = metadata.topics().iter().find(|t| t.name() == topic);
    let found =
        found.ok_or_else(|| explain_code(&doing, RDKafkaErrorCode::UnknownTopicOrPartition, &trouble(client)))?;
    match found.error() {
        Some(code) => Err(explain_code(&doing, code.into(), &trouble(client))),
        None => Ok(i32::try_from(found.partitions().len()).unwrap_or(i32::MAX)),
    }
}

/// Looks at the settings of topic and broker, where the user may see them.
fn check_settings(settings: &Settings) -> Result<()> {
    let admin = AdminClient::from_config_and_context(&settings.properties.native(), Context::default());
    let admin = admin.map_err(|e| explain("connecting to Kafka", &e, &Default::default()))?;
    let broker = admin.inner().fetch_metadata(Some(&settings.topic), settings.timeout()).ok();
    let broker = broker.and_then(|metadata| metadata.brokers().first().map(|broker| broker.id())).unwrap_or(0);
    let wanted = [ResourceSpecifier::Topic(&settings.topic), ResourceSpecifier::Broker(broker)];
    let options = AdminOptions::new().request_timeout(Some(settings.timeout()));
    let Ok(resources) = block_on(admin.describe_configs(&wanted, &options)) else { return Ok(()) };
    let mut resources = resources.into_iter();
    if let Some(Ok(topic)) = resources.next() {
        check_topic(settings, &topic)?;
    }
    match resources.next() {
        Some(Ok(broker)) => check_broker(settings, &broker),
        _ => Ok(()),
    }
}

fn check_topic(settings: &Settings, config: &ConfigResource) -> Result<()> {
    let topic = settings.topic.as_str();
    let policy = value(config, "cleanup.policy").unwrap_or_default();
    if settings.layout.is_upsert && !policy.is_empty() && !policy.contains("compact") {
        tracing::warn!(
            topic,
            policy,
            "the topic of an upsert table is not compacted: its retention removes rows that are still valid"
        );
    }
    if policy.contains("compact") && settings.layout.key.is_none() {
        let message = format!(
            "the topic '{topic}' is compacted ('cleanup.policy' = '{policy}') and refuses records without a key, which those \
             of the table do not have: set 'key.format' and 'key.fields', or write to another topic"
        );
        return Err(Error::user("kafka-refused", message));
    }
    if value(config, "unclean.leader.election.enable") == Some("true") {
        tracing::warn!(topic, "the topic allows an unclean leader election, which can lose acknowledged records");
    }
    Ok(())
}

fn check_broker(settings: &Settings, config: &ConfigResource) -> Result<()> {
    let number = |name: &str| value(config, name).and_then(|text| text.parse::<u64>().ok());
    if settings.guarantee != Guarantee::ExactlyOnce {
        return Ok(());
    }
    let given = settings.properties.get("transaction.timeout.ms").and_then(|text| text.parse::<u64>().ok());
    if let (Some(given), Some(max)) = (given, number("transaction.max.timeout.ms"))
        && given > max
    {
        let message = format!(
            "'properties.transaction.timeout.ms' = '{given}' is larger than the broker's 'transaction.max.timeout.ms', which \
             is {max}: leave it out, transactions here last seconds"
        );
        return Err(Error::user("kafka-transaction-timeout", message));
    }
    const DAY_MINUTES: u64 = 24 * 60;
    if let Some(minutes) = number("offsets.retention.minutes").filter(|minutes| *minutes < DAY_MINUTES) {
        let message = format!(
            "the broker forgets offsets after {minutes} minutes ('offsets.retention.minutes'), and with them which checkpoint \
             was committed last: a job that is restored later would write records twice; raise it to at least a day"
        );
        return Err(Error::user("kafka-could-repeat-records", message));
    }
    Ok(())
}

fn value<'a>(config: &'a ConfigResource, name: &str) -> Option<&'a str> {
    config.entries.iter().find(|entry| entry.name == name)?.value.as_deref()
}

/// Waits for a future on this thread, which may block.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}
