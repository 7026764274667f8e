//! Operations with their edges and column lineage.
//!
//! An edge holds from the first event that names it to the last word of its operation. An operation that shares its id
//! with its run also lives by the run's events, which is how a stream stays visible whose later events name no
//! datasets.

use super::dictionary::{SetRow, SqlRow};
use super::runs::{Runs, parsed};
use super::{Batch, Entry, Tracked, Writes};
use crate::error::Result;
use crate::event::time_of_uuid;
use crate::facts::{Columns, Edge, Facts, Operation};
use crate::store::record::load;
use crate::store::rows::{self, ColumnLineageRow, EdgeRow, FOREVER, FlowRow, NEVER, OperationRow, RunRow};
use std::collections::{BTreeSet, HashMap, HashSet, hash_map};
use uuid::Uuid;

const HOUR_US: i64 = 3600 * 1_000_000;

/// An operation with everything that hangs on it.
#[derive(Debug, Clone)]
pub(super) struct OperationState {
    operation: Tracked<OperationRow>,
    edges: HashMap<(i64, i64), Tracked<EdgeRow>>,
    columns: HashMap<(i64, i64, i64), Tracked<ColumnLineageRow>>,
    flows: HashMap<(i64, i64), Tracked<FlowRow>>,
}

type Operations = HashMap<Uuid, OperationState>;

/// What operations need to know of a run.
#[derive(Debug, Clone, Copy)]
struct RunState {
    id: i64,
    job_id: i64,
    status: i64,
    ended_at: Option<i64>,
    last_at: i64,
    declared: bool,
}

impl RunState {
    fn of(run: &RunRow) -> Self {
        let RunRow { id, job_id, status, ended_at, last_at, .. } = *run;
        Self { id, job_id, status, ended_at, last_at, declared: run.declared != 0 }
    }
}

/// Runs that operations depend on.
#[derive(Default)]
struct Around {
    by_id: HashMap<i64, RunState>,
    by_uuid: HashMap<Uuid, RunState>,
}

impl Around {
    fn add(&mut self, uuid: Uuid, run: &RunRow) {
        let state = RunState::of(run);
        self.by_uuid.insert(uuid, state);
        self.by_id.insert(run.id, state);
    }
}

/// Ids of the texts of a batch.
struct Texts<'t> {
    sql: HashMap<&'t str, i64>,
    sets: HashMap<&'t str, i64>,
}

impl<'b> Batch<'b> {
    /// Merges operations and writes them; `runs` are those of the batch.
    pub(super) async fn merge_operations(&mut self, entries: &'b [Entry], runs: &Runs) -> Result<()> {
        let mut operations = self.load_operations(entries, runs).await?;
        let sets: Vec<String> = entries.iter().flat_map(|e| &e.facts.columns).map(set_text).collect();
        let texts = self.operation_texts(entries, &sets).await?;
        for Entry { facts, .. } in entries {
            if let Some(fact) = &facts.operation {
                self.merge_operation(&mut operations, fact, facts, runs, &texts).await?;
            }
        }
        let around = self.runs_around(&operations, runs).await?;
        for (uuid, state) in &mut operations {
            if let Some(run) = around.by_id.get(&state.operation.row.run_id) {
                state.settle(run, around.by_uuid.get(uuid));
            }
        }
        self.write_operations(&operations).await?;
        // As of runs.
        for (uuid, mut state) in operations.into_iter().filter(|(_, state)| state.operation.row.ended_at.is_none()) {
            state.mark_stored();
            self.caches.operations.put(uuid, state);
        }
        Ok(())
    }

