//! `ALTER` statements.

use super::{
    ColumnDef, Distribution, Expr, FunctionLanguage, Ident, ObjectName, ObjectScope, Query, SqlOption, StringLiteral,
    TableConstraint, WatermarkDef,
};

/// `ALTER …`.
#[derive(Debug, Clone, PartialEq)]
pub enum Alter {
    /// `ALTER TABLE [IF EXISTS] name action`
    Table {
        /// `IF EXISTS`.
        if_exists: bool,
        /// The table.
        name: ObjectName,
        /// What changes.
        action: AlterTableAction,
    },
    /// `ALTER MATERIALIZED TABLE name action`
    MaterializedTable {
        /// The table.
        name: ObjectName,
        /// What changes.
        action: AlterMaterializedTableAction,
    },
    /// `ALTER VIEW name RENAME TO name`
    RenameView {
        /// The view.
        name: ObjectName,
        /// The new name.
        to: ObjectName,
    },
    /// `ALTER VIEW name AS query`
    ViewQuery {
        /// The view.
        name: ObjectName,
        /// The new query.
        query: Box<Query>,
    },
    /// `ALTER DATABASE name SET (…)`
    Database {
        /// The database.
        name: ObjectName,
        /// The options to set.
        options: Vec<SqlOption>,
    },
    /// `ALTER CATALOG name action`
    Catalog {
        /// The catalog.
        name: Ident,
        /// What changes.
        action: AlterOptions,
    },
    /// `ALTER FUNCTION [IF EXISTS] name AS '…'`
    Function {
        /// Which function of the name.
        scope: ObjectScope,
        /// `IF EXISTS`.
        if_exists: bool,
        /// The function.
        name: ObjectName,
        /// Class or entry point.
        identifier: StringLiteral,
        /// The language, when written.
        language: Option<FunctionLanguage>,
    },
    /// `ALTER MODEL [IF EXISTS] name action`
    Model {
        /// `IF EXISTS`.
        if_exists: bool,
        /// The model.
        name: ObjectName,
        /// What changes.
        action: AlterOptions,
    },
    /// `ALTER CONNECTION [IF EXISTS] name action`
    Connection {
        /// `IF EXISTS`.
        if_exists: bool,
        /// The connection.
        name: ObjectName,
        /// What changes.
        action: AlterOptions,
    },
}

/// Changes of objects that are a name and options.
#[derive(Debug, Clone, PartialEq)]
pub enum AlterOptions {
    /// `SET ('k' = 'v', …)`
    Set(Vec<SqlOption>),
    /// `RESET ('k', …)`
    Reset(Vec<StringLiteral>),
    /// `COMMENT '…'`
    Comment(StringLiteral),
    /// `RENAME TO name`
    Rename(ObjectName),
}

/// What `ALTER TABLE` changes.
#[derive(Debug, Clone, PartialEq)]
pub enum AlterTableAction {
    /// `RENAME TO name`
    Rename(ObjectName),
    /// `RENAME old TO new`
    RenameColumn {
        /// The column, possibly nested.
        from: ObjectName,
        /// Its new name.
        to: Ident,
    },
    /// `SET ('k' = 'v', …)`
    SetOptions(Vec<SqlOption>),
    /// `RESET ('k', …)`
    ResetOptions(Vec<StringLiteral>),
    /// `ADD element` or `ADD (element, …)`
    Add(Vec<SchemaElement>),
    /// `MODIFY element` or `MODIFY (element, …)`
    Modify(Vec<SchemaElement>),
    /// `DROP column` or `DROP (column, …)`
    DropColumns(Vec<ObjectName>),
    /// `DROP PRIMARY KEY`
    DropPrimaryKey,
    /// `DROP CONSTRAINT name`
    DropConstraint(Ident),
    /// `DROP WATERMARK`
    DropWatermark,
    /// `DROP DISTRIBUTION`
    DropDistribution,
    /// `ADD [IF NOT EXISTS] PARTITION (…) [WITH (…)] …`
    AddPartitions {
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
        /// The partitions.
        partitions: Vec<NewPartition>,
    },
    /// `DROP [IF EXISTS] PARTITION (…), …`
    DropPartitions {
        /// `IF EXISTS`.
        if_exists: bool,
        /// The partitions.
        partitions: Vec<PartitionSpec>,
    },
}

/// One thing to add to or modify in a table.
#[derive(Debug, Clone, PartialEq)]
pub enum SchemaElement {
    /// A column.
    Column {
        /// Its definition.
        column: ColumnDef,
        /// Where it goes.
        position: Option<ColumnPosition>,
    },
    /// A key.
    Constraint(TableConstraint),
    /// The watermark.
    Watermark(WatermarkDef),
    /// The distribution.
    Distribution(Distribution),
}

/// Where a column goes.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnPosition {
    /// `FIRST`
    First,
    /// `AFTER column`
    After(ObjectName),
}

/// A partition with options.
#[derive(Debug, Clone, PartialEq)]
pub struct NewPartition {
    /// The partition.
    pub spec: PartitionSpec,
    /// `WITH (…)`.
    pub options: Vec<SqlOption>,
}

/// `PARTITION (a = 1, b)`.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionSpec(pub Vec<PartitionValue>);

/// `column [= literal]`.
#[derive(Debug, Clone, PartialEq)]
pub struct PartitionValue {
    /// The partition column.
    pub column: Ident,
    /// Its value; absent for a dynamic partition.
    pub value: Option<Expr>,
}

/// What `ALTER MATERIALIZED TABLE` changes.
#[derive(Debug, Clone, PartialEq)]
pub enum AlterMaterializedTableAction {
    /// `SUSPEND`
    Suspend,
    /// `RESUME [WITH (…)]`
    Resume(Vec<SqlOption>),
    /// `REFRESH [PARTITION (…)]`
    Refresh(Option<PartitionSpec>),
    /// `AS query`
    Query(Box<Query>),
    /// Anything that tables can change as well.
    Table(AlterTableAction),
}
