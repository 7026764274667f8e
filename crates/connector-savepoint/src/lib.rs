//! `'connector' = 'savepoint'`: the entries of a keyed table in a checkpoint or savepoint as rows.
//!
//! ```text
//! manifest ──> operator, table ──> columns by name ──> splits: ranges of key groups
//!                                                          │
//! rows <── decode <── merge <── runs of the table in those groups
//! ```
//!
//! A table of state has the columns of its key, of its map key and of its value; [`columns`] says how they are named.
//! What is read is what a restore would load: the same manifest, the same runs, the same checksums, damage named the
//! same way. Entries whose time to live has run out since are still shown.
//!
//! It reads and never writes, takes the manifest as it is when the job starts, and holds nothing that keeps files
//! from being deleted: a checkpoint that its job no longer retains may vanish while it is read, which is an error.

pub mod columns;
pub mod declare;
mod entries;
mod lookup;
mod options;
mod reader;
mod source;
mod split;

#[cfg(test)]
mod tests;

use headwater_connector_api::{Connector, DatasetIdentity, MetadataColumn, OptionSpec, Registry, Sink, Source};
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::config::Configuration;
use headwater_types::{LogicalType, Result, TimeAttribute, TypeRoot};
use options::Wanted;
use std::sync::Arc;

/// The connector.
pub struct Savepoint {
    /// What storage is opened with, under the options of a table.
    config: Configuration,
}

/// Adds the connector. `config` is that of the process: keys of the storage, such as `s3.endpoint`.
pub fn register(registry: &mut Registry, config: &Configuration) {
    registry.register(Arc::new(Savepoint { config: config.clone() }));
}

impl Connector for Savepoint {
    fn name(&self) -> &'static str {
        options::NAME
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        options::OPTIONS.to_vec()
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        let wanted = Wanted::of(table, &self.config)?;
        let name = [Some(wanted.path), wanted.operator, wanted.state].into_iter().flatten().collect::<Vec<_>>();
        Ok(DatasetIdentity { namespace: "savepoint".into(), name: name.join("#"), schema: table.columns.clone() })
    }

    fn metadata(&self, _table: &TableSpec) -> Vec<MetadataColumn> {
        let column = |key, ty| MetadataColumn { key, ty, writable: false };
        vec![
            column(columns::KEY_GROUP, LogicalType::from(TypeRoot::Int).not_null()),
            column(columns::WRITTEN_TIME, TypeRoot::TimestampLtz(3, TimeAttribute::None).into()),
        ]
    }

    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        Ok(Some(Box::new(source::StateSource::new(scan, &self.config)?)))
    }

    fn sink(&self, _write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        Ok(None)
    }
}
