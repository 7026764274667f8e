//! `CREATE TABLE` and what it is made of.

use super::{DataType, Expr, Ident, IntervalLiteral, ObjectName, Query, SqlOption, StringLiteral};
use crate::Span;

/// `CREATE`, `REPLACE` or `CREATE OR REPLACE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateMode {
    /// `CREATE`
    Create,
    /// `REPLACE`: the object must exist
    Replace,
    /// `CREATE OR REPLACE`
    CreateOrReplace,
}

/// `CREATE TABLE`, with `LIKE` or `AS query`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateTable {
    /// Whether an existing table is replaced.
    pub mode: CreateMode,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The table name.
    pub name: ObjectName,
    /// Columns, watermarks and constraints; empty when no list was written.
    pub schema: TableSchema,
    /// `COMMENT '…'`.
    pub comment: Option<StringLiteral>,
    /// `DISTRIBUTED …`.
    pub distribution: Option<Distribution>,
    /// `PARTITIONED BY (…)`.
    pub partitioned_by: Vec<Ident>,
    /// `USING CONNECTION name`.
    pub connection: Option<ObjectName>,
    /// `WITH (…)`.
    pub options: Vec<SqlOption>,
    /// `LIKE table (…)`.
    pub like: Option<TableLike>,
    /// `AS query`.
    pub query: Option<Query>,
}

/// What stands in the parentheses behind a table name.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TableSchema {
    /// Columns in order.
    pub columns: Vec<ColumnDef>,
    /// Watermarks; more than one is an error of the binder.
    pub watermarks: Vec<WatermarkDef>,
    /// Table constraints.
    pub constraints: Vec<TableConstraint>,
}

impl TableSchema {
    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty() && self.watermarks.is_empty() && self.constraints.is_empty()
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDef {
    /// The name.
    pub name: Ident,
    /// Physical, metadata or computed.
    pub kind: ColumnKind,
    /// `COMMENT '…'`.
    pub comment: Option<StringLiteral>,
    /// Where it stands.
    pub span: Span,
}

/// The kinds of columns.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnKind {
    /// `name type [constraint]`
    Physical {
        /// The type.
        data_type: DataType,
        /// A constraint written at the column; its `columns` are empty.
        constraint: Option<TableConstraint>,
    },
    /// `name type METADATA [FROM 'key'] [VIRTUAL]`
    Metadata {
        /// The type.
        data_type: DataType,
        /// The metadata key; the column name when absent.
        key: Option<StringLiteral>,
        /// Whether it is read only.
        is_virtual: bool,
    },
    /// `name AS expr`
    Computed(Expr),
    /// `name` alone: reorders the columns of `CREATE TABLE … AS query`.
    NameOnly,
}

/// `WATERMARK FOR column AS expr`.
#[derive(Debug, Clone, PartialEq)]
pub struct WatermarkDef {
    /// The time attribute.
    pub column: ObjectName,
    /// The watermark per row.
    pub expr: Expr,
    /// Where it stands.
    pub span: Span,
}

/// `[CONSTRAINT name] PRIMARY KEY|UNIQUE (columns) [[NOT] ENFORCED]`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableConstraint {
    /// The name.
    pub name: Option<Ident>,
    /// Primary or unique key.
    pub kind: ConstraintKind,
    /// The columns; empty at a column.
    pub columns: Vec<Ident>,
    /// `ENFORCED` (true), `NOT ENFORCED` (false) or nothing.
    pub enforced: Option<bool>,
    /// Where it stands.
    pub span: Span,
}

/// Kinds of constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    /// `PRIMARY KEY`
    PrimaryKey,
    /// `UNIQUE`
    Unique,
}

/// `DISTRIBUTED BY [HASH|RANGE] (columns) [INTO n BUCKETS]`, `DISTRIBUTED INTO n BUCKETS`.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// `HASH` or `RANGE`.
    pub kind: Option<DistributionKind>,
    /// The bucket keys; empty without `BY`.
    pub columns: Vec<Ident>,
    /// The number of buckets.
    pub buckets: Option<u32>,
    /// Where it stands.
    pub span: Span,
}

/// How rows are assigned to buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DistributionKind {
    /// `HASH`
    Hash,
    /// `RANGE`
    Range,
}

/// `LIKE table [(options)]`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableLike {
    /// The table to copy from.
    pub source: ObjectName,
    /// What is copied how, in order.
    pub options: Vec<LikeOption>,
}

/// `INCLUDING|EXCLUDING|OVERWRITING feature`.
#[derive(Debug, Clone, PartialEq)]
pub struct LikeOption {
    /// How it is merged.
    pub strategy: LikeStrategy,
    /// What is merged.
    pub feature: LikeFeature,
    /// Where it stands.
    pub span: Span,
}

/// Merge strategies of `LIKE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LikeStrategy {
    /// `INCLUDING`
    Including,
    /// `EXCLUDING`
    Excluding,
    /// `OVERWRITING`
    Overwriting,
}

/// What `LIKE` can merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LikeFeature {
    /// `ALL`
    All,
    /// `CONSTRAINTS`
    Constraints,
    /// `DISTRIBUTION`
    Distribution,
    /// `GENERATED`
    Generated,
    /// `METADATA`
    Metadata,
    /// `OPTIONS`
    Options,
    /// `PARTITIONS`
    Partitions,
    /// `WATERMARKS`
    Watermarks,
}

/// `CREATE [OR ALTER] MATERIALIZED TABLE … AS query`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateMaterializedTable {
    /// `OR ALTER`.
    pub or_alter: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The table name.
    pub name: ObjectName,
    /// Columns, watermarks and constraints; empty when no list was written.
    pub schema: TableSchema,
    /// `COMMENT '…'`.
    pub comment: Option<StringLiteral>,
    /// `DISTRIBUTED …`.
    pub distribution: Option<Distribution>,
    /// `PARTITIONED BY (…)`.
    pub partitioned_by: Vec<Ident>,
    /// `WITH (…)`.
    pub options: Vec<SqlOption>,
    /// `START_MODE = …`.
    pub start_mode: Option<StartMode>,
    /// `FRESHNESS = INTERVAL …`.
    pub freshness: Option<IntervalLiteral>,
    /// `REFRESH_MODE = …`.
    pub refresh_mode: Option<RefreshMode>,
    /// `AS query`.
    pub query: Query,
}

/// How a materialized table is refreshed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshMode {
    /// `CONTINUOUS`
    Continuous,
    /// `FULL`
    Full,
}

/// From where a materialized table processes its sources: `FROM_NOW(INTERVAL '1' DAY)`.
#[derive(Debug, Clone, PartialEq)]
pub struct StartMode {
    /// `FROM_BEGINNING`, `FROM_NOW`, `FROM_TIMESTAMP`, `RESUME_OR_FROM_BEGINNING`, ….
    pub name: Ident,
    /// The interval or timestamp in parentheses.
    pub argument: Option<Expr>,
}
