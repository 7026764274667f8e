//! The source: partitions as splits that are read together.

mod batch;
mod discovery;
mod enumerator;
mod metadata;
mod positions;
mod reader;
mod rows;
mod scan;
mod split;

#[cfg(test)]
mod tests;

use crate::client::{Context, OffsetReset, Properties, Trouble, explain};
use crate::table::Layout;
use discovery::Plan;
pub(crate) use discovery::Topics;
use enumerator::KafkaEnumerator;
use headwater_connector_api::{Boundedness, ReaderContext, Source, SourceReader, SplitEnumerator};
use headwater_env::Env;
use headwater_plan::SourceSpec;
use headwater_types::Result;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use reader::KafkaReader;
use scan::Scan;
pub(crate) use split::KafkaSplit;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// A consumer that is told what to read.
pub(crate) type Consumer = BaseConsumer<Context>;

/// Kilobytes that a reader fetches ahead.
const FETCH_AHEAD_KBYTES: &str = "32768";

/// A consumer without partitions. Offsets are never committed by it on its own.
pub(crate) fn consumer(properties: &Properties, context: Context) -> Result<Consumer> {
    let reset = match properties.offset_reset()? {
        OffsetReset::None => "error",
        OffsetReset::Earliest => "earliest",
        OffsetReset::Latest => "latest",
    };
    let mut config = properties.native_with(&[
        // librdkafka assigns partitions only to members of a group; nothing is committed to this one.
        ("group.id", "headwater"),
        ("isolation.level", "read_uncommitted"),
        ("queued.max.messages.kbytes", FETCH_AHEAD_KBYTES),
        ("fetch.wait.max.ms", "100"),
        ("fetch.error.backoff.ms", "50"),
        ("fetch.queue.backoff.ms", "10"),
    ]);
    config.set("auto.offset.reset", reset);
    config.set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
    config.set("enable.partition.eof", "true");
    let trouble = context.trouble.clone();
    BaseConsumer::from_config_and_context(&config, context).map_err(|e| explain("connecting to Kafka", &e, &trouble))
}

/// News that one look takes from a client.
const NEWS_MAX: usize = 64;

/// What went wrong last on the connections of a consumer that reads nothing: it is told when it is asked for.
pub(crate) fn trouble(consumer: &Consumer) -> Trouble {
    for _ in 0..NEWS_MAX {
        drop(consumer.poll(Duration::ZERO));
    }
    consumer.context().trouble.clone()
}

/// The topics that a scan reads, as the brokers know them now. Blocks.
pub(crate) fn topics_matching(scan: &SourceSpec) -> Result<BTreeSet<String>> {
    let plan = Plan::new(scan, false)?;
    let consumer = consumer(&plan.properties, Context::default())?;
    Ok(discovery::partitions(&consumer, &plan)?.into_iter().map(|(topic, _)| topic).collect())
}

/// A scan of a topic.
pub(crate) struct KafkaSource {
    plan: Arc<Plan>,
    scan: Arc<Scan>,
}

impl KafkaSource {
    /// Checks the options of the scan.
    pub(crate) fn new(spec: &SourceSpec, layout: Layout) -> Result<Self> {
        let plan = Arc::new(Plan::new(spec, layout.is_upsert)?);
        let scan = Arc::new(Scan::new(spec, layout)?);
        scan.check()?;
        Ok(Self { plan, scan })
    }
}

impl Source for KafkaSource {
    fn boundedness(&self) -> Boundedness {
        if self.plan.range.stop.is_some() { Boundedness::Bounded } else { Boundedness::Unbounded }
    }

    fn enumerator(&self, env: &Env) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(KafkaEnumerator::new(self.plan.clone(), env.clone())))
    }

    fn restore_enumerator(&self, env: &Env, state: &[u8]) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(KafkaEnumerator::restore(self.plan.clone(), env.clone(), state)?))
    }

    fn reads_splits_together(&self) -> bool {
        true
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(KafkaReader::new(self.scan.clone(), self.plan.properties.clone(), context)?))
    }
}
