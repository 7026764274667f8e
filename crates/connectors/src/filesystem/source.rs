//! The source: what a scan asks for, checked once.

use super::bad_records::{BadRecordPolicy, BadRecords};
use super::compression::is_uncompressed;
use super::enumerator::{FileEnumerator, Listing};
use super::files::Files;
use super::listing::Place;
use super::options::PARTITION_DEFAULT_NAME;
use super::reader::FileReader;
use headwater_connector_api::options::bad_option;
use headwater_connector_api::{Boundedness, Options, ReaderContext, Source, SourceReader, SplitEnumerator};
use headwater_env::Env;
use headwater_formats::Format;
use headwater_plan::SourceSpec;
use headwater_plan::table::ColumnOrigin;
use headwater_types::config::Configuration;
use headwater_types::{LogicalType, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Where a produced column comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The decoder's column at this position.
    Record(usize),
    /// A partition column of this name.
    Partition(String),
    /// Metadata of this key.
    Metadata(String),
}

/// A produced column.
#[derive(Debug, Clone)]
pub(super) struct Produced {
    pub(super) name: String,
    pub(super) ty: LogicalType,
    pub(super) origin: Origin,
}

/// A scan, resolved against the table.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    pub(super) files: Files,
    pub(super) format: Format,
    pub(super) options: BTreeMap<String, String>,
    /// Fields of the records: the physical columns that are not partition columns.
    pub(super) columns: Vec<(String, LogicalType)>,
    /// Fields that are decoded, by position in `columns`.
    pub(super) wanted: Vec<(usize, LogicalType)>,
    pub(super) produced: Vec<Produced>,
    pub(super) partition_null: String,
    pub(super) bad_records: BadRecordPolicy,
    pub(super) limit: Option<u64>,
}

impl Scan {
    fn new(spec: &SourceSpec, format: Format, files: Files) -> Result<Self> {
        let table = &spec.table;
        let options = Options(&table.options);
        let is_partition = |name: &String| table.partition_keys.contains(name);
        let columns: Vec<_> = table.columns.iter().filter(|(n, _)| !is_partition(n)).cloned().collect();
        let mut wanted = vec![];
        let mut produced = vec![];
        for column in &spec.produced {
            let origin = match &column.origin {
                ColumnOrigin::Metadata(key) => Origin::Metadata(key.clone()),
                ColumnOrigin::Physical(at) if is_partition(&table.columns[*at].0) => {
                    Origin::Partition(table.columns[*at].0.clone())
                }
                ColumnOrigin::Physical(at) => {
                    let before = table.columns[..*at].iter().filter(|(n, _)| is_partition(n)).count();
                    wanted.push((*at - before, column.ty.clone()));
                    Origin::Record(wanted.len() - 1)
                }
            };
            produced.push(Produced { name: column.name.clone(), ty: column.ty.clone(), origin });
        }
        Ok(Self {
            files,
            format,
            options: table.options.clone(),
            columns,
            wanted,
            produced,
            partition_null: options.get("partition.default-name").unwrap_or(PARTITION_DEFAULT_NAME).to_string(),
            bad_records: BadRecordPolicy::from_options(options)?,
            limit: spec.limit,
        })
    }
}

pub(super) struct FileSource {
    scan: Arc<Scan>,
    place: Place,
    monitor: Option<Duration>,
}

impl FileSource {
    pub(super) fn new(spec: &SourceSpec, format: Format, config: &Configuration) -> Result<Self> {
        let options = Options(&spec.table.options);
        let monitor = options.duration("source.monitor-interval")?;
        if monitor == Some(Duration::ZERO) {
            return Err(bad_option("source.monitor-interval", "0", "a duration above zero"));
        }
        let (files, path) = Files::at(options.require("path")?, config)?;
        let scan = Arc::new(Scan::new(spec, format, files.clone())?);
        // Format options are checked now rather than when the first reader starts.
        super::records::check(&scan)?;
        Ok(Self { scan, place: Place::new(options, files, path)?, monitor })
    }

    fn listing(&self) -> Listing {
        Listing {
            place: self.place.clone(),
            monitor: self.monitor,
            is_splittable: is_uncompressed,
            splittable_format: self.scan.format.is_splittable(Options(&self.scan.options)),
        }
    }
}

impl Source for FileSource {
    fn boundedness(&self) -> Boundedness {
        if self.monitor.is_some() { Boundedness::Unbounded } else { Boundedness::Bounded }
    }

    fn enumerator(&self, env: &Env) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(FileEnumerator::new(self.listing(), env.clone())?))
    }

    fn restore_enumerator(&self, env: &Env, state: &[u8]) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(FileEnumerator::restore(self.listing(), env.clone(), state)?))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        let policy = self.scan.bad_records.clone();
        let bad = BadRecords::new(policy, context.subtask, context.env.clone(), context.on_bad_record.clone());
        Ok(Box::new(FileReader::new(self.scan.clone(), context, bad)?))
    }
}
