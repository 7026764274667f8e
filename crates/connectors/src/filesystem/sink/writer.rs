//! The writer of one subtask.

use super::file::OpenFile;
use super::{InProgress, Plan, StagedFile};
use crate::filesystem::partitions::escape;
use arrow::array::UInt32Array;
use headwater_connector_api::{Committable, SinkWriter, WriterContext};
use headwater_data::ChangeBatch;
use headwater_formats::text::java;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Files open at a time; the one idle for longest is closed when there would be more.
const OPEN_FILES_MAX: usize = 100;

pub(super) struct FileWriter {
    plan: Arc<Plan>,
    context: WriterContext,
    /// By partition directory, relative to the root.
    open: BTreeMap<String, OpenFile>,
    closed: Vec<StagedFile>,
    files: u64,
}

impl FileWriter {
    pub(super) fn new(plan: Arc<Plan>, mut context: WriterContext) -> Result<Self> {
        let restored = std::mem::take(&mut context.restored);
        let mut writer = Self { plan, context, open: BTreeMap::new(), closed: vec![], files: 0 };
        restored.iter().try_for_each(|state| writer.resume(InProgress::decode(state)?))?;
        Ok(writer)
    }

    /// Goes on with a file of a checkpoint. Of two files for one partition (of two writers before) one is closed.
    fn resume(&mut self, state: InProgress) -> Result<()> {
        let directory = state.directory.clone();
        self.close(&directory)?;
        self.make_room()?;
        self.open.insert(directory, OpenFile::resume(&self.plan, state)?);
        Ok(())
    }

    fn write_partition(&mut self, directory: &str, batch: &ChangeBatch) -> Result<()> {
        let now_ms = self.context.env.now_ms();
        if !self.open.contains_key(directory) {
            self.make_room()?;
            let staged = self.next_file(directory);
            let file = OpenFile::create(&self.plan, staged, now_ms)?;
            self.open.insert(directory.to_string(), file);
        }
        if let Some(file) = self.open.get_mut(directory) {
            let before = file.bytes();
            file.write(batch, now_ms)?;
            (self.context.on_bytes)(file.bytes().saturating_sub(before));
            if file.bytes() >= self.plan.rolling.bytes {
                self.close(directory)?;
            }
        }
        Ok(())
    }

    fn next_file(&mut self, directory: &str) -> StagedFile {
        let (job, subtask) = (&self.context.job, self.context.subtask);
        let name = format!("part-{job}-{subtask}-{}.{}", self.files, self.plan.format.extension());
        self.files += 1;
        let directory = self.plan.root.join(directory);
        StagedFile {
            staged: directory.join(format!(".{name}.inprogress")),
            target: directory.join(name),
            job: job.clone(),
        }
    }

    fn make_room(&mut self) -> Result<()> {
        if self.open.len() < OPEN_FILES_MAX {
            return Ok(());
        }
        let idle = self.open.iter().min_by_key(|(_, file)| file.written_ms).map(|(directory, _)| directory.clone());
        idle.map_or(Ok(()), |directory| self.close(&directory))
    }

    fn close(&mut self, directory: &str) -> Result<()> {
        if let Some(file) = self.open.remove(directory) {
            let path = file.staged.staged.clone();
            // A file that cannot be ended is of no use; the error says why.
            self.closed.push(file.close().inspect_err(|_| drop(std::fs::remove_file(path)))?);
        }
        Ok(())
    }

    /// Closes the files that are old or idle; all with `all`.
    fn roll(&mut self, all: bool) -> Result<()> {
        let (now_ms, rolling) = (self.context.env.now_ms(), self.plan.rolling);
        let is_due = |file: &OpenFile| {
            all || now_ms - file.opened_ms >= rolling.age_ms || now_ms - file.written_ms >= rolling.idle_ms
        };
        let due: Vec<String> = self.open.iter().filter(|(_, file)| is_due(file)).map(|(d, _)| d.clone()).collect();
        due.iter().try_for_each(|directory| self.close(directory))
    }
}

impl SinkWriter for FileWriter {
    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        let data = batch.rows().project(&self.plan.positions);
        let data = batch.with_rows(data.map_err(|e| Error::internal(format!("the sink's input lacks columns: {e}")))?);
        if self.plan.partitions.is_empty() {
            return self.write_partition("", &data);
        }
        let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for row in 0..batch.num_rows() {
            groups.entry(directory(&self.plan, &batch, row)).or_default().push(row as u32);
        }
        for (directory, rows) in groups {
            let part = if rows.len() == data.num_rows() { data.clone() } else { take(&data, rows)? };
            self.write_partition(&directory, &part)?;
        }
        Ok(())
    }

    fn take_committables(&mut self, _checkpoint: u64, end: bool) -> Result<Vec<Committable>> {
        self.roll(end || self.plan.format.is_columnar())?;
        std::mem::take(&mut self.closed).iter().map(StagedFile::encode).collect()
    }

    fn snapshot(&mut self) -> Result<Vec<Vec<u8>>> {
        let files = self.open.iter_mut().map(|(directory, file)| file.checkpoint(directory));
        files.filter_map(Result::transpose).map(|state| state?.encode()).collect()
    }
}

impl Drop for FileWriter {
    /// Deletes what no checkpoint knows of. A failure to delete leaves hidden files.
    fn drop(&mut self) {
        let open = self.open.values().filter(|file| !file.checkpointed).map(|file| &file.staged);
        for file in open.chain(&self.closed) {
            drop(std::fs::remove_file(&file.staged));
        }
    }
}

fn take(batch: &ChangeBatch, rows: Vec<u32>) -> Result<ChangeBatch> {
    batch.take(&UInt32Array::from(rows)).map_err(|e| Error::internal(format!("rows cannot be taken from a batch: {e}")))
}

/// The partition directory of a row: `key=value/key=value`.
fn directory(plan: &Plan, batch: &ChangeBatch, row: usize) -> String {
    let part = |(key, position): &(String, usize)| {
        let array = batch.rows().column(*position);
        let mut text = vec![];
        if !arrow::array::Array::is_null(array, row) {
            java::value(&mut text, array, row);
        }
        let text = String::from_utf8_lossy(&text);
        let value = if text.is_empty() { plan.partition_null.clone() } else { escape(&text) };
        format!("{}={value}", escape(key))
    };
    plan.partitions.iter().map(part).collect::<Vec<_>>().join("/")
}
