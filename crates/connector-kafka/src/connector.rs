//! The two connectors.

use crate::client::Properties;
use crate::identity;
use crate::options;
use crate::sink::KafkaSink;
use crate::source::KafkaSource;
use crate::table::{Layout, bare_format_options, is_part_option, metadata_columns};
use headwater_connector_api::{
    ChangelogMode, Connector, DatasetIdentity, MetadataColumn, OptionSpec, Options, Sink, Source, Split,
};
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::Result;

/// `kafka`: a topic as a log of rows, or of changes where the format says so.
pub struct Kafka;

/// `upsert-kafka`: a topic as a table; the last record of a key is its row, a record without a value its end.
pub struct UpsertKafka;

impl Connector for Kafka {
    fn name(&self) -> &'static str {
        "kafka"
    }

    fn options(&self, table: &TableSpec) -> Vec<OptionSpec> {
        let mut all = options::plain();
        all.extend(bare_format_options(table));
        all
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        identity::dataset(table)
    }

    fn datasets(&self, table: &TableSpec) -> Result<Vec<DatasetIdentity>> {
        identity::datasets(table)
    }

    fn discover_datasets(&self, table: &TableSpec) -> Result<Option<Vec<DatasetIdentity>>> {
        identity::discover(table)
    }

    fn split_position(&self, table: &TableSpec, split: &Split) -> Option<(String, i64)> {
        identity::position(table, split)
    }

    fn metadata(&self, table: &TableSpec) -> Vec<MetadataColumn> {
        metadata_columns(table)
    }

    fn source_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        plain_mode(table)
    }

    fn sink_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        plain_mode(table)
    }

    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        validate(self, &scan.table)?;
        let layout = Layout::new(&scan.table, false)?;
        Ok(Some(Box::new(KafkaSource::new(scan, layout)?)))
    }

    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        validate(self, &write.table)?;
        let layout = Layout::new(&write.table, false)?;
        Ok(Some(Box::new(KafkaSink::new(write, layout)?)))
    }
}

impl Connector for UpsertKafka {
    fn name(&self) -> &'static str {
        "upsert-kafka"
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        options::upsert()
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        identity::dataset(table)
    }

    fn datasets(&self, table: &TableSpec) -> Result<Vec<DatasetIdentity>> {
        identity::datasets(table)
    }

    fn discover_datasets(&self, table: &TableSpec) -> Result<Option<Vec<DatasetIdentity>>> {
        identity::discover(table)
    }

    fn split_position(&self, table: &TableSpec, split: &Split) -> Option<(String, i64)> {
        identity::position(table, split)
    }

    fn metadata(&self, table: &TableSpec) -> Vec<MetadataColumn> {
        metadata_columns(table)
    }

    fn source_mode(&self, _table: &TableSpec) -> Result<ChangelogMode> {
        Ok(ChangelogMode::Upsert)
    }

    fn sink_mode(&self, _table: &TableSpec) -> Result<ChangelogMode> {
        Ok(ChangelogMode::Upsert)
    }

    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        validate(self, &scan.table)?;
        let layout = Layout::new(&scan.table, true)?;
        Ok(Some(Box::new(KafkaSource::new(scan, layout)?)))
    }

    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        validate(self, &write.table)?;
        let layout = Layout::new(&write.table, true)?;
        Ok(Some(Box::new(KafkaSink::new(write, layout)?)))
    }
}

fn plain_mode(table: &TableSpec) -> Result<ChangelogMode> {
    let layout = Layout::new(table, false)?;
    Ok(if layout.value.format.has_changes() { ChangelogMode::Retract } else { ChangelogMode::Append })
}

/// Checks the names of all options and the properties.
fn validate(connector: &dyn Connector, table: &TableSpec) -> Result<()> {
    let options = Options(&table.options);
    let own = table.options.iter().filter(|(name, _)| !is_part_option(name, options));
    let own = own.map(|(name, value)| (name.clone(), value.clone())).collect();
    Options(&own).validate(connector.name(), &connector.options(table), options::PREFIXES)?;
    Properties::new(options).map(|_| ())
}
