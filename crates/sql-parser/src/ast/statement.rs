//! Statements.

use super::{
    Alter, CreateCatalog, CreateConnection, CreateDatabase, CreateFunction, CreateMaterializedTable, CreateModel,
    CreateTable, CreateView, Describe, DropObject, Expr, Function, Hint, Ident, ObjectName, PartitionSpec, Query, Show,
    SqlOption, StringLiteral, Use,
};
use crate::Span;

/// A statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// A query.
    Query(Box<Query>),
    /// `INSERT …`, also `EXECUTE INSERT …`.
    Insert(Box<Insert>),
    /// `EXECUTE STATEMENT SET BEGIN … END`.
    StatementSet(StatementSet),
    /// `BEGIN STATEMENT SET`, the older form spread over several statements.
    BeginStatementSet,
    /// `END`, which runs what followed `BEGIN STATEMENT SET`.
    EndStatementSet,
    /// `COMPILE PLAN …`, `COMPILE AND EXECUTE PLAN …`.
    CompilePlan(Box<CompilePlan>),
    /// `EXECUTE PLAN 'file'`.
    ExecutePlan(StringLiteral),
    /// `EXPLAIN …`.
    Explain(Box<Explain>),
    /// `UPDATE …`.
    Update(Box<Update>),
    /// `DELETE FROM …`.
    Delete(Box<Delete>),
    /// `TRUNCATE TABLE name`.
    Truncate(ObjectName),
    /// `ANALYZE TABLE …`.
    Analyze(Box<Analyze>),
    /// `CALL procedure(…)`.
    Call(Box<Function>),
    /// `CREATE TABLE …`.
    CreateTable(Box<CreateTable>),
    /// `CREATE MATERIALIZED TABLE …`.
    CreateMaterializedTable(Box<CreateMaterializedTable>),
    /// `CREATE VIEW …`.
    CreateView(Box<CreateView>),
    /// `CREATE CATALOG …`.
    CreateCatalog(Box<CreateCatalog>),
    /// `CREATE DATABASE …`.
    CreateDatabase(Box<CreateDatabase>),
    /// `CREATE FUNCTION …`.
    CreateFunction(Box<CreateFunction>),
    /// `CREATE MODEL …`.
    CreateModel(Box<CreateModel>),
    /// `CREATE CONNECTION …`.
    CreateConnection(Box<CreateConnection>),
    /// `ALTER …`.
    Alter(Box<Alter>),
    /// `DROP …`.
    Drop(Box<DropObject>),
    /// `USE …`.
    Use(Use),
    /// `SHOW …`.
    Show(Box<Show>),
    /// `DESCRIBE …`, `DESC …`.
    Describe(Box<Describe>),
    /// `SET`, `SET 'k' = 'v'`.
    Set(Option<SqlOption>),
    /// `RESET`, `RESET 'k'`.
    Reset(Option<StringLiteral>),
    /// `LOAD MODULE name [WITH (…)]`.
    LoadModule {
        /// The module.
        name: Ident,
        /// Its options.
        options: Vec<SqlOption>,
    },
    /// `UNLOAD MODULE name`.
    UnloadModule(Ident),
    /// `ADD JAR '…'`.
    AddJar(StringLiteral),
    /// `REMOVE JAR '…'`.
    RemoveJar(StringLiteral),
    /// `STOP JOB 'id' [WITH SAVEPOINT] [WITH DRAIN]`.
    StopJob {
        /// The job.
        job_id: StringLiteral,
        /// `WITH SAVEPOINT`.
        with_savepoint: bool,
        /// `WITH DRAIN`.
        with_drain: bool,
    },
    /// A command of the interactive client.
    Client(ClientCommand),
}

/// Commands that only the interactive client knows.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientCommand {
    /// `QUIT`, `EXIT`
    Quit,
    /// `CLEAR`
    Clear,
    /// `HELP`
    Help,
    /// `SOURCE 'file'`
    Source(StringLiteral),
}

/// `INSERT INTO|OVERWRITE table [PARTITION (…)] [(columns)] query [ON CONFLICT …]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// Whether existing rows are replaced.
    pub overwrite: bool,
    /// The sink.
    pub table: ObjectName,
    /// Hints behind the name.
    pub hints: Vec<Hint>,
    /// Static partition values.
    pub partition: Option<PartitionSpec>,
    /// The target columns, possibly nested; empty without.
    pub columns: Vec<ObjectName>,
    /// The rows.
    pub source: Query,
    /// `ON CONFLICT DO …`.
    pub on_conflict: Option<OnConflict>,
    /// Where it stands.
    pub span: Span,
}

/// What a sink does when two rows meet on its primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// `DO NOTHING`
    Nothing,
    /// `DO ERROR`
    Error,
    /// `DO DEDUPLICATE`
    Deduplicate,
}

/// Several inserts that run as one job.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementSet {
    /// The inserts, at least one.
    pub inserts: Vec<Insert>,
    /// Where it stands.
    pub span: Span,
}

/// `COMPILE [AND EXECUTE] PLAN 'file' [IF NOT EXISTS] FOR statement`.
#[derive(Debug, Clone, PartialEq)]
pub struct CompilePlan {
    /// Where the plan is written.
    pub path: StringLiteral,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Whether it also runs.
    pub and_execute: bool,
    /// An [`Insert`](Statement::Insert) or a [`StatementSet`](Statement::StatementSet).
    pub statement: Statement,
}

/// `EXPLAIN [PLAN FOR | details] statement [COMPATIBLE WITH 'savepoint']`.
#[derive(Debug, Clone, PartialEq)]
pub struct Explain {
    /// What else to show.
    pub details: Vec<ExplainDetail>,
    /// What is explained.
    pub statement: Statement,
    /// A savepoint whose state is compared with what the statement would keep.
    pub savepoint: Option<StringLiteral>,
}

/// Extra sections of `EXPLAIN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExplainDetail {
    /// `ESTIMATED_COST`
    EstimatedCost,
    /// `CHANGELOG_MODE`
    ChangelogMode,
    /// `PLAN_ADVICE`
    PlanAdvice,
    /// `JSON_EXECUTION_PLAN`
    JsonExecutionPlan,
}

/// `UPDATE table SET column = value, … [WHERE …]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The table.
    pub table: ObjectName,
    /// Hints behind the name.
    pub hints: Vec<Hint>,
    /// Its alias.
    pub alias: Option<Ident>,
    /// The new values.
    pub assignments: Vec<Assignment>,
    /// `WHERE`.
    pub selection: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// `column = value`.
#[derive(Debug, Clone, PartialEq)]
pub struct Assignment {
    /// The column.
    pub column: ObjectName,
    /// Its new value.
    pub value: Expr,
}

/// `DELETE FROM table [WHERE …]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// The table.
    pub table: ObjectName,
    /// Hints behind the name.
    pub hints: Vec<Hint>,
    /// Its alias.
    pub alias: Option<Ident>,
    /// `WHERE`.
    pub selection: Option<Expr>,
    /// Where it stands.
    pub span: Span,
}

/// `ANALYZE TABLE table [PARTITION (…)] COMPUTE STATISTICS [FOR …]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Analyze {
    /// The table.
    pub table: ObjectName,
    /// The partitions.
    pub partition: Option<PartitionSpec>,
    /// For which columns.
    pub columns: AnalyzeColumns,
}

/// For which columns statistics are computed.
#[derive(Debug, Clone, PartialEq)]
pub enum AnalyzeColumns {
    /// Only the number of rows.
    None,
    /// `FOR ALL COLUMNS`
    All,
    /// `FOR COLUMNS a, b`
    List(Vec<Ident>),
}
