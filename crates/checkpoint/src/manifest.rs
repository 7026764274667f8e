//! The manifest of a checkpoint: everything a job needs to start from it.
//!
//! The file, version 1:
//!
//! ```text
//! manifest := "headwater-checkpoint " version "\n" json "\n" "xxh3:" hex16 "\n"
//! ```
//!
//! The JSON is [`Manifest`]; the checksum covers everything before its own line. Files that the manifest names are
//! relative to its root: the job's directory for checkpoints (`chk-7/_metadata` names `shared/..`), the
//! savepoint's own directory for savepoints, so that both can be moved as a whole.
//!
//! Keyed state of a table is a list of [`Run`]s. Read in order, each restricted to its groups, a later run's entry
//! replaces an earlier one of the same key, and a deletion removes it. A base has no deletions and replaces
//! everything before it in its groups; [`crate::assemble`] takes those groups away from earlier runs, so that
//! readers need not know.

mod codec;

pub use codec::{FORMAT_VERSION, decode, encode};

use crate::encoding::{base64_bytes, hex_u64, job_id};
use crate::groups::GroupSet;
use headwater_state::{Redistribution, TableDescriptor};
use headwater_types::ids::JobId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A completed checkpoint or savepoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The job that took it.
    #[serde(with = "job_id")]
    pub job: JobId,
    /// Display name of the job.
    pub job_name: String,
    /// Its number.
    pub checkpoint: u64,
    /// Whether it is a savepoint: self-contained, never deleted by the job.
    pub savepoint: bool,
    /// When it was triggered, milliseconds since the epoch.
    pub triggered_ms: i64,
    /// When the last subtask had handed over its part.
    pub completed_ms: i64,
    /// Number of key groups.
    pub max_parallelism: u32,
    /// The vertices of the graph.
    pub vertices: Vec<VertexState>,
    /// State by operator, in plan order.
    pub operators: Vec<OperatorState>,
}

/// A vertex at the time of the checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VertexState {
    /// Display name.
    pub name: String,
    /// Number of subtasks.
    pub parallelism: u32,
    /// Keys of its operators, head first: uids, made unique by [`crate::layout::operator_keys`].
    pub operators: Vec<String>,
    /// Subtasks that had processed all of their input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub finished: Vec<u32>,
    /// Rows that barriers overtook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
}

/// Rows that were on their way to a subtask when a barrier overtook them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Index of the subtask they were on their way to.
    pub subtask: u32,
    /// Index of the edge in the job graph.
    pub edge: u32,
    /// How the edge spreads rows.
    pub spread: Spread,
    /// The rows.
    pub rows: Blob,
}

/// How an edge spreads rows over its consumers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spread {
    /// By key group: a consumer may be given the rows of others, which it skips.
    Hash,
    /// Every row to every consumer.
    Broadcast,
    /// Every row to some consumer.
    Any,
}

impl VertexState {
    /// Whether all subtasks had processed all of their input.
    pub fn is_finished(&self) -> bool {
        self.finished.len() as u64 == u64::from(self.parallelism)
    }
}

/// The state of one operator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperatorState {
    /// Key of the operator: its uid.
    pub key: String,
    /// Display name.
    pub name: String,
    /// Keyed tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<TableState>,
    /// Lists that belong to no key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<ListState>,
    /// Remaining splits of the readers, by subtask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub splits: Vec<SubtaskBlobs>,
    /// State of the split enumerator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enumerator: Option<Blob>,
    /// State of the sink writers, by subtask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writers: Vec<SubtaskBlobs>,
    /// What the checkpoint commits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub committables: Vec<Committables>,
    /// Lowest watermark that the operator's subtasks had emitted.
    #[serde(default = "no_watermark")]
    pub watermark: i64,
}

fn no_watermark() -> i64 {
    headwater_types::MIN_WATERMARK
}

/// What a sink subtask staged for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Committables {
    /// The checkpoint it was staged for: this one, or an earlier one that did not complete.
    pub checkpoint: u64,
    /// Index of the subtask.
    pub subtask: u32,
    /// The committables, encoded by the connector.
    pub items: Vec<Blob>,
}

impl OperatorState {
    /// Whether there is nothing to restore.
    pub fn is_stateless(&self) -> bool {
        let stores_nothing = |tables: &[TableState]| tables.iter().all(|table| table.runs.is_empty());
        stores_nothing(&self.tables)
            && self.lists.iter().all(|list| list.parts.iter().all(|part| part.items.is_empty()))
            && self.splits.iter().all(|part| part.items.is_empty())
            && self.enumerator.is_none()
            && self.writers.iter().all(|part| part.items.is_empty())
            && self.committables.iter().all(|part| part.items.is_empty())
    }
}

/// A keyed table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableState {
    /// Its name, kind and columns.
    #[serde(with = "descriptor")]
    pub descriptor: TableDescriptor,
    /// Its runs, oldest first.
    pub runs: Vec<Run>,
}

impl TableState {
    /// Bytes of its runs.
    pub fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.place.bytes).sum()
    }

    /// Entries of its runs; an upper bound of the entries of the table.
    pub fn entries(&self) -> u64 {
        self.runs.iter().map(|run| run.entries).sum()
    }
}

/// Part of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file, relative to the manifest's root.
    pub file: String,
    /// Where in the file.
    pub offset: u64,
    /// How long.
    pub bytes: u64,
    /// xxh3 of these bytes.
    #[serde(with = "hex_u64")]
    pub checksum: u64,
}

/// Whether a run stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunKind {
    /// All entries of its groups.
    Base,
    /// The entries that changed, deletions among them.
    Delta,
}

