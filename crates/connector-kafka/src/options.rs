//! The options of the connectors, and the checks that need nothing but their text.

use headwater_connector_api::OptionSpec;

/// What both connectors know.
const COMMON: &[OptionSpec] = &[
    OptionSpec::optional("topic", "Topic to write, or topics to read, separated by semicolons."),
    OptionSpec::optional("topic-pattern", "Reads all topics whose whole names match this regular expression."),
    OptionSpec::required("properties.bootstrap.servers", "Brokers to start from, as host:port, separated by commas."),
    OptionSpec::optional("key.format", "Format of record keys."),
    OptionSpec::optional("key.fields-prefix", "Prefix of the key's columns that its format does not see."),
    OptionSpec::optional("value.format", "Format of record values."),
    OptionSpec::with_default(
        "value.fields-include",
        "ALL",
        "Whether values hold the key's columns: ALL or EXCEPT_KEY.",
    ),
    OptionSpec::with_default("errors.mode", "fail", "What a bad record does: fail, skip or dead-letter."),
    OptionSpec::optional("errors.dead-letter.path", "Directory that takes bad records in the mode dead-letter."),
    OptionSpec::optional("errors.dead-letter.topic", "Topic that takes bad records in the mode dead-letter."),
    OptionSpec::with_default(
        "scan.topic-partition-discovery.interval",
        "5 min",
        "Pause between looks for partitions; 0 for one look.",
    ),
    OptionSpec::optional("scan.parallelism", "Parallelism of the source."),
    OptionSpec::with_default(
        "scan.bounded.mode",
        "unbounded",
        "Where reading ends: unbounded, latest-offset, group-offsets, timestamp, specific-offsets.",
    ),
    OptionSpec::optional(
        "scan.bounded.specific-offsets",
        "Where reading ends, as partition:0,offset:42;partition:1,offset:300.",
    ),
    OptionSpec::optional("scan.bounded.timestamp-millis", "Reading ends before the first record of this time."),
    OptionSpec::optional("sink.parallelism", "Parallelism of the sink."),
    OptionSpec::with_default("sink.delivery-guarantee", "at-least-once", "none, at-least-once or exactly-once."),
    OptionSpec::optional(
        "sink.transactional-id-prefix",
        "Start of the transactional ids of exactly-once; unique per sink.",
    ),
    OptionSpec::optional("sink.transaction-naming-strategy", "Accepted; a sink has one transactional id."),
];

/// What only `kafka` knows.
const PLAIN: &[OptionSpec] = &[
    OptionSpec::optional("format", "Format of record values."),
    OptionSpec::optional("key.fields", "Columns of the key, separated by semicolons."),
    OptionSpec::with_default(
        "scan.startup.mode",
        "group-offsets",
        "Where reading starts: earliest-offset, latest-offset, group-offsets, timestamp, specific-offsets.",
    ),
    OptionSpec::optional(
        "scan.startup.specific-offsets",
        "Where reading starts, as partition:0,offset:42;partition:1,offset:300.",
    ),
    OptionSpec::optional("scan.startup.timestamp-millis", "Reading starts at the first record of this time."),
    OptionSpec::with_default("sink.partitioner", "default", "Partition of a record: default, fixed or round-robin."),
];

/// What only `upsert-kafka` knows.
const UPSERT: &[OptionSpec] = &[
    OptionSpec::with_default(
        "sink.buffer-flush.max-rows",
        "0",
        "Keys after which buffered rows are written; 0 for no buffer.",
    ),
    OptionSpec::with_default(
        "sink.buffer-flush.interval",
        "0",
        "Age at which buffered rows are written; 0 for no buffer.",
    ),
];

/// The options of `kafka`, those of its formats aside.
pub(crate) fn plain() -> Vec<OptionSpec> {
    COMMON.iter().chain(PLAIN).cloned().collect()
}

/// The options of `upsert-kafka`, those of its formats aside.
pub(crate) fn upsert() -> Vec<OptionSpec> {
    COMMON.iter().chain(UPSERT).cloned().collect()
}

/// Names of options whose members are free.
pub(crate) const PREFIXES: &[&str] = &["properties."];
