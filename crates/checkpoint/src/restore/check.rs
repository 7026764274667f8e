//! What speaks against starting a job from a checkpoint, and what it would need.

use super::stored_vertex;
use crate::layout::Vertex;
use crate::manifest::{Manifest, Spread, VertexState};
use headwater_types::{Error, Result};

/// Refuses a checkpoint that the job cannot start from. `name` is what messages call it.
///
/// # Errors
/// Of kind `User`: another number of key groups; state that no operator of the job takes, unless that is to be
/// ignored; in-flight rows at another parallelism; a checkpoint that has nothing in common with the job.
pub fn check(
    name: &str,
    manifest: &Manifest,
    vertices: &[Vertex],
    max_parallelism: u32,
    ignore_unclaimed: bool,
) -> Result<()> {
    check_max_parallelism(name, manifest, vertices, max_parallelism)?;
    let unclaimed = unclaimed(manifest, vertices);
    if !ignore_unclaimed && !unclaimed.is_empty() {
        return Err(refuse_unclaimed(name, manifest, &unclaimed));
    }
    vertices.iter().try_for_each(|vertex| check_channels(name, manifest, vertex))
}

fn check_max_parallelism(name: &str, manifest: &Manifest, vertices: &[Vertex], max_parallelism: u32) -> Result<()> {
    let stored = manifest.max_parallelism;
    if stored != max_parallelism {
        let message = format!(
            "'{name}' has {stored} key groups and the job has {max_parallelism}: the number is fixed for the life of \
             its state, so set 'pipeline.max-parallelism' to {stored}"
        );
        return Err(Error::user("checkpoint-max-parallelism", message));
    }
    match vertices.iter().find(|vertex| vertex.parallelism > stored) {
        None => Ok(()),
        Some(vertex) => Err(Error::user(
            "checkpoint-max-parallelism",
            format!(
                "'{}' has parallelism {}, and the state of '{name}' can be spread over at most {stored} subtasks",
                vertex.name, vertex.parallelism
            ),
        )),
    }
}

/// Operators of the manifest that have state and are not in the graph.
pub(super) fn unclaimed(manifest: &Manifest, vertices: &[Vertex]) -> Vec<String> {
    let wanted = |key: &str| vertices.iter().flat_map(|vertex| &vertex.operators).any(|operator| operator.key == key);
    let left = manifest.operators.iter().filter(|state| !state.is_stateless() && !wanted(&state.key));
    left.map(|state| state.key.clone()).collect()
}

fn refuse_unclaimed(name: &str, manifest: &Manifest, unclaimed: &[String]) -> Error {
    let describe = |key: &String| {
        let display = manifest.operator(key).map_or("", |state| state.name.as_str());
        format!("'{display}' ({key})")
    };
    let described: Vec<String> = unclaimed.iter().map(describe).collect();
    let stateful = manifest.operators.iter().filter(|state| !state.is_stateless()).count();
    let origin = if unclaimed.len() == stateful {
        format!(": it was taken by another job, '{}' ({})", manifest.job_name, manifest.job)
    } else {
        String::new()
    };
    Error::user(
        "state-unclaimed",
        format!(
            "'{name}' holds state of operators that the job does not have: {}{origin}. Start from a checkpoint of this \
             job, or set 'execution.state-recovery.ignore-unclaimed-state' to true to leave that state behind",
            described.join(", ")
        ),
    )
}

fn check_channels(name: &str, manifest: &Manifest, vertex: &Vertex) -> Result<()> {
    let Some(stored) = stored_vertex(manifest, vertex) else { return Ok(()) };
    let broadcast = stored.channels.iter().any(|channel| channel.spread == Spread::Broadcast);
    let moved = stored.parallelism != vertex.parallelism;
    if stored.channels.is_empty() || (same_chain(stored, vertex) && !(broadcast && moved)) {
        return Ok(());
    }
    let message = format!(
        "'{name}' is an unaligned checkpoint with rows on their way to '{}', which the job now runs differently (parallelism \
         {} then, {} now): start at the old parallelism, or from a savepoint, which holds no such rows",
        stored.name, stored.parallelism, vertex.parallelism
    );
    Err(Error::user("checkpoint-in-flight", message))
}

fn same_chain(stored: &VertexState, vertex: &Vertex) -> bool {
    vertex.operators.iter().map(|operator| &operator.key).eq(&stored.operators)
}
