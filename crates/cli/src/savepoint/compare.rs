//! What a planned job would keep of a checkpoint or savepoint.

use super::open::Opened;
use headwater_checkpoint::compatibility::{OperatorReport, TableReport, compare};
use headwater_checkpoint::{Verdict, WantedOperator};
use serde::Serialize;

/// A job compared with a checkpoint or savepoint.
#[derive(Debug, Serialize)]
pub struct Comparison {
    /// Display name of the job.
    pub job: String,
    /// URI of the directory it was compared with.
    pub savepoint: String,
    /// Number of the checkpoint.
    pub checkpoint: u64,
    /// Whether nothing is lost.
    pub compatible: bool,
    /// The operators of the job, then those that are left behind.
    pub operators: Vec<OperatorReport>,
}

impl Comparison {
    /// Compares the operators of a job.
    pub fn new(job: &str, wanted: &[WantedOperator], opened: &Opened) -> Self {
        let report = compare(&opened.manifest, wanted);
        let compatible = report.is_compatible() && !report.operators.iter().any(loses_a_table);
        Self {
            job: job.to_owned(),
            savepoint: opened.path.clone(),
            checkpoint: opened.manifest.checkpoint,
            compatible,
            operators: report.operators,
        }
    }
}

/// Whether a table with entries is left behind while its operator stays.
fn loses_a_table(operator: &OperatorReport) -> bool {
    let lost = |table: &TableReport| table.verdict == Verdict::Dropped && table.bytes > 0;
    operator.tables.iter().any(lost)
}
