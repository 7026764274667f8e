//! The lineage of one job.
//!
//! ```text
//! JobLineage
//!   inputs   Input { dataset }                        tables that are read, each once
//!   outputs  Output { dataset, inputs,                which of them reach this table
//!                     columns: name -> [Source],      what a column's value is made of
//!                     rows: [Source] }                what decides which rows there are
//! Source { input, column, transformations }
//! ```
//!
//! A column that nothing of an input goes into (a literal, the time of day) has no sources and is not listed. The lineage
//! travels with the job as JSON; it holds no secrets and no data of rows, only the job's text.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Longest description of a transformation, in characters.
const DESCRIPTION_MAX: usize = 200;

/// What a job reads and writes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct JobLineage {
    /// Display name of the job.
    pub name: String,
    /// Whether it runs until somebody stops it.
    pub streaming: bool,
    /// The statements, if they may be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// The tables it reads.
    pub inputs: Vec<Input>,
    /// The tables it writes.
    pub outputs: Vec<Output>,
}

/// The name of a dataset in the world: OpenLineage's namespace and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DatasetId {
    /// Where it lives, such as `kafka://host:9092`.
    pub namespace: String,
    /// Its name there.
    pub name: String,
}

impl fmt::Display for DatasetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.namespace, self.name)
    }
}

/// A table of a job.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// What it is in the world; several where a table is made of several topics, none where a pattern finds them
    /// only while the job runs.
    pub ids: Vec<DatasetId>,
    /// Catalog, database and name of the table.
    pub table: [String; 3],
    /// Its connector.
    pub connector: String,
    /// Its format, if the connector has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Its stored columns.
    pub columns: Vec<Column>,
    /// COMMENT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Its options, without secrets.
    pub options: BTreeMap<String, String>,
}

impl Dataset {
    /// The table as it is written.
    pub fn path(&self) -> String {
        self.table.join(".")
    }

    /// Its name for people: the first dataset, or the table where none is known yet.
    pub fn title(&self) -> String {
        self.ids.first().map_or_else(|| self.path(), ToString::to_string)
    }
}

/// A column of a table, or a field of a ROW.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as SQL writes it.
    #[serde(rename = "type")]
    pub ty: String,
    /// COMMENT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Fields of a ROW.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Column>,
}

/// A table that is read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The table.
    pub dataset: Dataset,
    /// Whether it ends.
    pub bounded: bool,
    /// Whether single rows are asked for, by key, as of the time of other rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lookup: bool,
}

/// A table that is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// The table.
    pub dataset: Dataset,
    /// Whether what was there is replaced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrite: bool,
    /// Whether rows are updated or deleted, not only added.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub updates: bool,
    /// Positions of the inputs whose rows reach it.
    pub inputs: BTreeSet<usize>,
    /// What the value of each column is made of.
    pub columns: BTreeMap<String, Vec<Source>>,
    /// What decides which rows there are, and in which order.
    pub rows: Vec<Source>,
}

/// A column of an input, and what is done with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Position of the input.
    pub input: usize,
    /// The column.
    pub column: String,
    /// What is done with it; in order, each once.
    pub transformations: Vec<Transformation>,
}

/// What is done with a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Transformation {
    /// What.
    pub kind: Kind,
    /// Whether the result does not show the value.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masking: bool,
    /// The expression; empty for an identity.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

impl Transformation {
    /// A transformation; a long description is cut.
    pub fn new(kind: Kind, masking: bool, description: &str) -> Self {
        let mut description = description.to_owned();
        if let Some((cut, _)) = description.char_indices().nth(DESCRIPTION_MAX) {
            description.truncate(cut);
            description.push_str("...");
        }
        Self { kind, masking, description }
    }

    /// The value as it is.
    pub fn identity() -> Self {
        Self::new(Kind::Identity, false, "")
    }
}

/// Kinds of transformations. Direct ones say what a value is made of, indirect ones what it depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    /// The value as it is.
    Identity,
    /// A function of it.
    Transformation,
    /// An aggregate of it.
    Aggregation,
    /// It decides which value is taken.
    Conditional,
    /// It decides whether a row is there.
    Filter,
    /// It decides which rows belong together.
    Join,
    /// It decides which rows are aggregated.
    GroupBy,
    /// It decides in which order rows are.
    Sort,
    /// It decides which rows a window holds.
    Window,
}

impl Kind {
    /// Whether the value goes into the result.
    pub fn is_direct(self) -> bool {
        matches!(self, Self::Identity | Self::Transformation | Self::Aggregation)
    }

    /// The word in events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY",
            Self::Transformation => "TRANSFORMATION",
            Self::Aggregation => "AGGREGATION",
            Self::Conditional => "CONDITIONAL",
            Self::Filter => "FILTER",
            Self::Join => "JOIN",
            Self::GroupBy => "GROUP_BY",
            Self::Sort => "SORT",
            Self::Window => "WINDOW",
        }
    }
}

impl JobLineage {
    /// The same for jobs that read, compute and write the same: a hash of all but names and text.
    pub fn version(&self) -> String {
        let compared = (self.streaming, &self.inputs, &self.outputs);
        let text = serde_json::to_vec(&compared).unwrap_or_default();
        format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&text))
    }

    /// As it travels with a job.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What [`JobLineage::to_json`] wrote.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}
