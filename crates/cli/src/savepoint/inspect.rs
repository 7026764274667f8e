//! `headwater savepoint inspect`: what a checkpoint or savepoint holds.

use super::open::{Opened, open};
use super::verify::{Damage, verify};
use super::{complain, ending, render, write};
use crate::args::InspectArgs;
use headwater_checkpoint::manifest::{ListState, OperatorState, SubtaskBlobs, TableState};
use headwater_checkpoint::{Manifest, RunKind};
use headwater_connector_savepoint::declare;
use headwater_state::{Column, TableKind};
use headwater_types::Result;
use headwater_types::config::Configuration;
use serde::Serialize;
use std::process::ExitCode;

/// A checkpoint or savepoint.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// URI of its directory.
    pub path: String,
    /// `savepoint` or `checkpoint`.
    pub kind: &'static str,
    /// Its number.
    pub checkpoint: u64,
    /// Id of the job.
    pub job: String,
    /// Display name of the job.
    pub job_name: String,
    /// When it was triggered, milliseconds since the epoch.
    pub triggered_ms: i64,
    /// When it was complete.
    pub completed_ms: i64,
    /// Number of key groups.
    pub max_parallelism: u32,
    /// The vertices of the graph.
    pub vertices: Vec<VertexSummary>,
    /// The operators that have state, in plan order.
    pub operators: Vec<OperatorSummary>,
    /// All of it.
    pub totals: Totals,
    /// What is damaged; absent when nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub damages: Option<Vec<Damage>>,
}

/// A vertex.
#[derive(Debug, Serialize)]
pub struct VertexSummary {
    /// Display name.
    pub name: String,
    /// Number of subtasks.
    pub parallelism: u32,
    /// Subtasks that had processed all of their input.
    pub finished: usize,
    /// Bytes of rows that barriers overtook.
    pub in_flight_bytes: u64,
}

/// The state of an operator.
#[derive(Debug, Serialize)]
pub struct OperatorSummary {
    /// Its uid.
    pub uid: String,
    /// Display name.
    pub name: String,
    /// Keyed tables.
    pub tables: Vec<TableSummary>,
    /// Lists that belong to no key.
    pub lists: Vec<ListSummary>,
    /// Remaining splits of the readers.
    pub splits: Items,
    /// Bytes of the enumerator's state; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enumerator_bytes: Option<u64>,
    /// State of the writers.
    pub writers: Items,
    /// What the checkpoint commits.
    pub committables: Items,
}

/// Opaque items.
#[derive(Debug, Default, Serialize)]
pub struct Items {
    /// How many.
    pub count: usize,
    /// How large together.
    pub bytes: u64,
}

/// A keyed table.
#[derive(Debug, Serialize)]
pub struct TableSummary {
    /// Its name.
    pub name: String,
    /// `value`, `map` or `timers`.
    pub kind: &'static str,
    /// Key columns.
    pub key: Vec<ColumnSummary>,
    /// Map-key columns.
    pub map_key: Vec<ColumnSummary>,
    /// Value columns.
    pub value: Vec<ColumnSummary>,
    /// How long entries live; absent for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<i64>,
    /// Entries of all runs: an upper bound of the entries of the table.
    pub entries_max: u64,
    /// Bytes of all runs.
    pub bytes: u64,
    /// Runs that stand alone.
    pub bases: usize,
    /// Runs of changes.
    pub deltas: usize,
    /// The statement that declares it as a table, to be queried.
    pub create_table: String,
}

/// A column.
#[derive(Debug, Serialize)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// Its SQL type.
    #[serde(rename = "type")]
    pub ty: String,
}

/// A list.
#[derive(Debug, Serialize)]
pub struct ListSummary {
    /// Its name.
    pub name: String,
    /// Its items.
    #[serde(flatten)]
    pub items: Items,
}

/// Sums.
#[derive(Debug, Default, Serialize)]
pub struct Totals {
    /// Entries of all tables, an upper bound.
    pub entries_max: u64,
    /// Bytes of state in files.
    pub bytes: u64,
    /// Files that the manifest names.
    pub files: usize,
}

/// Shows what is there. Fails when something is damaged.
pub fn run(args: &InspectArgs, config: &Configuration) -> ExitCode {
    match look(args, config) {
        Err(error) => complain(&error),
        Ok(summary) => {
            let sound = summary.damages.as_ref().is_none_or(Vec::is_empty);
            let text = || if args.sql { render::declarations(&summary) } else { render::summary(&summary) };
            ending(write(args.format, &summary, text), sound)
        }
    }
}

