//! `values`: a source of rows registered in this process and a sink that keeps the changelog it was sent. The
//! counterpart of Flink's in-memory test connector, whose options it accepts.

mod sink;
mod source;
mod store;

#[cfg(test)]
mod tests;

pub use store::{Row, Store};

use crate::simple::table_identity;
use headwater_connector_api::{
    ChangelogMode, Connector, DatasetIdentity, MetadataColumn, OptionSpec, Options, Sink, Source, options::bad_option,
};
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{LogicalType, Result, RowKind, TimeAttribute, TypeRoot};

macro_rules! tolerated {
    ($($name:literal),* $(,)?) => { &[$(OptionSpec::optional($name, "Accepted for the sake of test programs.")),*] };
}

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::required("data-id", "Name of the rows in the store."),
    OptionSpec::with_default("changelog-mode", "I", "Row kinds of the source: I, UA, UB and D, separated by commas."),
    OptionSpec::optional("sink-changelog-mode-enforced", "Row kinds the sink takes."),
    OptionSpec::with_default("sink-insert-only", "false", "Whether the sink takes inserts only."),
    OptionSpec::optional("batch-rows", "How many rows the source emits at a time, to see what depends on it."),
    OptionSpec::optional("readable-metadata", "Metadata that follows the physical columns in rows: key:TYPE,.."),
];

const TOLERATED: &[OptionSpec] = tolerated![
    "async",
    "bounded",
    "disable-lookup",
    "enable-projection-push-down",
    "enable-vector-search",
    "enable-watermark-push-down",
    "failing-source",
    "filterable-fields",
    "lookup-function-class",
    "nested-projection-supported",
    "partition-list",
    "runtime-sink",
    "runtime-source",
    "scan.watermark.emit.strategy",
    "sink.parallelism",
    "sink.supports-delete-by-key",
    "source.num-element-to-skip",
    "source.parallelism",
    "source.produces-delete-by-key",
    "terminating",
    "writable-metadata",
];

/// The connector.
pub struct Values;

impl Connector for Values {
    fn name(&self) -> &'static str {
        "values"
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        OPTIONS.iter().chain(TOLERATED).cloned().collect()
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        Ok(table_identity("values", table))
    }

    fn metadata(&self, table: &TableSpec) -> Vec<MetadataColumn> {
        // Keys live as long as the process; tables with metadata are few and their keys repeat.
        let column = |(key, ty): (String, LogicalType)| MetadataColumn { key: store::intern(key), ty, writable: true };
        let both = ["readable-metadata", "writable-metadata"];
        both.iter().flat_map(|option| metadata_columns(table, option)).map(column).collect()
    }

    fn supports_partitions(&self) -> bool {
        true
    }

    fn supports_overwrite(&self) -> bool {
        true
    }

    fn source_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        changelog_mode("changelog-mode", Options(&table.options).get("changelog-mode").unwrap_or("I"))
    }

    fn sink_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        let options = Options(&table.options);
        if let Some(kinds) = options.get("sink-changelog-mode-enforced") {
            return changelog_mode("sink-changelog-mode-enforced", kinds);
        }
        if options.boolean("sink-insert-only", false)? {
            return Ok(ChangelogMode::Append);
        }
        Ok(if table.primary_key.is_empty() { ChangelogMode::Retract } else { ChangelogMode::Upsert })
    }

    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        Options(&scan.table.options).validate("values", &self.options(&scan.table), &[])?;
        Ok(Some(Box::new(source::ValuesSource::new(scan)?)))
    }

    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        let options = Options(&write.table.options);
        options.validate("values", &self.options(&write.table), &[])?;
        Ok(Some(Box::new(sink::ValuesSink { data_id: options.require("data-id")?.to_string() })))
    }
}

/// The columns of a metadata option, `key:TYPE,key:TYPE`; commas within the parentheses of a type do not separate.
fn metadata_columns(table: &TableSpec, option: &str) -> Vec<(String, LogicalType)> {
    let text = Options(&table.options).get(option).unwrap_or_default();
    let mut depth = 0;
    let parts = text.split(|c| {
        depth += i32::from(c == '(' || c == '<') - i32::from(c == ')' || c == '>');
        c == ',' && depth == 0
    });
    parts.filter_map(|part| part.split_once(':')).map(|(key, ty)| (key.trim().to_string(), metadata_type(ty))).collect()
}

/// The type of a metadata column, of the few that test programs use; STRING for others.
fn metadata_type(text: &str) -> LogicalType {
    let text = text.trim().to_ascii_uppercase();
    let (name, rest) = text.split_once('(').unwrap_or((&text, ""));
    let mut parameters = rest.trim_end_matches(')').split(',').map(|n| n.trim().parse::<u8>().ok());
    let mut parameter = |default| parameters.next().flatten().unwrap_or(default);
    match name.trim() {
        "BOOLEAN" => TypeRoot::Boolean,
        "TINYINT" => TypeRoot::TinyInt,
        "SMALLINT" => TypeRoot::SmallInt,
        "INT" | "INTEGER" => TypeRoot::Int,
        "BIGINT" => TypeRoot::BigInt,
        "FLOAT" => TypeRoot::Float,
        "DOUBLE" => TypeRoot::Double,
        "DATE" => TypeRoot::Date,
        "TIME" => TypeRoot::Time(parameter(0)),
        "TIMESTAMP" => TypeRoot::Timestamp(parameter(6), TimeAttribute::None),
        "TIMESTAMP_LTZ" => TypeRoot::TimestampLtz(parameter(6), TimeAttribute::None),
        "DECIMAL" => TypeRoot::Decimal(parameter(10), parameter(0)),
        "BYTES" => TypeRoot::VarBinary(LENGTH_MAX),
        _ => return LogicalType::string(),
    }
    .into()
}

fn changelog_mode(option: &str, text: &str) -> Result<ChangelogMode> {
    let mut kinds = vec![];
    for part in text.split(',') {
        kinds.push(match part.trim() {
            "I" => RowKind::Insert,
            "UB" => RowKind::UpdateBefore,
            "UA" => RowKind::UpdateAfter,
            "D" => RowKind::Delete,
            other => return Err(bad_option(option, other, "a list of I, UA, UB and D")),
        });
    }
    Ok(match (kinds.contains(&RowKind::UpdateBefore), kinds.contains(&RowKind::UpdateAfter)) {
        (true, _) => ChangelogMode::Retract,
        (false, true) => ChangelogMode::Upsert,
        (false, false) if kinds.contains(&RowKind::Delete) => ChangelogMode::Retract,
        (false, false) => ChangelogMode::Append,
    })
}
