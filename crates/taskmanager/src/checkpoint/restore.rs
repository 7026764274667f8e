//! What subtasks start with after a restore.

use super::{channels, merge, read_place};
use crate::local::{JobCopies, Verified};
use crate::messages::Restore;
use headwater_checkpoint::SubtaskRestore;
use headwater_checkpoint::manifest::{Blob, Channel, TableState};
use headwater_checkpoint::restore::{ListRestore, OperatorRestore};
use headwater_connector_api::Split;
use headwater_data::run::Merge;
use headwater_env::Storage;
use headwater_runtime::checkpoint::{ChannelState, RestoredOperator};
use headwater_runtime::{CheckpointMemory, RestoreSource, RestoredSubtask};
use headwater_state::memory::{Account, MemoryLease};
use headwater_state::{ListSnapshot, Restored, RestoredRun, RestoredTable};
use headwater_types::ids::SubtaskId;
use headwater_types::{ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A checkpoint in storage.
pub(crate) struct Source {
    checkpoint: u64,
    storage: Arc<dyn Storage>,
    /// What there is of its files on the local disk.
    copies: Option<JobCopies>,
    subtasks: BTreeMap<SubtaskId, SubtaskRestore>,
    advice: String,
    now_ms: i64,
    memory: RestoreMemory,
}

/// Memory for reading what an operator starts with.
#[derive(Clone)]
struct RestoreMemory {
    bytes: u64,
    lease: Arc<MemoryLease>,
}

impl Source {
    /// The checkpoint of a message, whose files are in `storage`. Its subtasks read it within `memory`.
    pub(crate) fn new(
        restore: Restore,
        storage: Arc<dyn Storage>,
        copies: Option<JobCopies>,
        memory: &CheckpointMemory,
        now_ms: i64,
    ) -> Self {
        let Restore { checkpoint, subtasks, advice, .. } = restore;
        let bytes = memory.merges.limit_bytes() / subtasks.len().max(1) as u64;
        let memory = RestoreMemory { bytes, lease: Arc::new(memory.budget.lease(u64::MAX)) };
        Self { checkpoint, storage, copies, subtasks: subtasks.into_iter().collect(), advice, now_ms, memory }
    }

    fn restored(&self, restore: &SubtaskRestore) -> Result<RestoredSubtask> {
        let storage: Arc<dyn Storage> = match &self.copies {
            Some(copies) => Arc::new(Verified::new(self.storage.clone(), copies, restore)),
            None => self.storage.clone(),
        };
        let mut operators = BTreeMap::new();
        for operator in &restore.operators {
            operators.insert(operator.uid.clone(), self.operator(operator, &storage)?);
        }
        let channels = restore.channels.iter().map(|channel| channel_state(&storage, channel));
        Ok(RestoredSubtask {
            finished: restore.finished,
            splits: blobs(&storage, &restore.splits)?.into_iter().map(Split).collect(),
            operators,
            writer: blobs(&storage, &restore.writer)?,
            channel_state: channels.collect::<Result<_>>()?,
        })
    }

    fn operator(&self, operator: &OperatorRestore, storage: &Arc<dyn Storage>) -> Result<RestoredOperator> {
        let tables = operator.tables.iter().map(|table| (table.descriptor.name.clone(), table.clone()));
        let mut lists = BTreeMap::new();
        for list in &operator.lists {
            lists.insert(list.name.clone(), list_snapshot(storage, list)?);
        }
        let state = RestoredState {
            storage: storage.clone(),
            tables: tables.collect(),
            lists,
            advice: self.advice.clone(),
            now_ms: self.now_ms,
            memory: self.memory.clone(),
        };
        Ok(RestoredOperator { state: Arc::new(state), watermark: operator.watermark })
    }
}

fn channel_state(storage: &Arc<dyn Storage>, channel: &Channel) -> Result<ChannelState> {
    let batches = channels::decode(&blob(storage, &channel.rows)?)?;
    Ok(ChannelState { edge: channel.edge, batches })
}

impl RestoreSource for Source {
    fn checkpoint(&self) -> u64 {
        self.checkpoint
    }

    fn subtask(&self, subtask: SubtaskId) -> Result<RestoredSubtask> {
        match self.subtasks.get(&subtask) {
            Some(restore) => self.restored(restore).map_err(|error| advise(error, &self.advice)),
            None => Ok(RestoredSubtask::default()),
        }
    }
}

/// Damaged files are named by whoever read them; this adds what to do.
fn advise(error: headwater_types::Error, advice: &str) -> headwater_types::Error {
    if error.kind() != ErrorKind::Corruption || advice.is_empty() {
        return error;
    }
    let message = format!("{}; {advice}", error.message());
    headwater_types::Error::new(error.kind(), error.code(), message)
}

fn list_snapshot(storage: &Arc<dyn Storage>, list: &ListRestore) -> Result<ListSnapshot> {
    let items = blobs(storage, &list.items)?;
    Ok(ListSnapshot { name: list.name.clone(), redistribution: list.redistribution, items })
}

fn blobs(storage: &Arc<dyn Storage>, blobs: &[Blob]) -> Result<Vec<Vec<u8>>> {
    blobs.iter().map(|item| blob(storage, item)).collect()
}

fn blob(storage: &Arc<dyn Storage>, blob: &Blob) -> Result<Vec<u8>> {
    match blob {
        Blob::Inline(bytes) => Ok(bytes.clone()),
        Blob::Stored(place) => read_place(storage.as_ref(), place),
    }
}

/// The state of an operator instance, read when it is opened.
struct RestoredState {
    storage: Arc<dyn Storage>,
    tables: BTreeMap<String, TableState>,
    lists: BTreeMap<String, ListSnapshot>,
    advice: String,
    now_ms: i64,
    memory: RestoreMemory,
}

impl RestoredState {
    fn open(&self, table: &TableState) -> Result<RestoredTable> {
        let (mut streams, mut counted) = (vec![], Account::new(self.memory.lease.clone()));
        let reading = merge::reading_bytes(&table.runs, self.memory.bytes);
        counted.set(usize::try_from(reading.iter().sum::<u64>()).unwrap_or(usize::MAX));
        for (run, bytes) in table.runs.iter().zip(reading) {
            streams.push(merge::open(&self.storage, run, bytes)?.read(&table.descriptor, self.now_ms)?);
        }
        let entries = Advised { stream: Merge::live(streams), advice: self.advice.clone(), _counted: counted };
        Ok(RestoredTable { descriptor: table.descriptor.clone(), entries: Box::new(entries) })
    }
}

impl Restored for RestoredState {
    fn table(&self, name: &str) -> Result<Option<RestoredTable>> {
        let Some(table) = self.tables.get(name) else { return Ok(None) };
        self.open(table).map(Some).map_err(|error| advise(error, &self.advice))
    }

    fn runs(&self, name: &str) -> Result<Option<Vec<RestoredRun>>> {
        let Some(table) = self.tables.get(name) else { return Ok(None) };
        // They are read one after the other.
        let open = |run| Ok(merge::open(&self.storage, run, self.memory.bytes)?.in_place(&self.advice));
        let runs = table.runs.iter().map(open).collect::<Result<_>>();
        runs.map(Some).map_err(|error| advise(error, &self.advice))
    }

    fn list(&self, name: &str) -> Result<Vec<ListSnapshot>> {
        Ok(self.lists.get(name).cloned().into_iter().collect())
    }

    fn is_restored(&self) -> bool {
        true
    }
}

/// A stream whose errors say what to do.
struct Advised<S> {
    stream: S,
    advice: String,
    /// The memory of reading it.
    _counted: Account,
}

impl<S: headwater_data::run::EntryStream> headwater_data::run::EntryStream for Advised<S> {
    fn advance(&mut self) -> Result<bool> {
        self.stream.advance().map_err(|error| advise(error, &self.advice))
    }

    fn entry(&self) -> headwater_data::run::EntryRef<'_> {
        self.stream.entry()
    }
}
