//! Runs: what events say of them is merged, then their operations follow.

use super::{Batch, Tracked, Writes};
use crate::error::{Error, Result};
use crate::event::time_of_uuid;
use crate::facts::{Name, Run};
use crate::store::record::load;
use crate::store::rows::{self, NEVER, RunRow, digest};
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use uuid::Uuid;

/// How much less a mention of a run's job counts than the run's own word.
const MENTIONED: i64 = 1 << 60;
/// How much less a job that is only a placeholder counts.
const PLACEHOLDER: i64 = 1 << 61;

/// Runs of the batch, by uuid.
pub(super) type Runs = HashMap<Uuid, Tracked<RunRow>>;

impl<'b> Batch<'b> {
    /// Merges runs with their operations and edges, and writes them.
    pub(super) async fn merge_runs(&mut self, entries: &'b [super::Entry]) -> Result<()> {
        let mut runs = self.load_runs(entries).await?;
        for super::Entry { facts, .. } in entries {
            for fact in &facts.runs {
                self.merge_run(&mut runs, fact, facts.at).await?;
            }
        }
        let moved: Vec<(i64, i64)> = runs
            .values()
            .filter_map(|run| Some((run.row.id, run.row.job_id, run.stored.as_ref()?.job_id)))
            .filter_map(|(run, job, stored)| (job != stored).then_some((run, job)))
            .collect();
        Writes::of(runs.values(), |run| run.id).write(self.tx).await?;
        self.merge_operations(entries, &runs).await?;
        self.follow_job(&moved).await?;
        // Of what has ended, no more news are expected; if they come, the database knows.
        for (uuid, run) in runs.into_iter().filter(|(_, run)| run.row.ended_at.is_none()) {
            self.caches.runs.put(uuid, run.row);
        }
        Ok(())
    }

    async fn load_runs(&mut self, entries: &[super::Entry]) -> Result<Runs> {
        let wanted: BTreeSet<Uuid> = entries.iter().flat_map(|e| &e.facts.runs).map(|run| run.id).collect();
        let mut runs = Runs::new();
        let mut missing = vec![];
        for uuid in wanted {
            match self.caches.runs.take(&uuid) {
                Some(run) => drop(runs.insert(uuid, Tracked::loaded(run))),
                None => missing.push(uuid.to_string()),
            }
        }
        if !missing.is_empty() {
            let condition = self.tx.within("uuid", 1);
            for row in load::<RunRow>(self.tx, &condition, vec![missing.into()]).await? {
                runs.insert(parsed(&row.uuid)?, Tracked::loaded(row));
            }
        }
        Ok(runs)
    }

    async fn merge_run(&mut self, runs: &mut Runs, fact: &Run, at: i64) -> Result<()> {
        let Some(job_id) = self.job_ids.get(&fact.job).copied() else { return Ok(()) };
        let parent_id = fact.parent.and_then(|parent| runs.get(&parent)).map(|run| run.row.id);
        let tracked = match runs.entry(fact.id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let id = self.ids.next(self.tx, "run").await?;
                free.insert(Tracked::new(new_run(id, &fact.id, job_id, at)))
            }
        };
        merge_fact(&mut tracked.row, fact, at);
        rows::greatest(&mut tracked.row.parent_id, parent_id);
        let mut job_at = at;
        if !fact.heard {
            job_at -= MENTIONED;
        }
        if fact.job.name == "unknown" {
            job_at -= PLACEHOLDER;
        }
        let rank = job_rank(&fact.job);
        if (job_at, rank) > (tracked.row.job_at, tracked.row.job_rank) {
            (tracked.row.job_at, tracked.row.job_rank, tracked.row.job_id) = (job_at, rank, job_id);
        }
        Ok(())
    }

    /// When a run turns out to be of another job, so are its edges.
    async fn follow_job(&mut self, moved: &[(i64, i64)]) -> Result<()> {
        for (run, job) in moved {
            for table in ["edge", "column_lineage"] {
                let sql = format!(
                    "UPDATE {table} SET job_id = $1 WHERE job_id <> $1 \
                     AND operation_id IN (SELECT id FROM operation WHERE run_id = $2)"
                );
                self.tx.execute(&sql, vec![(*job).into(), (*run).into()]).await?;
            }
        }
        if !moved.is_empty() {
            self.caches.operations.clear();
        }
        Ok(())
    }
}

/// The id of a stored run or operation.
pub(super) fn parsed(uuid: &str) -> Result<Uuid> {
    Uuid::parse_str(uuid).map_err(|_| Error::Corrupt(format!("a stored run or operation has the id {uuid:?}")))
}

/// A number that orders jobs in the same way everywhere, for events of the same moment.
fn job_rank(job: &Name) -> i64 {
    let hash = digest(&format!("{}\u{1}{}\u{1}{}", job.place.kind, job.place.hosts.join(","), job.name.to_lowercase()));
    i64::from_str_radix(&hash[..15], 16).unwrap_or(0)
}

fn new_run(id: i64, uuid: &Uuid, job_id: i64, at: i64) -> RunRow {
    RunRow {
        id,
        uuid: uuid.to_string(),
        created_at: at,
        job_id,
        job_at: i64::MIN,
        job_rank: 0,
        parent_id: None,
        status: crate::facts::status::UNKNOWN,
        external_id: None,
        attempt: None,
        persistent_log_url: None,
        running_log_url: None,
        started_at: None,
        started_by: None,
        start_reason: None,
        ended_at: None,
        end_reason: None,
        expected_start_at: None,
        expected_end_at: None,
        restored_from: None,
        first_at: at,
        last_at: NEVER,
        heard: 0,
        declared: 0,
    }
}

fn merge_fact(row: &mut RunRow, fact: &Run, at: i64) {
    row.created_at = time_of_uuid(&fact.id).unwrap_or_else(|| row.created_at.min(at));
    row.status = row.status.max(fact.status);
    rows::earliest(&mut row.started_at, fact.started_at);
    rows::greatest(&mut row.ended_at, fact.ended_at);
    row.first_at = row.first_at.min(at);
    if fact.heard {
        row.last_at = row.last_at.max(at);
        row.heard = 1;
    }
    row.declared = row.declared.max(fact.declared.into());
    let details = &fact.details;
    rows::greatest(&mut row.external_id, details.external_id.clone());
    rows::greatest(&mut row.attempt, details.attempt.clone());
    rows::greatest(&mut row.persistent_log_url, details.persistent_log_url.clone());
    rows::greatest(&mut row.running_log_url, details.running_log_url.clone());
    rows::greatest(&mut row.started_by, details.user.clone());
    rows::greatest(&mut row.start_reason, details.start_reason.clone());
    rows::greatest(&mut row.end_reason, details.end_reason.clone());
    rows::greatest(&mut row.expected_start_at, details.expected_start_at);
    rows::greatest(&mut row.expected_end_at, details.expected_end_at);
    rows::greatest(&mut row.restored_from, details.restored_from.map(|run| run.to_string()));
}
