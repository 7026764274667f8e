//! SQL scripts that a cluster plans and runs itself, where Flink has jars.

use headwater_plan::JobGraph;
use headwater_types::Result;
use headwater_types::config::Configuration;
use headwater_types::ids::JobId;

/// What a script is run with besides the configuration of the cluster.
#[derive(Debug, Clone, Default)]
pub struct ScriptOptions {
    /// Values over those of the cluster.
    pub config: Configuration,
}

/// Plans and runs scripts.
pub trait Scripts: Send + Sync {
    /// The jobs of a script, without running any.
    ///
    /// # Errors
    /// When a statement is wrong, with its place, or is none that a cluster can run by itself.
    fn plan(&self, script: &str, options: &ScriptOptions) -> Result<Vec<JobGraph>>;

    /// Submits the jobs of a script in order; returns when they are taken. Jobs before one that is refused go on.
    ///
    /// # Errors
    /// As [`Scripts::plan`], and when the cluster refuses a job.
    fn run(&self, script: &str, options: &ScriptOptions) -> Result<Vec<JobId>>;
}
