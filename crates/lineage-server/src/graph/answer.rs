//! A graph as the API tells it: `{"relations": {..}, "nodes": {..}}`.

use super::datasets::Pairs;
use super::edges::{Sums, Unit};
use super::schemas::Uses;
use super::symlinks::Link;
use super::walk::Found;
use super::{Level, Window, columns, schemas};
use crate::error::Result;
use crate::names::{OUTPUT_TYPES, bits};
use crate::read::{self, iso};
use crate::store::db::Database;
use crate::store::rows::JobRow;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Most steps from a job or run to its ancestors.
const ANCESTORS_MAX: usize = 64;

/// A graph to be told.
#[derive(Debug, Default)]
pub struct Graph {
    /// What the walk found.
    pub found: Found,
    /// Edges from dataset to dataset.
    pub pairs: Pairs,
    /// Jobs to be shown whatever the walk found.
    pub jobs: BTreeSet<i64>,
    /// Runs to be shown whatever the walk found.
    pub runs: BTreeSet<i64>,
    /// Operations to be shown whatever the walk found.
    pub operations: BTreeSet<i64>,
}

/// How to tell it.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    /// Down to which level; none for edges between datasets.
    pub level: Option<Level>,
    /// Whether to tell column lineage.
    pub columns: bool,
    /// The time of the question.
    pub window: Window,
}

/// Entities found on the way, as the API shows them.
#[derive(Debug, Default)]
struct Nodes {
    jobs: read::ById,
    runs: HashMap<i64, Value>,
    run_uuids: HashMap<i64, String>,
    operations: HashMap<i64, Value>,
    operation_uuids: HashMap<i64, String>,
    parents: Vec<Value>,
}

/// Tells it.
///
/// # Errors
/// Those of the database.
pub async fn tell(db: &Database, mut graph: Graph, telling: &Telling) -> Result<Value> {
    for (_, unit, _) in graph.found.edges.keys() {
        graph.jobs.insert(unit.job);
        graph.runs.extend((unit.run != 0).then_some(unit.run));
        graph.operations.extend((unit.operation != 0).then_some(unit.operation));
    }
    graph.jobs.extend(&graph.found.jobs);
    graph.runs.extend(&graph.found.runs);
    let nodes = nodes(db, &graph).await?;
    let datasets = datasets(db, &graph, &telling.window).await?;
    let (direct, indirect) =
        if telling.columns { column_lineage(db, &graph, telling).await? } else { (vec![], vec![]) };
    let (inputs, outputs) = interactions(&graph, telling.level, &nodes);
    let strings = |map: read::ById| -> Map<String, Value> { sorted(map).map(|(id, v)| (id.to_string(), v)).collect() };
    let by_uuid = |values: HashMap<i64, Value>| -> Map<String, Value> {
        let values: BTreeMap<String, Value> = values.into_values().map(|v| (text(&v["id"]), v)).collect();
        values.into_iter().collect()
    };
    Ok(json!({
        "relations": {
            "parents": nodes.parents,
            "symlinks": graph.found.links.iter().map(symlink).collect::<Vec<_>>(),
            "inputs": inputs,
            "outputs": outputs,
            "direct_column_lineage": direct,
            "indirect_column_lineage": indirect,
        },
        "nodes": {
            "datasets": strings(datasets),
            "jobs": strings(nodes.jobs),
            "runs": by_uuid(nodes.runs),
            "operations": by_uuid(nodes.operations),
        },
    }))
}

