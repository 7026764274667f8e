//! What a job takes over when it starts from a checkpoint or savepoint, settled before it is submitted.
//!
//! The job's operators are compared with the stored state, as `savepoint check` and `EXPLAIN .. COMPATIBLE WITH` do: a
//! job whose operators could not go on is refused with all reasons at once, instead of failing when the first of them
//! opens its state. Where the user lets state be left behind, those operators start empty as a whole: half of an
//! operator's state would give results that nobody can explain.

use crate::state::wanted_operators;
use headwater_checkpoint::Recovery;
use headwater_checkpoint::compatibility::compare;
use headwater_checkpoint::settings::{RECOVERY_PATH, START_EMPTY};
use headwater_env::Env;
use headwater_jobmanager::locate::locate;
use headwater_plan::JobGraph;
use headwater_storage::Provider;
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};

/// A job that is ready to be submitted.
pub(crate) struct Prepared {
    /// The job. Its configuration says exactly which checkpoint is meant.
    pub(crate) graph: JobGraph,
    /// What the user should know.
    pub(crate) warnings: Vec<String>,
}

/// Settles what a job takes over. `process` is the configuration below the job's.
///
/// # Errors
/// When there is no checkpoint where one should be, when it is damaged, or when its state does not fit.
pub(crate) fn prepare(graph: &JobGraph, process: &Configuration, env: &Env) -> Result<Prepared> {
    let mut prepared = Prepared { graph: graph.clone(), warnings: vec![] };
    let mut config = process.clone();
    config.merge(&graph.config);
    let recovery = Recovery::from_config(&config)?;
    let Some(path) = recovery.path else { return Ok(prepared) };
    let origin = locate(&Provider, &path, &config)?;
    let report = compare(&origin.manifest, &wanted_operators(graph, env)?);
    let rebuilt = report.rebuilt();
    if !recovery.ignore_unclaimed
        && let Some(refusal) = report.refusal(&origin.path)
    {
        return Err(refusal);
    }
    for operator in report.operators.iter().filter(|operator| rebuilt.contains(&operator.key.as_str())) {
        let warning = format!("'{}' ({}) starts empty: {}", operator.name, operator.key, operator.verdict);
        prepared.warnings.push(warning);
    }
    let keys = serde_json::to_string(&rebuilt).map_err(|e| Error::internal(format!("keys of operators: {e}")))?;
    // A newer checkpoint may appear above it meanwhile: the job starts from the one that was compared.
    prepared.graph.config.set(RECOVERY_PATH.name, &origin.path);
    prepared.graph.config.set(START_EMPTY.name, &keys);
    Ok(prepared)
}
