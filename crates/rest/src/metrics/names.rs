//! The metrics there are, with Flink's names.

use super::{Rate, Value};
use crate::cluster::{JobDetails, JobState, ProcessStatus, Statistics, TaskManagerInfo};
use headwater_plan::{OperatorNode, OperatorSpec, Vertex};
use headwater_runtime::OperatorSnapshot;
use std::fmt::Display;

/// Longest operator name in a metric's id, as in Flink.
const NAME_CHARS_MAX: usize = 80;
const NANOS_PER_MILLI: u64 = 1_000_000;

fn value(id: impl Into<String>, value: impl Display) -> Value {
    (id.into(), value.to_string())
}

/// The metrics of a subtask and, with their names in front, of its operators. `operators` are its counters in chain
/// order.
pub(crate) fn subtask(vertex: &Vertex, operators: &[&OperatorSnapshot], rate: Rate) -> Vec<Value> {
    let mut values = task(vertex, operators, rate);
    for (node, own) in self::operators(vertex, operators) {
        let scope = scope(&node.name);
        values.extend(own.into_iter().map(|(id, value)| (format!("{scope}.{id}"), value)));
    }
    values
}

/// The metrics of a subtask's operators.
pub(crate) fn operators<'a>(
    vertex: &'a Vertex,
    operators: &[&OperatorSnapshot],
) -> impl Iterator<Item = (&'a OperatorNode, Vec<Value>)> {
    vertex.chain.iter().zip(operators).map(|(node, operator)| (node, of_operator(node, operator)))
}

/// The metrics of a subtask without those of its operators.
pub(crate) fn task(vertex: &Vertex, operators: &[&OperatorSnapshot], rate: Rate) -> Vec<Value> {
    let (Some(head), Some(tail)) = (operators.first(), operators.last()) else { return vec![] };
    let task = head.task.unwrap_or_default();
    let bytes = |is: fn(&OperatorSpec) -> bool| -> u64 {
        let of = vertex.chain.iter().zip(operators).filter(|(node, _)| is(&node.spec));
        of.map(|(_, operator)| operator.bytes).sum()
    };
    vec![
        value("numRecordsIn", head.rows_in),
        value("numRecordsOut", tail.rows_out),
        value("numRecordsInPerSecond", rate.rows_in),
        value("numRecordsOutPerSecond", rate.rows_out),
        value("numBytesIn", bytes(|spec| matches!(spec, OperatorSpec::Source(_)))),
        value("numBytesOut", bytes(|spec| matches!(spec, OperatorSpec::Sink(_)))),
        value("busyTimeMsPerSecond", rate.busy_ms),
        value("idleTimeMsPerSecond", rate.idle_ms),
        value("backPressuredTimeMsPerSecond", rate.backpressured_ms),
        value("softBackPressuredTimeMsPerSecond", 0),
        value("hardBackPressuredTimeMsPerSecond", rate.backpressured_ms),
        value("accumulateBusyTimeMs", task.busy_ms),
        value("accumulateIdleTimeMs", task.idle_ms),
        value("accumulateBackPressuredTimeMs", task.backpressured_ms),
        value("isBackPressured", rate.backpressured_ms > 500.0),
        value("currentInputWatermark", head.watermark),
        value("checkpointStartDelayNanos", task.checkpoint_start_delay_ms.saturating_mul(NANOS_PER_MILLI)),
        value("checkpointAlignmentTime", task.checkpoint_alignment_ms.saturating_mul(NANOS_PER_MILLI)),
    ]
}

fn of_operator(node: &OperatorNode, operator: &OperatorSnapshot) -> Vec<Value> {
    let mut values = vec![
        value("numRecordsIn", operator.rows_in),
        value("numRecordsOut", operator.rows_out),
        value("numLateRecordsDropped", operator.late_rows_dropped),
        value("currentOutputWatermark", operator.watermark),
    ];
    match node.spec {
        OperatorSpec::Source(_) => {
            values.extend([value("numBytesIn", operator.bytes), value("numRecordsInErrors", operator.bad_records)])
        }
        OperatorSpec::Sink(_) => values.extend([
            value("currentInputWatermark", operator.watermark),
            value("numRecordsSend", operator.rows_in),
            value("numBytesSend", operator.bytes),
            value("numBytesOut", operator.bytes),
        ]),
        _ => values.push(value("currentInputWatermark", operator.watermark)),
    }
    values
}

