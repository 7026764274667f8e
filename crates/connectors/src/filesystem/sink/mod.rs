//! The sink: files that are staged out of sight and made visible by a commit.
//!
//! A writer fills one file per partition and closes it by size, age or idleness. A closed file is a committable;
//! the committer makes it visible, which is atomic and harmless to repeat.
//!
//! ```text
//!            while staged                                  once committed
//! disks      DIRECTORY/.part-JOB-SUBTASK-N.EXT.inprogress  renamed to DIRECTORY/part-JOB-SUBTASK-N.EXT
//! buckets    parts of an upload, the rest in checkpoints   upload completed: DIRECTORY/part-JOB-SUBTASK-N.EXT
//! ```
//!
//! Readers skip hidden names and see no uploads, so they see whole files only. With checkpoints, rows are visible
//! exactly once: a file is committed by the checkpoint after it was closed. Columnar files are closed at every
//! checkpoint; files of records stay open, and the checkpoint holds how much of them is valid: a restored writer goes
//! on behind that, in a copy of its own, since nobody can tell whether the writer before it has really ended. What a writer did not hand over to a checkpoint is deleted with it; what was handed over and never
//! committed stays staged until its job's committer finishes or aborts.

mod committer;
mod file;
mod output;
mod partition_commit;
mod partition_time;
mod staged;
mod upload;
mod writer;

#[cfg(test)]
mod tests;

use super::files::{Files, key_of};
use super::options::PARTITION_DEFAULT_NAME;
use committer::FileCommitter;
use headwater_connector_api::{Committer, Options, Sink, SinkWriter, WriterContext};
use headwater_formats::Format;
use headwater_plan::SinkSpec;
use headwater_storage::Bucket;
use headwater_types::config::Configuration;
use headwater_types::{Error, LogicalType, Result};
use partition_commit::PartitionCommit;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// When a file is closed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rolling {
    bytes: u64,
    age_ms: i64,
    idle_ms: i64,
    /// How often idle writers look whether files are old.
    check_ms: i64,
}

/// Where the files go.
#[derive(Debug)]
pub(super) enum Root {
    Local(PathBuf),
    Bucket { bucket: Arc<Bucket>, prefix: String },
}

impl Root {
    fn at(path: &str, config: &Configuration) -> Result<Self> {
        match Files::at(path, config)? {
            (Files::Local, path) => Ok(Self::Local(path)),
            (Files::Bucket(bucket), path) => {
                let prefix = key_of(&bucket, &path)?;
                Ok(Self::Bucket { bucket, prefix })
            }
        }
    }

    /// The key of a file in a partition directory.
    fn key(&self, directory: &str, name: &str) -> String {
        let prefix = if let Self::Bucket { prefix, .. } = self { prefix.as_str() } else { "" };
        let parts = [prefix, directory].into_iter().filter(|part| !part.is_empty());
        let directory: String = parts.map(|part| format!("{part}/")).collect();
        directory + name
    }
}

/// A write, resolved against the table.
#[derive(Debug)]
pub(super) struct Plan {
    root: Root,
    format: Format,
    options: BTreeMap<String, String>,
    /// The columns in files, with their positions in the input.
    columns: Vec<(String, LogicalType)>,
    positions: Vec<usize>,
    /// The partition columns, with their positions in the input.
    partitions: Vec<(String, usize)>,
    partition_null: String,
    rolling: Rolling,
    overwrite: bool,
    commit: Option<PartitionCommit>,
}

impl Plan {
    fn new(spec: &SinkSpec, format: Format, config: &Configuration) -> Result<Self> {
        let table = &spec.table;
        let options = Options(&table.options);
        let position = |key: &String| {
            let found = table.columns.iter().position(|(n, _)| n == key);
            let missing =
                || Error::user("bad-partition", format!("the partition column '{key}' is not a column of the table"));
            found.map(|at| (key.clone(), at)).ok_or_else(missing)
        };
        let partitions = table.partition_keys.iter().map(position).collect::<Result<Vec<_>>>()?;
        if options.boolean("auto-compaction", false)? {
            return Err(Error::unsupported("the compaction of written files"));
        }
        let is_partition = |at: &usize| partitions.iter().any(|(_, p)| p == at);
        let positions: Vec<_> = (0..table.columns.len()).filter(|at| !is_partition(at)).collect();
        Ok(Self {
            root: Root::at(options.require("path")?, config)?,
            format,
            options: table.options.clone(),
            columns: positions.iter().map(|at| table.columns[*at].clone()).collect(),
            positions,
            partitions,
            partition_null: options.get("partition.default-name").unwrap_or(PARTITION_DEFAULT_NAME).to_string(),
            rolling: rolling(options)?,
            overwrite: spec.overwrite,
            commit: PartitionCommit::from_options(options, &table.partition_keys)?,
        })
    }
}

fn rolling(options: Options<'_>) -> Result<Rolling> {
    let ms = |name: &str, default: u64| -> Result<i64> {
        Ok(options.duration(name)?.unwrap_or(Duration::from_secs(default)).as_millis() as i64)
    };
    let bytes = options.memory_bytes("sink.rolling-policy.file-size")?.unwrap_or(128 << 20);
    Ok(Rolling {
        bytes: bytes.clamp(1, upload::PARTS_MAX * upload::PART_BYTES as u64),
        check_ms: ms("sink.rolling-policy.check-interval", 60)?.max(1),
        age_ms: ms("sink.rolling-policy.rollover-interval", 30 * 60)?,
        idle_ms: ms("sink.rolling-policy.inactivity-interval", 30 * 60)?,
    })
}

pub(super) struct FileSink {
    plan: Arc<Plan>,
}

impl FileSink {
    pub(super) fn new(spec: &SinkSpec, format: Format, config: &Configuration) -> Result<Self> {
        let plan = Plan::new(spec, format, config)?;
        file::check(&plan)?;
        Ok(Self { plan: Arc::new(plan) })
    }
}

impl Sink for FileSink {
    fn writer(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(writer::FileWriter::new(self.plan.clone(), context)?))
    }

    fn committer(&self) -> Result<Option<Box<dyn Committer>>> {
        Ok(Some(Box::new(FileCommitter::new(self.plan.clone()))))
    }
}

/// Ends the upload of a committable, as the store may do behind the back of a job.
#[cfg(test)]
pub(super) fn end_upload(bucket: &Bucket, committable: &headwater_connector_api::Committable) {
    if let Ok(staged::Staged::File(file)) = staged::decode(&committable.0, "a committable")
        && let staged::Content::Object { key, parts } = file.content
    {
        bucket.abort_upload(&key, parts.upload.as_deref().unwrap_or_default()).expect("the upload is there");
    }
}
