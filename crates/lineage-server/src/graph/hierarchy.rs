//! Which job belongs to which, and which waits for which.

use super::symlinks;
use super::{Direction, Window};
use crate::error::Result;
use crate::read;
use crate::store::db::Database;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Most jobs of an answer.
const JOBS_MAX: usize = 10_000;
/// The type of a dependency that only lineage shows.
const INFERRED: &str = "INFERRED_FROM_LINEAGE";

/// What to ask for.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// The job.
    pub start: i64,
    /// Which way along dependencies and between parents and children.
    pub direction: Direction,
    /// How far.
    pub depth: i64,
    /// With a window, dependencies are inferred from lineage too.
    pub infer: Option<Window>,
}

#[derive(Debug, Default)]
struct Relations {
    parents: BTreeSet<(i64, i64)>,
    dependencies: BTreeSet<(i64, i64, String)>,
    jobs: BTreeSet<i64>,
}

/// Answers it: the family of the job, who waits for whom in it, and as many steps along dependencies as asked for, each
/// with the families of the jobs it leads to.
///
/// # Errors
/// Those of the database.
pub async fn ask(db: &Database, question: &Question) -> Result<Value> {
    let mut relations = Relations::default();
    relations.jobs.insert(question.start);
    for way in question.direction.ways() {
        let mut visited = BTreeSet::from([question.start]);
        let mut frontier = vec![question.start];
        for _ in 0..question.depth.max(1) {
            if frontier.is_empty() || relations.jobs.len() > JOBS_MAX {
                break;
            }
            let family = family(db, frontier, &mut relations).await?;
            let next = dependencies(db, family, *way == Direction::Upstream, question, &mut relations).await?;
            frontier = next.into_iter().filter(|id| visited.insert(*id)).collect();
            relations.jobs.extend(&frontier);
        }
        family(db, frontier, &mut relations).await?;
    }
    let ends: Vec<i64> = relations.dependencies.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
    relations.jobs.extend(ends);
    let jobs = read::jobs(db, relations.jobs.iter().copied().collect()).await?;
    Ok(shown(&relations, jobs))
}

/// Jobs with their ancestors and their descendants; notes who is whose parent.
async fn family(db: &Database, jobs: Vec<i64>, relations: &mut Relations) -> Result<Vec<i64>> {
    let mut all: BTreeSet<i64> = jobs.iter().copied().collect();
    for (own, other) in [("id", 0), ("parent_id", 1)] {
        let sql = format!("SELECT parent_id, id FROM job WHERE parent_id IS NOT NULL AND {}", db.within_ints(own, 1));
        let mut visited: BTreeSet<i64> = jobs.iter().copied().collect();
        let mut frontier = jobs.clone();
        while !frontier.is_empty() && all.len() <= JOBS_MAX {
            let rows = db.rows(&sql, vec![std::mem::take(&mut frontier).into()]).await?;
            relations.parents.extend(rows.iter().map(|row| (row.int(0), row.int(1))));
            frontier.extend(rows.iter().map(|row| row.int(other)).filter(|id| visited.insert(*id)));
        }
        all.extend(visited);
    }
    relations.jobs.extend(&all);
    Ok(all.into_iter().collect())
}

/// Notes the dependencies of jobs in one direction and returns where they lead.
async fn dependencies(
    db: &Database,
    jobs: Vec<i64>,
    upstream: bool,
    question: &Question,
    relations: &mut Relations,
) -> Result<BTreeSet<i64>> {
    let own = if upstream { "to_id" } else { "from_id" };
    let sql = format!("SELECT from_id, to_id, kind FROM job_dependency WHERE {}", db.within_ints(own, 1));
    let rows = db.rows(&sql, vec![jobs.clone().into()]).await?;
    let mut found: Vec<(i64, i64, String)> = rows.iter().map(|row| (row.int(0), row.int(1), row.text(2))).collect();
    if let Some(window) = &question.infer {
        let inferred = inferred(db, jobs, upstream, window).await?;
        found.extend(inferred.into_iter().map(|(from, to)| (from, to, INFERRED.to_owned())));
    }
    let next = found.iter().map(|(from, to, _)| if upstream { *from } else { *to }).collect();
    relations.dependencies.extend(found);
    Ok(next)
}

/// Pairs of jobs where the first wrote, not before the second read, what the second read.
async fn inferred(db: &Database, jobs: Vec<i64>, upstream: bool, window: &Window) -> Result<BTreeSet<(i64, i64)>> {
    let uses = uses(db, "e.job_id", jobs, !upstream, window).await?;
    let (names, links) = symlinks::closure(db, uses.iter().map(|u| u.dataset).collect()).await?;
    let same = |a: i64, b: i64| a == b || links.iter().any(|link| link.from == a && link.to == b);
    let others = self::uses(db, "e.dataset_id", names.into_iter().collect(), upstream, window).await?;
    let mut found = BTreeSet::new();
    for near in &uses {
        for far in others.iter().filter(|far| same(near.dataset, far.dataset) && near.job != far.job) {
            let (writer, reader) = if upstream { (far, near) } else { (near, far) };
            if writer.last >= reader.first {
                found.insert((writer.job, reader.job));
            }
        }
    }
    Ok(found)
}

struct Use {
    job: i64,
    dataset: i64,
    first: i64,
    last: i64,
}

async fn uses(db: &Database, column: &str, ids: Vec<i64>, output: bool, window: &Window) -> Result<Vec<Use>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let sql = format!(
        "SELECT e.job_id, e.dataset_id, MIN(e.row_from), MAX(e.row_to) FROM edge e WHERE {} AND e.direction = {} \
         AND {} GROUP BY e.job_id, e.dataset_id",
        db.within_ints(column, 1),
        i64::from(output),
        window.condition("e"),
    );
    let rows = db.rows(&sql, vec![ids.into()]).await?;
    Ok(rows
        .iter()
        .map(|row| Use { job: row.int(0), dataset: row.int(1), first: row.int(2), last: row.int(3) })
        .collect())
}

fn shown(relations: &Relations, jobs: read::ById) -> Value {
    let entity = |id: &i64| json!({"kind": "JOB", "id": id.to_string()});
    let parents = relations.parents.iter().map(|(from, to)| json!({"from": entity(from), "to": entity(to)}));
    let dependencies = relations
        .dependencies
        .iter()
        .map(|(from, to, kind)| json!({"from": entity(from), "to": entity(to), "type": kind}));
    let jobs: BTreeMap<i64, Value> = jobs.into_iter().collect();
    let jobs: Map<String, Value> = jobs.into_iter().map(|(id, job)| (id.to_string(), job)).collect();
    json!({
        "relations": {"parents": parents.collect::<Vec<_>>(), "dependencies": dependencies.collect::<Vec<_>>()},
        "nodes": {"jobs": jobs},
    })
}