/// A run of entries of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Whether it stands alone.
    pub kind: RunKind,
    /// The checkpoint whose changes it holds; of a base, the checkpoint whose state it is.
    pub checkpoint: u64,
    /// The groups it counts for. The file may hold entries of others, which are not to be read.
    pub groups: GroupSet,
    /// Number of entries.
    pub entries: u64,
    /// Entries that the table had in these groups when the run was taken, where that was known.
    #[serde(default)]
    pub live: Option<u64>,
    /// Where it is.
    pub place: Place,
}

/// A list that belongs to no key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListState {
    /// Its name within the operator.
    pub name: String,
    /// How it is spread after a restore.
    #[serde(with = "redistribution")]
    pub redistribution: Redistribution,
    /// Its items, by subtask.
    pub parts: Vec<SubtaskBlobs>,
}

/// Opaque values of one subtask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtaskBlobs {
    /// Index of the subtask.
    pub subtask: u32,
    /// The values.
    pub items: Vec<Blob>,
}

/// An opaque value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blob {
    /// Small: right here.
    Inline(#[serde(with = "base64_bytes")] Vec<u8>),
    /// Large: in a file.
    Stored(Place),
}

impl Blob {
    /// Its size.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::Stored(place) => place.bytes,
        }
    }

    fn rename_file(&mut self, f: &mut impl FnMut(&str) -> String) {
        if let Self::Stored(place) = self {
            place.file = f(&place.file);
        }
    }

    /// Where it is, unless it is right here.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Inline(_) => None,
            Self::Stored(place) => Some(place),
        }
    }
}

impl Manifest {
    /// The operator of this key.
    pub fn operator(&self, key: &str) -> Option<&OperatorState> {
        self.operators.iter().find(|operator| operator.key == key)
    }

    /// All places the manifest names.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        let channels = self.vertices.iter().flat_map(|vertex| &vertex.channels).map(|channel| &channel.rows);
        let of_operators = self.operators.iter().flat_map(OperatorState::places);
        channels.filter_map(Blob::place).chain(of_operators)
    }

    /// All files the manifest names.
    pub fn files(&self) -> BTreeSet<&str> {
        self.places().map(|place| place.file.as_str()).collect()
    }

    /// Bytes of all state.
    pub fn state_bytes(&self) -> u64 {
        self.places().map(|place| place.bytes).sum()
    }

    /// Applies `f` to the file of every place.
    pub fn rename_files(&mut self, mut f: impl FnMut(&str) -> String) {
        for vertex in &mut self.vertices {
            vertex.channels.iter_mut().for_each(|channel| channel.rows.rename_file(&mut f));
        }
        for operator in &mut self.operators {
            operator.rename_files(&mut f);
        }
    }
}

impl OperatorState {
    /// All places of the operator's state.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        let lists = self.lists.iter().flat_map(|list| &list.parts);
        let parts = lists.chain(&self.splits).chain(&self.writers).flat_map(|part| &part.items);
        let blobs = parts.chain(self.committables.iter().flat_map(|part| &part.items)).chain(&self.enumerator);
        let runs = self.tables.iter().flat_map(|table| &table.runs).map(|run| &run.place);
        runs.chain(blobs.filter_map(Blob::place))
    }

    fn rename_files(&mut self, f: &mut impl FnMut(&str) -> String) {
        for run in self.tables.iter_mut().flat_map(|table| &mut table.runs) {
            run.place.file = f(&run.place.file);
        }
        let lists = self.lists.iter_mut().flat_map(|list| &mut list.parts);
        for part in lists.chain(&mut self.splits).chain(&mut self.writers) {
            part.rename_files(f);
        }
        for item in self.committables.iter_mut().flat_map(|part| &mut part.items).chain(&mut self.enumerator) {
            item.rename_file(f);
        }
    }
}

impl SubtaskBlobs {
    fn rename_files(&mut self, f: &mut impl FnMut(&str) -> String) {
        self.items.iter_mut().for_each(|item| item.rename_file(f));
    }
}

/// The checksum of stored bytes.
pub fn checksum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// The [`checksum`] of bytes that come in parts.
#[derive(Default)]
pub struct Checksum(xxhash_rust::xxh3::Xxh3);

impl Checksum {
    /// Adds a part.
    pub fn update(&mut self, part: &[u8]) {
        self.0.update(part);
    }

    /// The checksum of all parts so far.
    pub fn value(&self) -> u64 {
        self.0.digest()
    }
}

/// A table's descriptor, which leaves fields out that have their defaults: in formats that do not name fields, as text.
pub(crate) mod descriptor {
    use headwater_state::TableDescriptor;
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(value: &TableDescriptor, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return value.serialize(serializer);
        }
        serializer.serialize_str(&serde_json::to_string(value).map_err(S::Error::custom)?)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TableDescriptor, D::Error> {
        if deserializer.is_human_readable() {
            return TableDescriptor::deserialize(deserializer);
        }
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// [`Redistribution`] by name.
pub(crate) mod redistribution {
    use headwater_state::Redistribution;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    const NAMES: [(Redistribution, &str); 3] =
        [(Redistribution::Split, "split"), (Redistribution::Union, "union"), (Redistribution::Broadcast, "broadcast")];

    pub(crate) fn serialize<S: Serializer>(value: &Redistribution, serializer: S) -> Result<S::Ok, S::Error> {
        let name = NAMES.iter().find(|(known, _)| known == value).map_or("split", |(_, name)| name);
        serializer.serialize_str(name)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Redistribution, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = NAMES.iter().find(|(_, name)| *name == text).map(|(value, _)| *value);
        known.ok_or_else(|| D::Error::custom(format_args!("unknown redistribution '{text}'")))
    }
}
