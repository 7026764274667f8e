//! Catalogs, databases, tables and views of a session.
//!
//! A table is kept as declared: expressions of computed columns and watermarks stay SQL text, with the
//! declaration as their source, and are bound when the table is used or described.

mod canonical;
mod layout;
mod like;
mod manager;
mod namespace;

pub use canonical::canonical_text;
pub use layout::query_text;
pub use like::{LikeRules, Strategy, merge as merge_like};
pub use manager::CatalogManager;
pub(crate) use manager::function_path;
pub use namespace::{Catalog, Database, GENERIC_IN_MEMORY, UserFunction};

use headwater_types::LogicalType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A fully qualified object path: catalog, database, object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ObjectPath(pub [String; 3]);

impl std::fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`.`{}`.`{}`", self.0[0], self.0[1], self.0[2])
    }
}

/// How a column gets its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ColumnKind {
    /// Stored by the connector.
    Physical,
    /// Computed from other columns on every read; never written.
    Computed {
        /// The expression as SQL text.
        expr: String,
    },
    /// Read from (and, unless virtual, written to) connector or format metadata.
    Metadata {
        /// Metadata key.
        key: String,
        /// Whether the column is left out of the sink schema.
        virtual_column: bool,
    },
}

/// A declared column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Name, case-sensitive.
    pub name: String,
    /// Declared type; for a computed column the type its expression was bound to.
    pub ty: LogicalType,
    /// Kind.
    pub kind: ColumnKind,
    /// COMMENT.
    pub comment: Option<String>,
}

/// `WATERMARK FOR column AS expr`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatermarkDefinition {
    /// The rowtime column.
    pub column: String,
    /// The watermark expression as SQL text.
    pub expr: String,
}

/// A table as declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Where it lives.
    pub path: ObjectPath,
    /// Columns in declared order.
    pub columns: Vec<Column>,
    /// The watermark, if declared.
    pub watermark: Option<WatermarkDefinition>,
    /// Primary key columns (NOT ENFORCED); empty without one.
    pub primary_key: Vec<String>,
    /// Name of the primary key constraint, if given.
    pub primary_key_name: Option<String>,
    /// PARTITIONED BY.
    pub partition_keys: Vec<String>,
    /// `DISTRIBUTED ...`, as SQL text.
    pub distribution: Option<String>,
    /// Partitions that were declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Partition>,
    /// WITH options.
    pub options: BTreeMap<String, String>,
    /// COMMENT.
    pub comment: Option<String>,
    /// Whether it lives for the session only.
    pub temporary: bool,
}

/// A model as declared.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// What it takes.
    pub inputs: Vec<Column>,
    /// What it gives.
    pub outputs: Vec<Column>,
    /// COMMENT.
    pub comment: Option<String>,
    /// WITH options.
    pub options: BTreeMap<String, String>,
}

/// A declared partition of a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Partition {
    /// The value of every partition key, in the order of the keys, as text.
    pub values: Vec<(String, String)>,
    /// WITH options.
    pub options: BTreeMap<String, String>,
}

/// A view as declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// Where it lives.
    pub path: ObjectPath,
    /// Output columns: names as declared or derived, types as bound at creation.
    pub columns: Vec<(String, LogicalType)>,
    /// The query as written.
    pub query: String,
    /// The query with all names written out, as SHOW CREATE VIEW shows it, where that is known.
    #[serde(default)]
    pub expanded: Option<String>,
    /// Catalog and database that were current at creation: unqualified names in `query` resolve there.
    pub defaults: [String; 2],
    /// COMMENT.
    pub comment: Option<String>,
    /// Whether it lives for the session only.
    pub temporary: bool,
}

impl Table {
    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Names of all columns, in order.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.name.as_str())
    }
}

/// Something a FROM clause can name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Relation {
    /// A table.
    Table(Table),
    /// A view.
    View(View),
}

impl Relation {
    /// Where it lives.
    pub fn path(&self) -> &ObjectPath {
        match self {
            Self::Table(table) => &table.path,
            Self::View(view) => &view.path,
        }
    }

    /// Whether it lives for the session only.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Table(table) => table.temporary,
            Self::View(view) => view.temporary,
        }
    }

    /// "table" or "view", for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Table(_) => "table",
            Self::View(_) => "view",
        }
    }
}
