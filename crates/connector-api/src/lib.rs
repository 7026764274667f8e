//! The contract between the engine and connectors.
//!
//! A [`Connector`] is found by the `connector` option of a table. A source is an enumerator (JobManager
//! side, pure bookkeeping over splits) and readers (TaskManager side, one per subtask); a sink is writers
//! whose committables a committer makes visible. Everything that crosses between the two sides is bytes,
//! so both sides may live in different processes.
//!
//! Readers and writers are driven by lanes and must not block for long: a connector that waits for a
//! network or an object store does so in a task of its own and reports [`ReaderPoll::Pending`] until data is
//! there, calling the waker it was given when it is.

pub mod coordination;
pub mod options;
pub mod registry;
pub mod watermarks;

pub use options::{OptionSpec, Options};
pub use registry::Registry;

use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::{Error, LogicalType, Result};
use std::sync::Arc;

/// The name of a dataset in lineage: OpenLineage's namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DatasetIdentity {
    /// Where the dataset lives, such as `file` or `kafka://host:9092`.
    pub namespace: String,
    /// Its name there, such as an absolute path or a topic.
    pub name: String,
    /// The named, typed columns of the dataset.
    pub schema: Vec<(String, LogicalType)>,
}

/// A metadata column a connector or its format offers.
#[derive(Debug, Clone)]
pub struct MetadataColumn {
    /// Key in `METADATA FROM 'key'`.
    pub key: &'static str,
    /// Its type before the cast to the declared type.
    pub ty: LogicalType,
    /// Whether sinks accept it.
    pub writable: bool,
}

/// Whether a source ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boundedness {
    /// It does.
    Bounded,
    /// It does not.
    Unbounded,
}

/// Which row kinds a source emits or a sink takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangelogMode {
    /// `+I` only.
    Append,
    /// All but `-U`; rows are identified by the primary key.
    Upsert,
    /// All four kinds.
    Retract,
}

/// A connector: validates tables, names their datasets, makes sources and sinks.
pub trait Connector: Send + Sync {
    /// Value of the `connector` option.
    fn name(&self) -> &'static str;

    /// The options it understands, those of its formats for this table included.
    fn options(&self, table: &TableSpec) -> Vec<OptionSpec>;

    /// Identity of the table's dataset. Never holds a secret.
    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity>;

    /// The datasets of a table that is made of several, such as a list of topics; none where only
    /// [`Connector::discover_datasets`] can tell.
    fn datasets(&self, table: &TableSpec) -> Result<Vec<DatasetIdentity>> {
        Ok(vec![self.dataset(table)?])
    }

    /// The datasets that a pattern stands for now, found out by asking the system that holds them: this may block.
    /// `None` for a table that says by itself which ones it is made of.
    fn discover_datasets(&self, table: &TableSpec) -> Result<Option<Vec<DatasetIdentity>>> {
        let _ = table;
        Ok(None)
    }

    /// Where a split of the table's source stands: the partition, as its system names it, and the number of the next
    /// record there. `None` for splits that have no such number.
    fn split_position(&self, table: &TableSpec, split: &Split) -> Option<(String, i64)> {
        let _ = (table, split);
        None
    }

    /// Metadata columns of the table.
    fn metadata(&self, table: &TableSpec) -> Vec<MetadataColumn> {
        let _ = table;
        vec![]
    }

    /// Whether the connector understands `PARTITIONED BY`.
    fn supports_partitions(&self) -> bool {
        false
    }

    /// Whether the connector understands `INSERT OVERWRITE`.
    fn supports_overwrite(&self) -> bool {
        false
    }

    /// Kinds of rows that the table's source emits.
    fn source_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        let _ = table;
        Ok(ChangelogMode::Append)
    }

    /// Kinds of rows that the table's sink takes.
    fn sink_mode(&self, table: &TableSpec) -> Result<ChangelogMode> {
        let _ = table;
        Ok(ChangelogMode::Append)
    }

    /// A source for the scan; `None` when the connector cannot read.
    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>>;

    /// A sink for the write; `None` when the connector cannot write.
    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>>;
}

