//! Changes of the parallelism.

use super::stats::stats;
use crate::cluster::{JobDetails, Rescale, RescaleCause};
use crate::ids::{sharing_group, vertex_ids};
use crate::messages::rescale as messages;
use crate::messages::task_manager::Resource;
use xxhash_rust::xxh3::xxh3_128;

/// The name of the group of slots that all vertices share.
const GROUP: &str = "default";

/// The id of a rescale.
pub(crate) fn id(job: &JobDetails, rescale: &Rescale) -> String {
    format!("{:032x}", xxh3_128(format!("{}/{}", job.summary.job, rescale.number).as_bytes()))
}

/// A rescale.
pub(crate) fn details(job: &JobDetails, rescale: &Rescale) -> messages::RescaleDetails {
    let graph = &job.summary.graph;
    let group = sharing_group(graph);
    let at = |values: &[u32], index: usize| values.get(index).copied().unwrap_or(0);
    let most = |values: &[u32]| values.iter().copied().max().unwrap_or(0);
    let vertex = |(index, (vertex, vertex_id)): (usize, (&headwater_plan::Vertex, String))| {
        let (least, highest) = rescale.bounds.get(index).copied().unwrap_or((1, 1));
        let one = messages::VertexRescale {
            job_vertex_id: vertex_id.clone(),
            job_vertex_name: vertex.name.clone(),
            slot_sharing_group_id: group.clone(),
            slot_sharing_group_name: GROUP,
            desired_parallelism: highest,
            sufficient_parallelism: least,
            pre_rescale_parallelism: at(&rescale.before, index),
            post_rescale_parallelism: at(&rescale.after, index),
        };
        (vertex_id, one)
    };
    let slots = messages::SlotsRescale {
        slot_sharing_group_id: group.clone(),
        slot_sharing_group_name: GROUP,
        request_resource_profile: Resource::default(),
        desired_slots: rescale.bounds.iter().map(|(_, highest)| *highest).max().unwrap_or(0),
        minimal_required_slots: rescale.bounds.iter().map(|(least, _)| *least).max().unwrap_or(0),
        pre_rescale_slots: most(&rescale.before),
        post_rescale_slots: most(&rescale.after),
        acquired_resource_profile: Resource::default(),
    };
    let (terminal_state, terminated_reason) = match (&rescale.failure, rescale.ended_ms) {
        (Some(_), _) => (Some("FAILED"), Some("EXCEPTION_OCCURRED")),
        (None, Some(_)) => (Some("COMPLETED"), Some("SUCCEEDED")),
        (None, None) => (None, None),
    };
    messages::RescaleDetails {
        rescale_uuid: id(job, rescale),
        resource_requirements_uuid: id(job, rescale),
        rescale_attempt_id: rescale.number,
        vertices: graph.vertices.iter().zip(vertex_ids(graph)).enumerate().map(vertex).collect(),
        slots: [(group, slots)].into(),
        scheduler_states: vec![],
        start_timestamp_in_millis: rescale.started_ms,
        end_timestamp_in_millis: rescale.ended_ms,
        terminal_state,
        trigger_cause: match rescale.cause {
            RescaleCause::Requirements => "UPDATE_REQUIREMENT",
            RescaleCause::Slots => "NEW_RESOURCE_AVAILABLE",
        },
        terminated_reason,
    }
}

fn has_failed(rescale: &Rescale) -> bool {
    rescale.failure.is_some()
}

fn has_completed(rescale: &Rescale) -> bool {
    rescale.failure.is_none() && rescale.ended_ms.is_some()
}

fn counts(rescales: &[Rescale]) -> messages::RescaleCounts {
    let count = |is: fn(&Rescale) -> bool| rescales.iter().filter(|rescale| is(rescale)).count() as u64;
    let (completed, failed) = (count(has_completed), count(has_failed));
    messages::RescaleCounts { ignored: 0, in_progress: rescales.len() as u64 - completed - failed, completed, failed }
}

/// The latest ones, of rescales that come newest first.
pub(crate) fn overview(job: &JobDetails, rescales: &[Rescale]) -> messages::RescaleOverview {
    let latest = |is: fn(&Rescale) -> bool| rescales.iter().find(|rescale| is(rescale)).map(|one| details(job, one));
    messages::RescaleOverview {
        rescales_counts: counts(rescales),
        latest: messages::LatestRescales {
            completed: latest(has_completed),
            failed: latest(has_failed),
            ignored: None,
        },
    }
}

/// How long they took.
pub(crate) fn summary(rescales: &[Rescale]) -> messages::RescaleSummary {
    let of = |is: fn(&Rescale) -> bool| {
        let ended = rescales.iter().filter(|rescale| is(rescale));
        stats(ended.filter_map(|rescale| Some(rescale.ended_ms? - rescale.started_ms)))
    };
    messages::RescaleSummary {
        rescales_counts: counts(rescales),
        rescales_duration_stats_in_millis: of(|_| true),
        completed_rescales_duration_stats_in_millis: of(has_completed),
        ignored_rescales_duration_stats_in_millis: of(|_| false),
        failed_rescales_duration_stats_in_millis: of(has_failed),
    }
}
