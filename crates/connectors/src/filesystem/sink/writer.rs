//! The writer of one subtask.

use super::file::{ClosedFile, OpenFile};
use super::partition_commit::Pending;
use super::staged::{Content, InProgress, Staged, StagedFile, WriterState, decode, encode};
use super::{Plan, Root, output};
use crate::filesystem::partitions::escape;
use arrow::array::UInt32Array;
use headwater_connector_api::{Committable, SinkWriter, WriterContext};
use headwater_data::ChangeBatch;
use headwater_formats::text::java;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// Files open at a time; the one idle for longest is closed when there would be more.
const OPEN_FILES_MAX: usize = 100;
/// As above for objects, whose last bytes stay in memory and go into checkpoints.
const OPEN_OBJECTS_MAX: usize = 16;
/// Parts on their way, of all files, from which on no more rows are taken.
const PARTS_IN_FLIGHT_MAX: usize = 4;

pub(super) struct FileWriter {
    plan: Arc<Plan>,
    context: WriterContext,
    /// By partition directory, relative to the root.
    open: BTreeMap<String, OpenFile>,
    closed: Vec<ClosedFile>,
    /// Hidden files of the checkpoint that was restored: it needs them until the next one is complete.
    replaced: Vec<PathBuf>,
    files: u64,
    /// When files are looked at next: old and idle ones are closed.
    next_look_ms: Option<i64>,
    pending: Option<Pending>,
}

impl FileWriter {
    pub(super) fn new(plan: Arc<Plan>, mut context: WriterContext) -> Result<Self> {
        let restored = std::mem::take(&mut context.restored);
        let pending = Pending::new(&plan);
        let (open, closed, replaced) = (BTreeMap::new(), vec![], vec![]);
        let mut writer = Self { plan, context, open, closed, replaced, files: 0, next_look_ms: None, pending };
        for state in &restored {
            match decode(state, "the state of a writer")? {
                WriterState::Open(file) => writer.resume(file)?,
                WriterState::Pending(partitions) => writer.pending.iter_mut().for_each(|p| p.restore(&partitions)),
            }
        }
        Ok(writer)
    }

    /// Goes on with a file of a checkpoint. Of two files for one partition (of two writers before) one is closed.
    fn resume(&mut self, state: InProgress) -> Result<()> {
        let directory = state.file.directory.clone();
        self.close(&directory)?;
        self.make_room()?;
        let own = self.next_file(&directory);
        if let Content::Local { staged, .. } = &state.file.content {
            self.replaced.push(staged.clone());
        }
        let file = OpenFile::resume(&self.plan, state, own, &self.context.waker)?;
        self.open.insert(directory, file);
        self.look_later();
        Ok(())
    }

