//! The options of the connector itself.

use headwater_connector_api::OptionSpec;

pub(super) const PARTITION_DEFAULT_NAME: &str = "__HIVE_DEFAULT_PARTITION__";

pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec::required("path", "A file, a directory, or a pattern with *, ? and [..]; local or s3://."),
    OptionSpec::required("format", "Format of the files."),
    OptionSpec::optional("source.path.regex-pattern", "Reads only files whose whole path matches."),
    OptionSpec::optional("source.monitor-interval", "Watches for new files at this interval; the source never ends."),
    OptionSpec::with_default("source.report-statistics", "ALL", "Accepted; statistics are not read."),
    OptionSpec::with_default("partition.default-name", PARTITION_DEFAULT_NAME, "Directory name of a NULL value."),
    OptionSpec::with_default("errors.mode", "fail", "What a bad record does: fail, skip or dead-letter."),
    OptionSpec::optional("errors.dead-letter.path", "Directory that takes bad records in the mode dead-letter."),
    OptionSpec::with_default("auto-compaction", "false", "Not supported yet when true."),
    OptionSpec::optional("compaction.file-size", "Has no effect without auto-compaction."),
    OptionSpec::optional("compaction.parallelism", "Has no effect without auto-compaction."),
    OptionSpec::with_default("partition.time-extractor.kind", "default", "How partition-time reads times: default."),
    OptionSpec::optional("partition.time-extractor.class", "Has no effect: there are no Java classes."),
    OptionSpec::optional("partition.time-extractor.timestamp-pattern", "Time of a partition: '$dt $hour:00:00'."),
    OptionSpec::optional("partition.time-extractor.timestamp-formatter", "How that is written: 'yyyyMMdd HH:mm:ss'."),
    OptionSpec::with_default("sink.rolling-policy.file-size", "128MB", "Size at which a file is closed."),
    OptionSpec::with_default("sink.rolling-policy.rollover-interval", "30 min", "Age at which a file is closed."),
    OptionSpec::with_default("sink.rolling-policy.inactivity-interval", "30 min", "Idle time that closes a file."),
    OptionSpec::with_default("sink.rolling-policy.check-interval", "1 min", "How often an idle writer checks ages."),
    OptionSpec::with_default(
        "sink.partition-commit.trigger",
        "process-time",
        "When a partition is complete: process-time or partition-time.",
    ),
    OptionSpec::with_default("sink.partition-commit.watermark-time-zone", "UTC", "Time zone of partition times."),
    OptionSpec::with_default("sink.partition-commit.delay", "0 s", "How much later a partition is complete."),
    OptionSpec::optional("sink.partition-commit.policy.kind", "What marks a complete partition: success-file."),
    OptionSpec::with_default("sink.partition-commit.success-file.name", "_SUCCESS", "Name of the success file."),
    OptionSpec::with_default("sink.shuffle-by-partition.enable", "false", "Accepted; rows are not shuffled."),
    OptionSpec::optional("sink.parallelism", "Parallelism of the sink."),
];
