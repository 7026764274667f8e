//! Where reading starts and ends: `scan.startup.*` and `scan.bounded.*`.

use super::split::TopicPartition;
use headwater_connector_api::Options;
use headwater_connector_api::options::bad_option;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;

/// A position in every partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Positions {
    /// The first record there is.
    Earliest,
    /// After the last record there is.
    Latest,
    /// What the consumer group committed.
    Group,
    /// The first record at or after this time.
    Timestamp(i64),
    /// By partition; those not named are read from their start, or to their end.
    Specific(BTreeMap<i32, i64>),
}

/// Start and end of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: Positions,
    /// `None` for a source without end.
    pub(crate) stop: Option<Positions>,
}

impl Range {
    /// Reads the options; an upsert source always reads all that is there.
    pub(crate) fn new(options: Options<'_>, is_upsert: bool, has_group: bool) -> Result<Self> {
        let start = if is_upsert { Positions::Earliest } else { start(options)? };
        let stop = stop(options)?;
        if !has_group && [Some(&start), stop.as_ref()].contains(&Some(&Positions::Group)) {
            return Err(Error::user(
                "missing-option",
                "reading by the offsets of a group needs the option 'properties.group.id'; without a group set \
                 'scan.startup.mode' to 'earliest-offset' or 'latest-offset'",
            ));
        }
        Ok(Self { start, stop })
    }
}

fn start(options: Options<'_>) -> Result<Positions> {
    let modes =
        [("earliest-offset", 0), ("latest-offset", 1), ("group-offsets", 2), ("timestamp", 3), ("specific-offsets", 4)];
    match options.choice("scan.startup.mode", 2, &modes)? {
        0 => Ok(Positions::Earliest),
        1 => Ok(Positions::Latest),
        2 => Ok(Positions::Group),
        3 => timestamp(options, "scan.startup.timestamp-millis", "scan.startup.mode"),
        _ => specific(options, "scan.startup.specific-offsets", "scan.startup.mode"),
    }
}

fn stop(options: Options<'_>) -> Result<Option<Positions>> {
    let modes =
        [("unbounded", 0), ("latest-offset", 1), ("group-offsets", 2), ("timestamp", 3), ("specific-offsets", 4)];
    Ok(Some(match options.choice("scan.bounded.mode", 0, &modes)? {
        0 => return Ok(None),
        1 => Positions::Latest,
        2 => Positions::Group,
        3 => timestamp(options, "scan.bounded.timestamp-millis", "scan.bounded.mode")?,
        _ => specific(options, "scan.bounded.specific-offsets", "scan.bounded.mode")?,
    }))
}

fn needed(name: &str, mode: &str, value: &str) -> Error {
    Error::user("missing-option", format!("'{mode}' = '{value}' needs the option '{name}'"))
}

fn timestamp(options: Options<'_>, name: &str, mode: &str) -> Result<Positions> {
    let value = options.integer(name)?.ok_or_else(|| needed(name, mode, "timestamp"))?;
    if value < 0 {
        return Err(bad_option(name, &value.to_string(), "milliseconds since 1970, not below zero"));
    }
    Ok(Positions::Timestamp(value))
}

/// `partition:0,offset:42;partition:1,offset:300`
fn specific(options: Options<'_>, name: &str, mode: &str) -> Result<Positions> {
    if options.get("topic").is_none_or(|topics| topics.contains(';')) {
        return Err(Error::user("bad-option-value", format!("the option '{name}' needs exactly one topic in 'topic'")));
    }
    let text = options.get(name).ok_or_else(|| needed(name, mode, "specific-offsets"))?;
    let bad = || bad_option(name, text, "pairs such as partition:0,offset:42;partition:1,offset:300");
    let mut offsets = BTreeMap::new();
    for pair in text.split(';').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (partition, offset) = pair.split_once(',').ok_or_else(bad)?;
        let partition = partition.trim().strip_prefix("partition:").and_then(|n| n.trim().parse::<i32>().ok());
        let offset = offset.trim().strip_prefix("offset:").and_then(|n| n.trim().parse::<i64>().ok());
        let (partition, offset) = partition.zip(offset).filter(|(p, o)| *p >= 0 && *o >= 0).ok_or_else(bad)?;
        if offsets.insert(partition, offset).is_some() {
            return Err(bad_option(name, text, &format!("each partition once; {partition} is there twice")));
        }
    }
    if offsets.is_empty() { Err(bad()) } else { Ok(Positions::Specific(offsets)) }
}

impl Positions {
    /// The offset that needs no question to a broker.
    pub(crate) fn known(&self, (_, partition): &TopicPartition) -> Option<i64> {
        match self {
            Self::Specific(offsets) => offsets.get(partition).copied(),
            _ => None,
        }
    }
}