    /// The runs that operations belong to, and those that share an id with one.
    async fn runs_around(&mut self, operations: &Operations, runs: &Runs) -> Result<Around> {
        let mut around = Around::default();
        for (uuid, run) in runs {
            around.add(*uuid, &run.row);
        }
        let mut missing = vec![];
        for uuid in operations.keys().filter(|uuid| !runs.contains_key(*uuid)) {
            match self.caches.runs.get(uuid) {
                Some(run) => around.add(*uuid, &run),
                None => missing.push(uuid.to_string()),
            }
        }
        if !missing.is_empty() {
            let condition = self.tx.within("uuid", 1);
            for row in load::<RunRow>(self.tx, &condition, vec![missing.into()]).await? {
                around.add(parsed(&row.uuid)?, &row);
            }
        }
        let ids = operations.values().map(|state| state.operation.row.run_id);
        let missing: BTreeSet<i64> = ids.filter(|id| !around.by_id.contains_key(id)).collect();
        if !missing.is_empty() {
            let condition = self.tx.within("id", 1);
            let missing: Vec<i64> = missing.into_iter().collect();
            for row in load::<RunRow>(self.tx, &condition, vec![missing.into()]).await? {
                around.add(parsed(&row.uuid)?, &row);
            }
        }
        Ok(around)
    }

    async fn load_operations(&mut self, entries: &[Entry], runs: &Runs) -> Result<Operations> {
        let mut wanted: BTreeSet<Uuid> =
            entries.iter().filter_map(|e| e.facts.operation.as_ref()).map(|o| o.id).collect();
        // News of a run is news of the operation of the same id.
        wanted.extend(runs.keys());
        let mut found = Operations::new();
        let mut missing = vec![];
        for uuid in wanted {
            match self.caches.operations.take(&uuid) {
                Some(state) => drop(found.insert(uuid, state)),
                None => missing.push(uuid.to_string()),
            }
        }
        if missing.is_empty() {
            return Ok(found);
        }
        let condition = self.tx.within("uuid", 1);
        let rows = load::<OperationRow>(self.tx, &condition, vec![missing.into()]).await?;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let mut loaded: HashMap<i64, OperationState> =
            rows.into_iter().map(|row| (row.id, OperationState::new(Tracked::loaded(row)))).collect();
        if !ids.is_empty() {
            self.load_edges(ids, &mut loaded).await?;
        }
        for state in loaded.into_values() {
            found.insert(parsed(&state.operation.row.uuid)?, state);
        }
        Ok(found)
    }

    async fn load_edges(&mut self, ids: Vec<i64>, loaded: &mut HashMap<i64, OperationState>) -> Result<()> {
        let condition = self.tx.within("operation_id", 1);
        for row in load::<EdgeRow>(self.tx, &condition, vec![ids.clone().into()]).await? {
            if let Some(state) = loaded.get_mut(&row.operation_id) {
                state.edges.insert((row.dataset_id, row.direction), Tracked::loaded(row));
            }
        }
        for row in load::<ColumnLineageRow>(self.tx, &condition, vec![ids.clone().into()]).await? {
            if let Some(state) = loaded.get_mut(&row.operation_id) {
                state.columns.insert((row.source_id, row.target_id, row.set_id), Tracked::loaded(row));
            }
        }
        for row in load::<FlowRow>(self.tx, &condition, vec![ids.into()]).await? {
            if let Some(state) = loaded.get_mut(&row.operation_id) {
                state.flows.insert((row.source_id, row.target_id), Tracked::loaded(row));
            }
        }
        Ok(())
    }

    async fn operation_texts<'t>(&mut self, entries: &'t [Entry], sets: &'t [String]) -> Result<Texts<'t>> {
        let sql = entries.iter().filter_map(|e| e.facts.operation.as_ref()).filter_map(|o| o.sql.as_deref());
        Ok(Texts {
            sql: self.intern::<SqlRow>(sql.collect()).await?,
            sets: self.intern::<SetRow>(sets.iter().map(String::as_str).collect()).await?,
        })
    }

