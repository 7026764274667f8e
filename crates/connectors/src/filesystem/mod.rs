//! `filesystem`: tables over files of a directory, with Flink's options.

mod bad_records;
mod block;
mod compression;
mod enumerator;
mod files;
mod listing;
mod listing_remote;
mod options;
mod partitions;
mod reader;
mod records;
mod remote;
mod sink;
mod source;
mod split;

#[cfg(test)]
mod s3_tests;
#[cfg(test)]
mod tests;

use headwater_connector_api::{
    ChangelogMode, Connector, DatasetIdentity, MetadataColumn, OptionSpec, Options, Sink, Source,
};
use headwater_formats::Format;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::config::Configuration;
use headwater_types::{Error, LogicalType, Result, TimeAttribute, TypeRoot};
use options::OPTIONS;
use std::path::{Path, PathBuf};

/// The connector. The configuration says how object stores are reached (`s3.*`).
#[derive(Default)]
pub struct Filesystem {
    config: Configuration,
}

impl Connector for Filesystem {
    fn name(&self) -> &'static str {
        "filesystem"
    }

    fn options(&self, table: &TableSpec) -> Vec<OptionSpec> {
        let format = Options(&table.options).get("format").and_then(|f| Format::from_name(f).ok());
        OPTIONS.iter().chain(format.map_or(&[][..], Format::options)).cloned().collect()
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        let schema = table.columns.clone();
        match files::Files::at(Options(&table.options).require("path")?, &self.config)? {
            (files::Files::Local, path) => {
                let name = std::path::absolute(&path).unwrap_or(path).to_string_lossy().into_owned();
                Ok(DatasetIdentity { namespace: "file".into(), name, schema })
            }
            (files::Files::Bucket(bucket), path) => Ok(DatasetIdentity {
                namespace: bucket.uri("").trim_end_matches('/').to_owned(),
                name: files::key_of(&bucket, &path)?,
                schema,
            }),
        }
    }

    fn metadata(&self, _table: &TableSpec) -> Vec<MetadataColumn> {
        let column = |key, root: TypeRoot| MetadataColumn { key, ty: LogicalType::new(root, false), writable: false };
        vec![
            column("file.path", LogicalType::string().root),
            column("file.name", LogicalType::string().root),
            column("file.size", TypeRoot::BigInt),
            column("file.modification-time", TypeRoot::TimestampLtz(3, TimeAttribute::None)),
        ]
    }

    fn supports_partitions(&self) -> bool {
        true
    }

    fn supports_overwrite(&self) -> bool {
        true
    }

    fn source_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        mode(table)
    }

    fn sink_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        mode(table)
    }

    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        let format = self.checked_format(&scan.table)?;
        Ok(Some(Box::new(source::FileSource::new(scan, format, &self.config)?)))
    }

    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        let format = self.checked_format(&write.table)?;
        Ok(Some(Box::new(sink::FileSink::new(write, format, &self.config)?)))
    }
}

impl Filesystem {
    /// The connector of a process with this configuration.
    #[must_use]
    pub fn new(config: Configuration) -> Self {
        Self { config }
    }

    /// The table's format, after the names of all options were checked.
    fn checked_format(&self, table: &TableSpec) -> Result<Format> {
        let options = Options(&table.options);
        let format = Format::from_name(options.require("format").map_err(|_| missing_format())?)?;
        options.validate("filesystem", &self.options(table), &[])?;
        Ok(format)
    }
}

/// The kinds of rows that files of the table's format hold.
fn mode(table: &TableSpec) -> Result<ChangelogMode> {
    let format = Options(&table.options).get("format").map(Format::from_name).transpose()?;
    Ok(if format.is_some_and(Format::has_changes) { ChangelogMode::Retract } else { ChangelogMode::Append })
}

fn missing_format() -> Error {
    Error::user("missing-option", "the filesystem connector needs the option 'format', such as 'json' or 'csv'")
}

/// The local path of the `path` option, which may be a `file:` URI.
fn local_path(text: &str) -> Result<PathBuf> {
    if text.is_empty() {
        return Err(headwater_connector_api::options::bad_option("path", text, "a file, a directory or a pattern"));
    }
    if let Some(rest) = text.strip_prefix("file://") {
        return Ok(PathBuf::from(rest.strip_prefix("localhost").unwrap_or(rest)));
    }
    if let Some(rest) = text.strip_prefix("file:") {
        return Ok(PathBuf::from(rest));
    }
    match text.split_once("://") {
        Some((scheme, _)) => Err(Error::unsupported(format!(
            "there are no files at '{scheme}://': paths are local, 'file://' or 's3://'"
        ))),
        None => Ok(Path::new(text).to_path_buf()),
    }
}
