//! Checkpoints.

use super::stats::stats;
use crate::cluster::{CheckpointStatistics, CheckpointStatus, JobDetails, Part, Statistics};
use crate::ids::vertex_ids;
use crate::messages::checkpoint as messages;
use headwater_checkpoint::{Retention, Settings};
use headwater_plan::Vertex;
use headwater_types::config::{Configuration, Key};
use headwater_types::ids::SubtaskId;
use std::collections::BTreeMap;

const STATE_BACKEND: Key = Key { name: "state.backend.type", default: "hashmap" };

/// All checkpoints of a job.
pub(crate) fn overview(job: &JobDetails, statistics: &Statistics) -> messages::Checkpoints {
    let counts = statistics.counts;
    let one = |checkpoint: &Option<CheckpointStatistics>| checkpoint.as_ref().map(|one| self::checkpoint(job, one));
    let restored = statistics.restored.as_ref().map(|(id, path)| messages::Restored {
        id: *id,
        restore_timestamp: job.summary.started_ms,
        is_savepoint: path.contains("savepoint-"),
        external_path: path.clone(),
    });
    messages::Checkpoints {
        counts: messages::Counts {
            restored: counts.restored,
            total: counts.total,
            in_progress: counts.in_progress,
            completed: counts.completed,
            failed: counts.failed,
        },
        summary: summary(statistics),
        latest: messages::Latest {
            completed: one(&statistics.latest_completed),
            savepoint: one(&statistics.latest_savepoint),
            failed: one(&statistics.latest_failed),
            restored,
        },
        history: statistics.history.iter().map(|one| checkpoint(job, one)).collect(),
    }
}

fn summary(statistics: &Statistics) -> messages::Summary {
    let completed: Vec<&CheckpointStatistics> =
        statistics.history.iter().filter(|one| one.status == CheckpointStatus::Completed).collect();
    let of = |field: fn(&CheckpointStatistics) -> i64| stats(completed.iter().map(|one| field(one)));
    messages::Summary {
        checkpointed_size: of(|one| one.checkpointed_bytes as i64),
        state_size: of(|one| one.state_bytes as i64),
        end_to_end_duration: of(|one| one.duration_ms),
        alignment_buffered: of(|_| 0),
        processed_data: of(|_| 0),
        persisted_data: of(|one| one.overtaken_bytes as i64),
    }
}

/// A checkpoint.
pub(crate) fn checkpoint(job: &JobDetails, one: &CheckpointStatistics) -> messages::Checkpoint {
    let graph = &job.summary.graph;
    let tasks = graph.vertices.iter().zip(vertex_ids(graph)).map(|(vertex, id)| (id, of_vertex(job, one, vertex)));
    messages::Checkpoint {
        class_name: match one.status {
            CheckpointStatus::Completed => "completed",
            CheckpointStatus::Failed => "failed",
            CheckpointStatus::InProgress => "in_progress",
        },
        id: one.checkpoint,
        status: status(one.status),
        is_savepoint: one.savepoint,
        savepoint_format: one.savepoint.then_some("CANONICAL"),
        trigger_timestamp: one.triggered_ms,
        latest_ack_timestamp: one.latest_ack_ms.unwrap_or(-1),
        checkpointed_size: one.checkpointed_bytes,
        state_size: one.state_bytes,
        end_to_end_duration: one.duration_ms,
        alignment_buffered: 0,
        processed_data: 0,
        persisted_data: one.overtaken_bytes,
        num_subtasks: one.subtasks,
        num_acknowledged_subtasks: one.acknowledged,
        checkpoint_type: match (one.savepoint, one.overtaken_bytes) {
            (true, _) => "SAVEPOINT",
            (false, 0) => "CHECKPOINT",
            (false, _) => "UNALIGNED_CHECKPOINT",
        },
        tasks: tasks.collect(),
        ending: ending(one),
    }
}

fn ending(one: &CheckpointStatistics) -> messages::Ending {
    match one.status {
        CheckpointStatus::Completed => {
            messages::Ending::Completed { external_path: one.path.clone().unwrap_or_default(), discarded: false }
        }
        CheckpointStatus::Failed => messages::Ending::Failed {
            failure_timestamp: one.triggered_ms + one.duration_ms,
            failure_message: one.failure.clone(),
        },
        CheckpointStatus::InProgress => messages::Ending::InProgress {},
    }
}

fn status(status: CheckpointStatus) -> &'static str {
    match status {
        CheckpointStatus::Completed => "COMPLETED",
        CheckpointStatus::Failed => "FAILED",
        CheckpointStatus::InProgress => "IN_PROGRESS",
    }
}

/// The parts of a vertex's subtasks that are remembered.
fn parts<'a>(
    job: &'a JobDetails,
    one: &CheckpointStatistics,
    vertex: &Vertex,
) -> impl Iterator<Item = (&'a SubtaskId, &'a Part)> {
    let id = vertex.id;
    job.parts.get(&one.checkpoint).into_iter().flatten().filter(move |(subtask, _)| subtask.vertex == id)
}

