//! Finding partitions, and where reading of them starts and ends. Blocks: runs as blocking work.

use super::positions::{Positions, Range};
use super::split::{KafkaSplit, TopicPartition};
use super::{Consumer, trouble};
use crate::client::{OffsetReset, Properties, explain, explain_code};
use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_plan::SourceSpec;
use headwater_types::{Error, Result};
use rdkafka::consumer::Consumer as _;
use rdkafka::metadata::MetadataTopic;
use rdkafka::{Offset, TopicPartitionList};
use regex::Regex;
use std::collections::BTreeSet;
use std::time::Duration;

/// Pause between looks for partitions, as in Flink.
const DISCOVERY_INTERVAL: Duration = Duration::from_secs(300);

/// The topics of a table.
#[derive(Debug, Clone)]
pub(crate) enum Topics {
    /// These.
    List(Vec<String>),
    /// All whose whole name matches.
    Pattern(Regex),
}

/// What a source reads.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) properties: Properties,
    pub(crate) topics: Topics,
    pub(crate) range: Range,
    /// Pause between looks for partitions; `None` for one look.
    pub(crate) interval: Option<Duration>,
}

impl Plan {
    pub(super) fn new(spec: &SourceSpec, is_upsert: bool) -> Result<Self> {
        let options = Options(&spec.table.options);
        let properties = Properties::new(options)?;
        let range = Range::new(options, is_upsert, properties.group().is_some())?;
        let interval = options.duration("scan.topic-partition-discovery.interval")?.unwrap_or(DISCOVERY_INTERVAL);
        // What a bounded source reads is fixed by its first look.
        let interval = (!interval.is_zero() && range.stop.is_none()).then_some(interval);
        Ok(Self { properties, topics: topics(options)?, range, interval })
    }
}

impl Topics {
    /// Those that the options of a table name.
    pub(crate) fn of(options: Options<'_>) -> Result<Self> {
        topics(options)
    }
}

fn topics(options: Options<'_>) -> Result<Topics> {
    match (options.get("topic"), options.get("topic-pattern")) {
        (Some(_), Some(_)) => Err(Error::user(
            "bad-option-value",
            "the options 'topic' and 'topic-pattern' exclude each other: leave one out",
        )),
        (None, None) => {
            Err(Error::user("missing-option", "the kafka connector needs the option 'topic' or 'topic-pattern'"))
        }
        (None, Some(pattern)) => {
            let whole = Regex::new(&format!("^(?:{pattern})$"));
            let regex =
                whole.map_err(|e| bad_option("topic-pattern", pattern, &format!("a regular expression ({e})")))?;
            Ok(Topics::Pattern(regex))
        }
        (Some(list), None) => {
            let names: Vec<_> = list.split(';').map(str::trim).filter(|t| !t.is_empty()).map(String::from).collect();
            if names.is_empty() {
                Err(bad_option("topic", list, "the name of a topic"))
            } else {
                Ok(Topics::List(names))
            }
        }
    }
}

/// The partitions that are not known yet, with their start and stop offsets.
pub(super) fn discover(
    consumer: &Consumer,
    plan: &Plan,
    known: &BTreeSet<TopicPartition>,
    is_first: bool,
) -> Result<Vec<KafkaSplit>> {
    let found = partitions(consumer, plan)?;
    let new: Vec<_> = found.into_iter().filter(|partition| !known.contains(partition)).collect();
    if new.is_empty() {
        return Ok(vec![]);
    }
    // Partitions that come up later are read from their first record: it was written after the start.
    let start = if is_first { &plan.range.start } else { &Positions::Earliest };
    let starts = resolve(consumer, plan, start, &new, Edge::Start)?;
    let stops = match &plan.range.stop {
        Some(stop) => resolve(consumer, plan, stop, &new, Edge::Stop)?.into_iter().map(Some).collect(),
        None => vec![None; new.len()],
    };
    let split = |(((topic, partition), next), stop)| KafkaSplit { topic, partition, next, stop };
    Ok(new.into_iter().zip(starts).zip(stops).map(split).collect())
}

/// All partitions of the topics, in order.
pub(super) fn partitions(consumer: &Consumer, plan: &Plan) -> Result<BTreeSet<TopicPartition>> {
    let timeout = plan.properties.timeout;
    let mut found = BTreeSet::new();
    let mut add = |topic: &MetadataTopic| {
        found.extend(topic.partitions().iter().map(|partition| (topic.name().to_string(), partition.id())));
    };
    match &plan.topics {
        Topics::List(names) => {
            for name in names {
                let doing = format!("reading the partitions of the topic '{name}' at {}", plan.properties.bootstrap);
                let metadata = consumer
                    .fetch_metadata(Some(name), timeout)
                    .map_err(|e| explain(&doing, &e, &trouble(consumer)))?;
                let topic = metadata.topics().iter().find(|topic| topic.name() == name);
                let missing = rdkafka::error::RDKafkaErrorCode::UnknownTopicOrPartition;
                let topic = topic.ok_or_else(|| explain_code(&doing, missing, &trouble(consumer)))?;
                if let Some(code) = topic.error() {
                    return Err(explain_code(&doing, code.into(), &trouble(consumer)));
                }
                add(topic);
            }
        }
        Topics::Pattern(regex) => {
            let doing = format!("reading the topics of {}", plan.properties.bootstrap);
            let metadata =
                consumer.fetch_metadata(None, timeout).map_err(|e| explain(&doing, &e, &trouble(consumer)))?;
            metadata
                .topics()
                .iter()
                .filter(|topic| topic.error().is_none() && regex.is_match(topic.name()))
                .for_each(add);
        }
    }
    Ok(found)
}