/// An operator's name as it stands in ids.
fn scope(name: &str) -> String {
    let legible = |c: char| if matches!(c, ' ' | '.' | ':' | ',') { '_' } else { c };
    name.chars().take(NAME_CHARS_MAX).map(legible).collect()
}

/// The metrics of a job.
pub(crate) fn job(details: &JobDetails, statistics: &Statistics, now_ms: i64) -> Vec<Value> {
    let summary = &details.summary;
    let end_ms = summary.ended_ms.unwrap_or(now_ms);
    let in_state = |state: JobState| match summary.state == state {
        true => (now_ms - summary.changed_ms).max(0),
        false => 0,
    };
    let restarts = details.states.iter().filter(|(state, _)| *state == JobState::Restarting).count();
    let mut values = vec![
        value("createdTime", in_state(JobState::Created)),
        value("uptime", in_state(JobState::Running)),
        value("downtime", in_state(JobState::Restarting)),
        value("runningTime", in_state(JobState::Running)),
        value("restartingTime", in_state(JobState::Restarting)),
        value("cancellingTime", in_state(JobState::Cancelling)),
        value("failingTime", in_state(JobState::Failing)),
        value("lifetime", (end_ms - summary.started_ms).max(0)),
        value("numRestarts", restarts),
        value("fullRestarts", restarts),
        value("totalNumberOfCheckpoints", statistics.counts.total),
        value("numberOfInProgressCheckpoints", statistics.counts.in_progress),
        value("numberOfCompletedCheckpoints", statistics.counts.completed),
        value("numberOfFailedCheckpoints", statistics.counts.failed),
    ];
    if let Some(last) = &statistics.latest_completed {
        values.extend([
            value("lastCompletedCheckpointId", last.checkpoint),
            value("lastCheckpointCompletedTimestamp", last.triggered_ms + last.duration_ms),
            value("lastCheckpointDuration", last.duration_ms),
            value("lastCheckpointSize", last.checkpointed_bytes),
            value("lastCheckpointFullSize", last.state_bytes),
            value("lastCheckpointPersistedData", last.overtaken_bytes),
            value("lastCheckpointExternalPath", last.path.as_deref().unwrap_or("n/a")),
        ]);
    }
    values
}

/// The metrics of the JobManager.
pub(crate) fn job_manager(jobs_running: usize, managers: &[TaskManagerInfo], own: &ProcessStatus) -> Vec<Value> {
    let slots =
        |of: fn(&TaskManagerInfo) -> u32| -> u64 { managers.iter().map(|manager| u64::from(of(manager))).sum() };
    let mut values = vec![
        value("numRunningJobs", jobs_running),
        value("numRegisteredTaskManagers", managers.len()),
        value("taskSlotsTotal", slots(|manager| manager.slots)),
        value("taskSlotsAvailable", slots(|manager| manager.slots_free)),
    ];
    values.extend(process(own));
    values
}

/// The metrics of a TaskManager.
pub(crate) fn task_manager(manager: &TaskManagerInfo) -> Vec<Value> {
    let counted = manager.process.counted;
    let mut values = vec![
        value("Status.Flink.Memory.Managed.Total", manager.memory_managed),
        value("Status.Flink.Memory.Managed.Used", counted.cache),
        value("Status.Headwater.Memory.State.Used", counted.heap),
        value("Status.Headwater.Memory.Checkpoints.Used", counted.checkpoints),
    ];
    values.extend(process(&manager.process));
    values
}

fn process(process: &ProcessStatus) -> [Value; 6] {
    [
        value("Status.JVM.Memory.Heap.Used", process.memory_resident),
        value("Status.JVM.Memory.Heap.Committed", process.memory_resident),
        value("Status.JVM.Memory.Heap.Max", process.memory_total),
        value("Status.JVM.CPU.Time", process.cpu_ms.saturating_mul(NANOS_PER_MILLI)),
        value("Status.JVM.Threads.Count", process.threads),
        value("Status.JVM.FileDescriptor.Open", process.open_files),
    ]
}
