//! Checkpoints that fail, do not end, or are missing where sinks need them.

use super::{Facts, Finding, Severity};
use crate::cluster::{CheckpointStatistics, CheckpointStatus};
use headwater_checkpoint::Settings;
use headwater_plan::OperatorSpec;
use headwater_types::ids::SubtaskId;

/// A checkpoint that takes longer is told.
const LONG_MS: i64 = 60_000;
/// Connectors whose output is seen when a checkpoint has completed: files, and transactions where they are wanted.
const FILES: &str = "filesystem";
const GUARANTEE: (&str, &str) = ("sink.delivery-guarantee", "exactly-once");

pub(super) fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    [failing(facts), long(facts), missing(facts)].into_iter().flatten().collect()
}

/// The latest has failed, and none has completed since.
fn failing(facts: &Facts<'_>) -> Option<Finding> {
    let failed = facts.checkpoints.latest_failed.as_ref()?;
    let completed = facts.checkpoints.latest_completed.as_ref();
    if completed.is_some_and(|completed| completed.checkpoint > failed.checkpoint) {
        return None;
    }
    let counts = facts.checkpoints.counts;
    let why = failed.failure.as_deref().unwrap_or("unknown");
    let message = format!(
        "Checkpoints fail: {} failed, {} completed, the latest ({}) because: {why}",
        counts.failed, counts.completed, failed.checkpoint
    );
    let severity = if commits(facts).is_some() { Severity::Error } else { Severity::Warning };
    let advice = "Output of files and transactions appears with completed checkpoints only, and a restart goes back to \
                  the last one. Mend the cause.";
    Some(Finding::new("checkpoints-failing", severity, message, advice))
}

/// One is under way for long: who has not reported?
fn long(facts: &Facts<'_>) -> Option<Finding> {
    let is_long = |one: &&CheckpointStatistics| {
        one.status == CheckpointStatus::InProgress && facts.now_ms - one.triggered_ms > LONG_MS
    };
    let one = facts.checkpoints.history.iter().find(is_long)?;
    let reported = facts.details.parts.get(&one.checkpoint);
    let has_reported = |subtask: &SubtaskId| reported.is_some_and(|parts| parts.contains_key(subtask));
    let missing = facts.details.subtasks.keys().find(|subtask| !has_reported(subtask));
    let waits = missing.map_or_else(String::new, |subtask| format!(", {} among them", facts.subtask_name(*subtask)));
    let message = format!(
        "Checkpoint {} is under way for {} s: {} of {} subtasks have not reported{waits}.",
        one.checkpoint,
        (facts.now_ms - one.triggered_ms) / 1000,
        one.subtasks.saturating_sub(one.acknowledged),
        one.subtasks
    );
    let advice = "Its barrier waits behind rows of a blocked operator, or its state is large. \
                  'execution.checkpointing.unaligned' lets barriers overtake rows.";
    let finding = Finding::new("checkpoint-slow", Severity::Warning, message, advice);
    Some(match missing {
        Some(subtask) => finding.subtask(facts, *subtask),
        None => finding,
    })
}

/// There are none, though a sink shows its output with them.
fn missing(facts: &Facts<'_>) -> Option<Finding> {
    let settings = Settings::from_config(&facts.details.summary.graph.config).ok()?;
    let (vertex, table) = commits(facts)?;
    let message = match (settings.interval_ms, facts.checkpoints.counts.completed) {
        (None, _) => {
            format!("The output to '{table}' appears with completed checkpoints, and there are none: they are off.")
        }
        (Some(_), 0) => {
            format!("The output to '{table}' appears with completed checkpoints, and none has completed yet.")
        }
        _ => return None,
    };
    let advice = "Set 'execution.checkpointing.interval', such as '1 min'; output is seen that often.";
    Some(Finding::new("output-not-committed", Severity::Error, message, advice).at(facts, vertex))
}

/// A sink whose output is seen when a checkpoint has completed.
fn commits(facts: &Facts<'_>) -> Option<(headwater_types::ids::VertexId, String)> {
    let graph = &facts.details.summary.graph;
    graph.vertices.iter().find_map(|vertex| {
        let sinks = vertex.chain.iter().filter_map(|node| match &node.spec {
            OperatorSpec::Sink(sink) => Some(&sink.table),
            _ => None,
        });
        let option = |table: &headwater_plan::TableSpec, key: &str| table.options.get(key).cloned().unwrap_or_default();
        let mut committing = sinks.filter(|table| {
            option(table, "connector") == FILES || option(table, GUARANTEE.0).eq_ignore_ascii_case(GUARANTEE.1)
        });
        committing.next().map(|table| (vertex.id, table.path.join(".")))
    })
}
