//! Jobs that do not run: those that have ended, restart, or wait for slots or tasks.

use super::{Facts, Finding, Severity};
use crate::cluster::{Attempt, Failure, JobState, TaskState};
use headwater_types::ids::SubtaskId;
use std::collections::VecDeque;

/// Subtasks that take longer to start are told.
const START_MS_MAX: i64 = 10_000;
/// Restarts are told for as long after.
const RESTART_MS_RECENT: i64 = 10 * 60 * 1000;

pub(super) fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    findings.extend(ended(facts));
    if !facts.details.summary.state.is_final() {
        findings.extend(slots(facts));
        findings.extend(restarts(facts));
        findings.extend(starts(facts));
    }
    findings
}

fn ended(facts: &Facts<'_>) -> Option<Finding> {
    let job = &facts.details.summary;
    let finding = match job.state {
        JobState::Finished => {
            let advice = "A job ends when its sources do: unbounded sources go on, bounded ones have an end.";
            Finding::new("job-ended", Severity::Info, "The job has finished: it has done all its work.", advice)
        }
        JobState::Canceled => {
            let advice = "Submit it again; from a savepoint or retained checkpoint it goes on where it was.";
            Finding::new("job-ended", Severity::Error, "The job was cancelled.", advice)
        }
        JobState::Failed => {
            let why = facts.details.root_cause.as_ref().map_or_else(|| "unknown".to_owned(), ToString::to_string);
            let advice = "Mend the cause and submit it again; its failures are at /jobs/:jobid/exceptions.";
            Finding::new("job-failed", Severity::Error, format!("The job has failed: {why}"), advice)
        }
        _ => return None,
    };
    Some(finding)
}

fn slots(facts: &Facts<'_>) -> Option<Finding> {
    let waits_for = facts.waits_for?;
    let (all, free) = facts.slots;
    let message = format!("The job waits: {waits_for}. The cluster has {all} slots, {free} of them free.");
    let advice = "Start another TaskManager, raise 'taskmanager.numberOfTaskSlots', end a job, or lower \
                  'parallelism.default' of this one.";
    Some(Finding::new("missing-slots", Severity::Error, message, advice))
}

fn restarts(facts: &Facts<'_>) -> Option<Finding> {
    let latest = facts.details.failures.front()?;
    let is_restarting = matches!(facts.details.summary.state, JobState::Restarting | JobState::Failing);
    let age_ms = facts.now_ms - latest.at_ms;
    if !is_restarting && age_ms > RESTART_MS_RECENT {
        return None;
    }
    let recent = facts.details.failures.iter().filter(|failure| facts.now_ms - failure.at_ms <= RESTART_MS_RECENT);
    let recent = recent.count();
    let (severity, says) = match is_restarting {
        true => (Severity::Error, "The job is restarting"),
        false if is_stuck(facts, latest, recent) => (Severity::Error, "The job fails again and again"),
        false => (Severity::Warning, "The job has restarted"),
    };
    let who = latest.subtask.map_or_else(String::new, |subtask| format!(" of {}", facts.subtask_name(subtask)));
    let message = format!(
        "{says}: {} failures in the last ten minutes, the latest {} s ago because{who}: {}",
        recent,
        age_ms.max(0) / 1000,
        latest.error
    );
    let advice = "Between restarts rows are read again from the last checkpoint. Mend the cause; all failures are at \
                  /jobs/:jobid/exceptions.";
    let finding = Finding::new("restarting", severity, message, advice);
    Some(match latest.subtask {
        Some(subtask) => finding.subtask(facts, subtask),
        None => finding,
    })
}

/// Whether failures are why nothing comes: the job has got nowhere since the latest, and failed before, or who failed has
/// sent no rows yet.
fn is_stuck(facts: &Facts<'_>, latest: &Failure, recent: usize) -> bool {
    let completed = facts.checkpoints.latest_completed.as_ref();
    if completed.is_some_and(|checkpoint| checkpoint.triggered_ms + checkpoint.duration_ms >= latest.at_ms) {
        return false;
    }
    let has_sent = |subtask: SubtaskId| {
        let own = facts.operators.iter().filter(|operator| operator.subtask.vertex == subtask.vertex);
        own.map(|operator| operator.rows_out).sum::<u64>() > 0
    };
    recent > 1 || latest.subtask.is_some_and(|subtask| !has_sent(subtask))
}

/// Subtasks that were sent to a TaskManager and do not run.
fn starts(facts: &Facts<'_>) -> Option<Finding> {
    let is_late = |attempts: &VecDeque<Attempt>| {
        let last = attempts.back().and_then(|attempt| attempt.states.last());
        last.is_some_and(|(state, at_ms)| *state == TaskState::Deploying && facts.now_ms - at_ms > START_MS_MAX)
    };
    let subtasks = facts.details.subtasks.iter();
    let late: Vec<SubtaskId> =
        subtasks.filter(|(_, attempts)| is_late(attempts)).map(|(subtask, _)| *subtask).collect();
    let first = *late.first()?;
    let message = format!(
        "{} subtasks are being started for more than 10 s, {} among them.",
        late.len(),
        facts.subtask_name(first)
    );
    let advice = "They restore large state, or cannot reach what they read: look into the log of their TaskManager.";
    Some(Finding::new("slow-start", Severity::Error, message, advice).subtask(facts, first))
}
