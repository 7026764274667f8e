//! Edges of the catalog, summed up over operations.

use super::{Level, Window};
use crate::error::Result;
use crate::names::OUTPUT_TYPES;
use crate::store::db::{Database, Row};

/// By what edges are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Datasets.
    Dataset,
    /// Jobs.
    Job,
    /// Runs.
    Run,
    /// Operations.
    Operation,
}

impl By {
    /// Whether an edge `e` is of one of the ids of parameter `$1`.
    fn condition(self, db: &Database) -> String {
        match self {
            Self::Dataset => db.within_ints("e.dataset_id", 1),
            Self::Job => db.within_ints("e.job_id", 1),
            Self::Run => of_runs(db, "e.operation_id"),
            Self::Operation => db.within_ints("e.operation_id", 1),
        }
    }
}

/// Whether the operation in `column` is of one of the runs of parameter `$1`.
pub fn of_runs(db: &Database, column: &str) -> String {
    format!("{column} IN (SELECT o.id FROM operation o WHERE {})", db.within_ints("o.run_id", 1))
}

/// Who reads or writes a dataset: a job, and at finer levels a run and an operation of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unit {
    /// The job.
    pub job: i64,
    /// The run, or 0.
    pub run: i64,
    /// The operation, or 0.
    pub operation: i64,
}

impl Unit {
    /// The id at a level.
    pub fn at(&self, level: Level) -> i64 {
        match level {
            Level::Job => self.job,
            Level::Run => self.run,
            Level::Operation => self.operation,
        }
    }

    /// The unit that holds this one at a coarser level.
    pub fn coarser(self, level: Level) -> Self {
        match level {
            Level::Job => Self { run: 0, operation: 0, ..self },
            Level::Run => Self { operation: 0, ..self },
            Level::Operation => self,
        }
    }
}

/// Everything known of an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sums {
    /// Last hour in which it held.
    pub last: i64,
    /// How it is written.
    pub types: i64,
    /// Rows, if anyone counted.
    pub rows: Option<i64>,
    /// Bytes, if anyone counted.
    pub bytes: Option<i64>,
    /// Files, if anyone counted.
    pub files: Option<i64>,
}

impl Sums {
    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        let sum = |a: Option<i64>, b: Option<i64>| match (a, b) {
            (None, None) => None,
            (a, b) => Some(a.unwrap_or(0).saturating_add(b.unwrap_or(0))),
        };
        self.last = self.last.max(other.last);
        self.types |= other.types;
        self.rows = sum(self.rows, other.rows);
        self.bytes = sum(self.bytes, other.bytes);
        self.files = sum(self.files, other.files);
    }
}

/// An edge between a unit and a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Who.
    pub unit: Unit,
    /// What.
    pub dataset: i64,
    /// Whether it is written.
    pub output: bool,
    /// What is known.
    pub sums: Sums,
}

/// The bits of a column of masks over all rows: both databases know `MAX`, only one knows `BIT_OR`.
fn any_bits(column: &str) -> String {
    let bits: Vec<String> = OUTPUT_TYPES.iter().map(|(_, bit)| format!("MAX({column} & {bit})")).collect();
    bits.join(" + ")
}

/// Edges of the given datasets, jobs, runs or operations, one for each unit of a level and dataset.
///
/// # Errors
/// Those of the database.
pub async fn find(
    db: &Database,
    by: By,
    ids: Vec<i64>,
    output: bool,
    level: Level,
    window: &Window,
) -> Result<Vec<Edge>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let (run, operation, group) = match level {
        Level::Job => ("0", "0", ""),
        Level::Run => ("e.run_id", "0", ", e.run_id"),
        Level::Operation => ("e.run_id", "e.operation_id", ", e.run_id, e.operation_id"),
    };
    let types = if output { any_bits("e.types") } else { "0".into() };
    let sum = |column: &str| format!("CAST(SUM(e.{column}) AS BIGINT)");
    let sql = format!(
        "SELECT e.dataset_id, e.job_id, {run}, {operation}, {}, {types}, {}, {}, {} FROM edge e \
         WHERE {} AND e.direction = {} AND {} GROUP BY e.dataset_id, e.job_id{group}",
        window.last_hour("e"),
        sum("num_rows"),
        sum("num_bytes"),
        sum("num_files"),
        by.condition(db),
        i64::from(output),
        window.condition("e"),
    );
    let rows = db.rows(&sql, vec![ids.into()]).await?;
    Ok(rows.iter().map(|row| edge(row, output)).collect())
}

fn edge(row: &Row, output: bool) -> Edge {
    Edge {
        dataset: row.int(0),
        unit: Unit { job: row.int(1), run: row.int(2), operation: row.int(3) },
        output,
        sums: Sums {
            last: row.int(4),
            types: row.int(5),
            rows: row.opt_int(6),
            bytes: row.opt_int(7),
            files: row.opt_int(8),
        },
    }
}