fn sorted(map: read::ById) -> impl Iterator<Item = (i64, Value)> {
    map.into_iter().collect::<BTreeMap<_, _>>().into_iter()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn entity(kind: &str, id: impl ToString) -> Value {
    json!({"kind": kind, "id": id.to_string()})
}

fn symlink(link: &Link) -> Value {
    json!({"from": entity("DATASET", link.from), "to": entity("DATASET", link.to), "type": link.role})
}

/// Datasets with the schemas they are read or written with.
async fn datasets(db: &Database, graph: &Graph, window: &Window) -> Result<read::ById> {
    let mut shown = read::datasets(db, graph.found.datasets.iter().copied().collect()).await?;
    for (id, schema) in schemas::in_window(db, &uses(graph), window).await? {
        if let Some(dataset) = shown.get_mut(&id) {
            dataset["schema"] = schema;
        }
    }
    Ok(shown)
}

/// Which datasets the edges of a graph read and write.
fn uses(graph: &Graph) -> BTreeMap<i64, Uses> {
    let mut uses: BTreeMap<i64, Uses> = BTreeMap::new();
    for (output, _, dataset) in graph.found.edges.keys() {
        let uses = uses.entry(*dataset).or_default();
        if *output { uses.written = true } else { uses.read = true }
    }
    for (source, target) in graph.pairs.keys() {
        uses.entry(*source).or_default().read = true;
        uses.entry(*target).or_default().written = true;
    }
    uses
}

async fn column_lineage(db: &Database, graph: &Graph, telling: &Telling) -> Result<(Vec<Value>, Vec<Value>)> {
    let ids = |set: &BTreeSet<i64>| set.iter().copied().collect::<Vec<i64>>();
    let units = match telling.level {
        None => None,
        Some(Level::Job) => Some(("job_id", ids(&graph.jobs))),
        Some(Level::Run) => Some(("run_id", ids(&graph.runs))),
        Some(Level::Operation) => Some(("operation_id", ids(&graph.operations))),
    };
    let uses = uses(graph);
    let of = |used: fn(&Uses) -> bool| uses.iter().filter(|(_, uses)| used(uses)).map(|(id, _)| *id).collect();
    let (sources, targets): (BTreeSet<i64>, BTreeSet<i64>) = (of(|uses| uses.read), of(|uses| uses.written));
    // An operation is asked for as a whole.
    let window = if telling.level == Some(Level::Operation) { telling.window.unbounded() } else { telling.window };
    let mut found = columns::find(db, Some(&sources), Some(&targets), units, &window).await?;
    if telling.level.is_none() {
        found.retain(|pair, _| graph.pairs.contains_key(pair));
    }
    Ok(columns::shown(&found))
}

async fn nodes(db: &Database, graph: &Graph) -> Result<Nodes> {
    let mut nodes = Nodes::default();
    let mut jobs = graph.jobs.clone();
    let operations = read::operations(db, graph.operations.iter().copied().collect()).await?;
    let mut wanted = graph.runs.clone();
    wanted.extend(operations.values().map(|(row, _)| row.run_id));
    runs_with_ancestors(db, wanted, &mut nodes, &mut jobs).await?;
    let mut of_runs = vec![];
    for (id, (row, value)) in operations {
        if let Some(run) = nodes.run_uuids.get(&row.run_id) {
            of_runs.push(json!({"from": entity("RUN", run), "to": entity("OPERATION", &row.uuid)}));
        }
        nodes.operation_uuids.insert(id, row.uuid);
        nodes.operations.insert(id, value);
    }
    jobs_with_ancestors(db, jobs, &mut nodes).await?;
    nodes.parents.extend(of_runs);
    nodes.parents.sort_by_key(parent_order);
    Ok(nodes)
}

/// Jobs before runs before operations, then by ids.
fn parent_order(relation: &Value) -> (u8, u8, String, String) {
    let level = |end: &str| match relation[end]["kind"].as_str() {
        Some("JOB") => 0,
        Some("RUN") => 1,
        _ => 2,
    };
    (level("from"), level("to"), text(&relation["from"]["id"]), text(&relation["to"]["id"]))
}

async fn runs_with_ancestors(
    db: &Database,
    mut wanted: BTreeSet<i64>,
    nodes: &mut Nodes,
    jobs: &mut BTreeSet<i64>,
) -> Result<()> {
    let mut children = vec![];
    for _ in 0..ANCESTORS_MAX {
        wanted.retain(|id| !nodes.runs.contains_key(id));
        if wanted.is_empty() {
            break;
        }
        for (id, (row, value)) in read::runs(db, std::mem::take(&mut wanted).into_iter().collect()).await? {
            jobs.insert(row.job_id);
            nodes.parents.push(json!({"from": entity("JOB", row.job_id), "to": entity("RUN", &row.uuid)}));
            nodes.run_uuids.insert(id, row.uuid.clone());
            nodes.runs.insert(id, value);
            if let Some(parent) = row.parent_id {
                children.push((parent, row.uuid));
                wanted.insert(parent);
            }
        }
    }
    for (parent, child) in children {
        if let Some(parent) = nodes.run_uuids.get(&parent) {
            nodes.parents.push(json!({"from": entity("RUN", parent), "to": entity("RUN", child)}));
        }
    }
    Ok(())
}

async fn jobs_with_ancestors(db: &Database, wanted: BTreeSet<i64>, nodes: &mut Nodes) -> Result<()> {
    let mut all = wanted.clone();
    let mut frontier: Vec<i64> = wanted.into_iter().collect();
    for _ in 0..ANCESTORS_MAX {
        if frontier.is_empty() {
            break;
        }
        let rows = read::rows_in::<JobRow>(db, "id", std::mem::take(&mut frontier)).await?;
        for (id, parent) in rows.iter().filter_map(|row| Some((row.id, row.parent_id?))) {
            nodes.parents.push(json!({"from": entity("JOB", parent), "to": entity("JOB", id)}));
            if all.insert(parent) {
                frontier.push(parent);
            }
        }
    }
    nodes.jobs = read::jobs(db, all.into_iter().collect()).await?;
    Ok(())
}

/// The `inputs` and `outputs`, coarser levels first.
fn interactions(graph: &Graph, level: Option<Level>, nodes: &Nodes) -> (Vec<Value>, Vec<Value>) {
    let Some(finest) = level else {
        let pairs = graph.pairs.iter().map(|((source, target), last)| {
            json!({"from": entity("DATASET", source), "to": entity("DATASET", target), "last_interaction_at": iso(*last),
                   "num_bytes": null, "num_rows": null, "num_files": null})
        });
        return (pairs.collect(), vec![]);
    };
    let (mut inputs, mut outputs) = (vec![], vec![]);
    for level in [Level::Job, Level::Run, Level::Operation].into_iter().filter(|level| *level <= finest) {
        let mut sums: BTreeMap<(bool, i64, Unit), Sums> = BTreeMap::new();
        for ((output, unit, dataset), edge) in &graph.found.edges {
            let key = (*output, *dataset, unit.coarser(level));
            sums.entry(key).and_modify(|known| known.add(edge)).or_insert(*edge);
        }
        for ((output, dataset, unit), sums) in sums {
            let Some(unit) = unit_entity(&unit, level, nodes) else { continue };
            let dataset = entity("DATASET", dataset);
            if output {
                outputs.push(interaction(&unit, &dataset, &sums, true));
            } else {
                inputs.push(interaction(&dataset, &unit, &sums, false));
            }
        }
    }
    (inputs, outputs)
}

fn unit_entity(unit: &Unit, level: Level, nodes: &Nodes) -> Option<Value> {
    Some(match level {
        Level::Job => entity("JOB", unit.job),
        Level::Run => entity("RUN", nodes.run_uuids.get(&unit.run)?),
        Level::Operation => entity("OPERATION", nodes.operation_uuids.get(&unit.operation)?),
    })
}

fn interaction(from: &Value, to: &Value, sums: &Sums, output: bool) -> Value {
    let mut value = json!({"from": from, "to": to});
    if output {
        value["types"] = json!(bits(&OUTPUT_TYPES, sums.types));
    }
    value["last_interaction_at"] = iso(sums.last).into();
    value["num_bytes"] = json!(sums.bytes);
    value["num_rows"] = json!(sums.rows);
    value["num_files"] = json!(sums.files);
    value
}