/// A readable table.
pub trait Source: Send + Sync {
    /// Whether it ends.
    fn boundedness(&self) -> Boundedness;
    /// The split enumerator, for the JobManager.
    fn enumerator(&self, env: &Env) -> Result<Box<dyn SplitEnumerator>>;
    /// The split enumerator as it was when `state` was taken by [`SplitEnumerator::snapshot`].
    fn restore_enumerator(&self, env: &Env, state: &[u8]) -> Result<Box<dyn SplitEnumerator>> {
        let _ = (env, state);
        Err(Error::unsupported("this source cannot be restored from a checkpoint yet"))
    }
    /// Whether readers take splits while they read others (the partitions of a topic) instead of one after
    /// the other. The driver then asks for splits until there are none, and again after each
    /// [`SplitAssignment::Wait`].
    fn reads_splits_together(&self) -> bool {
        false
    }
    /// A reader, for one subtask.
    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>>;
}

/// A piece of a source, encoded by its enumerator and understood by its readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split(pub Vec<u8>);

/// The answer to a reader that asks for work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SplitAssignment {
    /// Read this.
    Split(Split),
    /// Nothing now; ask again after this many milliseconds.
    Wait(u64),
    /// There will never be more.
    NoMoreSplits,
}

/// Hands out splits. Lives on the JobManager.
pub trait SplitEnumerator: Send {
    /// The next split for a reader. Called whenever the reader has none left.
    fn next_split(&mut self, subtask: u32, parallelism: u32) -> Result<SplitAssignment>;

    /// What is needed to go on from here: the splits that were not handed out. Those that were are in the
    /// snapshots of their readers.
    fn snapshot(&mut self) -> Result<Vec<u8>> {
        Err(Error::unsupported("this source cannot be checkpointed yet"))
    }

    /// A checkpoint that holds these remaining splits of the readers was completed (offsets may be
    /// committed back).
    fn checkpoint_complete(&mut self, checkpoint: u64, splits: &[Split]) -> Result<()> {
        let _ = (checkpoint, splits);
        Ok(())
    }
}

/// Counters a reader or writer keeps.
#[derive(Clone)]
pub struct ReaderContext {
    /// Index of the subtask.
    pub subtask: u32,
    /// Parallelism of the source.
    pub parallelism: u32,
    /// Rows a batch should have at most.
    pub batch_rows: usize,
    /// Clock and randomness.
    pub env: Env,
    /// Wakes the subtask after [`ReaderPoll::Pending`].
    pub waker: Arc<dyn Fn() + Send + Sync>,
    /// Counts a record that could not be decoded and was not allowed to fail the job.
    pub on_bad_record: Arc<dyn Fn() + Send + Sync>,
    /// Counts bytes read.
    pub on_bytes: Arc<dyn Fn(u64) + Send + Sync>,
}

/// What a reader has.
#[derive(Debug)]
pub enum ReaderPoll {
    /// Rows, in the produced columns' order.
    Batch(ChangeBatch),
    /// Rows of one of the splits that are read together, for watermarks per split. An empty batch announces a split:
    /// it holds back event time from then on, so a reader announces its splits before it emits rows of others.
    SplitBatch {
        /// Number of the split within this reader.
        split: u32,
        /// The rows.
        batch: ChangeBatch,
    },
    /// One of the splits that are read together has ended.
    SplitFinished(u32),
    /// Nothing now. The waker will be called, or poll again at the given clock time (milliseconds).
    Pending(Option<i64>),
    /// All splits are read: ask the enumerator for another.
    NeedSplit,
    /// The reader is at its end whatever the enumerator says.
    Finished,
}

/// Reads the splits of one subtask, in the order they were added.
pub trait SourceReader: Send {
    /// Adds a split.
    fn add_split(&mut self, split: Split) -> Result<()>;
    /// The next rows. Must return within a few milliseconds of work.
    fn poll(&mut self) -> Result<ReaderPoll>;
    /// The splits that are not read to their end, each with the position of the next row to emit. Given to
    /// [`SourceReader::add_split`] of any reader, they continue exactly there.
    fn snapshot(&mut self) -> Result<Vec<Split>> {
        Err(Error::unsupported("this source cannot be checkpointed yet"))
    }
    /// The checkpoint with this number was completed.
    fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<()> {
        let _ = checkpoint;
        Ok(())
    }
}

