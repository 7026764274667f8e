//! Tables as connectors see them.

use headwater_types::LogicalType;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A resolved table: what a connector needs to read or write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSpec {
    /// Catalog, database and table name.
    pub path: [String; 3],
    /// Physical columns in declared order: what format and connector read and write.
    pub columns: Vec<(String, LogicalType)>,
    /// Names of the partition columns, in order; a subset of `columns`.
    pub partition_keys: Vec<String>,
    /// Names of the primary-key columns; empty without a key.
    pub primary_key: Vec<String>,
    /// The WITH options, `connector` included, OPTIONS hints merged.
    pub options: BTreeMap<String, String>,
}

/// Where a column that a source produces comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnOrigin {
    /// The physical column at this position of [`TableSpec::columns`].
    Physical(usize),
    /// The metadata of this key.
    Metadata(String),
}

/// A column a source is asked to produce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducedColumn {
    /// Name of the column in the source's output.
    pub name: String,
    /// Where it comes from.
    pub origin: ColumnOrigin,
    /// Type to produce. For a physical ROW column it may hold only the nested fields that the query
    /// reads, matched by name: decoders skip the rest.
    pub ty: LogicalType,
}

/// A scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSpec {
    /// The table.
    pub table: TableSpec,
    /// The columns to produce, in order; may be empty (only the number of rows matters).
    pub produced: Vec<ProducedColumn>,
    /// Stop after about this many rows per reader, when a LIMIT was pushed down.
    pub limit: Option<u64>,
}

/// A column a sink is asked to write, after the physical columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenMetadata {
    /// Metadata key.
    pub key: String,
    /// Type of the column that carries it.
    pub ty: LogicalType,
}

/// A table write. The input row is the physical columns in declared order, then the metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkSpec {
    /// The table.
    pub table: TableSpec,
    /// Writable metadata columns, which follow the physical ones.
    pub metadata: Vec<WrittenMetadata>,
    /// Whether existing data is replaced (INSERT OVERWRITE).
    pub overwrite: bool,
    /// Positions of the columns named in the INSERT's column list; empty for all.
    pub target_columns: Vec<usize>,
}