    async fn merge_operation(
        &mut self,
        operations: &mut Operations,
        fact: &Operation,
        facts: &Facts,
        runs: &Runs,
        texts: &Texts<'_>,
    ) -> Result<()> {
        let Some(run) = runs.get(&fact.run).map(|run| &run.row) else { return Ok(()) };
        let state = match operations.entry(fact.id) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(free) => {
                let row = new_operation(self.ids.next(self.tx, "operation").await?, &fact.id, run.id, facts.at);
                free.insert(OperationState::new(Tracked::new(row)))
            }
        };
        let sql = fact.sql.as_deref().and_then(|sql| texts.sql.get(sql)).copied();
        merge_fact(&mut state.operation.row, fact, run.id, sql, facts.at);
        for edge in &facts.edges {
            if let Some(dataset) = self.dataset_ids.get(&edge.dataset) {
                state.merge_edge(edge, *dataset, facts.at);
            }
        }
        for columns in &facts.columns {
            let ids = (self.dataset_ids.get(&columns.source), self.dataset_ids.get(&columns.target));
            let (Some(source), Some(target)) = ids else { continue };
            if let Some(set) = texts.sets.get(set_text(columns).as_str()) {
                state.merge_columns(*source, *target, *set, facts.at);
            }
        }
        for (source, target) in &facts.flows {
            if let (Some(source), Some(target)) = (self.dataset_ids.get(source), self.dataset_ids.get(target)) {
                let row = FlowRow { operation_id: state.operation.row.id, source_id: *source, target_id: *target };
                state.flows.entry((*source, *target)).or_insert_with(|| Tracked::new(row));
            }
        }
        Ok(())
    }

    async fn write_operations(&mut self, operations: &Operations) -> Result<()> {
        let states = || operations.values();
        Writes::of(states().map(|state| &state.operation), |row| row.id).write(self.tx).await?;
        let edges = states().flat_map(|state| state.edges.values());
        Writes::of(edges, |row| (row.operation_id, row.dataset_id, row.direction)).write(self.tx).await?;
        let columns = states().flat_map(|state| state.columns.values());
        Writes::of(columns, |row| (row.operation_id, row.source_id, row.target_id)).write(self.tx).await?;
        let flows = states().flat_map(|state| state.flows.values());
        Writes::of(flows, |row| (row.operation_id, row.source_id, row.target_id)).write(self.tx).await
    }
}

/// The canonical text of a set of relations, which is also how it is stored.
fn set_text(columns: &Columns) -> String {
    let relations: Vec<_> = columns.relations.iter().map(|r| (&r.source, &r.target, r.types, &r.expression)).collect();
    serde_json::to_string(&relations).unwrap_or_default()
}

fn new_operation(id: i64, uuid: &Uuid, run_id: i64, at: i64) -> OperationRow {
    OperationRow {
        id,
        uuid: uuid.to_string(),
        created_at: at,
        run_id,
        run_at: NEVER,
        name: String::new(),
        named_at: NEVER,
        kind: String::new(),
        status: crate::facts::status::UNKNOWN,
        position: None,
        group_name: None,
        description: None,
        described_at: NEVER,
        sql_id: None,
        sql_at: NEVER,
        started_at: None,
        ended_at: None,
        first_at: at,
        last_at: at,
    }
}

fn merge_fact(row: &mut OperationRow, fact: &Operation, run_id: i64, sql: Option<i64>, at: i64) {
    row.created_at = time_of_uuid(&fact.id).unwrap_or_else(|| row.created_at.min(at));
    rows::newest(&mut row.run_id, &mut row.run_at, &run_id, at);
    rows::newest(&mut row.name, &mut row.named_at, &fact.name, at);
    // The more telling kind is also the later one in the alphabet: BATCH is what is assumed.
    if fact.kind > row.kind {
        row.kind.clone_from(&fact.kind);
    }
    row.status = row.status.max(fact.status);
    rows::greatest(&mut row.group_name, fact.group.clone());
    if fact.position.is_some() || fact.description.is_some() {
        let mut said = (row.position, row.description.take());
        rows::newest(&mut said, &mut row.described_at, &(fact.position, fact.description.clone()), at);
        (row.position, row.description) = said;
    }
    if sql.is_some() {
        rows::newest(&mut row.sql_id, &mut row.sql_at, &sql, at);
    }
    rows::earliest(&mut row.started_at, fact.started_at);
    rows::greatest(&mut row.ended_at, fact.ended_at);
    row.first_at = row.first_at.min(at);
    row.last_at = row.last_at.max(at);
}

