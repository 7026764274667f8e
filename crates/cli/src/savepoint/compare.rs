//! What a planned job would keep of a checkpoint or savepoint.

use super::open::Opened;
use headwater_checkpoint::WantedOperator;
use headwater_checkpoint::compatibility::{OperatorReport, compare};
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
    /// Whether the job may start from it without being told to leave state behind.
    pub compatible: bool,
    /// What of operators that go on is left behind: of aggregates that the query no longer has.
    pub left_behind: Vec<String>,
    /// The operators of the job, then those that are left behind.
    pub operators: Vec<OperatorReport>,
}

impl Comparison {
    /// Compares the operators of a job.
    pub fn new(job: &str, wanted: &[WantedOperator], opened: &Opened) -> Self {
        let report = compare(&opened.manifest, wanted);
        let compatible = report.is_compatible();
        let of_operator = |operator: &OperatorReport| {
            let left = operator.left_behind().into_iter();
            left.map(|what| format!("{what} of {}", operator.key)).collect::<Vec<_>>()
        };
        Self {
            job: job.to_owned(),
            savepoint: opened.path.clone(),
            checkpoint: opened.manifest.checkpoint,
            compatible,
            left_behind: report.operators.iter().flat_map(of_operator).collect(),
            operators: report.operators,
        }
    }
}
