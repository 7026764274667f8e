//! The sink: files under hidden names, made visible by a rename.
//!
//! A writer fills one file per partition and closes it by size, age or idleness. A closed file is a committable;
//! the committer renames it into place, which is atomic and harmless to repeat. The names of a file are
//!
//! ```text
//! DIRECTORY/.part-JOB-SUBTASK-N.EXT.inprogress   while staged
//! DIRECTORY/part-JOB-SUBTASK-N.EXT               once committed
//! ```
//!
//! Readers skip hidden names, so they see whole files only. With checkpoints, rows are visible exactly once: a
//! file is committed by the checkpoint after it was closed. Columnar files are closed at every checkpoint; files of
//! records stay open, and the checkpoint holds how much of them is valid: a restored writer cuts them there and
//! goes on. What a writer did not hand over to a checkpoint is deleted with it; what was handed over and never
//! committed stays hidden until its job's committer aborts.

mod committer;
mod file;
mod writer;

#[cfg(test)]
mod tests;

use super::local_path;
use super::options::PARTITION_DEFAULT_NAME;
use committer::FileCommitter;
use headwater_connector_api::options::bad_option;
use headwater_connector_api::{Committable, Committer, Options, Sink, SinkWriter, WriterContext};
use headwater_formats::Format;
use headwater_plan::SinkSpec;
use headwater_types::{Error, ErrorKind, LogicalType, Result};
use serde::{Deserialize, Serialize};
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
}

/// A write, resolved against the table.
#[derive(Debug)]
pub(super) struct Plan {
    root: PathBuf,
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
    /// Name of the file that marks a finished partition.
    success_file: Option<String>,
}

/// What a writer hands to the committer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StagedFile {
    staged: PathBuf,
    target: PathBuf,
    job: String,
}

/// A file of records that is open at a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct InProgress {
    /// Partition directory, relative to the root.
    directory: String,
    file: StagedFile,
    /// Bytes that belong to the checkpoint.
    bytes: u64,
    opened_ms: i64,
    written_ms: i64,
}

impl InProgress {
    fn encode(&self) -> Result<Vec<u8>> {
        postcard::to_allocvec(self).map_err(|e| Error::user("bad-path", format!("a path is not UTF-8: {e}")))
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        postcard::from_bytes(bytes).map_err(|e| {
            Error::new(
                ErrorKind::Corruption,
                "bad-writer-state",
                format!("the state of a file writer cannot be read: {e}"),
            )
        })
    }
}

impl StagedFile {
    fn encode(&self) -> Result<Committable> {
        postcard::to_allocvec(self)
            .map(Committable)
            .map_err(|e| Error::user("bad-path", format!("a path is not UTF-8: {e}")))
    }

    fn decode(committable: &Committable) -> Result<Self> {
        postcard::from_bytes(&committable.0).map_err(|e| {
            Error::new(ErrorKind::Corruption, "bad-committable", format!("a committable of files cannot be read: {e}"))
        })
    }
}

impl Plan {
    fn new(spec: &SinkSpec, format: Format) -> Result<Self> {
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
            root: local_path(options.require("path")?)?,
            format,
            options: table.options.clone(),
            columns: positions.iter().map(|at| table.columns[*at].clone()).collect(),
            positions,
            partitions,
            partition_null: options.get("partition.default-name").unwrap_or(PARTITION_DEFAULT_NAME).to_string(),
            rolling: rolling(options)?,
            overwrite: spec.overwrite,
            success_file: success_file(options)?,
        })
    }
}

fn rolling(options: Options<'_>) -> Result<Rolling> {
    let ms = |name: &str, default: u64| -> Result<i64> {
        Ok(options.duration(name)?.unwrap_or(Duration::from_secs(default)).as_millis() as i64)
    };
    options.duration("sink.rolling-policy.check-interval")?;
    Ok(Rolling {
        bytes: options.memory_bytes("sink.rolling-policy.file-size")?.unwrap_or(128 << 20).max(1),
        age_ms: ms("sink.rolling-policy.rollover-interval", 30 * 60)?,
        idle_ms: ms("sink.rolling-policy.inactivity-interval", 30 * 60)?,
    })
}

fn success_file(options: Options<'_>) -> Result<Option<String>> {
    let triggers = [("process-time", true), ("partition-time", false)];
    if !options.choice("sink.partition-commit.trigger", true, &triggers)? {
        return Err(Error::unsupported("the partition commit trigger 'partition-time'"));
    }
    let name = "sink.partition-commit.policy.kind";
    let Some(kinds) = options.get(name) else { return Ok(None) };
    match kinds.split(',').map(str::trim).find(|kind| *kind != "success-file") {
        Some(kind @ ("metastore" | "custom")) => {
            return Err(Error::unsupported(format!("the partition commit policy '{kind}'")));
        }
        Some(other) => return Err(bad_option(name, other, "success-file, metastore, custom or a list of them")),
        None => {}
    }
    Ok(Some(options.get("sink.partition-commit.success-file.name").unwrap_or("_SUCCESS").to_string()))
}

pub(super) struct FileSink {
    plan: Arc<Plan>,
}

impl FileSink {
    pub(super) fn new(spec: &SinkSpec, format: Format) -> Result<Self> {
        let plan = Plan::new(spec, format)?;
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