    fn write_partition(&mut self, directory: &str, batch: &ChangeBatch) -> Result<()> {
        let now_ms = self.context.env.now_ms();
        if self.open.get(directory).is_some_and(|file| self.is_due(file, now_ms)) {
            self.close(directory)?;
        }
        if !self.open.contains_key(directory) {
            self.start_file(directory, now_ms)?;
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

    fn start_file(&mut self, directory: &str, now_ms: i64) -> Result<()> {
        if let Some(pending) = &mut self.pending {
            pending.add(&self.plan, directory, now_ms)?;
        }
        self.make_room()?;
        let staged = self.next_file(directory);
        let file = OpenFile::create(&self.plan, staged, now_ms, &self.context.waker)?;
        self.open.insert(directory.to_string(), file);
        self.look_later();
        Ok(())
    }

    fn next_file(&mut self, directory: &str) -> StagedFile {
        let (job, subtask) = (&self.context.job, self.context.subtask);
        let name = format!("part-{job}-{subtask}-{}.{}", self.files, self.plan.format.extension());
        self.files += 1;
        let content = match &self.plan.root {
            Root::Local(root) => {
                let directory = root.join(directory);
                Content::Local { staged: directory.join(format!(".{name}.inprogress")), target: directory.join(name) }
            }
            Root::Bucket { .. } => {
                Content::Object { key: self.plan.root.key(directory, &name), parts: output::nothing() }
            }
        };
        StagedFile { job: job.clone(), directory: directory.to_owned(), content }
    }

    fn make_room(&mut self) -> Result<()> {
        let most = if matches!(self.plan.root, Root::Local(_)) { OPEN_FILES_MAX } else { OPEN_OBJECTS_MAX };
        if self.open.len() < most {
            return Ok(());
        }
        let idle = self.open.iter().min_by_key(|(_, file)| file.written_ms).map(|(directory, _)| directory.clone());
        idle.map_or(Ok(()), |directory| self.close(&directory))
    }

    fn close(&mut self, directory: &str) -> Result<()> {
        if let Some(file) = self.open.remove(directory) {
            let (staged, checkpointed) = (file.staged.clone(), file.checkpointed);
            // A file that cannot be ended is of no use; the error says why.
            let closed = file.close().inspect_err(|_| {
                if !checkpointed {
                    remove(&staged)
                }
            });
            self.closed.push(closed?);
        }
        Ok(())
    }

    fn is_due(&self, file: &OpenFile, now_ms: i64) -> bool {
        let rolling = self.plan.rolling;
        now_ms - file.opened_ms >= rolling.age_ms || now_ms - file.written_ms >= rolling.idle_ms
    }

    /// Closes the files that are old or idle or whose partition is complete; all with `all`.
    fn roll(&mut self, all: bool, now_ms: i64) -> Result<()> {
        let is_complete = |directory: &str| self.pending.as_ref().is_some_and(|p| p.is_complete(directory, now_ms));
        let is_due =
            |(directory, file): &(&String, &OpenFile)| all || self.is_due(file, now_ms) || is_complete(directory);
        let due: Vec<String> = self.open.iter().filter(is_due).map(|(directory, _)| directory.clone()).collect();
        due.iter().try_for_each(|directory| self.close(directory))
    }

    fn look_later(&mut self) {
        let now_ms = self.context.env.now_ms();
        self.next_look_ms.get_or_insert(now_ms + self.plan.rolling.check_ms);
    }

    /// Parts of all files that are on their way.
    fn parts_in_flight(&self) -> Result<usize> {
        if matches!(self.plan.root, Root::Local(_)) {
            return Ok(0);
        }
        let open = self.open.values().filter_map(|file| file.upload.as_ref());
        let closed = self.closed.iter().filter_map(|file| file.upload.as_ref().map(|upload| &upload.shared));
        open.chain(closed).map(|shared| shared.in_flight()).sum()
    }
}

impl SinkWriter for FileWriter {
    fn is_ready(&mut self) -> bool {
        // An upload that failed is told by the write that follows.
        !self.parts_in_flight().is_ok_and(|parts| parts >= PARTS_IN_FLIGHT_MAX)
    }

    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        self.parts_in_flight()?;
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

    fn watermark(&mut self, watermark: i64) -> Result<()> {
        if let Some(pending) = &mut self.pending {
            pending.watermark(watermark);
        }
        Ok(())
    }

    fn next_tick_ms(&self) -> Option<i64> {
        self.next_look_ms
    }

    fn tick(&mut self, now_ms: i64) -> Result<()> {
        if self.next_look_ms.is_some_and(|due_ms| due_ms <= now_ms) {
            self.next_look_ms = None;
            self.roll(false, now_ms)?;
            if !self.open.is_empty() {
                self.look_later();
            }
        }
        Ok(())
    }

    fn is_flushed(&mut self) -> Result<bool> {
        // A barrier or the end follows, either of which ends columnar files: their parts are sent now.
        let now_ms = self.context.env.now_ms();
        self.roll(self.plan.format.is_columnar(), now_ms)?;
        self.open.values_mut().try_for_each(OpenFile::drain)?;
        Ok(self.parts_in_flight()? == 0)
    }

    fn take_committables(&mut self, _checkpoint: u64, end: bool) -> Result<Vec<Committable>> {
        let now_ms = self.context.env.now_ms();
        self.roll(end || self.plan.format.is_columnar(), now_ms)?;
        let mut staged = self.closed.iter().map(|file| file.finish().map(Staged::File)).collect::<Result<Vec<_>>>()?;
        self.closed.clear();
        staged.extend(std::mem::take(&mut self.replaced).into_iter().map(Staged::Replaced));
        if let Some(pending) = &mut self.pending {
            staged.extend(pending.report(&self.plan, now_ms, end).map(Staged::Progress));
        }
        staged.iter().map(|piece| encode(piece).map(Committable)).collect()
    }

    fn snapshot(&mut self) -> Result<Vec<Vec<u8>>> {
        let files = self.open.values_mut().filter_map(|file| file.checkpoint().transpose());
        let mut states = files.map(|state| Ok(WriterState::Open(state?))).collect::<Result<Vec<_>>>()?;
        states.extend(self.pending.as_ref().and_then(Pending::snapshot).map(WriterState::Pending));
        states.iter().map(encode).collect()
    }
}

impl Drop for FileWriter {
    /// Deletes what no checkpoint knows of. A failure to delete leaves hidden files or incomplete uploads.
    fn drop(&mut self) {
        for file in self.open.values().filter(|file| !file.checkpointed) {
            remove(&file.staged);
            file.upload.iter().for_each(|upload| upload.abandon());
        }
        for file in self.closed.iter().filter(|file| !file.checkpointed) {
            remove(&file.staged);
            file.upload.iter().for_each(|upload| upload.shared.abandon());
        }
    }
}

fn remove(file: &StagedFile) {
    if let Content::Local { staged, .. } = &file.content {
        drop(std::fs::remove_file(staged));
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
