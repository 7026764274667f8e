//! Small manifests and graphs for the tests of this crate.

use crate::GroupSet;
use crate::layout::{Operator, Vertex};
use crate::manifest::{Blob, Manifest, OperatorState, Place, Run, RunKind, SubtaskBlobs, TableState, VertexState};
use headwater_state::TableDescriptor;
use headwater_types::ids::{JobId, SubtaskId, VertexId};

pub(crate) fn subtask(vertex: u32, index: u32) -> SubtaskId {
    SubtaskId { vertex: VertexId(vertex), index }
}

pub(crate) fn place(file: &str, bytes: u64) -> Place {
    Place { file: file.to_owned(), offset: 0, bytes, checksum: 7 }
}

pub(crate) fn run(kind: RunKind, checkpoint: u64, groups: std::ops::Range<u32>, bytes: u64) -> Run {
    let file = format!("shared/{checkpoint}-{}-{bytes}", groups.start);
    Run { kind, checkpoint, groups: GroupSet::of(groups), entries: bytes, live: None, place: place(&file, bytes) }
}

pub(crate) fn delta(checkpoint: u64, groups: std::ops::Range<u32>) -> Run {
    run(RunKind::Delta, checkpoint, groups, 10)
}

pub(crate) fn table(name: &str, runs: Vec<Run>) -> TableState {
    TableState { descriptor: TableDescriptor::value(name, vec![], vec![]), runs }
}

pub(crate) fn blobs(parts: &[(u32, &[u8])]) -> Vec<SubtaskBlobs> {
    let part = |(subtask, items): &(u32, &[u8])| SubtaskBlobs {
        subtask: *subtask,
        items: items.iter().map(|item| Blob::Inline(vec![*item])).collect(),
    };
    parts.iter().map(part).collect()
}

/// A vertex of `source -> count`.
pub(crate) fn vertex(parallelism: u32) -> Vertex {
    let operator = |uid: &str, source| Operator {
        uid: uid.to_owned(),
        key: uid.to_owned(),
        name: uid.to_owned(),
        source,
        sink: false,
    };
    let operators = vec![operator("source", true), operator("count", false)];
    Vertex { id: VertexId(0), name: "source -> count".to_owned(), parallelism, operators }
}

/// A checkpoint of [`vertex`] at parallelism 2 with 8 key groups.
pub(crate) fn manifest() -> Manifest {
    let source = OperatorState {
        splits: blobs(&[(0, b"ab"), (1, b"c")]),
        enumerator: Some(Blob::Inline(b"rest".to_vec())),
        ..OperatorState::new("source", "source")
    };
    let count = OperatorState {
        tables: vec![table("counts", vec![delta(1, 0..4), delta(1, 4..8), delta(3, 0..4)])],
        watermark: 5,
        ..OperatorState::new("count", "count")
    };
    Manifest {
        job: JobId(11),
        job_name: "job".to_owned(),
        checkpoint: 3,
        savepoint: false,
        triggered_ms: 100,
        completed_ms: 130,
        max_parallelism: 8,
        vertices: vec![VertexState {
            name: "source -> count".to_owned(),
            parallelism: 2,
            operators: vec!["source".to_owned(), "count".to_owned()],
            finished: vec![],
            channels: vec![],
        }],
        operators: vec![source, count],
    }
}
