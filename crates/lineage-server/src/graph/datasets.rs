//! Lineage from dataset to dataset, without who moves the data.
//!
//! Each input of an operation feeds each of its outputs, unless the producer said which feeds which. One depth is one
//! step from dataset to dataset.

use super::walk::{EDGES_MAX, Found};
use super::{Direction, Window, symlinks};
use crate::error::Result;
use crate::store::db::Database;
use std::collections::{BTreeMap, BTreeSet};

/// Edges by source and target, with their last hour.
pub type Pairs = BTreeMap<(i64, i64), i64>;

/// Walks from a dataset.
///
/// # Errors
/// Those of the database.
pub async fn walk(
    db: &Database,
    start: i64,
    direction: Direction,
    depth: usize,
    window: &Window,
) -> Result<(Pairs, Found)> {
    let (mut pairs, mut found) = (Pairs::new(), Found::default());
    for way in direction.ways() {
        let mut visited = BTreeSet::new();
        let mut frontier = BTreeSet::from([start]);
        for round in 0..=depth {
            let (all, links) = symlinks::closure(db, std::mem::take(&mut frontier)).await?;
            let new: Vec<i64> = all.into_iter().filter(|id| visited.insert(*id)).collect();
            found.datasets.extend(&new);
            found.links.extend(links);
            if new.is_empty() || visited.len() > EDGES_MAX {
                found.truncated |= !new.is_empty();
                break;
            }
            // The last round only gathers the other names of what was found.
            if round == depth {
                break;
            }
            let upstream = *way == Direction::Upstream;
            let edges = step(db, new, upstream, window).await?;
            frontier.extend(edges.keys().map(|(source, target)| if upstream { *source } else { *target }));
            pairs.extend(edges);
        }
    }
    Ok((pairs, found))
}

/// The sources or targets of datasets.
///
/// # Errors
/// Those of the database.
pub async fn step(db: &Database, datasets: Vec<i64>, upstream: bool, window: &Window) -> Result<Pairs> {
    // `near` is the edge of the given datasets, `far` that of their neighbours.
    let (near, far) = if upstream { ("o", "i") } else { ("i", "o") };
    let (near_way, far_way) = (i64::from(upstream), i64::from(!upstream));
    let sql = format!(
        "SELECT i.dataset_id, o.dataset_id, {}, {} FROM edge {near} \
         JOIN edge {far} ON {far}.operation_id = {near}.operation_id AND {far}.direction = {far_way} \
         WHERE {} AND {near}.direction = {near_way} AND {} AND {} AND (o.has_flow = 0 OR EXISTS (\
         SELECT 1 FROM flow f WHERE f.operation_id = o.operation_id AND f.source_id = i.dataset_id \
         AND f.target_id = o.dataset_id)) GROUP BY i.dataset_id, o.dataset_id",
        window.last_hour("i"),
        window.last_hour("o"),
        db.within_ints(&format!("{near}.dataset_id"), 1),
        window.condition("i"),
        window.condition("o"),
    );
    let rows = db.rows(&sql, vec![datasets.into()]).await?;
    Ok(rows.iter().map(|row| ((row.int(0), row.int(1)), row.int(2).max(row.int(3)))).collect())
}