/// What the driver gives to a sink writer.
#[derive(Clone)]
pub struct WriterContext {
    /// Index of the subtask.
    pub subtask: u32,
    /// Parallelism of the sink.
    pub parallelism: u32,
    /// Unique id of this execution of the job, for names of staged files.
    pub job: String,
    /// Clock and randomness.
    pub env: Env,
    /// Wakes the subtask after [`SinkWriter::is_ready`] was false.
    pub waker: Arc<dyn Fn() + Send + Sync>,
    /// Counts bytes written.
    pub on_bytes: Arc<dyn Fn(u64) + Send + Sync>,
    /// What [`SinkWriter::snapshot`] of the writers before returned, spread over the writers of now; empty
    /// for a new job.
    pub restored: Vec<Vec<u8>>,
    /// Number of the checkpoint the job was restored from.
    pub restored_checkpoint: Option<u64>,
    /// Whether the job takes checkpoints: then committables are asked for at every barrier, else at the end.
    pub checkpointing: bool,
}

/// What a writer staged and a committer makes visible. Committing twice is the same as once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committable(pub Vec<u8>);

/// A writable table.
pub trait Sink: Send + Sync {
    /// A writer, for one subtask.
    fn writer(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>>;
    /// The committer, for the JobManager; `None` when writing is all there is.
    fn committer(&self) -> Result<Option<Box<dyn Committer>>>;
}

/// Writes the rows of one subtask.
pub trait SinkWriter: Send {
    /// Whether a batch may be written now; otherwise the waker is called later.
    fn is_ready(&mut self) -> bool {
        true
    }
    /// When a writer that is not ready will be, for those that know: wall clock, milliseconds. It need not call the
    /// waker then.
    fn ready_at_ms(&self) -> Option<i64> {
        None
    }
    /// Writes a batch.
    fn write(&mut self, batch: ChangeBatch) -> Result<()>;
    /// Makes written rows visible to readers that expect low latency (flushes a terminal, a channel).
    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
    /// The rows to come are not older than this, as far as the watermark promises.
    fn watermark(&mut self, watermark: i64) -> Result<()> {
        let _ = watermark;
        Ok(())
    }
    /// When [`SinkWriter::tick`] has something to do, by the wall clock in milliseconds.
    fn next_tick_ms(&self) -> Option<i64> {
        None
    }
    /// Does what is due by the wall clock, whether or not there are rows.
    fn tick(&mut self, now_ms: i64) -> Result<()> {
        let _ = now_ms;
        Ok(())
    }
    /// Whether all that was written and flushed has arrived, for writers that hand rows to somebody who
    /// acknowledges them later. Asked before a barrier passes and before the end; when it is not so, the waker is called
    /// later and no rows are written until then.
    fn is_flushed(&mut self) -> Result<bool> {
        Ok(true)
    }
    /// Whether the task may end behind the last row, for writers whose rows are fetched from here. When it may not, the
    /// waker is called later. Barriers do not ask this.
    fn may_end(&mut self) -> Result<bool> {
        self.is_flushed()
    }
    /// The checkpoint with this number was completed.
    fn checkpoint_complete(&mut self, checkpoint: u64) {
        let _ = checkpoint;
    }
    /// Takes what may be committed once the checkpoint `checkpoint` is complete; everything written so far is
    /// in it or in [`SinkWriter::snapshot`], which is called next. With `end`, no rows will follow: everything
    /// must be in it.
    fn take_committables(&mut self, checkpoint: u64, end: bool) -> Result<Vec<Committable>> {
        let _ = (checkpoint, end);
        Ok(vec![])
    }
    /// What a writer of a restored job needs to go on: staged data that is not to be committed yet.
    fn snapshot(&mut self) -> Result<Vec<Vec<u8>>> {
        Ok(vec![])
    }
}

/// Makes staged data visible. Lives on the JobManager.
pub trait Committer: Send {
    /// The job whose sink this is; called before all else. The names of its executions
    /// ([`WriterContext::job`]) are this, a dash and a number.
    fn start(&mut self, job: &str) {
        let _ = job;
    }
    /// Commits what writers staged for a checkpoint; idempotent, also when the first attempt was made by a
    /// process that died: a restored job commits again what its checkpoint holds. Checkpoints come in rising
    /// order. An error of kind `Retryable` is retried.
    fn commit(&mut self, checkpoint: u64, committables: &[Committable]) -> Result<()>;
    /// All writers ended and everything was committed (last chance for success files, clean-up).
    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
    /// The job failed or was cancelled: remove what was staged and not committed.
    fn abort(&mut self) -> Result<()> {
        Ok(())
    }
}
