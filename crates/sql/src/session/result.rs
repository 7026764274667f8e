//! What a statement answers.

use crate::planner::{OperatorStateDescription, PlannedJob, PlannedQuery};
use headwater_plan::JobGraph;
use headwater_sql_parser::ast::ClientCommand;
use headwater_types::{LogicalType, TypeRoot};

/// The result of a statement.
#[derive(Debug)]
pub enum StatementResult {
    /// Done; nothing to show.
    Ok,
    /// A table of text, from the catalog or the configuration.
    Rows(Rows),
    /// A query to run; its rows are the result.
    Query(Box<PlannedQuery>),
    /// Inserts to run.
    Job(Box<PlannedJob>),
    /// A plan whose state is to be compared with a savepoint's.
    CompareState(Box<StateComparison>),
    /// A question or order about jobs, for whoever runs them.
    Jobs(JobStatement),
    /// Something for the client to do.
    Client(ClientCommand),
}

/// A statement about jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobStatement {
    /// `SHOW JOBS`
    Show,
    /// `DESCRIBE JOB 'id'`
    Describe(String),
    /// `STOP JOB 'id' [WITH SAVEPOINT] [WITH DRAIN]`
    Stop {
        /// The job.
        id: String,
        /// Whether it ends behind a savepoint.
        savepoint: bool,
        /// Whether its sources end first and all windows fire.
        drain: bool,
    },
}

/// `EXPLAIN … COMPATIBLE WITH 'savepoint'`: what the plan would keep. Whoever can read savepoints answers.
#[derive(Debug)]
pub struct StateComparison {
    /// Where the savepoint is, as written.
    pub savepoint: String,
    /// The explanation of the plan.
    pub text: String,
    /// What the operators keep.
    pub state: Vec<OperatorStateDescription>,
    /// The job, without what would hand the rows of a query to the client.
    pub graph: JobGraph,
}

/// A small table that a statement answers without running a job.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Names and types of the columns.
    pub columns: Vec<(String, LogicalType)>,
    /// The rows as display text; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    /// A table of string columns.
    pub fn strings(names: &[&str], rows: Vec<Vec<Option<String>>>) -> Self {
        Self { columns: names.iter().map(|n| (n.to_string(), LogicalType::string())).collect(), rows }
    }

    /// A table of one string column.
    pub fn list(name: &str, values: impl IntoIterator<Item = String>) -> Self {
        Self::strings(&[name], values.into_iter().map(|v| vec![Some(v)]).collect())
    }

    /// A table of one value.
    pub fn single(name: &str, value: impl Into<String>) -> Self {
        Self::list(name, [value.into()])
    }

    /// The same table with a BOOLEAN column, whose texts are TRUE and FALSE.
    #[must_use]
    pub fn with_boolean(mut self, column: usize) -> Self {
        self.columns[column].1 = TypeRoot::Boolean.into();
        self
    }
}

impl From<Rows> for StatementResult {
    fn from(rows: Rows) -> Self {
        Self::Rows(rows)
    }
}
