//! `blackhole`: a sink that takes every row and keeps none.

use crate::simple::table_identity;
use headwater_connector_api::{
    ChangelogMode, Committer, Connector, DatasetIdentity, OptionSpec, Options, Sink, SinkWriter, Source, WriterContext,
};
use headwater_data::ChangeBatch;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::Result;

/// The connector.
pub struct Blackhole;

impl Connector for Blackhole {
    fn name(&self) -> &'static str {
        "blackhole"
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        vec![]
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        Ok(table_identity("blackhole", table))
    }

    fn supports_partitions(&self) -> bool {
        true
    }

    fn sink_mode(&self, _table: &TableSpec) -> Result<ChangelogMode> {
        Ok(ChangelogMode::Retract)
    }

    fn source(&self, _scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        Ok(None)
    }

    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        Options(&write.table.options).validate("blackhole", &[], &["property-version"])?;
        Ok(Some(Box::new(BlackholeSink)))
    }
}

struct BlackholeSink;

impl Sink for BlackholeSink {
    fn writer(&self, _context: WriterContext) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(Self))
    }

    fn committer(&self) -> Result<Option<Box<dyn Committer>>> {
        Ok(None)
    }
}

impl SinkWriter for BlackholeSink {
    fn write(&mut self, _batch: ChangeBatch) -> Result<()> {
        Ok(())
    }
}