impl OperationState {
    fn new(operation: Tracked<OperationRow>) -> Self {
        Self { operation, edges: HashMap::new(), columns: HashMap::new(), flows: HashMap::new() }
    }

    /// From now on the database holds it as it is.
    fn mark_stored(&mut self) {
        self.operation.mark_stored();
        self.edges.values_mut().for_each(Tracked::mark_stored);
        self.columns.values_mut().for_each(Tracked::mark_stored);
        self.flows.values_mut().for_each(Tracked::mark_stored);
    }

    fn merge_edge(&mut self, edge: &Edge, dataset_id: i64, at: i64) {
        let operation = &self.operation.row;
        let (watermark, positions, progress_at) = match &edge.progress {
            Some(progress) => (progress.watermark, progress.positions.clone(), at),
            None => (None, None, NEVER),
        };
        let new = EdgeRow {
            operation_id: operation.id,
            dataset_id,
            direction: edge.output.into(),
            run_id: operation.run_id,
            job_id: 0,
            first_at: at,
            last_at: at,
            row_from: at,
            row_to: at,
            heard_to: at,
            is_open: 1,
            has_flow: 0,
            types: edge.types,
            num_rows: edge.rows,
            num_bytes: edge.bytes,
            num_files: edge.files,
            watermark,
            positions,
            progress_at,
        };
        match self.edges.entry((dataset_id, new.direction)) {
            hash_map::Entry::Occupied(mut known) => known.get_mut().row.merge(&new),
            hash_map::Entry::Vacant(free) => _ = free.insert(Tracked::new(new)),
        }
    }

    fn merge_columns(&mut self, source_id: i64, target_id: i64, set_id: i64, at: i64) {
        let new = ColumnLineageRow {
            operation_id: self.operation.row.id,
            source_id,
            target_id,
            set_id,
            run_id: self.operation.row.run_id,
            job_id: 0,
            first_at: at,
            last_at: at,
            row_from: at,
            row_to: at,
            heard_to: at,
            is_open: 1,
        };
        match self.columns.entry((source_id, target_id, set_id)) {
            hash_map::Entry::Occupied(mut known) => known.get_mut().row.merge(&new),
            hash_map::Entry::Vacant(free) => _ = free.insert(Tracked::new(new)),
        }
    }

    /// Brings what follows from the operation, its run and the run of the same id up to date.
    fn settle(&mut self, run: &RunState, namesake: Option<&RunState>) {
        let operation = &mut self.operation.row;
        if let Some(namesake) = namesake {
            operation.status = operation.status.max(namesake.status);
            rows::greatest(&mut operation.ended_at, namesake.ended_at);
            // Lists of what was going on ask for it too.
            operation.last_at = operation.last_at.max(namesake.last_at);
        }
        let (until, open) = match operation.ended_at {
            _ if run.declared => (FOREVER, 0),
            Some(ended) => (ended, 0),
            None => (operation.last_at, 1),
        };
        let created = operation.created_at;
        let hour = |at: i64| created + (at - created).max(0) / HOUR_US * HOUR_US;
        let flows: HashSet<i64> = self.flows.keys().map(|(_, target)| *target).collect();
        for edge in self.edges.values_mut() {
            let row = &mut edge.row;
            (row.run_id, row.job_id, row.is_open) = (run.id, run.job_id, open);
            row.heard_to = until.max(row.last_at);
            row.row_from = hour(row.first_at);
            row.row_to = if run.declared { row.last_at } else { hour(row.heard_to) };
            row.has_flow = flows.contains(&row.dataset_id).into();
        }
        for columns in self.columns.values_mut() {
            let row = &mut columns.row;
            (row.run_id, row.job_id, row.is_open) = (run.id, run.job_id, open);
            row.heard_to = until.max(row.last_at);
            row.row_from = hour(row.first_at);
            row.row_to = if run.declared { row.last_at } else { hour(row.heard_to) };
        }
    }
}
