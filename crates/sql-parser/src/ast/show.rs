//! `SHOW` and `DESCRIBE`.

use super::{Ident, ObjectKind, ObjectName, PartitionSpec, StringLiteral};

/// `SHOW …`.
#[derive(Debug, Clone, PartialEq)]
pub enum Show {
    /// `SHOW CATALOGS [[NOT] LIKE|ILIKE '…']`
    Catalogs(Option<ShowFilter>),
    /// `SHOW CURRENT CATALOG`
    CurrentCatalog,
    /// `SHOW CURRENT DATABASE`
    CurrentDatabase,
    /// A list of objects in a catalog or database.
    Objects {
        /// What is listed.
        kind: ShowObjects,
        /// `FROM|IN name`.
        from: Option<ObjectName>,
        /// `[NOT] LIKE|ILIKE '…'`.
        filter: Option<ShowFilter>,
    },
    /// `SHOW [FULL] MODULES`
    Modules {
        /// Whether unused ones are listed.
        full: bool,
    },
    /// `SHOW COLUMNS FROM|IN table [[NOT] LIKE '…']`
    Columns {
        /// The table.
        table: ObjectName,
        /// `[NOT] LIKE '…'`.
        filter: Option<ShowFilter>,
    },
    /// `SHOW PARTITIONS table [PARTITION (…)]`
    Partitions {
        /// The table.
        table: ObjectName,
        /// The partitions to list.
        spec: Option<PartitionSpec>,
    },
    /// `SHOW CREATE kind name`
    Create {
        /// The kind of the object.
        kind: ObjectKind,
        /// `SHOW CREATE OR ALTER MATERIALIZED TABLE`.
        or_alter: bool,
        /// The object.
        name: ObjectName,
    },
    /// `SHOW JARS`
    Jars,
    /// `SHOW JOBS`
    Jobs,
}

/// What `SHOW … [FROM …] [LIKE …]` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShowObjects {
    /// `DATABASES`
    Databases,
    /// `TABLES`
    Tables,
    /// `VIEWS`
    Views,
    /// `MATERIALIZED TABLES`
    MaterializedTables,
    /// `FUNCTIONS`
    Functions,
    /// `USER FUNCTIONS`
    UserFunctions,
    /// `PROCEDURES`
    Procedures,
    /// `MODELS`
    Models,
    /// `CONNECTIONS`
    Connections,
}

/// `[NOT] LIKE|ILIKE 'pattern'`.
#[derive(Debug, Clone, PartialEq)]
pub struct ShowFilter {
    /// Whether `NOT` was written.
    pub negated: bool,
    /// Whether case is ignored (`ILIKE`).
    pub case_insensitive: bool,
    /// The SQL pattern.
    pub pattern: StringLiteral,
}

/// `DESCRIBE …`.
#[derive(Debug, Clone, PartialEq)]
pub enum Describe {
    /// `DESCRIBE [kind] [EXTENDED] name`; tables and views are [`ObjectKind::Table`].
    Object {
        /// The kind of the object.
        kind: ObjectKind,
        /// `EXTENDED`.
        extended: bool,
        /// The object.
        name: ObjectName,
    },
    /// `DESCRIBE JOB 'id'`
    Job(StringLiteral),
}

/// `USE …`.
#[derive(Debug, Clone, PartialEq)]
pub enum Use {
    /// `USE CATALOG name`
    Catalog(Ident),
    /// `USE [catalog.]database`
    Database(ObjectName),
    /// `USE MODULES a, b`
    Modules(Vec<Ident>),
}
