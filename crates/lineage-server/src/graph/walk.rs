//! The walk, breadth first: every step from a unit to a dataset or from a dataset to a unit costs one depth.
//!
//! Upstream, units lead to what they read and datasets to who writes them; downstream the other way round. Walking both
//! ways is two walks from the same start, whose results are joined. Every name of the same data counts as one dataset.
//! Work is bounded by [`EDGES_MAX`]: a larger graph is cut and says so.

use super::edges::{self, By, Edge, Sums, Unit};
use super::symlinks::{self, Link};
use super::{Direction, Level, Window};
use crate::error::Result;
use crate::store::db::Database;
use std::collections::{BTreeMap, BTreeSet};

/// Most edges of an answer.
pub const EDGES_MAX: usize = 50_000;

/// Where a walk begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// What the ids are of.
    pub by: By,
    /// The ids.
    pub ids: Vec<i64>,
}

/// What to walk.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Which way.
    pub direction: Direction,
    /// How far.
    pub depth: usize,
    /// Whose edges.
    pub level: Level,
    /// When.
    pub window: Window,
}

/// What a walk found.
#[derive(Debug, Default)]
pub struct Found {
    /// Edges, each once.
    pub edges: BTreeMap<(bool, Unit, i64), Sums>,
    /// Datasets, with all their names.
    pub datasets: BTreeSet<i64>,
    /// Names of the same data.
    pub links: BTreeSet<Link>,
    /// Jobs that were walked from, with those they started.
    pub jobs: BTreeSet<i64>,
    /// Runs that were walked from, with those they started.
    pub runs: BTreeSet<i64>,
    /// Whether it was cut.
    pub truncated: bool,
}

/// Walks.
///
/// # Errors
/// Those of the database.
pub async fn walk(db: &Database, start: &Start, plan: &Plan) -> Result<Found> {
    let mut found = Found::default();
    for way in plan.direction.ways() {
        one_way(db, start, *way == Direction::Upstream, plan, &mut found).await?;
    }
    Ok(found)
}

async fn one_way(db: &Database, start: &Start, upstream: bool, plan: &Plan, found: &mut Found) -> Result<()> {
    let mut frontier = start.clone();
    let (mut units, mut datasets) = (BTreeSet::<Unit>::new(), BTreeSet::<i64>::new());
    for step in 0..plan.depth {
        let at_datasets = frontier.by == By::Dataset;
        frontier.ids = match frontier.by {
            By::Dataset => all_names(db, frontier.ids, &mut datasets, found).await?,
            By::Job => family(db, "job", frontier.ids, &mut found.jobs).await?,
            By::Run => family(db, "run", frontier.ids, &mut found.runs).await?,
            By::Operation => frontier.ids,
        };
        // Upstream: units by their inputs, datasets by who has them as outputs.
        let output = upstream == at_datasets;
        let ids = std::mem::take(&mut frontier.ids);
        // An operation is shown with all that it read and wrote, whenever that was.
        let window = if frontier.by == By::Operation { plan.window.unbounded() } else { plan.window };
        let edges = edges::find(db, frontier.by, ids, output, plan.level, &window).await?;
        let next = if at_datasets {
            next_units(&edges, plan.level, &mut units)
        } else {
            if step == 0 {
                units.extend(edges.iter().map(|edge| edge.unit));
            }
            Start { by: By::Dataset, ids: next_datasets(&edges, &datasets) }
        };
        keep(edges, found);
        frontier = next;
        if frontier.ids.is_empty() || found.edges.len() > EDGES_MAX {
            found.truncated |= found.edges.len() > EDGES_MAX;
            break;
        }
    }
    if frontier.by == By::Dataset {
        all_names(db, frontier.ids, &mut datasets, found).await?;
    }
    Ok(())
}

/// Every name of the datasets that was not visited yet.
async fn all_names(db: &Database, ids: Vec<i64>, visited: &mut BTreeSet<i64>, found: &mut Found) -> Result<Vec<i64>> {
    let (all, links) = symlinks::closure(db, ids.into_iter().collect()).await?;
    let new: Vec<i64> = all.into_iter().filter(|id| visited.insert(*id)).collect();
    found.datasets.extend(&new);
    found.links.extend(links);
    Ok(new)
}

/// Most jobs or runs of one step.
const FAMILY_MAX: usize = 10_000;

/// Jobs or runs with all that they started, directly or not.
async fn family(db: &Database, table: &str, ids: Vec<i64>, found: &mut BTreeSet<i64>) -> Result<Vec<i64>> {
    let sql = format!("SELECT id FROM {table} WHERE {}", db.within_ints("parent_id", 1));
    let mut all: BTreeSet<i64> = ids.iter().copied().collect();
    let mut frontier = ids;
    while !frontier.is_empty() && all.len() < FAMILY_MAX {
        let rows = db.rows(&sql, vec![std::mem::take(&mut frontier).into()]).await?;
        frontier.extend(rows.iter().map(|row| row.int(0)).filter(|id| all.insert(*id)));
    }
    found.extend(&all);
    Ok(all.into_iter().collect())
}

fn next_units(edges: &[Edge], level: Level, visited: &mut BTreeSet<Unit>) -> Start {
    let new: BTreeSet<i64> =
        edges.iter().filter(|edge| visited.insert(edge.unit)).map(|edge| edge.unit.at(level)).collect();
    let by = match level {
        Level::Job => By::Job,
        Level::Run => By::Run,
        Level::Operation => By::Operation,
    };
    Start { by, ids: new.into_iter().collect() }
}

fn next_datasets(edges: &[Edge], visited: &BTreeSet<i64>) -> Vec<i64> {
    let new: BTreeSet<i64> = edges.iter().map(|edge| edge.dataset).filter(|id| !visited.contains(id)).collect();
    new.into_iter().collect()
}

fn keep(edges: Vec<Edge>, found: &mut Found) {
    for edge in edges {
        found.edges.insert((edge.output, edge.unit, edge.dataset), edge.sums);
    }
}