fn look(args: &InspectArgs, config: &Configuration) -> Result<Summary> {
    let Opened { path, manifest, storage } = open(&args.path, config)?;
    let mut summary = summarize(path, &manifest);
    if args.verify {
        summary.damages = Some(verify(&manifest, storage.as_ref())?);
    }
    Ok(summary)
}

/// What a manifest says.
pub fn summarize(path: String, manifest: &Manifest) -> Summary {
    let with_state = manifest.operators.iter().filter(|operator| !operator.is_stateless());
    let operators: Vec<OperatorSummary> = with_state.map(|state| operator(state, &path, &manifest.operators)).collect();
    let vertex = |vertex: &headwater_checkpoint::manifest::VertexState| VertexSummary {
        name: vertex.name.clone(),
        parallelism: vertex.parallelism,
        finished: vertex.finished.len(),
        in_flight_bytes: vertex.channels.iter().map(|channel| channel.rows.bytes()).sum(),
    };
    let totals = Totals {
        entries_max: operators.iter().flat_map(|o| &o.tables).map(|table| table.entries_max).sum(),
        bytes: manifest.state_bytes(),
        files: manifest.files().len(),
    };
    Summary {
        path,
        kind: if manifest.savepoint { "savepoint" } else { "checkpoint" },
        checkpoint: manifest.checkpoint,
        job: manifest.job.to_string(),
        job_name: manifest.job_name.clone(),
        triggered_ms: manifest.triggered_ms,
        completed_ms: manifest.completed_ms,
        max_parallelism: manifest.max_parallelism,
        vertices: manifest.vertices.iter().map(vertex).collect(),
        operators,
        totals,
        damages: None,
    }
}

fn operator(state: &OperatorState, path: &str, all: &[OperatorState]) -> OperatorSummary {
    let stored = state.tables.iter().filter(|table| !table.runs.is_empty());
    let committables = state.committables.iter().flat_map(|part| &part.items);
    OperatorSummary {
        uid: state.key.clone(),
        name: state.name.clone(),
        tables: stored.map(|stored| table(stored, &create_table(stored, state, path, all))).collect(),
        lists: state.lists.iter().map(list).collect(),
        splits: parts(&state.splits),
        enumerator_bytes: state.enumerator.as_ref().map(headwater_checkpoint::Blob::bytes),
        writers: parts(&state.writers),
        committables: items(committables),
    }
}

/// Declares a table by its name, or by that of its operator too where several have it.
fn create_table(state: &TableState, operator: &OperatorState, path: &str, all: &[OperatorState]) -> String {
    let name = &state.descriptor.name;
    let same = all.iter().flat_map(|o| &o.tables).filter(|t| !t.runs.is_empty() && t.descriptor.name == *name);
    let name = if same.count() > 1 { format!("{} {name}", operator.key) } else { name.clone() };
    declare::create_table(&name, path, &operator.key, &state.descriptor)
}

fn table(state: &TableState, create_table: &str) -> TableSummary {
    let descriptor = &state.descriptor;
    let bases = state.runs.iter().filter(|run| run.kind == RunKind::Base).count();
    TableSummary {
        name: descriptor.name.clone(),
        kind: match descriptor.kind {
            TableKind::Value => "value",
            TableKind::Map => "map",
            TableKind::Timers => "timers",
        },
        key: columns(&descriptor.key),
        map_key: columns(&descriptor.map_key),
        value: columns(&descriptor.value),
        ttl_ms: descriptor.ttl.map(|ttl| ttl.ttl_ms),
        entries_max: state.entries(),
        bytes: state.bytes(),
        bases,
        deltas: state.runs.len() - bases,
        create_table: create_table.to_owned(),
    }
}

fn columns(columns: &[Column]) -> Vec<ColumnSummary> {
    columns.iter().map(|column| ColumnSummary { name: column.name.clone(), ty: column.ty.to_string() }).collect()
}

fn list(state: &ListState) -> ListSummary {
    ListSummary { name: state.name.clone(), items: parts(&state.parts) }
}

fn parts(parts: &[SubtaskBlobs]) -> Items {
    items(parts.iter().flat_map(|part| &part.items))
}

fn items<'a>(blobs: impl Iterator<Item = &'a headwater_checkpoint::Blob>) -> Items {
    blobs.fold(Items::default(), |sum, blob| Items { count: sum.count + 1, bytes: sum.bytes + blob.bytes() })
}
