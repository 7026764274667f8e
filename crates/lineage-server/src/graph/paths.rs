//! Columns from end to end: which columns a column ends up in, or comes from, through any number of jobs.
//!
//! Only relations that carry values are followed. The same column under another name of the dataset is the same column.

use super::columns::{self, is_direct};
use super::{Window, symlinks};
use crate::error::Result;
use crate::store::db::Database;
use std::collections::{BTreeMap, BTreeSet};

/// A column of a dataset.
pub type Column = (i64, String);

/// Most columns that a walk visits.
const COLUMNS_MAX: usize = 20_000;
/// Most paths that are told.
pub const PATHS_MAX: usize = 1000;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// From this column.
    pub from: Column,
    /// To this one.
    pub to: Column,
    /// What kind.
    pub types: i64,
    /// How it is computed, if a producer told it.
    pub expression: String,
    /// Who does it.
    pub job: i64,
}

/// Hops by the column that a walk comes from, and each column's distance from the start.
#[derive(Debug, Default)]
pub struct Web {
    /// Hops, in the direction of the walk.
    pub hops: BTreeMap<Column, Vec<Hop>>,
    /// Steps from the start.
    pub distance: BTreeMap<Column, usize>,
    /// Whether it goes on beyond what was walked.
    pub truncated: bool,
}

/// Walks from columns. A hop for which `stop` is true is kept, but not followed.
///
/// # Errors
/// Those of the database.
pub async fn walk(
    db: &Database,
    start: BTreeSet<Column>,
    upstream: bool,
    depth: usize,
    window: &Window,
    stop: impl Fn(&Hop) -> bool + Send,
) -> Result<Web> {
    let mut web = Web::default();
    let mut frontier = with_names(db, start).await?;
    web.distance.extend(frontier.iter().map(|column| (column.clone(), 0)));
    for step in 1..=depth {
        let datasets: BTreeSet<i64> = frontier.iter().map(|(dataset, _)| *dataset).collect();
        let (sources, targets) = if upstream { (None, Some(&datasets)) } else { (Some(&datasets), None) };
        let found = columns::find(db, sources, targets, None, window).await?;
        let mut next = BTreeSet::new();
        for ((source, target), relations) in found {
            for ((to, from), relation) in relations {
                if to.is_empty() || !is_direct(relation.types) {
                    continue;
                }
                let hop = Hop {
                    from: (source, from),
                    to: (target, to),
                    types: relation.types,
                    expression: relation.expression,
                    job: relation.job,
                };
                let (near, far) = if upstream { (&hop.to, &hop.from) } else { (&hop.from, &hop.to) };
                if !frontier.contains(near) {
                    continue;
                }
                if !stop(&hop) {
                    next.insert(far.clone());
                }
                web.hops.entry(near.clone()).or_default().push(hop);
            }
        }
        frontier = with_names(db, next).await?;
        frontier.retain(|column| !web.distance.contains_key(column));
        web.distance.extend(frontier.iter().map(|column| (column.clone(), step)));
        if frontier.is_empty() || web.distance.len() > COLUMNS_MAX {
            break;
        }
    }
    web.truncated = !frontier.is_empty();
    Ok(web)
}

/// The columns under every name of their datasets.
async fn with_names(db: &Database, columns: BTreeSet<Column>) -> Result<BTreeSet<Column>> {
    let datasets: BTreeSet<i64> = columns.iter().map(|(dataset, _)| *dataset).collect();
    if datasets.is_empty() {
        return Ok(columns);
    }
    let (_, links) = symlinks::closure(db, datasets).await?;
    let mut all = columns;
    // A link of a link needs another round; there are rarely more than two names.
    loop {
        let others: Vec<Column> = all
            .iter()
            .flat_map(|(dataset, column)| {
                links.iter().filter(move |link| link.from == *dataset).map(move |link| (link.to, column.clone()))
            })
            .collect();
        let before = all.len();
        all.extend(others);
        if all.len() == before {
            return Ok(all);
        }
    }
}

impl Web {
    /// The paths from a column to where they end, at most [`PATHS_MAX`], none of which visits a column twice.
    pub fn paths(&self, start: &Column, upstream: bool) -> Vec<Vec<&Hop>> {
        let mut done = vec![];
        let mut open: Vec<Vec<&Hop>> = self.hops.get(start).into_iter().flatten().map(|hop| vec![hop]).collect();
        while let Some(path) = open.pop() {
            if done.len() + open.len() >= PATHS_MAX {
                done.push(path);
                break;
            }
            let end = |hop: &'_ Hop| if upstream { hop.from.clone() } else { hop.to.clone() };
            let Some(last) = path.last().map(|hop| end(hop)) else { continue };
            let visited: BTreeSet<Column> = path.iter().map(|hop| end(hop)).chain([start.clone()]).collect();
            let before = visited.len();
            let next: Vec<&Hop> =
                self.hops.get(&last).into_iter().flatten().filter(|hop| !visited.contains(&end(hop))).collect();
            if next.is_empty() || before != path.len() + 1 {
                done.push(path);
                continue;
            }
            open.extend(next.into_iter().map(|hop| {
                let mut longer = path.clone();
                longer.push(hop);
                longer
            }));
        }
        done
    }
}
