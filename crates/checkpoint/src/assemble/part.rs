//! What a subtask hands over for a checkpoint, once its bytes are in storage.

use crate::manifest::{Blob, Channel, Run, redistribution};
use headwater_state::{Redistribution, TableDescriptor};
use serde::{Deserialize, Serialize};

/// The part of one subtask.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SubtaskPart {
    /// The subtask had processed all of its input; only `writer` and `committables` are filled.
    pub finished: bool,
    /// Remaining splits of its reader.
    pub splits: Vec<Blob>,
    /// State of its operators.
    pub operators: Vec<OperatorPart>,
    /// State of its sink writer.
    pub writer: Vec<Blob>,
    /// What its sink writer staged, by the checkpoint it was staged for, in rising order.
    pub committables: Vec<(u64, Vec<Blob>)>,
    /// Rows that the barrier overtook.
    pub channels: Vec<Channel>,
}

/// The state of one operator of a subtask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OperatorPart {
    /// Its uid.
    pub uid: String,
    /// The watermark it had emitted.
    pub watermark: i64,
    /// Its tables.
    pub tables: Vec<TablePart>,
    /// Its lists.
    pub lists: Vec<ListPart>,
}

/// What changed in a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TablePart {
    /// The table.
    #[serde(with = "crate::manifest::descriptor")]
    pub descriptor: TableDescriptor,
    /// The runs since the last checkpoint that the subtask knows to be complete, oldest first.
    pub runs: Vec<Run>,
    /// Whether the runs are all there is: nothing of an earlier checkpoint counts any more.
    pub replaces: bool,
}

/// A whole list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListPart {
    /// Its name within the operator.
    pub name: String,
    /// How it is spread after a restore.
    #[serde(with = "redistribution")]
    pub redistribution: Redistribution,
    /// Its items.
    pub items: Vec<Blob>,
}
