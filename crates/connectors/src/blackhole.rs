//! `blackhole`: a sink that takes every row and keeps none.

use crate::simple::table_identity;
use crate::throttle::{self, rows_per_second, throttled};
use headwater_connector_api::{
    ChangelogMode, Committer, Connector, DatasetIdentity, OptionSpec, Options, Sink, SinkWriter, Source, WriterContext,
};
use headwater_data::ChangeBatch;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::Result;

const OPTIONS: &[OptionSpec] = &[throttle::OPTION];

/// The connector.
pub struct Blackhole;

impl Connector for Blackhole {
    fn name(&self) -> &'static str {
        "blackhole"
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        OPTIONS.to_vec()
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
        let options = Options(&write.table.options);
        options.validate("blackhole", OPTIONS, &["property-version"])?;
        Ok(Some(Box::new(BlackholeSink { rate: rows_per_second(options)? })))
    }
}

struct BlackholeSink {
    rate: Option<u64>,
}

struct BlackholeWriter;

impl Sink for BlackholeSink {
    fn writer(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>> {
        Ok(throttled(Box::new(BlackholeWriter), self.rate, &context))
    }

    fn committer(&self) -> Result<Option<Box<dyn Committer>>> {
        Ok(None)
    }
}

impl SinkWriter for BlackholeWriter {
    fn write(&mut self, _batch: ChangeBatch) -> Result<()> {
        Ok(())
    }
}