/// Which end of the range is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Start,
    Stop,
}

/// The offsets of positions, one for each partition.
fn resolve(
    consumer: &Consumer,
    plan: &Plan,
    positions: &Positions,
    partitions: &[TopicPartition],
    edge: Edge,
) -> Result<Vec<i64>> {
    let ask = Ask { consumer, timeout: plan.properties.timeout };
    match positions {
        Positions::Earliest => ask.offsets(partitions, Offset::Beginning),
        Positions::Latest => ask.offsets(partitions, Offset::End),
        Positions::Timestamp(ms) => ask.or_latest(partitions, ask.at(partitions, Offset::Offset(*ms))?),
        Positions::Group => ask.committed(partitions, plan.properties.offset_reset()?, edge),
        Positions::Specific(_) => {
            let rest = if edge == Edge::Start { Offset::Beginning } else { Offset::End };
            let known: Vec<_> = partitions.iter().map(|partition| positions.known(partition)).collect();
            ask.fill(partitions, known, rest)
        }
    }
}

/// Questions about offsets.
struct Ask<'a> {
    consumer: &'a Consumer,
    timeout: Duration,
}

impl Ask<'_> {
    /// Offsets of a special position, which every partition has.
    fn offsets(&self, partitions: &[TopicPartition], at: Offset) -> Result<Vec<i64>> {
        let found = self.at(partitions, at)?;
        let missing = || Error::retryable("kafka", "a broker told no offset of a partition");
        found.into_iter().map(|offset| offset.ok_or_else(missing)).collect()
    }

    /// Offsets at a time or a special position; `None` where there is no record since.
    fn at(&self, partitions: &[TopicPartition], at: Offset) -> Result<Vec<Option<i64>>> {
        let doing = "reading the offsets of partitions";
        let wanted = list(partitions, at)?;
        let found = self
            .consumer
            .offsets_for_times(wanted, self.timeout)
            .map_err(|e| explain(doing, &e, &trouble(self.consumer)))?;
        partitions.iter().map(|partition| self.offset(&found, partition, doing)).collect()
    }

    fn offset(
        &self,
        found: &TopicPartitionList,
        (topic, partition): &TopicPartition,
        doing: &str,
    ) -> Result<Option<i64>> {
        let Some(element) = found.find_partition(topic, *partition) else { return Ok(None) };
        let doing = format!("{doing}: topic '{topic}', partition {partition}");
        element.error().map_err(|e| explain(&doing, &e, &trouble(self.consumer)))?;
        Ok(match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        })
    }

    fn or_latest(&self, partitions: &[TopicPartition], known: Vec<Option<i64>>) -> Result<Vec<i64>> {
        self.fill(partitions, known, Offset::End)
    }

    /// Asks for the offsets that are not known.
    fn fill(&self, partitions: &[TopicPartition], known: Vec<Option<i64>>, rest: Offset) -> Result<Vec<i64>> {
        let unknown = partitions.iter().zip(&known).filter(|(_, offset)| offset.is_none());
        let unknown: Vec<_> = unknown.map(|(partition, _)| partition.clone()).collect();
        let mut asked = if unknown.is_empty() { vec![] } else { self.offsets(&unknown, rest)? }.into_iter();
        let missing = || Error::internal("fewer offsets than partitions");
        known.into_iter().map(|offset| offset.or_else(|| asked.next()).ok_or_else(missing)).collect()
    }

    fn committed(&self, partitions: &[TopicPartition], reset: OffsetReset, edge: Edge) -> Result<Vec<i64>> {
        let doing = "reading the offsets of the consumer group";
        let wanted = list(partitions, Offset::Invalid)?;
        let found = self
            .consumer
            .committed_offsets(wanted, self.timeout)
            .map_err(|e| explain(doing, &e, &trouble(self.consumer)))?;
        let known =
            partitions.iter().map(|partition| self.offset(&found, partition, doing)).collect::<Result<Vec<_>>>()?;
        let rest = match (edge, reset) {
            (Edge::Stop, _) | (_, OffsetReset::Latest) => Offset::End,
            (Edge::Start, OffsetReset::Earliest) => Offset::Beginning,
            (Edge::Start, OffsetReset::None) => {
                if let Some(at) = known.iter().position(Option::is_none) {
                    return Err(no_committed_offset(&partitions[at]));
                }
                Offset::Beginning
            }
        };
        self.fill(partitions, known, rest)
    }
}

fn no_committed_offset((topic, partition): &TopicPartition) -> Error {
    let message = format!(
        "the consumer group committed no offset for the topic '{topic}', partition {partition}: set \
         'properties.auto.offset.reset' to 'earliest' or 'latest' for such partitions, or choose another 'scan.startup.mode'"
    );
    Error::user("kafka-no-committed-offset", message)
}

/// The partitions with the same offset.
fn list(partitions: &[TopicPartition], at: Offset) -> Result<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for (topic, partition) in partitions {
        let added = list.add_partition_offset(topic, *partition, at);
        added.map_err(|e| Error::internal(format!("the offset {at:?} cannot be asked for: {e}")))?;
    }
    Ok(list)
}
