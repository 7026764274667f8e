//! The other `CREATE` statements, and `DROP`.

use super::{CreateMode, DataType, Ident, ObjectName, Query, SqlOption, StringLiteral};
use crate::Span;

/// `CREATE [TEMPORARY] VIEW`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateView {
    /// Whether an existing view is replaced.
    pub mode: CreateMode,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The view name.
    pub name: ObjectName,
    /// New column names; empty without.
    pub columns: Vec<ViewColumn>,
    /// `COMMENT '…'`.
    pub comment: Option<StringLiteral>,
    /// The query; its span gives the original text.
    pub query: Query,
}

/// A column name of a view.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewColumn {
    /// The name.
    pub name: Ident,
    /// `COMMENT '…'`.
    pub comment: Option<StringLiteral>,
}

/// `CREATE CATALOG`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateCatalog {
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The catalog name.
    pub name: Ident,
    /// `COMMENT '…'`.
    pub comment: Option<StringLiteral>,
    /// `WITH (…)`.
    pub options: Vec<SqlOption>,
}

/// `CREATE DATABASE`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateDatabase {
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The database name.
    pub name: ObjectName,
    /// `COMMENT '…'`.
    pub comment: Option<StringLiteral>,
    /// `WITH (…)`.
    pub options: Vec<SqlOption>,
}

/// How long an object lives and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectScope {
    /// In a catalog.
    Permanent,
    /// `TEMPORARY`
    Temporary,
    /// `TEMPORARY SYSTEM`
    TemporarySystem,
}

/// `CREATE FUNCTION`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateFunction {
    /// Where it lives.
    pub scope: ObjectScope,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The function name.
    pub name: ObjectName,
    /// Class or entry point.
    pub identifier: StringLiteral,
    /// The language, when written.
    pub language: Option<FunctionLanguage>,
    /// `USING JAR 'uri', …`.
    pub resources: Vec<FunctionResource>,
    /// `WITH (…)`.
    pub options: Vec<SqlOption>,
}

/// Languages of functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunctionLanguage {
    /// `JAVA`
    Java,
    /// `SCALA`
    Scala,
    /// `PYTHON`
    Python,
    /// `SQL`
    Sql,
}

/// `JAR 'uri'` or `ARTIFACT 'uri'`.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionResource {
    /// Whether `ARTIFACT` was written instead of `JAR`.
    pub is_artifact: bool,
    /// The location.
    pub uri: StringLiteral,
}

/// `CREATE MODEL`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateModel {
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The model name.
    pub name: ObjectName,
    /// `INPUT (…)`.
    pub inputs: Vec<ModelColumn>,
    /// `OUTPUT (…)`.
    pub outputs: Vec<ModelColumn>,
    /// `COMMENT '…'`.
    pub comment: Option<StringLiteral>,
    /// `WITH (…)`.
    pub options: Vec<SqlOption>,
    /// `AS query`.
    pub query: Option<Query>,
}

/// A feature or output of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelColumn {
    /// The name.
    pub name: Ident,
    /// The type.
    pub data_type: DataType,
    /// `COMMENT '…'`.
    pub comment: Option<StringLiteral>,
}

/// `CREATE CONNECTION`.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateConnection {
    /// Where it lives.
    pub scope: ObjectScope,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// The connection name.
    pub name: ObjectName,
    /// `COMMENT '…'`.
    pub comment: Option<StringLiteral>,
    /// `WITH (…)`.
    pub options: Vec<SqlOption>,
}

/// `DROP …`.
#[derive(Debug, Clone, PartialEq)]
pub struct DropObject {
    /// What is dropped.
    pub object: ObjectKind,
    /// Which one of a name is dropped.
    pub scope: ObjectScope,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// The name.
    pub name: ObjectName,
    /// `CASCADE` (true), `RESTRICT` (false) or nothing.
    pub cascade: Option<bool>,
    /// Where the whole statement stands.
    pub span: Span,
}

/// Kinds of catalog objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// `CATALOG`
    Catalog,
    /// `DATABASE`
    Database,
    /// `TABLE`
    Table,
    /// `MATERIALIZED TABLE`
    MaterializedTable,
    /// `VIEW`
    View,
    /// `FUNCTION`
    Function,
    /// `MODEL`
    Model,
    /// `CONNECTION`
    Connection,
}

impl ObjectKind {
    /// The SQL words.
    pub fn keyword(self) -> &'static str {
        match self {
            ObjectKind::Catalog => "CATALOG",
            ObjectKind::Database => "DATABASE",
            ObjectKind::Table => "TABLE",
            ObjectKind::MaterializedTable => "MATERIALIZED TABLE",
            ObjectKind::View => "VIEW",
            ObjectKind::Function => "FUNCTION",
            ObjectKind::Model => "MODEL",
            ObjectKind::Connection => "CONNECTION",
        }
    }
}