fn of_vertex(job: &JobDetails, one: &CheckpointStatistics, vertex: &Vertex) -> messages::VertexCheckpoint {
    let parts: Vec<&Part> = parts(job, one, vertex).map(|(_, part)| part).collect();
    let latest_ms = parts.iter().map(|part| part.acknowledged_ms).max();
    let bytes = parts.iter().map(|part| part.statistics.bytes).sum();
    messages::VertexCheckpoint {
        id: one.checkpoint,
        status: status(one.status),
        latest_ack_timestamp: latest_ms.unwrap_or(-1),
        checkpointed_size: bytes,
        state_size: bytes,
        end_to_end_duration: latest_ms.map_or(0, |ms| (ms - one.triggered_ms).max(0)),
        alignment_buffered: 0,
        processed_data: 0,
        persisted_data: parts.iter().map(|part| part.statistics.overtaken_bytes).sum(),
        num_subtasks: vertex.parallelism,
        num_acknowledged_subtasks: parts.len() as u32,
    }
}

/// The part of a vertex and of its subtasks.
pub(crate) fn vertex_details(
    job: &JobDetails,
    one: &CheckpointStatistics,
    vertex: &Vertex,
) -> messages::VertexCheckpointDetails {
    let parts: BTreeMap<u32, &Part> = parts(job, one, vertex).map(|(subtask, part)| (subtask.index, part)).collect();
    let of = |field: &dyn Fn(&Part) -> i64| stats(parts.values().map(|part| field(part)));
    let none = messages::Stats::default();
    let summary = messages::SubtasksSummary {
        checkpointed_size: of(&|part| part.statistics.bytes as i64),
        state_size: of(&|part| part.statistics.bytes as i64),
        end_to_end_duration: of(&|part| part.acknowledged_ms - one.triggered_ms),
        checkpoint_duration: messages::PhaseStats {
            sync: of(&|part| phases(one, part).sync),
            background: of(&|part| phases(one, part).background),
        },
        alignment: messages::AlignmentStats {
            buffered: none,
            processed: none,
            persisted: of(&|part| part.statistics.overtaken_bytes as i64),
            duration: of(&|part| part.statistics.alignment_ms as i64),
        },
        start_delay: none,
    };
    let subtask = |index: u32| match parts.get(&index) {
        Some(part) => completed(index, one, part),
        None => messages::SubtaskCheckpoint::Pending { index, status: "pending_or_failed" },
    };
    messages::VertexCheckpointDetails {
        vertex: of_vertex(job, one, vertex),
        summary,
        subtasks: (0..vertex.parallelism).map(subtask).collect(),
    }
}

fn completed(index: u32, one: &CheckpointStatistics, part: &Part) -> messages::SubtaskCheckpoint {
    let statistics = part.statistics;
    messages::SubtaskCheckpoint::Completed {
        index,
        status: "completed",
        ack_timestamp: part.acknowledged_ms,
        end_to_end_duration: (part.acknowledged_ms - one.triggered_ms).max(0),
        checkpointed_size: statistics.bytes,
        state_size: statistics.bytes,
        checkpoint: phases(one, part),
        alignment: messages::Alignment {
            buffered: 0,
            processed: 0,
            persisted: statistics.overtaken_bytes,
            duration: statistics.alignment_ms,
        },
        start_delay: 0,
        unaligned_checkpoint: statistics.overtaken_bytes > 0,
        aborted: false,
    }
}

/// What is neither alignment nor handing over is writing.
fn phases(one: &CheckpointStatistics, part: &Part) -> messages::Phases {
    let sync = (part.statistics.sync_us / 1000) as i64;
    let all = (part.acknowledged_ms - one.triggered_ms).max(0);
    messages::Phases { sync, background: (all - sync - part.statistics.alignment_ms as i64).max(0) }
}

/// How a job takes checkpoints.
pub(crate) fn config(settings: &Settings, config: &Configuration) -> messages::CheckpointConfig {
    messages::CheckpointConfig {
        mode: if settings.at_least_once { "at_least_once" } else { "exactly_once" },
        interval: settings.interval_ms.unwrap_or(i64::MAX),
        timeout: settings.timeout_ms,
        min_pause: settings.min_pause_ms,
        max_concurrent: settings.max_concurrent as u64,
        externalization: messages::Externalization {
            enabled: settings.retention != Retention::Delete,
            delete_on_cancellation: settings.retention != Retention::RetainOnCancellation,
        },
        state_backend: config.text(STATE_BACKEND).to_owned(),
        checkpoint_storage: settings.directory.clone().unwrap_or_else(|| "memory".to_owned()),
        unaligned_checkpoints: settings.unaligned_after_ms.is_some(),
        tolerable_failed_checkpoints: settings.tolerable_failures.map_or(i64::from(i32::MAX), i64::from),
        aligned_checkpoint_timeout: settings.unaligned_after_ms.unwrap_or(0),
        checkpoints_after_tasks_finish: settings.after_tasks_finish,
        state_changelog_enabled: false,
        changelog_periodic_materialization_interval: 0,
        changelog_storage: String::new(),
    }
}
